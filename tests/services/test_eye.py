"""A faint picture is looked at twice: anybody can bring out what the eye can hardly see."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.services.eye import Eye
from sayso.vision.decode import DecodeLimits, decode
from sayso.vision.detect import Detector
from sayso.vision.encode import encode
from sayso.vision.models import YUNET, load
from sayso.vision.runtime import OpenVinoNetwork


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Eye:
    network = OpenVinoNetwork(load(YUNET, tmp_path_factory.mktemp("models")), threads=1)
    limits = DecodeLimits(max_bytes=50_000_000, max_pixels=50_000_000)
    return Eye(Detector(network, score_threshold=0.5), limits, 16.0)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    place = distribution("scikit-image").locate_file("skimage/data/astronaut.png")
    return decode(Path(str(place)).read_bytes(), DecodeLimits(10**8, 10**8)).pixels


@pytest.mark.parametrize("opacity", [10, 25])
def test_a_face_that_is_nearly_transparent_is_found(
    eye: Eye, portrait: np.ndarray, opacity: int, tmp_path: Path
) -> None:
    alpha = np.full((*portrait.shape[:2], 1), opacity, np.uint8)
    Image.fromarray(np.dstack([portrait, alpha])).save(tmp_path / "faint.png")
    assert len(eye.look((tmp_path / "faint.png").read_bytes())[1]) == 1


@pytest.mark.parametrize("levels", [8, 20])
def test_a_face_in_a_very_dark_picture_is_found(
    eye: Eye, portrait: np.ndarray, levels: int
) -> None:
    dark = (portrait.astype(np.float32) * levels / 255).astype(np.uint8)
    assert len(eye.look(encode(dark, "PNG"))[1]) == 1


def test_a_face_that_only_the_mirror_shows_comes_in_its_own_place(
    eye: Eye, portrait: np.ndarray
) -> None:
    data = encode(portrait, "PNG")
    [face] = eye.look(data)[1]
    both = eye.look_both_ways(data)
    assert len(both) == 1
    mirrored = eye.look_both_ways(encode(np.ascontiguousarray(portrait[:, ::-1]), "PNG"))
    assert mirrored[0].box.x == pytest.approx(1 - face.box.x - face.box.width, abs=0.02)
