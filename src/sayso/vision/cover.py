"""Covering faces, so that neither people nor machines recognise them.

Covers are opaque fills or very coarse cells, never blur: blurred faces have been re-identified.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Face
from sayso.domain.screening import CoverStyle
from sayso.vision.decode import Pixels

_FILL = (64, 64, 64)
"""A fixed dark grey. A colour taken from the face would tell of its skin."""
_CELLS_ACROSS = 4
"""Cells across the width of a face: coarse enough that SFace finds nobody (see the tests)."""
_SMALLEST_CELL_PX = 8
"""Of a face of a few pixels even four cells would be most of it."""
_SIDE, _ABOVE, _BELOW = 0.35, 0.45, 0.22
"""Margins as shares of the box: ears, hair, chin."""
_ROUNDNESS = 4.0
_OUTLINE_POINTS = 48


@dataclass(frozen=True, slots=True)
class Region:
    """What is covered for one face, in pixels of one picture.

    Attributes:
        outline_px: (K, 2) int32, the corners x, y of a convex polygon; may leave the frame.
        face_width_px: width of the face inside, which sets the size of the cells.
    """

    outline_px: NDArray[np.int32]
    face_width_px: float

    def mask(self, height_px: int, width_px: int) -> NDArray[np.bool_]:
        """Bool (H, W): which pixels the region holds."""
        canvas = np.zeros((height_px, width_px), np.uint8)
        cv2.fillConvexPoly(canvas, self.outline_px, 1)
        return canvas.astype(bool)


def regions(height_px: int, width_px: int, faces: Sequence[Face]) -> tuple[Region, ...]:
    """The regions that `cover` covers, one per face, in the order given.

    A region takes in the whole head (hair, ears, chin) and the face's box, turned with the line
    through the eyes; without landmarks it is upright.

    Args:
        height_px: of the picture.
        width_px: the same.
        faces: relative to that picture.
    """
    return tuple(_region(height_px, width_px, face) for face in faces)


def cover(pixels: Pixels, faces: Sequence[Face], style: CoverStyle) -> Pixels:
    """A copy in which the faces are covered.

    Args:
        pixels: uint8 (H, W, 3) RGB; not changed.
        faces: relative to this picture.
        style: how.

    Returns:
        uint8 (H, W, 3) RGB.
    """
    covered = np.array(pixels, np.uint8, order="C")
    height, width = pixels.shape[:2]
    for region in regions(height, width, faces):
        if style is CoverStyle.FILL:
            cv2.fillConvexPoly(covered, region.outline_px, _FILL)
        else:
            _pixelate(covered, region)
    return covered


def _region(height_px: int, width_px: int, face: Face) -> Region:
    width, height = face.box.width * width_px, face.box.height * height_px
    left, top = face.box.x * width_px, face.box.y * height_px
    box = np.array([[left, top], [left + width, top], [left, top + height]])
    box = np.concatenate([box, [[left + width, top + height]]])
    angle = _angle(height_px, width_px, face)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    centre = np.array([left + width / 2, top + height / 2])
    head = centre + (_head(width, height)) @ turn.T
    hull = cv2.convexHull(np.concatenate([box, head]).astype(np.float32))
    # Rounded away from the centre: no pixel of the face is left at the rim.
    around = np.asarray(hull, np.float64).reshape(-1, 2)
    # One pixel more: the fill runs between corners that were rounded each by itself.
    outline = np.where(around > centre, np.ceil(around) + 1, np.floor(around) - 1)
    limit = 1 << 20
    return Region(np.clip(outline, -limit, limit).astype(np.int32), width)


def _head(width: float, height: float) -> NDArray[np.float64]:
    """The outline of an upright head around (0, 0), the middle of its face: a superellipse."""
    turn = np.linspace(0, 2 * math.pi, _OUTLINE_POINTS, endpoint=False)
    power = 2 / _ROUNDNESS
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * (0.5 + _SIDE) * width
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    y = y * np.where(y < 0, 0.5 + _ABOVE, 0.5 + _BELOW) * height
    return np.stack([x, y], axis=1)


def _angle(height_px: int, width_px: int, face: Face) -> float:
    """How far the head is tilted, radians; from the eyes to the mouth, which no profile hides."""
    points = face.landmarks
    if points is None:
        return 0.0
    down_x = points.left_mouth.x + points.right_mouth.x - points.left_eye.x - points.right_eye.x
    down_y = points.left_mouth.y + points.right_mouth.y - points.left_eye.y - points.right_eye.y
    return math.atan2(-down_x * width_px, down_y * height_px) if (down_x or down_y) else 0.0


def _pixelate(pixels: Pixels, region: Region) -> None:
    """Mean colours in place. A cell's mean takes in only what is covered, so nothing bleeds."""
    left, top, width, height = cv2.boundingRect(region.outline_px)
    left, right = max(left, 0), min(left + width, pixels.shape[1])
    top, bottom = max(top, 0), min(top + height, pixels.shape[0])
    if left >= right or top >= bottom:
        return
    part = pixels[top:bottom, left:right]
    shifted = Region(region.outline_px - np.array([left, top], np.int32), region.face_width_px)
    mask = shifted.mask(bottom - top, right - left)
    cell = max(math.ceil(region.face_width_px / _CELLS_ACROSS), _SMALLEST_CELL_PX)
    columns = -(-mask.shape[1] // cell)
    label = (np.arange(mask.shape[0]) // cell * columns)[:, None] + np.arange(mask.shape[1]) // cell
    inside = label[mask]
    count = np.maximum(np.bincount(inside), 1)
    for plane in range(3):
        mean = np.bincount(inside, weights=part[:, :, plane][mask]) / count
        part[:, :, plane][mask] = np.rint(mean).astype(np.uint8)[inside]
