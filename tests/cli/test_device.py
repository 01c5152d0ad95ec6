"""Where the networks run, as settings say; this machine may have no GPU, and CI has none."""

import pytest

from sayso.errors import DeviceMissing
from sayso.services.scene import Scene
from sayso.vision.cuda import require_gpu

from .program import Desk


def _there_is_a_gpu() -> bool:
    try:
        require_gpu()
    except DeviceMissing:
        return False
    return True


without_gpu = pytest.mark.skipif(_there_is_a_gpu(), reason="needs a machine without a GPU")


@without_gpu
def test_a_scan_that_wants_a_gpu_does_nothing_without_one(desk: Desk) -> None:
    before = desk("collection", "list")
    ran = desk.program(
        "scan", "space", "--again", "--workspace", desk.workspace, "--json",
        environment={"SAYSO_DEVICE": "cuda"},
    )  # fmt: skip
    assert (ran.status, ran.code) == (1, "device_missing")
    assert "cuda-or-cpu" in ran.json["error"]["reason"]
    assert desk("collection", "list") == before


@without_gpu
def test_the_processor_is_used_only_if_that_is_allowed_and_is_said(
    desk: Desk, scene: Scene
) -> None:
    photograph = scene.photographs / "IMG_0001.jpg"
    question = ("identify", photograph, "--collection", "space")
    expected = desk(*question)
    ran = desk.program(
        *question, "--workspace", desk.workspace, "--json",
        environment={"SAYSO_DEVICE": "cuda-or-cpu"},
    )  # fmt: skip
    assert ran.status == 0
    assert ran.json == expected
    assert ran.err.count("The processor is used instead of a GPU") == 1


def test_a_device_that_there_is_not_is_refused(desk: Desk) -> None:
    ran = desk.program(
        "collection", "list", "--workspace", desk.workspace, "--json",
        environment={"SAYSO_DEVICE": "abacus"},
    )  # fmt: skip
    assert (ran.status, ran.code) == (1, "setting_malformed")
