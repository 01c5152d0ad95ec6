"""Confidence intervals by resampling identities.

Comparisons that share a person are not independent, so persons are drawn, not pairs (ISO/IEC
19795-1, and R. M. Bolle et al.: The Guide to Biometrics, 2004, on the subsets bootstrap).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 200
_OUTSIDE = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % confidence interval, all 0..1."""

    value: float
    low: float
    high: float


def rate(value: float, resampled: Sequence[float]) -> Rate:
    """A measured rate, and the same rate in resamples of the identities."""
    usable = [each for each in resampled if np.isfinite(each)]
    if not usable:
        return Rate(value, value, value)
    low, high = np.percentile(usable, _OUTSIDE)
    return Rate(value, min(float(low), value), max(float(high), value))


def resamples(identities: int, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """How often each identity is drawn, (identities,), in so many draws with replacement."""
    random = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        drawn = random.integers(0, identities, identities)
        yield np.bincount(drawn, minlength=identities)


def of_trials(events: int, trials: int) -> Rate:
    """A rate of independent trials, with the score interval.

    E. B. Wilson, Journal of the American Statistical Association 22, 1927: it stays inside 0..1
    and says something even where no event was seen.
    """
    if not trials:
        return Rate(0.0, 0.0, 1.0)
    z = 1.959964
    share = events / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = (
        z
        / (1 + z * z / trials)
        * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    )
    return Rate(share, max(float(middle - half), 0.0), min(float(middle + half), 1.0))
