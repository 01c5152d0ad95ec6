"""Where the faces are. YuNet over several looks at the picture, coarse to fine.

Sources: W. Wu, H. Peng, S. Yu: YuNet: A Tiny Millisecond-level Face Detector, Machine
Intelligence Research 20, 2023; the decoding of its outputs as in OpenCV's FaceDetectorYN.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Box, Certainty, Face, Landmarks, Point, beyond
from sayso.vision.decode import Picture, Pixels
from sayso.vision.finds import (
    HEIGHT,
    WIDTH,
    Finds,
    Kind,
    Scores,
    Seen,
    X,
    Y,
    decode_outputs,
    fuse,
    merge,
    mirrored,
    turned_back,
)
from sayso.vision.runtime import Network, planes

_COARSE_PX = 320
ONE_LOOK_PX = 1280
"""The longest side of the finest look that is one piece."""
_SEEN_PX = 12.0
"""A face this high in the picture given to YuNet is found (recall 0.97 to 0.99)."""
_ENLARGEMENTS = ((1.5, 1024), (2.5, 640))
"""Small photographs are enlarged by so much up to such a side, and not beyond: recall of small
soft faces rises by four points and landmarks sharpen; more only brings false finds."""
_THOROUGH_ENLARGEMENTS = ((2.0, 1280), (2.5, 640))
"""The same for the thorough look, where other views tell which of the more finds are false."""
_SMALLER = 0.8
"""The third opinion's size. Faces of 16 px and more of hard photographs, covered at eight false
finds a picture: one look 0.87, with the mirrored one and this one 0.96; a fourth, 1.25 times as
large, adds nothing."""
_TURNED_PX = 640
"""Turned pictures are looked at so small, since they are three: each face of groups that were
turned by 90 or 180 degrees is covered."""
_QUARTERS = {
    1: cv2.ROTATE_90_COUNTERCLOCKWISE,
    2: cv2.ROTATE_180,
    3: cv2.ROTATE_90_CLOCKWISE,
}
"""Quarter turns anticlockwise, in OpenCV's words."""
_TURNED = 0.4
"""A find of a turned picture is a face from so far between the usual score and 1: at 0.7 instead
of 0.5 the same faces are found and a third of the false finds are not."""
_PERHAPS = 0.4
"""Share of the usual score from which the views' mean makes a find perhaps a face: on hard
photographs that gives 7.8 false finds a picture; 0.45 gives 7.0 and covers 0.6 points fewer."""
_WHISPER = 0.25
"""Share of the usual score below which a view says nothing at all."""
_COUNTED_PX = 10.0
"""A face this high in a view may be missed by it (recall at 0.5 above this is 0.97, below 0.5)."""
_TILE_PX = 1280
_OVERLAP_PX = 128
"""Tiles share this much: a face up to half of it is whole in the tile that owns its centre, and
larger ones have been seen by the coarser look."""
_FARTHEST_APART = 3.6
"""How many times finer than the middle look the finest may be without another between them."""
_TOO_LARGE_PX = 400.0
"""What is found higher than this in a look is left to coarser ones, which see such faces better:
YuNet sees up to about 300 px, and makes much of blurred ground beyond."""
_TRUSTED_PX = 32.0
"""Under this height a find of a coarse look is left to the next finer one, which sees the same
face larger: what a coarse look alone makes of few pixels is mostly false."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A part of a resized picture: where it begins, and which part of it is its own."""

    pixels: Pixels
    left_px: int
    top_px: int
    own: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _View:
    """One way to look at the whole picture.

    Attributes:
        turns: quarter turns anticlockwise before looking.
        trusted_px: finds that are not so high in this view are left to finer ones.
        largest_px: finds that are higher are left to coarser ones.
    """

    longest_px: int
    kind: Kind = Kind.OWN
    turns: int = 0
    mirrored: bool = False
    trusted_px: float = 0.0
    largest_px: float = math.inf

    @property
    def from_px(self) -> float:
        """How high a face must be in this view to be missed if it is not found."""
        return max(self.trusted_px, _COUNTED_PX)


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
            finds = self._finds(pixels, self._score_threshold)
            height_px = finds[:, 3] * pixels.shape[0]
            least_px = _TRUSTED_PX if longest != sizes[-1] else 0.0
            most_px = _TOO_LARGE_PX if longest != sizes[0] else math.inf
            found.append(finds[(least_px <= height_px) & (height_px <= most_px)])
        finds = merge(np.concatenate(found))
        return _by_size([_face(find, picture.height_px, Certainty.SURE) for find in finds])

    def scrutinise(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        """The faces of a photograph and what may be one, largest first: as thorough as we can.

        See `_views` for what is looked at besides what `detect` looks at, and
        `sayso.vision.finds.fuse` for what becomes of the finds.

        Args:
            picture: as decoded.
            smallest_px: as in `detect`.
        """
        pixels, seen = picture.pixels, []
        for view in _views(picture, smallest_px):
            pixels = _resized(pixels, view.longest_px)
            finds = self._view(pixels, view, self._score_threshold * _WHISPER)
            height = pixels.shape[0]
            seen.append(Seen(finds, view.kind, view.from_px / height, view.largest_px / height))
        share = self._score_threshold
        scores = Scores(share, _TURNED + (1 - _TURNED) * share, _PERHAPS * share)
        finds, sure = fuse(seen, scores, smallest=smallest_px / picture.height_px)
        faces = [
            _face(find, picture.height_px, Certainty.SURE if one else Certainty.PERHAPS)
            for find, one in zip(finds, sure, strict=True)
        ]
        return _by_size(beyond(faces, ()))

    def _view(self, pixels: Pixels, view: _View, threshold: float) -> Finds:
        """The finds of one view, where they lie in the upright picture."""
        finds = self._finds(_turned(pixels, view), threshold)
        if view.mirrored:
            finds = mirrored(finds)
        finds = turned_back(finds, view.turns)
        height_px = finds[:, 3] * pixels.shape[0]
        trusted: Finds = finds[(view.trusted_px <= height_px) & (height_px <= view.largest_px)]
        return trusted

    def _finds(self, pixels: Pixels, threshold: float) -> Finds:
        """The finds in a picture at one size, relative to it."""
        finds = np.concatenate([self._find(look, threshold) for look in _looks(pixels)])
        finds[:, X + WIDTH] /= pixels.shape[1]
        finds[:, Y + HEIGHT] /= pixels.shape[0]
        return finds

    def _find(self, look: _Look, threshold: float) -> Finds:
        """The finds in one look, in pixels of the whole resized picture."""
        height, width = look.pixels.shape[:2]
        padded = (-(-height // 32) * 32, -(-width // 32) * 32)
        canvas = np.zeros((1, *padded, 3), np.uint8)
        cv2.cvtColor(look.pixels, cv2.COLOR_RGB2BGR, dst=canvas[0, :height, :width])
        finds = decode_outputs(self._network(planes(canvas)), padded, threshold)
        finds[:, X] += look.left_px
        finds[:, Y] += look.top_px
        return finds[_own(finds, look)]


def _own(finds: Finds, look: _Look) -> NDArray[np.bool_]:
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


def reduced(picture: Picture, longest_px: int) -> Picture:
    """The same picture with a longest side of so many pixels, unless it has fewer."""
    if max(picture.pixels.shape) <= longest_px:
        return picture
    return replace(picture, pixels=_resized(picture.pixels, longest_px))


def look_sizes_px(
    picture: Picture,
    smallest_px: float,
    *,
    enlargements: tuple[tuple[float, int], ...] = _ENLARGEMENTS,
) -> tuple[int, ...]:
    """The longest sides, ascending, at which the picture is looked at.

    Args:
        picture: as decoded.
        smallest_px: as in `Detector.detect`.
        enlargements: by how much a small picture is enlarged, and up to which side.
    """
    available = max(picture.pixels.shape[:2])
    finest = max(picture.width_px, picture.height_px) * _SEEN_PX / smallest_px
    enlarged = max(min(available * factor, side) for factor, side in enlargements)
    finest = max(min(finest, available), min(available, ONE_LOOK_PX), enlarged, _COARSE_PX)
    sizes = [_COARSE_PX, min(ONE_LOOK_PX, finest), finest]
    if finest > _FARTHEST_APART * ONE_LOOK_PX:
        # Or faces that a tile's edge cuts would be too small in the look that must see them.
        sizes.append(math.sqrt(finest * ONE_LOOK_PX))
    return tuple(sorted({round(size) for size in sizes}))


def _views(picture: Picture, smallest_px: float) -> list[_View]:
    """How a picture is looked at when nothing may be missed, the finest first."""
    sizes = look_sizes_px(picture, smallest_px, enlargements=_THOROUGH_ENLARGEMENTS)
    one = min(ONE_LOOK_PX, sizes[-1])
    views = [
        _View(
            size,
            trusted_px=0 if size == sizes[-1] else _TRUSTED_PX,
            largest_px=math.inf if size == sizes[0] else _TOO_LARGE_PX,
        )
        for size in sizes
    ]
    views.append(_View(one, Kind.OPINION, mirrored=True, largest_px=_TOO_LARGE_PX))
    views.append(_View(round(one * _SMALLER), Kind.OPINION, largest_px=_TOO_LARGE_PX))
    views += [_View(min(_TURNED_PX, one), Kind.TURNED, turns=turns) for turns in (1, 2, 3)]
    return sorted(views, key=lambda view: -view.longest_px)


def mirror_image(pixels: Pixels) -> Pixels:
    """The picture in the mirror; ten times as fast as NumPy turns it round."""
    return np.asarray(cv2.flip(pixels, 1), np.uint8)


def _turned(pixels: Pixels, view: _View) -> Pixels:
    """The picture as a view looks at it."""
    if view.turns:
        pixels = np.asarray(cv2.rotate(pixels, _QUARTERS[view.turns]), np.uint8)
    return mirror_image(pixels) if view.mirrored else pixels


def _resized(pixels: Pixels, longest_px: int) -> Pixels:
    """The picture with another longest side; halved as often as possible first, which is fast."""
    height, width = pixels.shape[:2]
    while max(height, width) >= 2 * longest_px and min(height, width) > 1:
        height, width = height // 2, width // 2
        # An odd last row or column is left out, so that each pixel is the mean of four.
        even = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    scale = longest_px / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    if size == (width, height):
        return pixels
    # By less than two, two neighbours are enough, and six times as fast as areas.
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


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


def _by_size(faces: Iterable[Face]) -> tuple[Face, ...]:
    return tuple(sorted(faces, key=lambda face: -face.box.width * face.box.height))


def _face(find: NDArray[np.float32], full_height_px: int, certainty: Certainty) -> Face:
    x, y, width, height, *points, score = (float(number) for number in find)
    at = [Point(px, py) for px, py in zip(points[::2], points[1::2], strict=True)]
    return Face(
        box=Box(x, y, width, height),
        landmarks=Landmarks(*at),
        score=min(score, 1.0),
        height_px=height * full_height_px,
        certainty=certainty,
    )
