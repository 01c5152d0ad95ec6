"""What a start loads: help no library that computes, and a verb no more than it uses.

Not timed here (see benchmarks/startup.py): what is loaded decides how long a start takes.
"""

import json
import os
import subprocess
import sys

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
