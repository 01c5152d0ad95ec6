"""Error rates of groups side by side, by ISO/IEC 19795-10."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.rates.interval import Rate, rate, resamples
from sayso.rates.scores import Scores


@dataclass(frozen=True, slots=True)
class Group:
    """One group's 1:1 rates, at one threshold for all, among its own members.

    Attributes:
        name: as the dataset calls it.
        identities, photographs: in it.
        false_match_rate: of pairs of two members.
        false_non_match_rate: of pairs of one member.
    """

    name: str
    identities: int
    photographs: int
    false_match_rate: Rate
    false_non_match_rate: Rate


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups compared.

    Attributes:
        threshold: the one at which all pairs together have the false match rate 1e-3.
        groups: by name.
        false_match_ratio: the worst group's rate over the best one's; None where a group had no
            error at all, so that no ratio can be told.
        false_non_match_ratio: the same of misses.
    """

    threshold: float
    groups: tuple[Group, ...]
    false_match_ratio: float | None
    false_non_match_ratio: float | None


def groups(
    features: NDArray[np.float32],
    identity: NDArray[np.intp],
    group: Sequence[str],
    scores: Scores,
) -> Groups:
    """Compare groups.

    Args:
        features: (N, D), unit length.
        identity: (N,).
        group: of each photograph; empty: of none.
        scores: of all pairs.
    """
    threshold = scores.non_mated.threshold(1e-3)
    labels = np.array(group, object)
    found = tuple(
        _group(name, features[labels == name], identity[labels == name], threshold)
        for name in sorted({name for name in group if name})
    )
    return Groups(
        threshold,
        found,
        _ratio([one.false_match_rate.value for one in found]),
        _ratio([one.false_non_match_rate.value for one in found]),
    )


def _group(
    name: str, features: NDArray[np.float32], identity: NDArray[np.intp], threshold: float
) -> Group:
    _, place = np.unique(identity, return_inverse=True)
    count = int(place.max(initial=-1)) + 1
    members = np.bincount(place, minlength=count)
    first, second = _matches(features, place, threshold)
    matched = np.bincount(first[first == second], minlength=count)
    mated = members * (members - 1) / 2
    first, second = first[first != second], second[first != second]

    def false_matches(weights: NDArray[np.int64]) -> float:
        held = weights * members
        pairs = (held.sum() ** 2 - (held**2).sum()) / 2
        return float((weights[first] * weights[second]).sum() / max(pairs, 1))

    def false_non_matches(weights: NDArray[np.int64]) -> float:
        return float((weights * (mated - matched)).sum() / max((weights * mated).sum(), 1))

    return Group(
        name, count, len(features), _rate(false_matches, count), _rate(false_non_matches, count)
    )


def _rate(of: Callable[[NDArray[np.int64]], float], count: int) -> Rate:
    return rate(of(np.ones(count, np.int64)), [of(weights) for weights in resamples(count)])


def _matches(
    features: NDArray[np.float32], place: NDArray[np.intp], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Of each pair of photographs that matches, once, whose they are."""
    first, second = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    for row in range(len(features) - 1):
        (alike,) = np.nonzero(features[row + 1 :] @ features[row] >= threshold)
        first.append(np.full(len(alike), place[row]))
        second.append(place[row + 1 :][alike])
    return np.concatenate(first), np.concatenate(second)


def _ratio(rates: Sequence[float]) -> float | None:
    if len(rates) < 2 or min(rates) <= 0:  # noqa: PLR2004 - a ratio needs two
        return None
    return max(rates) / min(rates)
