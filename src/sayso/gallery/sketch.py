"""Sketches: the signs of a template's projections, by which most of a large gallery is passed over.

Two unit vectors at an angle of a radians differ in the sign of a random projection with
probability a / pi (Goemans and Williamson 1995; Charikar, "Similarity estimation techniques from
rounding algorithms", 2002). So the number of differing signs tells whether a similarity can reach
a threshold; whoever may is compared in full. A sketch tells much of a face: it goes as a template
goes.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

WORDS = 6
"""64 signs each: more of them let fewer rows through, and take longer to read."""
_BITS = 64 * WORDS
MISSED = 1e-4
"""At most this share of the references that are just as alike as asked for is passed over; of
those that are more alike, far fewer."""
_SEED = 20_251_125
"""Fixed, so that the same question has the same answer."""
_USEFUL = 0.44
"""Strangers differ in about half of the signs, a few in 44 of 100: a limit above lets too many by.
"""


@cache
def _axes(dimension: int) -> NDArray[np.float32]:
    """The axes (bits, dimension) projected on: rotations under one another.

    Within a rotation the axes are orthogonal, which spreads the count less than independent ones.
    """
    random = np.random.default_rng(_SEED)
    blocks = -(-_BITS // dimension)
    turns = [np.linalg.qr(random.normal(size=(dimension, dimension)))[0] for _ in range(blocks)]
    return np.ascontiguousarray(np.concatenate(turns)[:_BITS], np.float32)


def write(rows: NDArray[np.float32], sketches: NDArray[np.uint64]) -> None:
    """Sketch some rows; what is computed on the way is overwritten.

    Args:
        rows: (N, dimension), unit length.
        sketches: (WORDS, N), written to.
    """
    projected = rows @ _axes(rows.shape[1]).T
    signs = np.signbit(projected)
    packed = np.packbits(signs, axis=1)
    sketches[:] = packed.view(np.uint64).T
    for passing in (projected, signs, packed):
        passing.fill(0)


def limit(least: float) -> int | None:
    """How many signs of a reference may differ whose similarity (cosine) is ``least``.

    Returns:
        The smallest number that all but a share of `MISSED` stay within; None where so many may
        that sketches spare nothing.
    """
    angle = math.acos(max(-1.0, min(least, 1.0)))
    chance = max(angle / math.pi, 1 / _BITS)  # a projection of nearly 0 has either sign
    if chance >= _USEFUL:
        return None
    left, at_most = 1.0, -1
    while left > MISSED:
        at_most += 1
        left -= math.comb(_BITS, at_most) * chance**at_most * (1 - chance) ** (_BITS - at_most)
    return at_most if at_most < _USEFUL * _BITS else None


class Sieve:
    """Passes over rows by their sketches. For one search in one thread: it has working memory.

    Args:
        probes: (Q, dimension), unit length.
        at_most: signs that may differ.
    """

    def __init__(self, probes: NDArray[np.float32], at_most: int) -> None:
        self._words = np.zeros((WORDS, len(probes)), np.uint64)
        write(probes, self._words)
        self._at_most = at_most
        self._differing = np.zeros(0, np.uint64)
        self._count = np.zeros(0, np.uint8)
        self._total = np.zeros(0, np.uint8)

    def left(self, probe: int, sketches: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Places of the rows that may be alike enough, ascending.

        Args:
            probe: which.
            sketches: (WORDS, N).
        """
        rows = sketches.shape[1]
        if len(self._total) != rows:
            self.forget()
            self._differing = np.empty(rows, np.uint64)
            self._count, self._total = np.empty(rows, np.uint8), np.empty(rows, np.uint8)
        own = self._words[:, probe]
        for word in range(WORDS):
            np.bitwise_xor(sketches[word], own[word], out=self._differing)
            np.bitwise_count(self._differing, out=self._count if word else self._total)
            if word:  # a sum past 255 wraps, and lets a row by that is nothing like it: no harm
                np.add(self._total, self._count, out=self._total)
        return np.flatnonzero(self._total <= self._at_most)

    def forget(self) -> None:
        """Overwrite the working memory."""
        for passing in (self._differing, self._count, self._total):
            passing.fill(0)
