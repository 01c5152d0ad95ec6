"""Where the faces are. YuNet over several looks at the picture, coarse to fine.

Sources: W. Wu, H. Peng, S. Yu: YuNet: A Tiny Millisecond-level Face Detector, Machine
Intelligence Research 20, 2023; the decoding of its outputs as in OpenCV's FaceDetectorYN.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Box, Face, Landmarks, Point
from sayso.vision.decode import Picture, Pixels
from sayso.vision.runtime import Float32, Network, planes

_STRIDES_PX = (8, 16, 32)
_COARSE_PX = 320
ONE_LOOK_PX = 1280
"""The longest side of the finest look that is one piece."""
_SEEN_PX = 12.0
"""A face this high in the picture given to YuNet is found (recall 0.97 to 0.99)."""
_ENLARGEMENTS = ((1.5, 1024), (2.5, 640))
"""Small photographs are enlarged by so much up to such a side, and not beyond: recall of small
soft faces rises by four points and landmarks sharpen; more only brings false finds."""
_TILE_PX = 1280
_OVERLAP_PX = 128
"""Tiles share this much: a face up to half of it is whole in the tile that owns its centre, and
larger ones have been seen by the coarser look."""
_SAME_FACE = 0.35
"""Two finds that overlap by this much (intersection over union) are one face."""
_SAME_PLACE = 0.5
"""By this much, they also see it in the same place and are averaged."""
_SURE = 0.7
"""A find inside a larger one is a face of its own from this score on."""
_FARTHEST_APART = 3.6
"""How many times finer than the middle look the finest may be without another between them."""
_INSIDE = 0.8
_MUCH_SMALLER = 0.25

_X, _Y, _WIDTH, _HEIGHT = [0, *range(4, 14, 2)], [1, *range(5, 14, 2)], [2], [3]
"""Which columns of a find are places across and down, and which are sizes."""
_TRUSTED_PX = 32.0
"""Under this height a find of a coarse look is left to the next finer one, which sees the same
face larger: what a coarse look alone makes of few pixels is mostly false."""

_Finds = NDArray[np.float32]
"""(N, 15): x, y, width, height, five landmarks as x, y pairs, score."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A part of a resized picture: where it begins, and which part of it is its own."""

    pixels: Pixels
    left_px: int
    top_px: int
    own: tuple[float, float, float, float]


