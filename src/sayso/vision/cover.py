"""Covering faces, so that neither people nor machines recognise them.

What is drawn over a face depends on where it is and on the picture around it, never on what is
under it. Neither a blur nor the means of coarse cells would do: both have been re-identified, see
decision 0022.
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

_FILL = (0, 0, 160)
"""Blue, which no face is. A colour taken from the face would tell of its skin; in grey or white a
recogniser sees an average face, which is alike to some by chance, and in a black shape above
shoulders the detector now and then a head (decision 0022)."""
_PATTERN = np.array(
    [
        [sign == "o" for sign in row]
        for row in (
            "ooo.o.o.oo",
            "..oo..oooo",
            "o.o.ooo...",
            "oo.o.ooo.o",
            "oooo..o.oo",
            ".oo.oooo..",
            "oooo.o.oo.",
            "oooooo.o.o",
            "o.o.oooooo",
            ".o..o.oooo",
            ".o...o..o.",
            "oo...ooooo",
        )
    ]
)
"""Which cells of a mosaic take the colours around it (o) and which stay as in a fill. Of 14
patterns the one of which SFace makes least of a face, seen sharp or out of focus."""
_CELLS_ACROSS = 4
"""Cells across the width of a face."""
_SMALLEST_CELL_PX = 8
_AROUND_CELLS = 4
"""How far around a mosaic its colours come from."""
_SPREAD_CELLS = 2.0
_TINT = 0.5
"""The share of the fill in those colours: untinted, deblurring made a face of two in 200."""
_SAMPLES_ACROSS = 4
"""Of each cell around, so many pixels in each direction tell its colour."""
_SIDE, _ABOVE, _BELOW = 0.35, 0.45, 0.22
"""Margins as shares of the box: ears, hair, chin."""
_BEHIND = 2.0
"""Of a turned head there is more behind the face: so many times as far from the middle of eyes and
mouth as the nose lies on the other side of it."""
_ROUNDNESS = 4.0
_OUTLINE_POINTS = 48
_RIM_PX = 4
"""How far a codec smears what is beside a cover into it."""
_CODEC_MEAN, _CODEC_PEAK, _CODEC_PEAKS = 4.0, 64, 0.02
"""What a codec changes: the mean difference in grey levels of 255, and the share of pixels that
may differ by more than the peak."""


@dataclass(frozen=True, slots=True)
class Region:
    """What is covered for one face, in pixels of one picture.

    Attributes:
        outline_px: (K, 2) int32, the corners x, y of a convex polygon; may leave the frame.
        face_width_px: width of the face inside, which sets the size of a mosaic's cells.
    """

    outline_px: NDArray[np.int32]
    face_width_px: float

    def mask(self, height_px: int, width_px: int) -> NDArray[np.bool_]:
        """Bool (H, W): which pixels the region holds."""
        return self.within(0, 0, width_px, height_px).view(bool)

    def within(self, left_px: int, top_px: int, right_px: int, bottom_px: int) -> Pixels:
        """Uint8 (H, W) for a part of the picture: 1 where the region is, else 0."""
        canvas = np.zeros((bottom_px - top_px, right_px - left_px), np.uint8)
        moved = self.outline_px - np.array([left_px, top_px], np.int32)
        cv2.fillConvexPoly(canvas, moved, 1)
        return canvas


def regions(height_px: int, width_px: int, faces: Sequence[Face]) -> tuple[Region, ...]:
    """The regions that `cover` covers, one per face, in the order given.

    A region takes in the whole head (hair, ears, chin; of a turned head its back) and the face's
    box, tilted as the head is; without landmarks it is upright.

    Args:
        height_px: of the picture.
        width_px: the same.
        faces: relative to that picture.
    """
    return tuple(_region(height_px, width_px, face) for face in faces)


def cover(pixels: Pixels, faces: Sequence[Face], style: CoverStyle) -> Pixels:
    """A copy in which the faces are covered: the same whatever lies under the covers.

    Args:
        pixels: uint8 (H, W, 3) RGB; not changed.
        faces: relative to this picture.
        style: how.

    Returns:
        uint8 (H, W, 3) RGB.
    """
    covered = np.array(pixels, np.uint8, order="C")
    draw_covers(covered, faces, style)
    return covered


def draw_covers(pixels: Pixels, faces: Sequence[Face], style: CoverStyle) -> None:
    """What `cover` does, in the picture itself: a copy of a large one costs more than its covers.

    Args:
        pixels: uint8 (H, W, 3) RGB, contiguous; changed.
        faces: relative to this picture.
        style: how.
    """
    height, width = pixels.shape[:2]
    found = regions(height, width, faces)
    # All goes before anything is drawn, so that nothing drawn can tell of it.
    for region in found:
        cv2.fillConvexPoly(pixels, region.outline_px, _FILL)
    if style is CoverStyle.PIXELATE:
        hidden = np.zeros((height, width), np.uint8)  # no memory yet where nothing is hidden
        for region in found:
            cv2.fillConvexPoly(hidden, region.outline_px, 1)
        for region in found:
            _draw_mosaic(pixels, hidden, region)


def is_intact(written: Pixels, meant: Pixels, faces: Sequence[Face]) -> bool:
    """Whether each cover in a written picture is the one that was drawn, but for a codec's noise.

    Args:
        written: uint8 (H, W, 3) RGB, as read back.
        meant: the same, as it was before it was written.
        faces: the covered ones, relative to both.
    """
    if written.shape != meant.shape:
        return False
    height, width = meant.shape[:2]
    return all(_is_same(written, meant, region) for region in regions(height, width, faces))


def _is_same(written: Pixels, meant: Pixels, region: Region) -> bool:
    left, top, right, bottom = _bounds(region, meant)
    if left >= right or top >= bottom:
        return True
    mask = region.within(left, top, right, bottom)
    inner = cv2.erode(mask, np.ones((2 * _RIM_PX + 1,) * 2, np.uint8), borderValue=1)
    deep = inner if inner.any() else mask
    part = (slice(top, bottom), slice(left, right))
    # In grey: the detail of a face is in there, and colours are what codecs are coarse with.
    grey, other = (cv2.cvtColor(one[part], cv2.COLOR_RGB2GRAY) for one in (written, meant))
    # Sums over all of it, of what is zero elsewhere: three times as fast as means under a mask.
    off = cv2.multiply(cv2.absdiff(grey, other), deep)
    peaks = cv2.threshold(off, _CODEC_PEAK, 1, cv2.THRESH_BINARY)[1]
    number = cv2.countNonZero(deep)
    small = cv2.norm(off, cv2.NORM_L1) <= _CODEC_MEAN * number
    return small and cv2.countNonZero(peaks) <= _CODEC_PEAKS * number


def _region(height_px: int, width_px: int, face: Face) -> Region:
    width, height = face.box.width * width_px, face.box.height * height_px
    left, top = face.box.x * width_px, face.box.y * height_px
    box = np.array([[left, top], [left + width, top], [left, top + height]])
    box = np.concatenate([box, [[left + width, top + height]]])
    angle = _angle(height_px, width_px, face)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    centre = np.array([left + width / 2, top + height / 2])
    head = centre + (_head(width, height)) @ turn.T
    behind = head + _BEHIND * _beside_nose_px(height_px, width_px, face) * turn[:, 0]
    hull = cv2.convexHull(np.concatenate([box, head, behind]).astype(np.float32))
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


def _beside_nose_px(height_px: int, width_px: int, face: Face) -> float:
    """How far across the head the middle of eyes and mouth lies from the nose, to the right."""
    points = face.landmarks
    if points is None:
        return 0.0
    others = (points.left_eye, points.right_eye, points.left_mouth, points.right_mouth)
    x = sum(point.x - points.nose.x for point in others) / len(others) * width_px
    y = sum(point.y - points.nose.y for point in others) / len(others) * height_px
    angle = _angle(height_px, width_px, face)
    beside = x * math.cos(angle) + y * math.sin(angle)
    return max(-face.box.width * width_px, min(beside, face.box.width * width_px))


def _bounds(region: Region, pixels: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the part of a region that lies in the picture."""
    left, top, width, height = cv2.boundingRect(region.outline_px)
    right, bottom = min(left + width, pixels.shape[1]), min(top + height, pixels.shape[0])
    return max(left, 0), max(top, 0), right, bottom


