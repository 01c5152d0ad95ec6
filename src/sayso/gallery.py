"""Exact similarity search over the templates of one scope, and their real removal.

Nothing here is approximate: consent keeps galleries small, and a missed match is a missed right.
A removed template leaves no copy behind: its row is overwritten by the last one, the freed row
by zeros, and a buffer that is given up is zeroed first.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.errors import SettingMalformed

_SMALLEST_CAPACITY = 16
_BLOCK = 1 << 22
"""Similarities computed at once (16 MB); bounds the memory of a search."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person and the similarity (cosine, -1..1) of their best reference to the probe."""

    person_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class _Order:
    """The rows sorted by person, so that each person's lie together.

    Attributes:
        people: (P,) ids, ascending.
        rows: (N,) places of the rows in that order.
        starts: (P,) where in ``rows`` each person begins.
    """

    people: NDArray[np.object_]
    rows: NDArray[np.intp]
    starts: NDArray[np.intp]


def _ordered(owners: list[str]) -> _Order:
    people, owner = np.unique(np.array(owners, object), return_inverse=True)
    rows = np.argsort(owner, kind="stable")
    return _Order(people, rows, np.searchsorted(owner[rows], np.arange(len(people))))


class Gallery:
    """The references of one scope. Many threads may search at once; changes are exclusive.

    Args:
        dimension: of the features.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._rows = np.zeros((_SMALLEST_CAPACITY, dimension), np.float32)
        self._references: list[str] = []
        self._people: list[str] = []
        self._taken: set[str] = set()
        self._order: _Order | None = None
        self._version = 0
        self._lock = _SharedLock()

    def __len__(self) -> int:
        """The number of references."""
        with self._lock.reading():
            return len(self._references)

    @property
    def version(self) -> int:
        """Counts the changes; equal numbers mean equal contents."""
        with self._lock.reading():
            return self._version

    def add(self, reference_id: str, person_id: str, vector: NDArray[np.float32]) -> None:
        """Add a reference of a person.

        Args:
            reference_id: not in the gallery yet.
            person_id: whose it is.
            vector: (dimension,) features, finite and not all zero; scaled to unit length here.

        Raises:
            SettingMalformed: another shape, not finite, all zero, or an id that is taken.
        """
        unit = self._unit(vector)
        with self._lock.writing():
            if reference_id in self._taken:
                raise SettingMalformed(
                    expected="a reference that is not in the gallery yet",
                    found=f"reference {reference_id} twice",
                    remedy="Remove the person first, then add all of their references.",
                )
            count = len(self._references)
            if count == len(self._rows):
                self._resize(2 * count)
            self._rows[count] = unit
            self._references.append(reference_id)
            self._people.append(person_id)
            self._taken.add(reference_id)
            self._changed()

    def remove_person(self, person_id: str) -> int:
        """Remove all references of a person for good.

        Returns:
            How many there were; 0 is no error.
        """
        with self._lock.writing():
            places = [place for place, owner in enumerate(self._people) if owner == person_id]
            for place in reversed(places):
                self._remove(place)
            if places:
                self._shrink()
                self._changed()
            return len(places)

    def search(
        self, probes: NDArray[np.float32], *, top: int = 1
    ) -> tuple[tuple[Candidate, ...], ...]:
        """The people most similar to each probe.

        Args:
            probes: (Q, dimension) features of any length; a probe of zeros, or one that is not
                finite, has similarity 0 to everybody.
            top: at most so many people per probe, from 1.

        Returns:
            Per probe its candidates, best first, each person once with the best of their
            references; ties in the order of person_id.

        Raises:
            SettingMalformed: probes of another shape.
        """
        probes = self._probes(probes)
        with self._lock.reading():
            count = len(self._references)
            if not count or not len(probes):
                return tuple(() for _ in probes)
            order = self._order = self._order or _ordered(self._people)
            results: list[tuple[Candidate, ...]] = []
            step = max(_BLOCK // count, 1)
            for start in range(0, len(probes), step):
                similarity = probes[start : start + step] @ self._rows[:count].T
                best = np.maximum.reduceat(similarity[:, order.rows], order.starts, axis=1)
                results += [_best(row, order.people, top) for row in best]
            return tuple(results)

    def _changed(self) -> None:
        self._version += 1
        # It names people; the next search makes a new one.
        self._order = None

    def _unit(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        wide = np.asarray(vector, np.float64)
        norm = float(np.linalg.norm(wide)) if wide.shape == (self._dimension,) else 0.0
        if not np.isfinite(norm) or norm == 0:
            raise SettingMalformed(
                expected=f"{self._dimension} finite numbers that are not all zero",
                found=f"a vector of shape {wide.shape}",
                remedy="Compute the template again from its reference photograph.",
            )
        return (wide / norm).astype(np.float32)

    def _probes(self, probes: NDArray[np.float32]) -> NDArray[np.float32]:
        wide = np.asarray(probes, np.float64)
        if wide.ndim != 2 or wide.shape[1] != self._dimension:  # noqa: PLR2004 - a table
            raise SettingMalformed(
                expected=f"probes of shape (Q, {self._dimension})",
                found=f"shape {wide.shape}",
                remedy="Search with the features of the model that the gallery was built with.",
            )
        norm = np.linalg.norm(wide, axis=1, keepdims=True)
        usable = np.isfinite(norm) & (norm > 0)
        return np.where(usable, np.nan_to_num(wide) / np.where(usable, norm, 1), 0).astype(
            np.float32
        )

    def _remove(self, place: int) -> None:
        last = len(self._references) - 1
        self._rows[place] = self._rows[last]
        self._rows[last] = 0
        self._taken.discard(self._references[place])
        for names in (self._references, self._people):
            names[place] = names[last]
            names.pop()

    def _shrink(self) -> None:
        count = len(self._references)
        if len(self._rows) > max(_SMALLEST_CAPACITY, 4 * count):
            self._resize(max(_SMALLEST_CAPACITY, 2 * count))

    def _resize(self, capacity: int) -> None:
        count = len(self._references)
        rows = np.zeros((capacity, self._dimension), np.float32)
        rows[:count] = self._rows[:count]
        self._rows[:] = 0
        self._rows = rows


def _best(
    similarity: NDArray[np.float32], people: NDArray[np.object_], top: int
) -> tuple[Candidate, ...]:
    if top < len(similarity):
        least = np.partition(similarity, -top)[-top]
        (places,) = np.nonzero(similarity >= least)
    else:
        places = np.arange(len(similarity))
    # People are in the order of their ids, and the sort is stable.
    ordered = places[np.argsort(-similarity[places], kind="stable")][:top]
    return tuple(
        Candidate(str(people[place]), float(np.clip(similarity[place], -1, 1))) for place in ordered
    )


class _SharedLock:
    """Many readers or one writer; a waiting writer goes before new readers.

    Withdrawal is a write: it must not starve behind searches.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._waiting = 0
        self._written = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._written and not self._waiting)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._written and not self._readers)
            self._waiting -= 1
            self._written = True
        try:
            yield
        finally:
            with self._changed:
                self._written = False
                self._changed.notify_all()
