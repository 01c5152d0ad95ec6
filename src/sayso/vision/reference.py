"""Whether a photograph makes a reference of somebody, and how to take a better one.

The limits were set on the 300 references of 150 people of Labeled Faces in the Wild and on worse
copies of 100 of them; decision 0023 has the figures. Whatever is refused here makes a face less
like its own person's other photographs; whatever is only advised costs less than that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sayso.domain.face import Face
from sayso.errors import (
    FaceBadlyLit,
    FaceHidden,
    FaceTooBlurred,
    FaceTooSmall,
    FaceTurnedAway,
    NoFace,
    SeveralFaces,
)
from sayso.vision.align import align
from sayso.vision.decode import Picture
from sayso.vision.quality import SHARPNESS_FLOOR, Quality, measure

SMALLEST_REFERENCE_PX = 48.0
"""A reference face must be this high in the full-size photograph: TAR is within a point of its
best from here on (0.96 at FMR 1e-4 against 0.97 at 64 px)."""
MOST_ASYMMETRY = 1.0
LEAST_EXPOSURE, LEAST_CONTRAST = 0.4, 24.0
LEAST_SCORE = 0.8
_CENTRAL = 0.25
_PLAINLY = 2.0
"""How much more weight (area times centrality) the meant face has than any other."""


@dataclass(frozen=True, slots=True)
class Advice:
    """How a reference that was taken could be better: a stable code, and a sentence."""

    code: str
    sentence: str


SMALL = Advice("face_small", "The face is small: a photograph taken from nearer would do better.")
SOFT = Advice("face_soft", "The face is a little out of focus: a sharper one would do better.")
TURNED = Advice("face_turned", "The face is turned aside: add one that looks into the camera.")
RAISED = Advice(
    "face_raised", "The face is seen from above or below: add one taken at the height of the eyes."
)
DIM = Advice("face_dim", "The light is poor: add one taken by daylight, the light from the front.")
EYES = Advice("eyes_hidden", "Something dark lies over the eyes: add one without dark glasses.")
MOUTH = Advice("mouth_hidden", "Something lies over the mouth: add one without a mask or scarf.")
PARTLY = Advice("face_partly_hidden", "Part of the face is hard to see: add one that shows it all.")
BYSTANDER = Advice(
    "bystander", "Somebody else is in the photograph: make sure that the largest face is meant."
)


def enrolment(picture: Picture, faces: Sequence[Face]) -> Face:
    """The one face that an enrolment photograph is meant to show.

    A bystander does no harm as long as one face plainly dominates by its size and by being near
    the middle.

    Args:
        picture: as decoded.
        faces: all that were found in it.

    Raises:
        NoFace: there is none.
        SeveralFaces: no face plainly dominates.
        FaceTooSmall: under 48 px high in the full-size photograph.
        FaceTooBlurred: out of focus, moved, or enlarged from fewer pixels.
        FaceTurnedAway: from the side.
        FaceBadlyLit: nearly black, burnt out, or without contrast.
        FaceHidden: the detector hardly takes it for a face, or both eyes and mouth are covered.
    """
    face = _meant(faces)
    if face.height_px < SMALLEST_REFERENCE_PX:
        raise FaceTooSmall(
            expected=f"a face at least {SMALLEST_REFERENCE_PX:.0f} px high",
            found=f"{face.height_px:.0f} px",
            remedy="Use a photograph taken from nearer, or the original instead of a copy.",
        )
    if face.landmarks is not None:
        _require(measure(align(picture.pixels, face.landmarks), face))
    return face


def advise(quality: Quality, faces: int) -> tuple[Advice, ...]:
    """What would make a better reference than one that was taken.

    Args:
        quality: of the face that is meant.
        faces: found in the photograph.
    """
    found = (
        (quality.height_px < 80, SMALL),  # noqa: PLR2004 - the limits are explained in 0023
        (quality.sharpness < 0.03, SOFT),  # noqa: PLR2004
        (quality.asymmetry > 0.4, TURNED),  # noqa: PLR2004
        (not 0.42 <= quality.lift <= 0.7, RAISED),  # noqa: PLR2004
        (quality.exposure < 0.75 or quality.contrast < 45, DIM),  # noqa: PLR2004
        (_eyes_hidden(quality), EYES),
        (_mouth_hidden(quality), MOUTH),
        (quality.score < 0.915, PARTLY),  # noqa: PLR2004
        (faces > 1, BYSTANDER),
    )
    return tuple(advice for applies, advice in found if applies)


def main_face(faces: Sequence[Face]) -> Face:
    """The face that is largest and nearest to the middle, of at least one."""
    return max(faces, key=_weight)


def _require(quality: Quality) -> None:
    if quality.exposure < LEAST_EXPOSURE:
        raise _badly_lit(f"{quality.exposure:.0%} of it")
    if quality.sharpness < SHARPNESS_FLOOR:
        raise FaceTooBlurred(
            expected=f"a face in focus (sharpness {SHARPNESS_FLOOR:g} or more)",
            found=f"{quality.sharpness:.3f}",
            remedy="Use a sharper photograph; an enlarged small picture will not do.",
        )
    if quality.contrast < LEAST_CONTRAST:
        raise _badly_lit(f"contrast {quality.contrast:.0f} of 255")
    if quality.asymmetry > MOST_ASYMMETRY:
        raise FaceTurnedAway(
            expected="a face that looks into the camera, or nearly",
            found="one from the side",
            remedy="Use a photograph that shows both eyes and both cheeks.",
        )
    if quality.score < LEAST_SCORE or (_eyes_hidden(quality) and _mouth_hidden(quality)):
        raise FaceHidden(
            expected="a face of which eyes, nose and mouth can be seen",
            found="one that is partly hidden",
            remedy="Use one without a hand, hat, mask or dark glasses over the face.",
        )


def _badly_lit(found: str) -> FaceBadlyLit:
    return FaceBadlyLit(
        expected="a face that is neither black, nor burnt out, nor veiled",
        found=found,
        remedy="Use one taken by daylight, with the light from the side of the camera.",
    )


def _eyes_hidden(quality: Quality) -> bool:
    return quality.eyes < 0.25  # noqa: PLR2004 - 1 % of references: those with dark glasses


def _mouth_hidden(quality: Quality) -> bool:
    return quality.mouth > 24  # noqa: PLR2004 - no reference; 98 in 100 blue masks, 9 in 10 others


def _meant(faces: Sequence[Face]) -> Face:
    if not faces:
        raise NoFace(
            expected="a photograph of one face",
            found="no face",
            remedy="Use a photograph that shows the face from the front.",
        )
    ranked = sorted(faces, key=_weight, reverse=True)
    if len(ranked) > 1 and _weight(ranked[0]) < _PLAINLY * _weight(ranked[1]):
        raise SeveralFaces(
            expected="one face, or one that plainly dominates",
            found=f"{len(faces)} faces",
            remedy="Cut the photograph so that it shows only the person meant.",
        )
    return ranked[0]


def _weight(face: Face) -> float:
    """Area times centrality: 1 in the middle, 0.6 a quarter of the frame away, 0.14 at half."""
    box = face.box
    off_centre = math.hypot(box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5)
    return box.width * box.height * math.exp(-((off_centre / _CENTRAL) ** 2) / 2)
