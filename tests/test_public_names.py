"""What ``import sayso`` gives: these names, and none of what makes a start slow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import sayso

SOURCES = Path(__file__).resolve().parent.parent / "src"
NAMES = {
    "Act",
    "ConsentEvent",
    "Consents",
    "Grant",
    "Permit",
    "Purpose",
    "Refusal",
    "SaysoError",
    "Scope",
    "Workspace",
    "create_workspace",
    "decide",
    "open_workspace",
}
HEAVY = {"numpy", "cv2", "PIL", "sqlalchemy", "cryptography", "openvino", "onnx", "typer", "rich"}


def test_the_public_names_are_these() -> None:
    assert set(sayso.__all__) == NAMES
    assert all(getattr(sayso, name) for name in NAMES)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    assert not hasattr(sayso, "no_such_name")


def test_importing_loads_nothing_heavy_until_a_workspace_is_asked_for() -> None:
    script = (
        "import json, sys, sayso; sayso.decide; before = list(sys.modules); "
        "sayso.open_workspace; print(json.dumps([before, list(sys.modules)]))"
    )
    ended = subprocess.run(  # noqa: S603 - this Python on the line above
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = (set(names) for names in json.loads(ended.stdout))
    assert not before & HEAVY
    assert "sqlalchemy" in after
    # Networks are loaded when a photograph is looked at, not before.
    assert not after & {"openvino", "onnx"}
