"""From a photograph's bytes to its faces. No features: detection needs no consent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sayso.domain.face import Box, Face, beyond
from sayso.services.ports import FaceDetector
from sayso.vision.decode import Buffers, DecodeLimits, Picture, Pixels, decode
from sayso.vision.detect import ONE_LOOK_PX, mirror_image, reduced, smallest_of_one_look_px

_SAME_OVERLAP = 0.5
_SAME_PLACE = 0.1
"""A find that overlaps with a covered face by so much may be that face."""
_CLEARLY_SEEN = 4 / 3
"""A face so many times as high as the smallest that one look finds is not missed by it."""
_PART_PX, _ROOM_PX = 512, 128
"""Pieces that are looked at closely, and how far beyond one its picture reaches on each side, so
that a small face at its rim is whole."""
_FAINT = 96.0
"""A range of grey levels, from the 1st to the 99th percentile, below which a picture is faint; one
that is all of one level shows nothing."""
_SAMPLES_ACROSS = 256
"""So many pixels along the longest side tell the range, at the least."""


@dataclass(frozen=True, slots=True)
class Eye:
    """Decodes and detects.

    Attributes:
        limits: what is refused before it is decoded.
        smallest_px: height of the smallest faces looked for, pixels of the full-size photograph.
    """

    detector: FaceDetector
    limits: DecodeLimits
    smallest_px: float

    def look(self, data: bytes) -> tuple[Picture, Sequence[Face]]:
        """The upright photograph and the faces in it, largest first.

        Raises:
            PhotographError: the bytes cannot be decoded within the limits.
        """
        picture = self.picture(data)
        return picture, self.faces(picture)

    def glance(
        self, data: bytes, *, for_features: bool, buffers: Buffers | None = None
    ) -> tuple[Picture, Sequence[Face]]:
        """What `look` gives, at the price of one look at 1,280 px: what a scan can afford.

        Photographs of up to about 1,700 px are looked at as in `look`. In larger ones only faces
        of at least 12/1280 of the longest side are looked for.

        Args:
            data: the whole file.
            for_features: features of these faces will be computed: the picture comes at full size.
                Otherwise a JPEG is decoded no larger than this look needs. (Decoding it small
                first, and once more where a face asks for it, is slower wherever more than a
                quarter of the photographs have such a face.)
            buffers: where the picture's pixels may lie, see `sayso.vision.decode.decode`.

        Raises:
            PhotographError: the bytes cannot be decoded within the limits.
        """
        enough_px = None if for_features else ONE_LOOK_PX
        picture = decode(data, self.limits, at_least_px=enough_px, buffers=buffers)
        return picture, self.faces(picture, at_least_px=smallest_of_one_look_px(picture))

    def look_again(self, picture: Picture, covered: Sequence[Face]) -> Sequence[Face]:
        """The faces in a copy in which some were covered: those that anybody's detector may find.

        The whole is looked at as in `glance`, and its mirror image too: a face at the edge of what
        the detector sees is often seen from one side only. Where faces were covered that are too
        small for that, both are looked at closely; all else there is as it was in the original,
        which was looked at thoroughly.

        Returns:
            The faces, in the picture's own places; those that only the mirror shows have no
            landmarks.
        """
        from_px = smallest_of_one_look_px(picture)
        found = self._both_ways(reduced(picture, ONE_LOOK_PX), at_least_px=from_px)
        small = [face for face in covered if face.height_px < _CLEARLY_SEEN * from_px]
        for part in _around(small, picture):
            near = [part.back(face) for face in self._both_ways(part.picture)]
            found += [face for face in near if _is_among(face, small, overlap=_SAME_PLACE)]
        return found

    def _both_ways(self, picture: Picture, *, at_least_px: float = 0) -> list[Face]:
        mirrored = replace(picture, pixels=mirror_image(picture.pixels))
        plain = self.faces(picture, at_least_px=at_least_px)
        turned = [_mirrored(face) for face in self.faces(mirrored, at_least_px=at_least_px)]
        return [*plain, *(face for face in turned if not _is_among(face, plain))]

    def scrutinise(self, picture: Picture) -> Sequence[Face]:
        """The faces of a picture, and what may be one: as thorough as we can, for publication.

        See `sayso.vision.detect.Detector.scrutinise`. A faint picture is looked at as in `faces`.
        """
        found = self.detector.scrutinise(picture, smallest_px=self.smallest_px)
        stretched = _stretched(picture.pixels)
        if stretched is None:
            return found
        brought_out = replace(picture, pixels=stretched)
        more = self.detector.scrutinise(brought_out, smallest_px=self.smallest_px)
        return beyond((*found, *more), ())

    def picture(self, data: bytes, *, buffers: Buffers | None = None) -> Picture:
        """The upright photograph alone, at full size.

        Args:
            data: the whole file.
            buffers: where its pixels may lie, see `sayso.vision.decode.decode`.

        Raises:
            PhotographError: the bytes cannot be decoded within the limits.
        """
        return decode(data, self.limits, buffers=buffers)

    def faces(self, picture: Picture, *, at_least_px: float = 0) -> Sequence[Face]:
        """The faces of a picture, largest first; looked for from this height up, if it is more.

        A faint picture (a dark one, or one that is nearly transparent) is looked at once more with
        its contrast stretched: what the eye can hardly see, anybody can bring out.
        """
        smallest_px = max(self.smallest_px, at_least_px)
        found = self.detector.detect(picture, smallest_px=smallest_px)
        stretched = _stretched(picture.pixels)
        if stretched is None:
            return found
        more = self.detector.detect(replace(picture, pixels=stretched), smallest_px=smallest_px)
        return (*found, *(face for face in more if not _is_among(face, found)))


def _mirrored(face: Face) -> Face:
    box = face.box
    return replace(
        face, box=Box(1 - box.x - box.width, box.y, box.width, box.height), landmarks=None
    )


def _is_among(face: Face, others: Sequence[Face], *, overlap: float = _SAME_OVERLAP) -> bool:
    return any(face.box.intersection_over_union(other.box) >= overlap for other in others)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a larger picture.

    Attributes:
        place: of the piece in the whole, which has the size 1.
    """

    picture: Picture
    place: Box

    def back(self, face: Face) -> Face:
        """Where a face of the piece lies in the whole; without landmarks."""
        box, place = face.box, self.place
        x, width = place.x + box.x * place.width, box.width * place.width
        y, height = place.y + box.y * place.height, box.height * place.height
        return replace(face, box=Box(x, y, width, height), landmarks=None)


