import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.face import Landmarks, Point
from sayso.errors import FaceTooSmall
from sayso.vision.align import align, enough_px, similarity_transform

# Where the crop wants eyes, nose and mouth corners, as published with ArcFace.
EYES, NOSE = [[38.2946, 51.6963], [73.5318, 51.5014]], [[56.0252, 71.7366]]
MOUTH = [[41.5493, 92.3655], [70.7299, 92.2041]]
WANTED = np.array([*EYES, *NOSE, *MOUTH])


def landmarks(points: np.ndarray, width: int, height: int) -> Landmarks:
    return Landmarks(*(Point(x / width, y / height) for x, y in points))


@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.1, 20),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_a_turned_scaled_and_shifted_face_is_turned_back(
    angle: float, scale: float, x: float, y: float
) -> None:
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    moved = WANTED @ turn.T + [x, y]
    back = similarity_transform(moved, WANTED)
    np.testing.assert_allclose(moved @ back[:, :2].T + back[:, 2], WANTED, atol=1e-6)


@given(seed=st.integers(0, 2**31))
def test_the_transform_is_umeyamas(seed: int) -> None:
    source = WANTED + np.random.default_rng(seed).normal(0, 8, (5, 2))
    # Umeyama 1991, equations 34 to 43, by singular value decomposition.
    start, end = source - source.mean(0), WANTED - WANTED.mean(0)
    left, singular, right = np.linalg.svd(end.T @ start / 5)
    signs = np.array([1, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(signs) @ right * (singular @ signs) / start.var(0).sum()
    np.testing.assert_allclose(similarity_transform(source, WANTED)[:, :2], turn, atol=1e-6)


def test_the_crop_is_the_one_that_opencvs_own_estimate_cuts() -> None:
    picture = np.asarray(
        cv2.GaussianBlur(
            np.random.default_rng(7).integers(0, 256, (200, 180, 3)).astype(np.uint8), (0, 0), 3
        ),
        np.uint8,
    )
    points = WANTED * 1.3 + [12, 9]
    found = align(picture, landmarks(points, 180, 200))
    matrix, _ = cv2.estimateAffinePartial2D(points, WANTED)
    expected = cv2.warpAffine(picture, matrix, (112, 112))
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 2


def test_a_large_face_does_not_alias() -> None:
    # Stripes of one pixel turn grey when a face ten times the crop is shrunk; sampled, they moiré.
    picture = np.zeros((1200, 1200, 3), np.uint8)
    picture[:, ::2] = 255
    crop = align(picture, landmarks(WANTED * 10 + [5, 5], 1200, 1200))
    assert crop.std() < 12
    assert abs(float(crop.mean()) - 127.5) < 3


def test_a_large_face_lands_where_a_small_one_does() -> None:
    small = np.zeros((112, 112, 3), np.uint8)
    cv2.circle(small, (56, 72), 9, (255, 40, 0), -1)
    large = np.repeat(np.repeat(small, 10, axis=0), 10, axis=1)
    direct = align(small, landmarks(WANTED, 112, 112))
    # Pixel centres: a point x of the small picture lies at 10 x + 4.5 of the large one.
    shrunk = align(large, landmarks(WANTED * 10 + 4.5, 1120, 1120))
    assert np.abs(direct.astype(int) - shrunk.astype(int)).mean() < 1


def test_outside_of_the_picture_is_black() -> None:
    crop = align(np.full((50, 50, 3), 255, np.uint8), landmarks(WANTED - 60, 50, 50))
    assert crop[-1, -1].tolist() == [0, 0, 0]


def test_landmarks_in_one_point_are_refused() -> None:
    with pytest.raises(FaceTooSmall):
        align(np.zeros((50, 50, 3), np.uint8), landmarks(np.ones((5, 2)), 50, 50))


def test_the_least_side_at_which_no_crop_is_enlarged() -> None:
    """A face as large as its crop needs every pixel; one four times as large a quarter of them."""
    width, height = 1120, 480
    for scale, enough in ((1, width), (4, width / 4), (0.5, width)):
        marks = landmarks(WANTED * scale, width, height)
        assert enough_px(marks, width, height) == pytest.approx(enough, abs=1)
