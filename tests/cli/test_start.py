"""What a start loads: help no library that computes, and a verb no more than it uses.

Not timed here (see benchmarks/startup.py): what is loaded decides how long a start takes.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .program import SOURCES, Desk

VISION = {"cv2", "openvino", "onnx", "PIL", "pillow_heif", "simplejpeg"}
LIBRARIES = VISION | {"numpy", "sqlalchemy", "alembic", "cryptography", "jinja2", "rich"}

RUN = """
import json, sys
from sayso.__main__ import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The top-level packages that one run of the program, in a process of its own, has loaded."""
    ended = subprocess.run(  # noqa: S603 - this Python on the lines above
        [sys.executable, "-c", RUN, *arguments],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    modules = json.loads(ended.stderr.splitlines()[-1])
    assert "sayso.cli.app" in modules
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["--version"], ["identify", "--help"], ["key", "--help"], ["demo", "--help"]],
    ids=" ".join,
)
def test_asking_what_there_is_loads_no_library(arguments: list[str]) -> None:
    assert loaded(*arguments) & LIBRARIES == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["people"],
        ["find", "Eileen Collins"],
        ["screen", "space", "--channel", "website"],
        ["audit", "verify"],
        ["takedowns"],
    ],
    ids=" ".join,
)
def test_a_verb_without_pictures_loads_no_vision(story: Desk, arguments: list[str]) -> None:
    found = loaded(*arguments, "--workspace", str(story.workspace), "--json")
    assert "sqlalchemy" in found
    assert found & (VISION | {"alembic", "jinja2"}) == set()


CRASH = """
import os, resource, signal, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
from sayso.__main__ import main
try:
    main()
finally:
    print(resource.getrlimit(resource.RLIMIT_CORE)[0], flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
"""


def test_a_crash_leaves_no_memory_on_the_disk(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 - this Python on the lines above
        [sys.executable, "-c", CRASH, "--version"],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGSEGV
    assert int(ended.stdout.splitlines()[-1]) in {0, 1}
    assert list(tmp_path.iterdir()) == []