def _cell(box: Box, high_px: int, wide_px: int) -> tuple[int, int]:
    """In which piece, counted down and across, the middle of a box lies."""
    down, across = (box.y + box.height / 2) * high_px, (box.x + box.width / 2) * wide_px
    row, column = min(max(down, 0), high_px - 1), min(max(across, 0), wide_px - 1)
    return int(row) // _PART_PX, int(column) // _PART_PX


def _around(faces: Sequence[Face], picture: Picture) -> Iterator[_Part]:
    """Pieces of a picture at full size in which the middles of all these faces lie, with room."""
    high, wide = picture.height_px, picture.width_px
    for row, column in sorted({_cell(face.box, high, wide) for face in faces}):
        top, left = (max(cell * _PART_PX - _ROOM_PX, 0) for cell in (row, column))
        bottom, right = (cell * _PART_PX + _PART_PX + _ROOM_PX for cell in (row, column))
        pixels = np.ascontiguousarray(picture.pixels[top:bottom, left:right])
        height, width = pixels.shape[:2]
        place = Box(left / wide, top / high, width / wide, height / high)
        yield _Part(Picture(pixels, width, height, picture.format), place)


def _stretched(pixels: Pixels) -> Pixels | None:
    """The pixels with all of the range of 8 bits in use; None for a picture that is not faint."""
    step = max(max(pixels.shape) // _SAMPLES_ACROSS, 1)
    low, high = _levels(pixels[::step, ::step], (0.01, 0.99))
    if not 0 < high - low < _FAINT:
        return None
    levels = np.clip((np.arange(256) - low) * (255 / (high - low)), 0, 255)
    return np.ascontiguousarray(levels.astype(np.uint8)[pixels])


def _levels(pixels: Pixels, shares: tuple[float, ...]) -> list[float]:
    """Below which grey levels such shares of the pixels lie; from a histogram, without sorting."""
    red, green, blue = (pixels[..., colour].astype(np.uint16) for colour in range(3))
    upto = np.cumsum(np.bincount((red + green + blue).ravel(), minlength=1))
    at = np.array(shares) * (upto[-1] - 1)
    below, above = (np.searchsorted(upto, place, side="right") for place in (at // 1, -(-at // 1)))
    return [float(level) / 3 for level in below + (above - below) * (at % 1)]
