"""1:1: how often two photographs of one person are told apart, and of two taken for one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.rates.interval import Rate, rate, resamples
from sayso.rates.scores import BINS, Mated, NonMated, Scores, histogram, similarity_of

TARGETS = (1e-3, 1e-4, 1e-5)
_BAR = 100
_SUPPORT = 30
"""Of fewer errors than these a rate is known too roughly to be quoted (the rule of 30: G. R.
Doddington et al., Speech Communication 31, 2000)."""


@dataclass(frozen=True, slots=True)
class AtRate:
    """What a false match rate costs.

    Attributes:
        false_match_rate: the one asked for.
        threshold: the similarity at which it is reached, with its interval.
        true_accept_rate: share of mated pairs at or above it: 1 - FNMR.
        supported: whether the set has enough non-mated pairs to say so.
    """

    false_match_rate: float
    threshold: Rate
    true_accept_rate: Rate
    supported: bool


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a detection error trade-off curve."""

    threshold: float
    false_match_rate: float
    false_non_match_rate: float


@dataclass(frozen=True, slots=True)
class Bar:
    """Which share of the mated and of the non-mated pairs lies in one range of similarity."""

    from_similarity: float
    to_similarity: float
    mated: float
    non_mated: float


@dataclass(frozen=True, slots=True)
class Verification:
    """1:1 error rates.

    Attributes:
        mated_pairs, non_mated_pairs: how many comparisons.
        equal_error_rate: where both rates meet.
        at: what false match rates of 1e-3, 1e-4 and 1e-5 cost.
        curve: from high to low false match rates.
        distribution: of the similarities, from low to high.
    """

    mated_pairs: int
    non_mated_pairs: int
    equal_error_rate: float
    at: tuple[AtRate, ...]
    curve: tuple[Point, ...]
    distribution: tuple[Bar, ...]


def verification(scores: Scores, identities: int) -> Verification:
    """The 1:1 error rates of a labelled set.

    Args:
        scores: of all its pairs.
        identities: how many there are.
    """
    curve = _curve(scores)
    return Verification(
        mated_pairs=len(scores.mated.similarity),
        non_mated_pairs=scores.non_mated.pairs,
        equal_error_rate=_equal(curve),
        at=tuple(_at(scores, identities, target) for target in TARGETS),
        curve=_thinned(curve),
        distribution=_distribution(scores),
    )


def _at(scores: Scores, identities: int, target: float) -> AtRate:
    mated, others = scores.mated, scores.non_mated
    threshold = others.threshold(target)
    drawn = [_resampled(mated, others, weights, target) for weights in resamples(identities)]
    return AtRate(
        target,
        rate(threshold, [each[0] for each in drawn]),
        rate(_share(mated.similarity >= threshold), [each[1] for each in drawn]),
        others.pairs * target >= _SUPPORT,
    )


def _resampled(
    mated: Mated, others: NonMated, weights: NDArray[np.int64], target: float
) -> tuple[float, float]:
    """Threshold and true accept rate in one resample of the identities.

    A pair of two identities counts as often as both were drawn; how much all pairs weigh is
    known without looking at them, since each photograph weighs what its identity does.
    """
    weight = weights[others.identity]
    total = (weight.sum() ** 2 - _squares(weights, others.identity)) / 2
    tail = weight[others.first] * weight[others.second]  # the most alike pairs first
    beyond = np.nonzero(np.cumsum(tail) > target * total)[0]
    if not len(beyond):
        return np.nan, np.nan
    threshold = float(others.similarity[beyond[0]])
    of_mated = weights[mated.identity]
    if not of_mated.sum():
        return threshold, np.nan
    return threshold, float(of_mated[mated.similarity > threshold].sum() / of_mated.sum())


def _squares(weights: NDArray[np.int64], identity: NDArray[np.intp]) -> float:
    """The weight of all pairs of photographs of one identity, each with itself too."""
    photographs = np.bincount(identity, minlength=len(weights))
    return float(((weights * photographs) ** 2).sum())


def _curve(scores: Scores) -> tuple[Point, ...]:
    matched = np.cumsum(scores.non_mated.histogram[::-1])[::-1]
    missed = np.concatenate([[0], np.cumsum(histogram(scores.mated.similarity))[:-1]])
    pairs, mated = max(scores.non_mated.pairs, 1), max(len(scores.mated.similarity), 1)
    return tuple(
        Point(similarity_of(place), float(matched[place] / pairs), float(missed[place] / mated))
        for place in range(BINS)
    )


def _thinned(curve: tuple[Point, ...]) -> tuple[Point, ...]:
    """Those points at which something changes, at most one in a hundredth of similarity else."""
    kept = [curve[0]]
    for point in curve[1:]:
        last = kept[-1]
        moved = (point.false_match_rate, point.false_non_match_rate) != (
            last.false_match_rate,
            last.false_non_match_rate,
        )
        if moved and point.threshold - last.threshold >= 0.005:  # noqa: PLR2004 - see above
            kept.append(point)
    return tuple(kept)


def _distribution(scores: Scores) -> tuple[Bar, ...]:
    edges = np.arange(0, BINS, _BAR)
    mated = np.add.reduceat(histogram(scores.mated.similarity), edges)
    others = np.add.reduceat(scores.non_mated.histogram, edges)
    present = np.nonzero(mated + others)[0]
    if not len(present):
        return ()
    return tuple(
        Bar(
            similarity_of(int(edges[place])),
            min(similarity_of(int(edges[place] + _BAR)), 1.0),
            float(mated[place] / max(mated.sum(), 1)),
            float(others[place] / max(others.sum(), 1)),
        )
        for place in range(present[0], present[-1] + 1)
    )


def _equal(curve: tuple[Point, ...]) -> float:
    nearest = min(curve, key=lambda p: abs(p.false_match_rate - p.false_non_match_rate))
    return (nearest.false_match_rate + nearest.false_non_match_rate) / 2


def _share(chosen: NDArray[np.bool_]) -> float:
    return float(chosen.mean()) if len(chosen) else 0.0
