"""A face turned, shifted and scaled so that its landmarks lie where the embedder expects them."""

import math
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Landmarks, Point
from sayso.errors import FaceTooSmall
from sayso.vision.decode import Pixels

CROP_PX = 112
_TEMPLATE_PX = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where eyes, nose and mouth corners belong: the five points of InsightFace's ArcFace crop, which
SFace was trained on and OpenCV's FaceRecognizerSF uses."""


def align(pixels: Pixels, landmarks: Landmarks) -> Pixels:
    """Cut out a face for the embedder.

    The similarity transform (rotation, one scale, shift) is the least-squares one of S. Umeyama,
    IEEE TPAMI 13 (4), 1991, in the plane's closed form. A face of more than twice the crop is
    first shrunk by area, so that nothing aliases.

    Args:
        pixels: uint8 (H, W, 3) RGB.
        landmarks: relative to the same picture.

    Returns:
        uint8 (112, 112, 3) RGB; black outside of the picture.

    Raises:
        FaceTooSmall: the landmarks fall into one point.
    """
    transform = similarity_transform(_points_px(pixels, landmarks), _TEMPLATE_PX)
    shrink = int(1 / np.hypot(transform[0, 0], transform[1, 0]))
    if shrink > 1:
        pixels, transform = _shrunk(pixels, transform, shrink)
    crop = cv2.warpAffine(pixels, transform, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8)


def enough_px(landmarks: Landmarks, width_px: int, height_px: int) -> int:
    """The least longest side of a photograph at which a face's crop need not be enlarged.

    Where the face is larger than its crop, a smaller decoding shows it just as well; where it is
    smaller, only full size is enough.

    Args:
        landmarks: of the face that is to be cut out.
        width_px: of the upright photograph at full size.
        height_px: the same.

    Returns:
        Pixels, from 1 to the longest side at full size.

    Raises:
        FaceTooSmall: the landmarks fall into one point.
    """
    longest = max(width_px, height_px)
    points = np.array([[point.x * width_px, point.y * height_px] for point in _ordered(landmarks)])
    transform = similarity_transform(points, _TEMPLATE_PX)
    enlarged = float(np.hypot(transform[0, 0], transform[1, 0]))
    return max(1, min(math.ceil(longest * enlarged), longest))


def similarity_transform(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The rotation, scale and shift that takes points to others with the least square error.

    Args:
        source: (N, 2).
        target: (N, 2).

    Returns:
        (2, 3): target is about ``matrix[:, :2] @ source + matrix[:, 2]``.

    Raises:
        FaceTooSmall: all source points fall into one.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    # As complex numbers, rotating and scaling is one multiplication.
    start = (source - source_mean) @ np.array([1, 1j])
    end = (target - target_mean) @ np.array([1, 1j])
    spread = float(np.vdot(start, start).real)
    factor = complex(np.vdot(start, end)) / spread if spread > 0 else 0j
    if not np.isfinite(factor) or factor == 0:
        raise FaceTooSmall(
            expected="five landmarks apart from each other",
            found="landmarks in one point",
            remedy="Use a photograph that shows the face larger.",
        )
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.concatenate([turn, (target_mean - turn @ source_mean)[:, None]], axis=1)


def _points_px(pixels: Pixels, landmarks: Landmarks) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    points = _ordered(landmarks)
    flat = list(chain.from_iterable((point.x * width, point.y * height) for point in points))
    return np.array(flat).reshape(5, 2)


def _ordered(landmarks: Landmarks) -> tuple[Point, ...]:
    return (
        landmarks.left_eye,
        landmarks.right_eye,
        landmarks.nose,
        landmarks.left_mouth,
        landmarks.right_mouth,
    )


def _shrunk(
    pixels: Pixels, transform: NDArray[np.float64], shrink: int
) -> tuple[Pixels, NDArray[np.float64]]:
    """The part of the picture that the crop needs, shrunk, and the transform from there."""
    back = np.linalg.inv(transform[:, :2])
    corners = np.array([[0, 0], [CROP_PX, 0], [0, CROP_PX], [CROP_PX, CROP_PX]], np.float64)
    corners = (corners - transform[:, 2]) @ back.T
    size = np.array([pixels.shape[1], pixels.shape[0]])
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - shrink, 0, size - 1)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + shrink, low + 1, size)
    cells = np.maximum((high - low) // shrink, 1)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    factor = (high - low) / cells
    small = cv2.resize(part, (int(cells[0]), int(cells[1])), interpolation=cv2.INTER_AREA)
    turn = transform[:, :2] * factor
    # A shrunk pixel's centre lies half a cell further in than its corner.
    shift = transform[:, 2] + transform[:, :2] @ (low + (factor - 1) / 2)
    return np.asarray(small, np.uint8), np.concatenate([turn, shift[:, None]], axis=1)
