"""Fitting what is known of a recogniser's errors to a labelled set."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.domain.calibration import Calibration
from sayso.rates.scores import BINS, Scores, similarity_of

FEWEST_IDENTITIES = 100
"""Of fewer people the tail and the probes' own shifts are not known."""
_TAIL_RATE = 2e-3
_BENDS = tuple(place / 10_000 for place in range(-100, 101))
_RATES = (1e-2, 1e-3, 1e-4, 1e-5)
_CELLS = 40
_FEWEST_BEYOND = 5
_LEAST_DEVIATION = 1e-3
"""Of similarities that differ: twenty times what the histogram's bins make of equal ones."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """The non-mated pairs at or above a similarity: so many, and so many by the fitted curve."""

    similarity: float
    measured: int
    fitted: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration, and how well it fits.

    Attributes:
        identities, pairs: what it was fitted to.
        beyond: at falling false match rates, as far as the set says anything of them.
    """

    calibration: Calibration
    identities: int
    pairs: int
    beyond: tuple[Beyond, ...]


def fit(features: NDArray[np.float32], identity: NDArray[np.intp], scores: Scores) -> Fit | None:
    """Fit mean, deviation and the probes' own deviation by moments, the tail by likelihood.

    Args:
        features: (N, D), unit length.
        identity: (N,) whose photograph each is, from 0.
        scores: of all their pairs.

    Returns:
        None where there are too few people, or all photographs are as good as the same.
    """
    identities = int(identity.max()) + 1 if len(identity) else 0
    if identities < FEWEST_IDENTITIES:
        return None
    others = scores.non_mated
    middle = np.array([similarity_of(place) for place in range(BINS)]) + 1e-4
    share = others.histogram / others.pairs
    mean = float(share @ middle)
    deviation = math.sqrt(float(share @ (middle - mean) ** 2))
    if deviation < _LEAST_DEVIATION:
        return None
    probe = min(_probe_deviation(features, identity, identities), 0.9 * deviation)
    bend = max(
        _BENDS,
        key=lambda bend: _likelihood(
            Calibration(mean, deviation, probe, bend), others.similarity, others.pairs
        ),
    )
    found = Calibration(mean, deviation, probe, bend)
    return Fit(found, identities, others.pairs, tuple(_beyond(found, scores)))


def _probe_deviation(
    features: NDArray[np.float32], identity: NDArray[np.intp], identities: int
) -> float:
    """How far the mean similarity to everybody else differs from probe to probe.

    The variance of the means less what so many comparisons leave to chance; each other person
    counts once, by their first photograph.
    """
    first = features[np.unique(identity, return_index=True)[1]]
    means, chances = [], []
    for row, own in zip(features, identity, strict=True):
        similarity = np.delete(first @ row, own)
        means.append(similarity.mean(dtype=np.float64))
        chances.append(similarity.var(dtype=np.float64) / (identities - 1))
    return math.sqrt(max(float(np.var(means) - np.mean(chances)), 0.0))


def _likelihood(found: Calibration, tail: NDArray[np.float32], pairs: int) -> float:
    """The logarithm of how likely the most alike pairs are, given that they are the most alike.

    Minus infinity where there should be none, as with one photograph under many names.
    """
    top = tail[: int(_TAIL_RATE * pairs)]
    edges = np.linspace(float(top[-1]), float(top[0]) + 1e-6, _CELLS + 1)
    counts = np.histogram(top, edges)[0]
    above = [found.false_match_rate(float(edge)) for edge in edges[:-1]] + [0.0]
    if above[0] == 0.0:
        return -math.inf
    return math.fsum(
        count * math.log(max((low - high) / above[0], 1e-300))
        for count, low, high in zip(counts.tolist(), above[:-1], above[1:], strict=True)
        if count
    )


def _beyond(found: Calibration, scores: Scores) -> list[Beyond]:
    others = scores.non_mated
    result = []
    for rate in _RATES:
        if rate * others.pairs < _FEWEST_BEYOND:
            break
        similarity = others.threshold(rate)
        measured = round(others.false_match_rate(similarity) * others.pairs)
        result.append(
            Beyond(similarity, measured, found.false_match_rate(similarity) * others.pairs)
        )
    return result
