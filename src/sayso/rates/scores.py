"""Similarities of all pairs of a labelled set, in memory that does not grow with the pairs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS = 1024
"""Rows of the similarity matrix at once."""
_STEPS_A_UNIT = 5000
BINS = 2 * _STEPS_A_UNIT + 1
"""Histogram bins from similarity -1 to 1: one each 0.0002, a hundredth of what moves a rate."""
_TAIL_SHARE = 2e-3
_TAIL_LEAST = 5_000
"""Of the non-mated pairs so many of the most alike are kept one by one: all that a false match
rate up to 1e-3 needs, in any resampling."""


@dataclass(frozen=True, slots=True)
class Mated:
    """Comparisons of two photographs of one identity.

    Attributes:
        first, second: (M,) places of the photographs.
        identity: (M,) whose they are.
        similarity: (M,) cosine.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    identity: NDArray[np.intp]
    similarity: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NonMated:
    """Comparisons of photographs of two identities.

    Attributes:
        pairs: how many there are.
        identity: (N,) whose each photograph is.
        histogram: (BINS,) their similarities.
        first, second: (T,) places of the photographs of the most alike pairs.
        similarity: (T,) of these, descending.
    """

    pairs: int
    identity: NDArray[np.intp]
    histogram: NDArray[np.int64]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    similarity: NDArray[np.float32]

    def false_match_rate(self, threshold: float) -> float:
        """The share of pairs at or above a threshold."""
        if not self.pairs:
            return 0.0
        if len(self.similarity) and threshold >= self.similarity[-1]:
            return float(np.count_nonzero(self.similarity >= threshold)) / self.pairs
        return float(self.histogram[_bin(threshold) :].sum()) / self.pairs

    def threshold(self, false_match_rate: float) -> float:
        """The lowest similarity at which no more than this share of the pairs matches."""
        allowed = int(false_match_rate * self.pairs)
        if allowed < len(self.similarity):
            return float(np.nextafter(self.similarity[allowed], np.float32(2)))
        above = np.cumsum(self.histogram[::-1])[::-1]
        fits = np.nonzero(above <= allowed)[0]
        return similarity_of(int(fits[0])) if len(fits) else 1.0


@dataclass(frozen=True, slots=True)
class Scores:
    """All pairs of a labelled set."""

    mated: Mated
    non_mated: NonMated


def similarity_of(place: int) -> float:
    """The lowest similarity of a histogram bin."""
    return place / _STEPS_A_UNIT - 1


def histogram(similarity: NDArray[np.float32]) -> NDArray[np.int64]:
    """How many similarities (any shape) fall in each bin, (BINS,)."""
    places = np.floor((similarity.ravel() + 1) * _STEPS_A_UNIT).astype(np.intp)
    return np.bincount(np.clip(places, 0, BINS - 1), minlength=BINS)


def all_pairs(features: NDArray[np.float32], identity: NDArray[np.intp]) -> Scores:
    """Compare each photograph with each other once.

    Args:
        features: (N, D), unit length.
        identity: (N,) whose photograph each is.
    """
    counts = np.zeros(BINS, np.int64)
    mated: list[_Pairs] = []
    for block in _blocks(features, identity):
        counts += histogram(block.similarity[block.non_mated])
        mated.append(block.pairs(block.mated))
    pairs = int(counts.sum())
    floor = _floor(counts, max(int(pairs * _TAIL_SHARE), _TAIL_LEAST))
    tail = [
        block.pairs(block.non_mated & (block.similarity >= floor))
        for block in _blocks(features, identity)
    ]
    first, second, alike = _joined(mated)
    tail_first, tail_second, tail_alike = _joined(tail)
    order = np.argsort(-tail_alike, kind="stable")
    return Scores(
        Mated(first, second, identity[first], alike),
        NonMated(pairs, identity, counts, tail_first[order], tail_second[order], tail_alike[order]),
    )


_Pairs = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of the similarity matrix; of its pairs, those above the diagonal are in the masks."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    similarity: NDArray[np.float32]
    mated: NDArray[np.bool_]
    non_mated: NDArray[np.bool_]

    def pairs(self, chosen: NDArray[np.bool_]) -> _Pairs:
        first, second = np.nonzero(chosen)
        return self.rows[first], self.columns[second], self.similarity[first, second]


def _blocks(features: NDArray[np.float32], identity: NDArray[np.intp]) -> Iterator[_Block]:
    for start in range(0, len(features), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(features)))
        columns = np.arange(start, len(features))
        similarity = np.clip(features[rows] @ features[columns].T, -1, 1)
        once = columns[None, :] > rows[:, None]
        same = identity[rows][:, None] == identity[columns][None, :]
        yield _Block(rows, columns, similarity, once & same, once & ~same)


def _bin(threshold: float) -> int:
    return int(np.clip(np.ceil((threshold + 1) * _STEPS_A_UNIT), 0, BINS - 1))


def _floor(counts: NDArray[np.int64], wanted: int) -> float:
    above = np.cumsum(counts[::-1])[::-1]
    enough = np.nonzero(above >= wanted)[0]
    return similarity_of(int(enough[-1])) if len(enough) else -1.0


def _joined(parts: list[_Pairs]) -> _Pairs:
    if not parts:
        nothing = np.zeros(0, np.intp)
        return nothing, nothing, np.zeros(0, np.float32)
    first, second, similarity = zip(*parts, strict=True)
    return np.concatenate(first), np.concatenate(second), np.concatenate(similarity)
