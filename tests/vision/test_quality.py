import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sayso.domain.face import Box, Face, Landmarks, Point
from sayso.errors import FaceTooBlurred, FaceTooSmall, NoFace, SeveralFaces
from sayso.vision.decode import Picture
from sayso.vision.quality import measure
from sayso.vision.reference import enrolment

Pixels = NDArray[np.uint8]


def face(x: float, y: float, size: float, *, nose: float = 0.0, height_px: float = 200) -> Face:
    """A face around x, y; the nose lies aside by so many distances between the eyes."""
    eye, mouth = size * 0.2, size * 0.16
    points = Landmarks(
        Point(x - eye, y - eye),
        Point(x + eye, y - eye),
        Point(x + 2 * eye * nose, y),
        Point(x - mouth, y + eye),
        Point(x + mouth, y + eye),
    )
    return Face(Box(x - size / 2, y - size / 2, size, size), points, 0.9, height_px)


def texture(blur: float = 0.0) -> Pixels:
    """Detail at every scale, as skin, hair and eyes have."""
    random = np.random.default_rng(3)
    layers = [
        cv2.resize(random.normal(0, 30, (n, n, 3)), (448, 448), interpolation=cv2.INTER_CUBIC)
        for n in (14, 28, 56, 112, 224)
    ]
    pixels = np.clip(np.sum(layers, axis=0) * 0.6 + 128, 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), blur) if blur else pixels, np.uint8)


def photograph(pixels: Pixels) -> Picture:
    return Picture(pixels, pixels.shape[1], pixels.shape[0], "JPEG")


def test_a_face_in_focus_may_be_enrolled() -> None:
    meant = face(0.5, 0.5, 0.5)
    assert enrolment(photograph(texture()), [meant]) is meant


def test_a_photograph_without_a_face_is_refused() -> None:
    with pytest.raises(NoFace):
        enrolment(photograph(texture()), [])


def test_a_small_face_is_refused() -> None:
    with pytest.raises(FaceTooSmall) as caught:
        enrolment(photograph(texture()), [face(0.5, 0.5, 0.5, height_px=47)])
    assert "47 px" in caught.value.found


@pytest.mark.parametrize("blur_px", [8, 12, 24, 40])
def test_a_blurred_face_is_refused_however_heavy_the_blur(blur_px: float) -> None:
    with pytest.raises(FaceTooBlurred):
        enrolment(photograph(texture(blur_px)), [face(0.5, 0.5, 0.5)])


def test_a_moved_face_is_refused() -> None:
    moved = cv2.filter2D(texture(), -1, np.full((1, 61), 1 / 61))
    with pytest.raises(FaceTooBlurred):
        enrolment(photograph(np.asarray(moved, np.uint8)), [face(0.5, 0.5, 0.5)])


def test_two_equal_faces_side_by_side_are_refused_whichever_comes_first() -> None:
    pair = [face(0.3, 0.5, 0.3), face(0.7, 0.5, 0.3)]
    for order in (pair, pair[::-1]):
        with pytest.raises(SeveralFaces):
            enrolment(photograph(texture()), order)


def test_a_bystander_does_no_harm() -> None:
    meant, bystander = face(0.5, 0.5, 0.5), face(0.9, 0.2, 0.15)
    for order in ([meant, bystander], [bystander, meant]):
        assert enrolment(photograph(texture()), order) is meant


def test_a_face_turned_aside_small_dark_or_blurred_is_less_usable() -> None:
    sharp = cv2.resize(texture(), (112, 112), interpolation=cv2.INTER_AREA)
    crop = np.asarray(sharp, np.uint8)
    best = measure(crop, face(0.5, 0.5, 0.5)).usable
    assert 0 < best <= 1
    assert measure(crop, face(0.5, 0.5, 0.5, nose=0.5)).usable < best
    assert measure(crop, face(0.5, 0.5, 0.5, height_px=40)).usable < best
    assert measure((crop // 16).astype(np.uint8), face(0.5, 0.5, 0.5)).usable < best
    blurred = np.asarray(cv2.GaussianBlur(crop, (0, 0), 3), np.uint8)
    assert measure(blurred, face(0.5, 0.5, 0.5)).usable < best


def test_contrast_does_not_count_as_sharpness() -> None:
    crop = np.asarray(cv2.resize(texture(), (112, 112), interpolation=cv2.INTER_AREA), np.uint8)
    flat = (crop // 2 + 64).astype(np.uint8)
    one, two = measure(crop, face(0.5, 0.5, 0.5)), measure(flat, face(0.5, 0.5, 0.5))
    assert one.sharpness == pytest.approx(two.sharpness, rel=0.1)


def test_an_empty_crop_is_of_no_use() -> None:
    quality = measure(np.zeros((112, 112, 3), np.uint8), face(0.5, 0.5, 0.5))
    assert quality.usable == 0
    assert quality.sharpness == 0
