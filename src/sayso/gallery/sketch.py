"""Sketches: the signs of a template's projections, by which most of a large gallery is passed over.

Two unit vectors that are alike seldom differ in the sign of a random projection (Goemans and
Williamson 1995; Charikar, "Similarity estimation techniques from rounding algorithms", 2002), and
least where the probe lies far along the axis: only such axes are counted. So the number of
differing signs tells whether a similarity can reach a threshold; whoever may is compared in full.
Half of the signs are read for every row, the others for those that the first half let by. A sketch
tells much of a face: it goes as a template goes.
"""

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

WORDS = 8
"""64 signs each: more of them let fewer rows through, and take longer to read."""
_FIRST = 4
"""So many of the words are read for every row."""
_BITS = 64 * WORDS
SHORTEST = 64
"""Shorter vectors are read as fast as sketches, and too short for what `_limits` relies on."""
MISSED = 1e-4
"""At most this share of the references that are just as alike as asked for is passed over; of
those that are more alike, far fewer."""
_DEVIATIONS = NormalDist().inv_cdf(1 - MISSED / 2)
"""Either half of the signs may miss half of them."""
_TELLING = 0.6
"""Signs count where the probe lies so many times as far along the axis as along most. Nearer to 0
either sign is nearly as frequent, among those who are alike too."""
_CLOSEST = 0.8
"""Above, few signs differ, and their number is no longer spread as a normal distribution is: the
limit stays as it is here, where more may differ."""
_CROWDED = 3
"""Where the first signs let more than one row in so many by, too many are left by the others."""
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


@dataclass(frozen=True, slots=True)
class Sketches:
    """The sketches of up to N rows by place; zeros where there is no row.

    Args:
        first: (_FIRST, N), word by word: all of them are read in turn.
        others: (N, WORDS - _FIRST), row by row: those of a row here and there are read together.
    """

    first: NDArray[np.uint64]
    others: NDArray[np.uint64]

    @classmethod
    def empty(cls, count: int) -> "Sketches":
        """Room for so many rows."""
        return cls(
            np.zeros((_FIRST, count), np.uint64), np.zeros((count, WORDS - _FIRST), np.uint64)
        )

    def write(self, start: int, rows: NDArray[np.float32]) -> None:
        """Sketch rows (N, dimension) of unit length; what is computed on the way is overwritten.

        Args:
            start: the place of the first.
            rows: to be sketched.
        """
        projected = rows @ _axes(rows.shape[1]).T
        signs = np.signbit(projected)
        packed = np.packbits(signs, axis=1)
        words = packed.view(np.uint64)
        self.first[:, start : start + len(rows)] = words[:, :_FIRST].T
        self.others[start : start + len(rows)] = words[:, _FIRST:]
        for passing in (projected, signs, packed):
            passing.fill(0)

    def take(self, place: int, source: "Sketches", last: int) -> None:
        """Copy to a place the sketch at another place of these or of others."""
        self.first[:, place] = source.first[:, last]
        self.others[place] = source.others[last]

    def clear(self, place: int) -> None:
        """Overwrite the sketch at a place."""
        self.first[:, place] = 0
        self.others[place] = 0


