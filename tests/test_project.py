"""The project's own promises: what it installs, what it imports, how its errors are named."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso import errors
from sayso.errors import Denied, SaysoError

PROJECT = Path(__file__).resolve().parent.parent
SOURCES = sorted((PROJECT / "src" / "sayso").rglob("*.py"))
LOCKS = ["requirements.lock", "requirements-dev.lock"]
METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

# Modules that open connections. Sayso reads photographs from disk and downloads nothing.
NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "urllib3"}
NETWORK_PARTS = {"urllib.request", "urllib.error"}
UNNAMED_ROOMS = {"utils", "common", "helpers", "misc", "manager"}


def pins(lock: str) -> dict[str, set[str]]:
    """Every pinned `name==version` of a lock file, with its hashes."""
    found: dict[str, set[str]] = {}
    pin = ""
    for line in (PROJECT / lock).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            pin = line.removesuffix(" \\")
            found[pin] = set()
        elif match := re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?", line):
            found[pin].add(match[1])
    return found


def names(lock: str) -> set[str]:
    return {pin.partition("==")[0] for pin in pins(lock)}


def without_markers(lock: str) -> dict[str, set[str]]:
    return {pin.partition(" ;")[0]: hashes for pin, hashes in pins(lock).items()}


def required(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_a_hash(lock: str) -> None:
    assert pins(lock)
    for pin, hashes in pins(lock).items():
        assert re.match(r"[a-z0-9-]+==\d", pin), pin
        assert hashes, pin


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_place(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^-|index-url|find-links| @ ", text, flags=re.MULTILINE)


def test_the_lock_for_tests_holds_every_pin_of_the_lock_for_running() -> None:
    running, tests = without_markers(LOCKS[0]), without_markers(LOCKS[1])
    assert {pin: tests.get(pin) for pin in running} == running


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = METADATA["project"]
    running = required(project["dependencies"] + project["optional-dependencies"]["demo"])
    groups = METADATA["dependency-groups"]
    building = required(groups["build"])
    developing = required([entry for entry in groups["dev"] if isinstance(entry, str)])
    assert running | building <= names(LOCKS[0])
    assert running | building | developing <= names(LOCKS[1])


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_that_reports_on_its_user_is_installed(lock: str) -> None:
    assert not {name for name in names(lock) if "telemetry" in name or "analytics" in name}


def test_a_library_user_installs_nothing_that_is_an_extra() -> None:
    always = required(METADATA["project"]["dependencies"])
    assert not always & {
        "matplotlib",
        "scikit-image",
        "keyring",
        "onnxruntime-gpu",
        "pytest",
        "hatchling",
    }
    assert set(METADATA["project"]["optional-dependencies"]) == {"demo", "gpu", "keyring"}


def error_classes(root: type[SaysoError] = SaysoError) -> Iterator[type[SaysoError]]:
    yield root
    for child in root.__subclasses__():
        yield from error_classes(child)


def drawn_tree() -> dict[str, tuple[str, str | None]]:
    """Of the drawing in the module's docstring: name to (parent, code where one is drawn)."""
    drawn: dict[str, tuple[str, str | None]] = {}
    branches = ["SaysoError"]
    for line in (errors.__doc__ or "").splitlines():
        if match := re.fullmatch(r" {4}([│ ]*)[├└]── (\w+)(?: +(\w+))?(?: +\(.*\))?", line):
            indent, name, code = match.groups()
            del branches[len(indent) // 4 + 1 :]
            drawn[name] = (branches[-1], code)
            branches.append(name)
    return drawn


def test_the_error_tree_is_as_drawn() -> None:
    classes = {cls.__name__: cls for cls in error_classes() if cls is not SaysoError}
    drawn = drawn_tree()
    assert drawn.keys() == classes.keys()
    for name, (parent, code) in drawn.items():
        assert classes[name].__bases__ == (getattr(errors, parent),), name
        assert code is None or classes[name].code == code, name


def test_a_reason_code_names_one_error() -> None:
    codes = [cls.code for cls in error_classes()]
    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("error", list(error_classes()), ids=lambda cls: cls.code)
def test_an_error_says_what_was_expected_found_and_to_be_done(error: type[SaysoError]) -> None:
    words = {"expected": "a spoon", "found": "a fork", "remedy": "Fetch a spoon."}
    raised = Denied("no_consent", **words) if error is Denied else error(**words)
    assert str(raised) == "Expected a spoon, found a fork. Fetch a spoon."
    assert raised.reason_code == ("no_consent" if error is Denied else error.code)
    assert raised.exit_status == (3 if issubclass(error, errors.IntegrityError) else 1)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_says_what_it_is_for(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_module_opens_a_connection(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    assert not {name for name in imported if name.partition(".")[0] in NETWORK}
    assert not imported & NETWORK_PARTS


def test_no_room_has_a_name_that_says_nothing() -> None:
    rooms = {part for source in SOURCES for part in source.relative_to(PROJECT).parts}
    assert not {Path(room).stem for room in rooms} & UNNAMED_ROOMS


RUN_A_NETWORK = """
import onnx
from onnx import TensorProto, helper
from sayso.vision.runtime import OpenVinoNetwork

shape = [1, 3, 4, 4]
graph = helper.make_graph(
    [helper.make_node("Relu", ["in"], ["out"])],
    "tiny",
    [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
OpenVinoNetwork(model.SerializeToString, threads=1)
"""


def test_running_a_network_reports_to_nobody_and_writes_nothing_at_home(tmp_path: Path) -> None:
    # Where openvino-telemetry is installed, OpenVINO tells its maker of each import and keeps a
    # number for this person in the home folder. A package of that name tells here of its use.
    home, packages = tmp_path / "home", tmp_path / "packages"
    home.mkdir()
    (packages / "openvino_telemetry").mkdir(parents=True)
    (packages / "openvino_telemetry" / "__init__.py").write_text("print('reported')")
    search = os.pathsep.join([str(packages), str(PROJECT / "src")])
    settings = {name: value for name, value in os.environ.items() if name != "CI"}
    ended = subprocess.run(  # noqa: S603 - runs this Python on the lines above
        [sys.executable, "-c", RUN_A_NETWORK],
        env=settings | {"HOME": str(home), "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""
    assert not list(home.iterdir())


def test_an_old_python_gets_a_sentence_not_a_syntax_error() -> None:
    source = (PROJECT / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    old = f"import sys; sys.version_info = (3, 8, 0); exec({source!r}.replace('__file__', '\"x\"'))"
    ended = subprocess.run(  # noqa: S603 - runs this Python on this project's own file
        [sys.executable, "-c", old], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("sayso: Sayso needs Python 3.11 or newer and this is 3.8.0")
