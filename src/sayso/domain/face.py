"""A face in a photograph: where it is and how usable it is. Never its features."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from sayso.errors import SettingMalformed

FaceId = NewType("FaceId", str)

_SAME_FACE = 0.35
"""Boxes that share so much (intersection over union) are of one face, as in the detector."""
_SAME_DRAWN = 0.5
"""The same where a human drew the box: of two faces side by side in it neither is the one meant."""
_SAME_PLACE = 0.25
_INSIDE = 0.65
"""What overlaps a known face by so much, or lies in it to such a share, is no other's "perhaps":
ears, hands at the chin and second guesses at the same face; see the decision on perhaps-faces."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle relative to the upright photograph: top-left corner and size, each 0..1.

    A detector may place a box partly outside the frame, so x and y can be a little under 0
    and x + width a little over 1.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if (
            not all(math.isfinite(number) for number in numbers)
            or min(self.width, self.height) <= 0
        ):
            raise SettingMalformed(
                expected="a box of four finite numbers with a width and a height above 0",
                found=", ".join(f"{number:g}" for number in numbers),
                remedy="Give x, y, width, height relative to the upright picture, 0 to 1.",
            )

    def intersection_over_union(self, other: "Box") -> float:
        """Shared area over joint area, 0..1 (the Jaccard index)."""
        shared = self._shared_area(other)
        return shared / (self.width * self.height + other.width * other.height - shared)

    def share_inside(self, other: "Box") -> float:
        """The share of this box that lies inside the other, 0..1."""
        return self._shared_area(other) / (self.width * self.height)

    def _shared_area(self, other: "Box") -> float:
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True, slots=True)
class Point:
    """A point relative to the upright photograph, 0..1 in each direction."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The five landmarks that alignment uses; left and right are the viewer's."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


class Certainty(StrEnum):
    """How sure it is that there is a face."""

    SURE = "sure"
    PERHAPS = "perhaps"
    """A human has the last word; nothing of it is ever compared."""


class Said(StrEnum):
    """A human's word on whether there is a face."""

    FACE = "face"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face, or what may be one.

    Attributes:
        box: relative to the upright photograph.
        landmarks: the same; None where a human drew the box, and of what is perhaps a face:
            without them nothing can be compared.
        score: the detector's own, 0..1; 1 where a human drew the box.
        height_px: height of the box in pixels of the full-size photograph.
        certainty: whether there is a face.
    """

    box: Box
    landmarks: Landmarks | None
    score: float
    height_px: float
    certainty: Certainty = Certainty.SURE

    def __post_init__(self) -> None:
        object.__setattr__(self, "certainty", Certainty(self.certainty))
        if self.certainty is Certainty.PERHAPS and self.landmarks is not None:
            object.__setattr__(self, "landmarks", None)


def beyond(found: Sequence[Face], known: Iterable[Face]) -> tuple[Face, ...]:
    """Those finds that are none of the known faces, the sure ones first, each once."""
    places = list(known)
    new: list[Face] = []
    for face in sorted(found, key=lambda one: one.certainty is Certainty.PERHAPS):
        if not any(_is_same(face, place) for place in places):
            new.append(face)
            places.append(face)
    return tuple(new)


def found_for_sure(place: Face, found: Iterable[Face]) -> Face | None:
    """The face that was found where there was perhaps one; None: there still is perhaps one.

    Args:
        place: a known face, or what is perhaps one.
        found: in another look at the same picture.
    """
    if place.certainty is Certainty.SURE:
        return None
    return max(
        (one for one in found if one.certainty is Certainty.SURE and _is_same(one, place)),
        key=lambda one: one.box.intersection_over_union(place.box),
        default=None,
    )


def _is_same(face: Face, known: Face) -> bool:
    """Whether a find is a known face, or a place of which a human spoke.

    What a human said of a large place, or drew around it, says nothing of a small one in it: only
    what the detector itself saw as one face, landmarks and all, has ears and hands.
    """
    overlap = face.box.intersection_over_union(known.box)
    if face.certainty is Certainty.SURE:
        return overlap >= (_SAME_DRAWN if known.landmarks is None else _SAME_FACE)
    seen = known.certainty is Certainty.SURE and known.landmarks is not None
    return overlap >= _SAME_PLACE or (seen and face.box.share_inside(known.box) >= _INSIDE)
