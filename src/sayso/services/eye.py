"""From a photograph's bytes to its faces. No features: detection needs no consent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sayso.domain.face import Box, Face, beyond
from sayso.services.ports import FaceDetector
from sayso.vision.decode import DecodeLimits, Picture, Pixels, decode
from sayso.vision.detect import ONE_LOOK_PX, smallest_of_one_look_px

_SAME_OVERLAP = 0.5
_FAINT = 96.0
"""A range of grey levels, from the 1st to the 99th percentile, below which a picture is faint; one
that is all of one level shows nothing."""
_STRIDE = 8


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

    def glance(self, data: bytes, *, for_features: bool) -> tuple[Picture, Sequence[Face]]:
        """What `look` gives, at the price of one look at 1,280 px: what a scan can afford.

        Photographs of up to about 1,700 px are looked at as in `look`. In larger ones only faces
        of at least 12/1280 of the longest side are looked for.

        Args:
            data: the whole file.
            for_features: features of these faces will be computed: the picture comes at full size.
                Otherwise a JPEG is decoded no larger than this look needs. (Decoding it small
                first, and once more where a face asks for it, is slower wherever more than a
                quarter of the photographs have such a face.)

        Raises:
            PhotographError: the bytes cannot be decoded within the limits.
        """
        picture = decode(data, self.limits, at_least_px=None if for_features else ONE_LOOK_PX)
        return picture, self.faces(picture, at_least_px=smallest_of_one_look_px(picture))

    def look_both_ways(self, picture: Picture) -> Sequence[Face]:
        """The faces in a picture and in its mirror image, in the picture's own places.

        A face at the edge of what the detector sees is often seen from one side only. Those that
        only the mirror shows have no landmarks.
        """
        mirrored = replace(picture, pixels=np.ascontiguousarray(picture.pixels[:, ::-1]))
        plain = self.faces(picture)
        turned = [_mirrored(face) for face in self.faces(mirrored)]
        return (*plain, *(face for face in turned if not _is_among(face, plain)))

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

    def picture(self, data: bytes) -> Picture:
        """The upright photograph alone, at full size.

        Raises:
            PhotographError: the bytes cannot be decoded within the limits.
        """
        return decode(data, self.limits)

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


def _is_among(face: Face, others: Sequence[Face]) -> bool:
    return any(face.box.intersection_over_union(other.box) >= _SAME_OVERLAP for other in others)


def _stretched(pixels: Pixels) -> Pixels | None:
    """The pixels with all of the range of 8 bits in use; None for a picture that is not faint."""
    low, high = _levels(pixels[::_STRIDE, ::_STRIDE], (0.01, 0.99))
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
