"""The rows of templates in memory: added, compared and removed without a copy left behind.

They lie in blocks that never move: growing copies nothing. A removed row is overwritten by the
last one, whose place is overwritten by zeros.
"""

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.gallery import sketch

ROWS = 1 << 14
"""Rows of a block; its sketches stay in a core's own cache while probes pass over them."""
_ALONE = 4
"""Up to so many probes are compared one by one, which reads the rows in place."""
_SIEVED = 8
"""More probes at once are compared in full, as a product of matrices..."""
_WIDE = 256
"""... unless the rows are longer than this: then passing over them is faster for any number."""
_CROWDED = 8
"""Where more than one row in so many is left, comparing the whole block is faster."""
_MANY = 8
"""More hits than so many times those asked for are worth looking for the best of them."""

_PRODUCT = threading.Lock()
"""One product of matrices at a time: the linear algebra then uses one and the same memory."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Up to `ROWS` templates: float32 (ROWS, dimension), and their sketches."""

    rows: NDArray[np.float32]
    sketches: sketch.Sketches | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: probes (Q, dimension), whose floors (Q,) rise to the best that were found."""

    probes: NDArray[np.float32]
    floors: NDArray[np.float32]
    enough: int
    margin: float

    def best(self, similarity: NDArray[np.float32], first: int = 0) -> Sequence[NDArray[np.intp]]:
        """Places (Q, N) that reach the floor of their probe; floors are raised to the best.

        Args:
            similarity: of probes in turn and the rows of a block.
            first: the first of the probes.
        """
        floors = self.floors[first : first + len(similarity)]
        reach = similarity >= floors[:, None]
        many = np.count_nonzero(reach) > _MANY * self.enough * len(similarity)
        if many and self.enough < similarity.shape[1]:
            last = np.partition(similarity, -self.enough, axis=1)[:, -self.enough]
            np.maximum(floors, last - np.float32(2 * self.margin), out=floors)
            reach = similarity >= floors[:, None]
        return [np.flatnonzero(row) for row in reach]


class Templates:
    """Unit vectors by place, 0 to N-1. Not safe to change while it is read.

    Args:
        dimension: of the vectors.
        sketched_from: from so many on there are sketches too, unless vectors are very short.
    """

    def __init__(self, dimension: int, sketched_from: int) -> None:
        self._dimension = dimension
        self._sketched_from = sketched_from if dimension >= sketch.SHORTEST else sys.maxsize
        self._blocks: list[_Block] = []
        self._count = 0
        self._multiplied = 0  # rows of the largest product since the last scrub

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Memory of templates and sketches, bytes."""
        sketched = sum(block.sketches is not None for block in self._blocks)
        return 4 * ROWS * self._dimension * len(self._blocks) + 8 * sketch.WORDS * ROWS * sketched

    def append(self, wide: NDArray[np.float64]) -> None:
        """Add unit vectors (N, dimension) at the end."""
        total = self._count + len(wide)
        if self._count < self._sketched_from <= total:
            self._blocks = [self._sketched(*numbered) for numbered in enumerate(self._blocks)]
        done = 0
        while done < len(wide):
            at = self._count % ROWS
            if not at:
                self._blocks.append(self._empty(sketched=total >= self._sketched_from))
            block = self._blocks[-1]
            part = wide[done : done + ROWS - at]
            block.rows[at : at + len(part)] = part
            self._count += len(part)
            done += len(part)
            if block.sketches is not None:
                self._sketch(block, at, at + len(part))

    def remove(self, place: int) -> None:
        """Remove one for good; the last one takes its place."""
        last = self._count - 1
        to, source = self._blocks[place // ROWS], self._blocks[last // ROWS]
        to.rows[place % ROWS] = source.rows[last % ROWS]
        source.rows[last % ROWS] = 0
        if source.sketches is not None:
            if to.sketches is not None:
                to.sketches.take(place % ROWS, source.sketches, last % ROWS)
            source.sketches.clear(last % ROWS)
        else:  # it was added while there were too few to have sketches
            self._sketch(to, place % ROWS, place % ROWS + 1)
        self._count = last
        if not last % ROWS:
            self._blocks.pop()  # all zeros by now

    def alike(
        self, probes: NDArray[np.float32], least: float, enough: int
    ) -> list[NDArray[np.intp]]:
        """Where the templates lie that may be the most similar to each probe, ascending.

        Args:
            probes: (Q, dimension), unit length or zeros.
            least: similarity (cosine) asked for.
            enough: how many of the best are asked for.

        Returns:
            Per probe, places of all templates at least so similar, and of others; where those are
            more than enough, at least of all that are as similar as the last of the best.
            With sketches, `sketch.MISSED` of those just as similar may be left out.
        """
        sieve = sketch.Sieve(probes, least) if self._sieves(len(probes)) else None
        if sieve is not None and not sieve.spares:
            sieve = None
        margin = (self._dimension + 8) * 2.0**-23  # of the sums in single precision, either way
        floors = np.full(len(probes), least - margin, np.float32)
        asked = _Asked(probes, floors, enough, margin)
        found: list[list[NDArray[np.intp]]] = [[] for _ in probes]
        for number, block in enumerate(self._blocks):
            rows = block.rows[: min(self._count - number * ROWS, ROWS)]
            if sieve is not None and block.sketches is not None:
                hits: Sequence[NDArray[np.intp]] = [
                    _left(sieve, probe, rows, block.sketches, asked) for probe in range(len(probes))
                ]
            else:
                hits = asked.best(self._compared(probes, rows))
            for places, some in zip(found, hits, strict=True):
                if len(some):
                    places.append(some + number * ROWS)
        if sieve is not None:
            sieve.forget()
        return [np.concatenate([np.zeros(0, np.intp), *places]) for places in found]

    def similarities(
        self, probe: NDArray[np.float64], places: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """The exact similarities (N,) of a probe and the templates at some places, ascending.

        Each is computed by itself, whatever was asked for beside it: equal templates are equally
        alike, to the last digit.
        """
        found = np.empty(len(places), np.float32)
        for start in range(0, len(places), ROWS):
            # Into memory of our own, by steps that make no copies but these: they are overwritten.
            narrow = self.copied(places[start : start + ROWS])
            wide = np.empty(narrow.shape)
            wide[:] = narrow
            wide *= probe
            found[start : start + ROWS] = wide.sum(axis=1)
            narrow.fill(0)
            wide.fill(0)
        return found

    def copied(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Copies (N, dimension) of the templates at some places, ascending; to be overwritten."""
        rows = np.empty((len(places), self._dimension), np.float32)
        starts = np.searchsorted(places, np.arange(len(self._blocks) + 1) * ROWS)
        for number in np.flatnonzero(np.diff(starts)):
            here = slice(starts[number], starts[number + 1])
            local = places[here] - number * ROWS
            np.take(self._blocks[number].rows, local, 0, rows[here], "clip")
        return rows

    def scrub(self) -> None:
        """Overwrite what products of matrices left in the linear algebra's working memory."""
        if self._multiplied:
            nothing = np.zeros((max(self._multiplied, 256), self._dimension), np.float32)
            with _PRODUCT:
                _ = nothing @ nothing[:256].T
                _ = nothing[:256] @ nothing.T
            self._multiplied = 0

    def _sieves(self, probes: int) -> bool:
        whole = all(block.sketches is not None for block in self._blocks)
        return whole and (probes <= _SIEVED or self._dimension > _WIDE)

    def _compared(
        self, probes: NDArray[np.float32], rows: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        if len(probes) > _ALONE:
            self._multiplied = max(self._multiplied, len(rows))
            with _PRODUCT:
                return np.asarray(probes @ rows.T)
        similarity = np.empty((len(probes), len(rows)), np.float32)
        for probe, own in zip(probes, similarity, strict=True):
            np.dot(rows, probe, out=own)
        return similarity

    def _empty(self, *, sketched: bool) -> _Block:
        rows = np.zeros((ROWS, self._dimension), np.float32)
        return _Block(rows, sketch.Sketches.empty(ROWS) if sketched else None)

    def _sketched(self, number: int, block: _Block) -> _Block:
        if block.sketches is not None:
            return block
        made = _Block(block.rows, sketch.Sketches.empty(ROWS))
        self._sketch(made, 0, min(self._count - number * ROWS, ROWS))
        return made

    def _sketch(self, block: _Block, start: int, end: int) -> None:
        if block.sketches is not None:
            self._multiplied = max(self._multiplied, end - start)
            with _PRODUCT:
                block.sketches.write(start, block.rows[start:end])


def _left(
    sieve: sketch.Sieve,
    probe: int,
    rows: NDArray[np.float32],
    sketches: sketch.Sketches,
    asked: _Asked,
) -> NDArray[np.intp]:
    """Places in the block that sketches let by and whose similarity is high enough."""
    places = sieve.left(probe, sketches, len(rows))
    if len(places) * _CROWDED > len(rows):
        (best,) = asked.best((rows @ asked.probes[probe])[None], probe)
        return best
    some = np.take(rows, places, 0, mode="clip")  # a copy, overwritten before it is given back
    similar: NDArray[np.bool_] = np.dot(some, asked.probes[probe]) >= asked.floors[probe]
    some.fill(0)
    return places[similar]