class Sieve:
    """Passes over rows by their sketches. For one search in one thread: it has working memory.

    Args:
        probes: (Q, dimension), unit length or zeros.
        least: similarity (cosine) asked for.
    """

    def __init__(self, probes: NDArray[np.float32], least: float) -> None:
        dimension = probes.shape[1]
        projected = (probes @ _axes(dimension).T).astype(np.float64)
        along = np.abs(projected)
        counted = along > _TELLING / math.sqrt(dimension)
        self._own = np.packbits(np.signbit(projected), axis=1).view(np.uint64)
        self._counted = np.packbits(counted, axis=1).view(np.uint64)
        self._at_first, self._at_most = _limits(along, counted, least, dimension)
        self.spares = bool(np.all(self._at_most < _USEFUL * counted.sum(axis=1)))
        """False where so many may differ that sketches spare nothing."""
        self._differing = np.zeros(0, np.uint64)
        self._count = np.zeros(0, np.uint8)
        self._total = np.zeros(0, np.uint8)

    def left(self, probe: int, sketches: Sketches, rows: int) -> NDArray[np.intp]:
        """Places of the rows that may be alike enough, ascending.

        Where the first signs let many by, the others are not read.

        Args:
            probe: which.
            sketches: of a block.
            rows: so many of them are looked at.
        """
        if len(self._total) != rows:
            self.forget()
            self._differing = np.empty(rows, np.uint64)
            self._count, self._total = np.empty(rows, np.uint8), np.empty(rows, np.uint8)
        for word in range(_FIRST):
            np.bitwise_xor(sketches.first[word, :rows], self._own[probe, word], out=self._differing)
            np.bitwise_and(self._differing, self._counted[probe, word], out=self._differing)
            np.bitwise_count(self._differing, out=self._count if word else self._total)
            if word:  # a sum past 255 wraps, and lets a row by that is nothing like it: no harm
                np.add(self._total, self._count, out=self._total)
        places = np.flatnonzero(self._total <= self._at_first[probe])
        if len(places) * _CROWDED > rows:
            return places
        alike: NDArray[np.bool_] = self._others(probe, sketches, places) <= self._at_most[probe]
        return places[alike]

    def forget(self) -> None:
        """Overwrite the working memory."""
        for passing in (self._differing, self._count, self._total):
            passing.fill(0)

    def _others(
        self, probe: int, sketches: Sketches, places: NDArray[np.intp]
    ) -> NDArray[np.uint8]:
        """How many of all signs differ, at some places; the first have been counted."""
        differing = sketches.others.take(places, 0)
        differing ^= self._own[probe, _FIRST:]
        differing &= self._counted[probe, _FIRST:]
        counts = np.bitwise_count(differing)
        total = self._total.take(places)
        for count in counts.T:
            total += count
        differing.fill(0)
        counts.fill(0)
        return total


def _limits(
    along: NDArray[np.float64], counted: NDArray[np.bool_], least: float, dimension: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """How many signs of a reference may differ whose similarity (cosine) is ``least``.

    Such a reference is ``least`` times the probe and a rest of known length in a random direction
    at right angles to it. The rest's part along an axis is nearly normal, so that the chance of
    another sign is known for each axis. The number of other signs has the sum of the chances as its
    mean. Its variance is less than that of independent signs, because the rest is at right angles
    to the probe and of one length, whatever the rotation. (Simulated, mean and deviation are right
    to 2 in 100, for 64 to 512 dimensions and similarities of 0.2 to 0.9.)

    Args:
        along: (Q, axes) how far the probes lie along the axes, either way.
        counted: (Q, axes) whether the sign counts.
        least: similarity asked for.
        dimension: of the vectors; so many axes in turn are a rotation.

    Returns:
        (Q,) for the first words and for all, the number that all but a share of half of `MISSED`
        stay within.
    """
    least = max(-_CLOSEST, min(least, _CLOSEST))
    rest = np.sqrt((1 - least**2) * np.maximum(1 - along**2, 0.01) / (dimension - 1))
    far = least * along / rest  # how many deviations of the rest it takes to change the sign
    density = counted * np.exp(-(far**2) / 2) / math.sqrt(2 * math.pi)
    chance = density * (3 * far - far**3) / (4 * (dimension + 1))
    chance[counted] += [math.erfc(one) / 2 for one in (far[counted] / math.sqrt(2)).tolist()]
    limits = []
    for axes in (64 * _FIRST, _BITS):
        turns = range(0, axes, dimension)
        right_angle = np.add.reduceat((density * along)[:, :axes], turns, axis=1)
        one_length = np.add.reduceat((density * far)[:, :axes], turns, axis=1)
        less = (right_angle**2 + one_length**2 / (2 * dimension)).sum(axis=1)
        variance = (chance * (1 - chance))[:, :axes].sum(axis=1) - less
        mean, deviation = chance[:, :axes].sum(axis=1), np.sqrt(np.maximum(variance, 0))
        limits.append(np.ceil(mean + _DEVIATIONS * deviation).astype(np.intp))
    return limits[0], limits[1]
