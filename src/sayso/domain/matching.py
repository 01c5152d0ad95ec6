"""From similarities to a verdict on one face: match, review or neither.

A *promise* is the false positive identification rate (ISO/IEC 19795-1 FPIR) that the controller
accepts: the share of photographs of strangers in which somebody is named all the same. The
threshold follows from the promise, from the size of the gallery, and from what is known of the
model's errors (`sayso.domain.calibration`).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from sayso.domain.calibration import Calibration
from sayso.errors import SettingMalformed

SMALLEST_DECISIVE_HEIGHT_PX = 32.0
"""Below this face height a similarity alone decides nothing: TAR falls steeply there."""

_USED = 0.75
"""Of what a promise allows, so much is used: the rest is for what the calibration did not see."""
_DISAGREEING = 0.05
"""References of one person are at least as alike as one in 20 pairs of different people: of 1,669
pairs of photographs of one person 4 were not, all with one face under a cap, tilted (0023)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What the controller accepts, as shares of photographs of strangers, each in (0, 1).

    Attributes:
        false_names: FPIR of a match that names or shows by itself.
        false_reviews: FPIR of a doubt that a human is asked to settle; not below false_names.
    """

    false_names: float
    false_reviews: float

    def __post_init__(self) -> None:
        if not 0.0 < self.false_names <= self.false_reviews < 1.0:
            raise SettingMalformed(
                expected="0 < false_names <= false_reviews < 1",
                found=f"{self.false_names:g} and {self.false_reviews:g}",
                remedy="Give both as shares, for example 0.001 and 0.1.",
            )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cosine similarities: at or above ``match`` decides, from ``review`` up is a doubt."""

    match: float
    review: float

    def __post_init__(self) -> None:
        if not self.review <= self.match:
            raise SettingMalformed(
                expected="a review threshold not above the match threshold",
                found=f"{self.review:g} and {self.match:g}",
                remedy="Lower the review threshold or raise the match threshold.",
            )


@dataclass(frozen=True, slots=True)
class GallerySize:
    """How many people a gallery holds, and how many references of all of them.

    Each person has one template, fused of their references.
    """

    people: int
    references: int

    def __add__(self, other: "GallerySize") -> "GallerySize":
        return GallerySize(self.people + other.people, self.references + other.references)

    @property
    def chances(self) -> int:
        """As how many single references the gallery names strangers, from 1.

        Fusing shortens what the references do not share, which makes everybody a little more
        alike to the fused one: less with each further one. Four count as two.
        """
        return max(math.ceil(math.sqrt(self.people * self.references)), 1)


class Likeness(StrEnum):
    """What a comparison says of one face and one person."""

    MATCH = "match"
    REVIEW = "review"
    NEITHER = "neither"


def thresholds(calibration: Calibration, *, size: GallerySize, promise: Promise) -> Thresholds:
    """The thresholds that keep the promise in a gallery of some size.

    Args:
        calibration: what is known of the model's errors.
        size: of the gallery; nobody counts as one person.
        promise: the accepted false positive identification rates.
    """
    count = size.chances
    return Thresholds(
        match=calibration.threshold(_USED * promise.false_names, references=count),
        review=calibration.threshold(_USED * promise.false_reviews, references=count),
    )


def least_agreement(calibration: Calibration) -> float:
    """The similarity (cosine) that references of one person have at least."""
    return calibration.threshold(_DISAGREEING, references=1)


def classify(similarity: float, height_px: float, limits: Thresholds) -> Likeness:
    """The verdict on one comparison; a face under 32 px high is at most a doubt.

    Args:
        similarity: cosine, -1..1; a match is ``>=`` the threshold.
        height_px: height of the face in the full-size photograph, pixels.
        limits: the thresholds of this gallery.
    """
    if not similarity >= limits.review:
        return Likeness.NEITHER
    if similarity >= limits.match and height_px >= SMALLEST_DECISIVE_HEIGHT_PX:
        return Likeness.MATCH
    return Likeness.REVIEW
