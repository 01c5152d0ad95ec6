"""What is known of a recogniser's errors, and how often it names a stranger in a gallery.

Similarities of non-mated pairs are close to a normal distribution, whose upper tail may be a
little lighter or heavier (`Calibration.bend`). Some probes resemble everybody more than others do
(`Calibration.probe_deviation`; the wolves of G. Doddington et al., ICSLP 1998): given such a
probe's own shift a, comparisons with N references are independent, so that

    FPIR(N, t) = mean over a of 1 - (1 - FMR(t | a))^N
    FMR(t | a) = Q(z(y)),  y = (t - mean - a) / sqrt(deviation^2 - probe_deviation^2)
    z(y)^2     = -ln(1 - bend y^2) / bend,  which is y^2 for bend 0

with Q the upper tail of the normal distribution. For bend 1/n, Q(z(y)) is nearly the share of
random directions in n dimensions that are so alike (D. L. Wallace: Bounds on Normal
Approximations to Student's and the Chi-Square Distributions, 1959).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from sayso.errors import SettingMalformed

_NORMAL = NormalDist()
_STEP = 0.3
_SHIFTS = tuple(_STEP * place for place in range(-20, 21))
"""Shifts of a probe, in standard deviations: the trapezoidal rule is exact enough over these."""
_WEIGHTS = tuple(_STEP * _NORMAL.pdf(shift) for shift in _SHIFTS)
_HALVINGS = 50
_LARGEST_BEND = 0.02
_LEAST_MEAN, _LEAST_SPREAD = -0.05, 0.9
"""What a sample of a hundred people may lack of 0 and of 1/dimension."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The distribution of a model's non-mated similarities (cosine); see the module.

    Attributes:
        mean: of all of them, -1..1.
        deviation: standard deviation of all of them.
        probe_deviation: standard deviation of a probe's own mean; below ``deviation``.
        bend: of the upper tail: 0 normal, above 0 lighter, below 0 heavier; at most 0.02 either
            way.
    """

    mean: float
    deviation: float
    probe_deviation: float
    bend: float

    def __post_init__(self) -> None:
        if not (
            -1 < self.mean < 1
            and 0 <= self.probe_deviation < self.deviation < 1
            and abs(self.bend) <= _LARGEST_BEND
        ):
            raise SettingMalformed(
                expected="a mean in -1..1, 0 <= probe deviation < deviation < 1, a small bend",
                found=f"{self.mean:g}, {self.probe_deviation:g}, {self.deviation:g}, {self.bend:g}",
                remedy="Calibrate the model on more photographs.",
            )

    def is_possible(self, dimension: int) -> bool:
        """Whether features of so many numbers can have such similarities.

        The mean similarity of directions drawn by one law is the square of their mean's length, so
        not negative; the mean of its square is at least 1/dimension (L. R. Welch: Lower Bounds on
        the Maximum Cross Correlation of Signals, 1974). A little less may come of a small sample.
        """
        spread = self.mean**2 + self.deviation**2
        return self.mean >= _LEAST_MEAN and spread >= _LEAST_SPREAD / dimension

    def false_match_rate(self, similarity: float) -> float:
        """The share of non-mated pairs, 0..1, at or above a similarity."""
        return self.false_positive_rate(similarity, references=1)

    def false_positive_rate(self, similarity: float, *, references: int) -> float:
        """The FPIR (ISO/IEC 19795-1), 0..1, of a search among so many references, from 1."""
        return math.fsum(
            weight * -math.expm1(references * math.log1p(-self._given(similarity, shift)))
            for weight, shift in zip(_WEIGHTS, _SHIFTS, strict=True)
        )

    def threshold(self, false_positive_rate: float, *, references: int) -> float:
        """The lowest similarity that keeps a search among so many references below an FPIR.

        Args:
            false_positive_rate: in (0, 1).
            references: from 1.

        Returns:
            -1..1; 1.0 also where no threshold keeps it.
        """
        return _lowest(self, false_positive_rate, references)

    def _given(self, similarity: float, shift: float) -> float:
        """The false match rate for a probe with such a shift, in [0, 1)."""
        own = math.sqrt(self.deviation**2 - self.probe_deviation**2)
        place = (similarity - self.mean - shift * self.probe_deviation) / own
        # Below the middle nothing is bent: only the tail decides.
        # By erfc: a distribution function near 1 would lose what lies beyond eight deviations.
        return min(0.5 * math.erfc(_bent(place, self.bend) / math.sqrt(2)), _ALMOST_ONE)


_ALMOST_ONE = 1 - 1e-15


def _bent(place: float, bend: float) -> float:
    if place <= 0 or bend == 0:
        return place
    left = 1 - bend * place * place
    return math.sqrt(-math.log(left) / bend) if left > 0 else math.inf


@lru_cache(maxsize=64)
def _lowest(calibration: Calibration, false_positive_rate: float, references: int) -> float:
    """See `Calibration.threshold`; kept, as a gallery asks again each time that it is opened."""
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if calibration.false_positive_rate(middle, references=references) > false_positive_rate:
            low = middle
        else:
            high = middle
    return high
