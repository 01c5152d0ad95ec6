"""From a photograph's bytes to its faces. No features: detection needs no consent."""

from collections.abc import Sequence
from dataclasses import dataclass

from sayso.domain.face import Face
from sayso.services.ports import FaceDetector
from sayso.vision.decode import DecodeLimits, Picture, decode


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

    def picture(self, data: bytes) -> Picture:
        """The upright photograph alone, at full size.

        Raises:
            PhotographError: the bytes cannot be decoded within the limits.
        """
        return decode(data, self.limits)

    def faces(self, picture: Picture) -> Sequence[Face]:
        """The faces of a picture, largest first."""
        return self.detector.detect(picture, smallest_px=self.smallest_px)
