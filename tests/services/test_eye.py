"""A faint picture is looked at twice: anybody can bring out what the eye can hardly see."""

from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.domain.face import Box, Face
from sayso.services.eye import Eye
from sayso.vision.decode import DecodeLimits, Picture, decode
from sayso.vision.detect import Detector
from sayso.vision.encode import encode
from sayso.vision.models import YUNET, load
from sayso.vision.runtime import OpenVinoNetwork


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Eye:
    folder = tmp_path_factory.mktemp("models")
    network = OpenVinoNetwork(lambda: load(YUNET, folder), threads=1)
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


@pytest.mark.parametrize("plane", [slice(0, 3), slice(1, 2)])
def test_a_face_of_one_level_is_found(eye: Eye, portrait: np.ndarray, plane: slice) -> None:
    hidden = np.full_like(portrait, 100)
    hidden[..., plane] += (portrait.mean(axis=2, keepdims=True) > 110).astype(np.uint8)
    assert len(eye.look(encode(hidden, "PNG"))[1]) == 1


def test_a_face_that_only_the_mirror_shows_comes_in_its_own_place(
    eye: Eye, portrait: np.ndarray
) -> None:
    data = encode(portrait, "PNG")
    [face] = eye.look(data)[1]
    both = eye.look_again(eye.picture(data), [])
    assert len(both) == 1
    turned = eye.picture(encode(np.ascontiguousarray(portrait[:, ::-1]), "PNG"))
    mirrored = eye.look_again(turned, [])
    assert mirrored[0].box.x == pytest.approx(1 - face.box.x - face.box.width, abs=0.02)


class Asked:
    """A detector that finds nothing and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], float]] = []

    def detect(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        self.asked.append((picture.pixels.shape[:2], smallest_px))
        return ()

    scrutinise = detect


def noise(width: int, height: int) -> bytes:
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3))
    return encode(values.astype(np.uint8), "JPEG")


def test_a_glance_at_a_photograph_of_up_to_1700_px_is_a_look() -> None:
    asked = Asked()
    eye = Eye(asked, DecodeLimits(10**8, 10**8), 16.0)
    for size in ((250, 250), (1700, 900)):
        eye.look(noise(*size))
        for for_features in (False, True):
            picture, _ = eye.glance(noise(*size), for_features=for_features)
            assert picture.pixels.shape[1::-1] == size
    assert asked.asked[:3] == [((250, 250), 16.0)] * 3
    assert asked.asked[3:] == [((900, 1700), 16.0)] * 3


def test_a_glance_at_a_large_photograph_is_small_unless_features_need_all_of_it() -> None:
    asked = Asked()
    eye = Eye(asked, DecodeLimits(10**8, 10**8), 16.0)
    data = noise(4000, 2000)
    for for_features in (False, True):
        picture, _ = eye.glance(data, for_features=for_features)
        assert (picture.width_px, picture.height_px) == (4000, 2000)
    assert asked.asked == [((1000, 2000), 37.5), ((2000, 4000), 37.5)]
    Eye(asked, DecodeLimits(10**8, 10**8), 50.0).glance(data, for_features=False)
    assert asked.asked[-1][1] == 50.0


def test_a_glance_finds_the_same_large_face_at_either_size(eye: Eye, portrait: np.ndarray) -> None:
    height, width = 4 * portrait.shape[0], 6 * portrait.shape[1]
    canvas = np.full((height, width, 3), 160, np.uint8)
    canvas[: 2 * portrait.shape[0], : 2 * portrait.shape[1]] = portrait.repeat(2, 0).repeat(2, 1)
    data = encode(canvas, "JPEG")
    [small] = eye.glance(data, for_features=False)[1]
    [full] = eye.glance(data, for_features=True)[1]
    assert small.box.intersection_over_union(full.box) > 0.9
    assert small.height_px == pytest.approx(full.height_px, rel=0.05)


def far_away(portrait: np.ndarray, *, times_smaller: int) -> np.ndarray:
    """A large photograph in which somebody stands far away, near its lower right corner."""
    person = portrait[::times_smaller, ::times_smaller]
    canvas = np.full((3000, 4000, 3), 120, np.uint8)
    canvas[2900 - len(person) : 2900, 3900 - person.shape[1] : 3900] = person
    return canvas


def test_where_a_small_face_was_covered_a_copy_is_looked_at_closely(
    eye: Eye, portrait: np.ndarray
) -> None:
    picture = eye.picture(encode(far_away(portrait, times_smaller=6), "PNG"))
    [face] = eye.faces(picture)
    assert face.height_px < 30
    again = eye.look_again(picture, [face])
    assert any(found.box.intersection_over_union(face.box) > 0.5 for found in again)
    elsewhere = replace(face, box=Box(0.1, 0.1, face.box.width, face.box.height))
    assert eye.look_again(picture, [elsewhere]) == []


def test_a_copy_without_small_covers_is_looked_at_once_each_way() -> None:
    asked = Asked()
    eye = Eye(asked, DecodeLimits(10**8, 10**8), 16.0)
    ramp = np.linspace(0, 255, 4000).astype(np.uint8)  # noise would be faint once it is small
    picture = Picture(np.tile(ramp[None, :, None], (2000, 1, 3)), 4000, 2000, "JPEG")
    large = Face(Box(0.2, 0.2, 0.1, 0.2), None, 0.9, 400.0)
    eye.look_again(picture, [large])
    assert asked.asked == [((640, 1280), 37.5)] * 2
    outside = Face(Box(0.995, 0.995, 0.02, 0.02), None, 0.9, 20.0)
    eye.look_again(picture, [outside])
    # The last of the pieces that the picture is divided into, and a little around it.
    assert {size for size, _ in asked.asked[4:]} == {(2000 - 3 * 512 + 128, 4000 - 7 * 512 + 128)}
