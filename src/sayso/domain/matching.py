"""From similarities to a verdict on one face: match, review or neither.

A *promise* is the false positive identification rate (ISO/IEC 19795-1 FPIR) that the controller
accepts: the share of photographs of strangers in which somebody is named all the same. With N
references in the gallery and an algorithm whose false match rate at a threshold is FMR,

    FPIR(N) = 1 - (1 - FMR)^N

so the threshold follows from the promise, from N and from the model's own operating points.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from sayso.errors import SettingMalformed

SMALLEST_DECISIVE_HEIGHT_PX = 32.0
"""Below this face height a similarity alone decides nothing: TAR falls steeply there."""


@dataclass(frozen=True, slots=True, order=True)
class OperatingPoint:
    """A model's measured false match rate (0..1) at a similarity threshold (cosine)."""

    false_match_rate: float
    similarity: float


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
                expected="0 < false names <= false reviews < 1",
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


class Likeness(StrEnum):
    """What a comparison says of one face and one person."""

    MATCH = "match"
    REVIEW = "review"
    NEITHER = "neither"


def thresholds(
    points: tuple[OperatingPoint, ...], *, references: int, promise: Promise
) -> Thresholds:
    """The thresholds that keep the promise in a gallery of so many references.

    Args:
        points: the model's operating points, at least two.
        references: N, the number of references compared against; 0 counts as 1.
        promise: the accepted false positive identification rates.
    """
    return Thresholds(
        match=_threshold_at(points, _false_match_rate(promise.false_names, references)),
        review=_threshold_at(points, _false_match_rate(promise.false_reviews, references)),
    )


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


def _false_match_rate(identification_rate: float, references: int) -> float:
    """Solve FPIR = 1 - (1 - FMR)^N for FMR, accurately for tiny rates."""
    return -math.expm1(math.log1p(-identification_rate) / max(references, 1))


def _require_a_curve(ordered: Sequence[OperatingPoint]) -> None:
    """Rates fall strictly and similarities do not, so that a larger gallery is never laxer."""
    numbers = [(point.false_match_rate, point.similarity) for point in ordered]
    valid = all(0.0 < rate < 1.0 and -1.0 <= similarity <= 1.0 for rate, similarity in numbers)
    pairs = itertools.pairwise(numbers)
    if not valid or not all(a[0] > b[0] and a[1] <= b[1] for a, b in pairs):
        raise SettingMalformed(
            expected="operating points whose similarity rises as the false match rate falls",
            found=", ".join(f"{rate:g}: {similarity:g}" for rate, similarity in numbers),
            remedy="Mend the model's manifest.",
        )


def _threshold_at(points: tuple[OperatingPoint, ...], rate: float) -> float:
    """Interpolate, and beyond the outer points extrapolate, on normal probability paper.

    Similarities of non-mated pairs are nearly normal, so their tail is nearly a straight line in
    the normal quantile of the false match rate; in its logarithm it bends.
    """
    ordered = sorted(points, key=lambda point: -point.false_match_rate)
    if len(ordered) < 2:  # noqa: PLR2004 - a line needs two points
        raise SettingMalformed(
            expected="at least two operating points",
            found=str(len(ordered)),
            remedy="Calibrate the model before it is used.",
        )
    _require_a_curve(ordered)
    wanted = _quantile(rate)
    quantiles = [_quantile(point.false_match_rate) for point in ordered]
    segment = next(
        (i for i in range(len(quantiles) - 1) if wanted <= quantiles[i + 1]),
        len(quantiles) - 2,
    )
    left, right = ordered[segment], ordered[segment + 1]
    share = (wanted - quantiles[segment]) / (quantiles[segment + 1] - quantiles[segment])
    return max(-1.0, min(left.similarity + share * (right.similarity - left.similarity), 1.0))


def _quantile(rate: float) -> float:
    """How many standard deviations above the mean leave this rate in the upper tail."""
    return -NormalDist().inv_cdf(rate)