class Detector:
    """Finds faces of any size from a given one up. Safe to call from several threads.

    Args:
        network: YuNet; batch (1, 3, H, W), BGR, H and W multiples of 32.
        score_threshold: finds below this score, 0..1, are dropped.
    """

    def __init__(self, network: Network, *, score_threshold: float) -> None:
        self._network = network
        self._score_threshold = score_threshold

    def detect(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        """The faces of a photograph, largest first.

        The picture is looked at with a longest side of 320 px (for faces that fill the frame),
        of 1,280 px and, where the smallest wanted faces ask for it, in tiles at up to its own
        size. Finds of the same face are merged (see `merge`); a small find that lies
        inside a much larger and better one (a nose, an eye) is dropped.

        Args:
            picture: as decoded.
            smallest_px: the height of the smallest faces wanted, in pixels of the full-size
                photograph; smaller ones may be found too. The cost grows as its inverse square.
        """
        found = []
        sizes = look_sizes_px(picture, smallest_px)
        pixels = picture.pixels
        for longest in reversed(sizes):
            # Each look is made from the next finer one: shrinking the whole picture takes longer
            # than YuNet does.
            pixels = _resized(pixels, longest)
            finds = np.concatenate([self._find(look) for look in _looks(pixels)])
            if longest != sizes[-1]:
                finds = finds[finds[:, 3] >= _TRUSTED_PX]
            finds[:, _X + _WIDTH] /= pixels.shape[1]
            finds[:, _Y + _HEIGHT] /= pixels.shape[0]
            found.append(finds)
        finds = merge(np.concatenate(found))
        faces = [_face(find, picture.height_px) for find in finds]
        return tuple(sorted(faces, key=lambda face: -face.box.width * face.box.height))

    def _find(self, look: _Look) -> _Finds:
        """The finds in one look, in pixels of the whole resized picture."""
        height, width = look.pixels.shape[:2]
        padded = (-(-height // 32) * 32, -(-width // 32) * 32)
        canvas = np.zeros((1, *padded, 3), np.float32)
        canvas[0, :height, :width] = cv2.cvtColor(look.pixels, cv2.COLOR_RGB2BGR)
        finds = decode_outputs(self._network(planes(canvas)), padded, self._score_threshold)
        finds[:, _X] += look.left_px
        finds[:, _Y] += look.top_px
        return finds[_own(finds, look)]


def _own(finds: _Finds, look: _Look) -> NDArray[np.bool_]:
    """Which finds are this tile's own: centred in its part, and not cut by an inner edge.

    What an inner edge cuts is larger than the overlap: a coarser look has seen it whole.
    """
    own = np.ones(len(finds), bool)
    for axis, (low, high) in enumerate(zip(look.own[:2], look.own[2:], strict=True)):
        start = (look.left_px, look.top_px)[axis]
        end = start + look.pixels.shape[1 - axis]
        begins, ends = finds[:, axis], finds[:, axis] + finds[:, axis + 2]
        centre = (begins + ends) / 2
        own &= (low <= centre) & (centre < high)
        own &= (np.isinf(low) | (begins > start)) & (np.isinf(high) | (ends < end))
    return own


def smallest_of_one_look_px(picture: Picture) -> float:
    """The height of the smallest faces that are found without tiles, see `Detector.detect`.

    Returns:
        Pixels of the full-size photograph.
    """
    return max(picture.width_px, picture.height_px) * _SEEN_PX / ONE_LOOK_PX


def look_sizes_px(picture: Picture, smallest_px: float) -> tuple[int, ...]:
    """The longest sides, ascending, at which the picture is looked at."""
    available = max(picture.pixels.shape[:2])
    finest = max(picture.width_px, picture.height_px) * _SEEN_PX / smallest_px
    enlarged = max(min(available * factor, side) for factor, side in _ENLARGEMENTS)
    finest = max(min(finest, available), min(available, ONE_LOOK_PX), enlarged, _COARSE_PX)
    sizes = [_COARSE_PX, min(ONE_LOOK_PX, finest), finest]
    if finest > _FARTHEST_APART * ONE_LOOK_PX:
        # Or faces that a tile's edge cuts would be too small in the look that must see them.
        sizes.append(math.sqrt(finest * ONE_LOOK_PX))
    return tuple(sorted({round(size) for size in sizes}))


def _resized(pixels: Pixels, longest_px: int) -> Pixels:
    """The picture with another longest side; halved as often as possible first, which is fast."""
    height, width = pixels.shape[:2]
    halved = max(height, width) >= 2 * longest_px
    while max(height, width) >= 2 * longest_px and min(height, width) > 1:
        height, width = height // 2, width // 2
        # An odd last row or column is left out, so that each pixel is the mean of four.
        even = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    scale = longest_px / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    if size == (width, height):
        return pixels
    # Between pixels that are means of four already, two neighbours are enough; six times as fast.
    how = cv2.INTER_AREA if scale < 1 and not halved else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def _looks(pixels: Pixels) -> Iterator[_Look]:
    """A resized picture, whole or in tiles."""
    height, width = pixels.shape[:2]
    for top, bottom, own_top, own_bottom in _spans(height):
        for left, right, own_left, own_right in _spans(width):
            own = (own_left, own_top, own_right, own_bottom)
            yield _Look(pixels[top:bottom, left:right], left, top, own)


def _spans(length_px: int) -> list[tuple[int, int, float, float]]:
    """Start and end of each tile along one side, and of the part that it alone answers for."""
    if length_px <= _TILE_PX:
        return [(0, length_px, -np.inf, np.inf)]
    count = -(-(length_px - _OVERLAP_PX) // (_TILE_PX - _OVERLAP_PX))
    # All tiles have the same size, so that the network meets few shapes.
    tile = min(-(-(length_px + (count - 1) * _OVERLAP_PX) // count // 32 + 1) * 32, length_px)
    starts = [round(place * (length_px - tile) / (count - 1)) for place in range(count)]
    cuts = [(second + first + tile) / 2 for first, second in pairwise(starts)]
    return list(
        zip(starts, [s + tile for s in starts], [-np.inf, *cuts], [*cuts, np.inf], strict=True)
    )


def decode_outputs(
    outputs: Mapping[str, Float32], size: tuple[int, int], score_threshold: float
) -> _Finds:
    """YuNet's raw outputs as finds.

    Args:
        outputs: ``cls_s``, ``obj_s`` (1, K, 1), ``bbox_s`` (1, K, 4) and ``kps_s`` (1, K, 10)
            for the strides s = 8, 16, 32; K = H / s * W / s.
        size: H and W of the network's input, pixels.
        score_threshold: 0..1.

    Returns:
        float32 (N, 15): x, y, width, height, five landmarks as x, y pairs (pixels), score.
    """
    parts = []
    for stride in _STRIDES_PX:
        score = np.sqrt(
            np.clip(outputs[f"cls_{stride}"][0, :, 0], 0, 1)
            * np.clip(outputs[f"obj_{stride}"][0, :, 0], 0, 1)
        )
        (kept,) = np.nonzero(score >= score_threshold)
        row, column = np.divmod(kept, size[1] // stride)
        anchor = np.stack([column, row], axis=1).astype(np.float32)
        box = outputs[f"bbox_{stride}"][0, kept]
        extent = np.exp(np.minimum(box[:, 2:], 10.0)) * stride
        centre = (box[:, :2] + anchor) * stride
        points = (outputs[f"kps_{stride}"][0, kept].reshape(-1, 5, 2) + anchor[:, None]) * stride
        corner = centre - extent / 2
        parts.append(
            np.concatenate(
                [corner, extent, points.reshape(-1, 10), score[kept, None]], axis=1
            ).astype(np.float32)
        )
    return np.concatenate(parts)


def merge(finds: _Finds) -> _Finds:
    """One find per face: the best score decides which, see `Detector.detect`.

    Its box and landmarks become the mean, weighted by score, of all finds that overlap it well:
    neighbouring cells and other looks see the same face, and their errors partly cancel. (On
    Labeled Faces in the Wild this raises TAR at FMR 1e-5 from 0.953 to 0.969.)

    Args:
        finds: float32 (N, 15) in any one unit.

    Returns:
        float32 (M, 15), M <= N, best score first.
    """
    finds = finds[np.isfinite(finds).all(axis=1) & (finds[:, 2:4] > 0).all(axis=1)]
    finds = finds[np.argsort(-finds[:, 14], kind="stable")]
    area = finds[:, 2] * finds[:, 3]
    alive = np.ones(len(finds), bool)
    merged: list[NDArray[np.float32]] = []
    for place, find in enumerate(finds):
        if not alive[place]:
            continue
        shared = _shared_area(finds, find)
        overlap = shared / (area + area[place] - shared)
        alive &= overlap < _SAME_FACE
        # A nose or an eye scores low; a face on a badge, a poster or a screen does not.
        part = (shared >= _INSIDE * area) & (area <= _MUCH_SMALLER * area[place])
        alive &= ~part | (finds[:, 14] >= _SURE)
        same = finds[overlap >= _SAME_PLACE]
        mean = np.average(same[:, :14], axis=0, weights=same[:, 14])
        merged.append(np.append(mean, find[14]).astype(np.float32))
    return np.array(merged, np.float32).reshape(-1, 15)


def _shared_area(finds: _Finds, find: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of each find's box lies in one find's box."""
    low = np.maximum(finds[:, :2], find[:2])
    high = np.minimum(finds[:, :2] + finds[:, 2:4], find[:2] + find[2:4])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=1), np.float32)


def _face(find: NDArray[np.float32], full_height_px: int) -> Face:
    x, y, width, height, *points, score = (float(number) for number in find)
    at = [Point(px, py) for px, py in zip(points[::2], points[1::2], strict=True)]
    return Face(
        box=Box(x, y, width, height),
        landmarks=Landmarks(*at),
        score=min(score, 1.0),
        height_px=height * full_height_px,
    )