def _draw_mosaic(pixels: Pixels, hidden: Pixels, region: Region) -> None:
    """Cells in place, of the fill or of the colours around; of the fill alone where nothing is.

    Args:
        pixels: of the picture, with every region filled already.
        hidden: uint8 (H, W), 1 where a region is, else 0.
        region: where.
    """
    left, top, right, bottom = _bounds(region, pixels)
    if left >= right or top >= bottom:
        return
    cell = max(math.ceil(region.face_width_px / _CELLS_ACROSS), _SMALLEST_CELL_PX)
    rows, columns = -(-(bottom - top) // cell), -(-(right - left) // cell)
    colours = _colours_around(pixels, hidden, (left, top), (rows, columns), cell)
    down, across = np.arange(rows) % len(_PATTERN), np.arange(columns) % _PATTERN.shape[1]
    colours[~_PATTERN[np.ix_(down, across)]] = _FILL
    size = (columns * cell, rows * cell)
    large = cv2.resize(colours, size, interpolation=cv2.INTER_NEAREST)
    mask = region.within(left, top, right, bottom)
    part = large[: bottom - top, : right - left]
    cv2.copyTo(part, mask, pixels[top:bottom, left:right])


def _colours_around(
    pixels: Pixels,
    hidden: Pixels,
    corner: tuple[int, int],
    cells: tuple[int, int],
    cell: int,
) -> Pixels:
    """For each cell, uint8 (rows, columns, 3), the tinted colours of what is visible near it."""
    height, width = hidden.shape
    left, top = (place - _AROUND_CELLS * cell for place in corner)
    rows, columns = (count + 2 * _AROUND_CELLS for count in cells)
    step = max(cell // _SAMPLES_ACROSS, 1)
    y = np.arange(max(top, 0), min(top + rows * cell, height), step)
    x = np.arange(max(left, 0), min(left + columns * cell, width), step)
    label = ((y - top) // cell * columns)[:, None] + (x - left) // cell
    part, seen = pixels[np.ix_(y, x)], 1 - hidden[np.ix_(y, x)]
    weights = [seen, *(part[:, :, plane] * seen for plane in range(3))]
    sums = [np.bincount(label.ravel(), one.ravel(), rows * columns) for one in weights]
    grid = np.stack(sums, axis=-1).reshape(rows, columns, 4).astype(np.float32)
    near = cv2.GaussianBlur(grid, (0, 0), _SPREAD_CELLS)
    near = near[_AROUND_CELLS:-_AROUND_CELLS, _AROUND_CELLS:-_AROUND_CELLS]
    mean = near[:, :, 1:] / np.maximum(near[:, :, :1], np.finfo(np.float32).tiny)
    mean[near[:, :, 0] <= 0] = _FILL
    tinted = mean * (1 - _TINT) + np.array(_FILL) * _TINT
    return np.asarray(np.clip(np.rint(tinted), 0, 255), np.uint8)
