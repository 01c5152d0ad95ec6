"""Who, of the people of one scope, is similar to a face.

Small galleries are compared in full: consent keeps galleries small, and a missed match is a missed
right. Large ones (decision record 0018) are first passed over by sketches where a search says how
similar somebody must be, and whoever is left is compared in full.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from sayso.errors import SettingMalformed
from sayso.gallery.lock import SharedLock
from sayso.gallery.templates import Templates

_SKETCHED_FROM = 100_000
"""Below, comparing in full takes less than a fifth of the time that embedding the face took."""
_AT_ONCE = 512
"""Probes of one product; bounds the memory of a search."""
_NOBODY = -1
_OTHERS = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person and the similarity (cosine, -1..1) of their best reference to the probe."""

    person_id: str
    similarity: float


class Gallery:
    """The references of one scope. Many threads may search at once; changes are exclusive.

    Args:
        dimension: of the features.
        sketched_from: references from which on a search may pass over most of them.
    """

    def __init__(self, dimension: int, *, sketched_from: int = _SKETCHED_FROM) -> None:
        self._dimension = dimension
        self._templates = Templates(dimension, sketched_from)
        self._owners = np.full(16, _NOBODY, np.int32)
        self._numbers: dict[str, int] = {}
        self._people: list[str | None] = []
        self._counts: list[int] = []
        self._free: list[int] = []
        self._most = 0  # references of one person, at any time: what the best `top` people can hold
        self._version = 0
        self._lock = SharedLock()

    def __len__(self) -> int:
        """The number of references."""
        with self._lock.reading():
            return len(self._templates)

    @property
    def version(self) -> int:
        """Counts the changes; equal numbers mean equal contents."""
        with self._lock.reading():
            return self._version

    @property
    def nbytes(self) -> int:
        """Memory of the templates and of whose they are, bytes; ids not counted."""
        with self._lock.reading():
            return self._templates.nbytes + self._owners.nbytes

    def add(self, people: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add references: all of them, or none.

        Args:
            people: (N,) whose each is; a person may have several.
            vectors: (N, dimension) features, finite and none all zero; scaled to unit length here.
                The caller's own copy stays: overwrite it where it is not needed.

        Raises:
            SettingMalformed: another shape, not finite, or all zero.
        """
        self.change((), people, vectors)

    def remove(self, people: Iterable[str]) -> int:
        """Remove all references of some people for good.

        When it returns no search finds them and no copy is left in memory that this gallery, or
        the linear algebra that it uses, wrote.

        Returns:
            How many references there were; 0 is no error.
        """
        return self.change(people, (), np.zeros((0, self._dimension), np.float32))

    def change(
        self, gone: Iterable[str], people: Sequence[str], vectors: NDArray[np.float32]
    ) -> int:
        """Remove some people and add references: a search sees all of it or nothing.

        Args:
            gone: whose references are removed; unknown ids are no error.
            people: as in `add`.
            vectors: as in `add`.

        Returns:
            How many references were removed.

        Raises:
            SettingMalformed: as in `add`; nothing has changed then.
        """
        wide = self._unit(people, vectors)
        try:
            with self._lock.writing():
                removed = self._remove(gone)
                if removed:
                    self._templates.scrub()
                self._append(people, wide)
                self._version += bool(removed or len(people))
                return removed
        finally:
            wide.fill(0)

    def part(self, people: Iterable[str]) -> "Gallery":
        """A gallery of its own of some of the people; unknown ids are no error."""
        made = Gallery(self._dimension)
        names, vectors = self._copied(people)
        try:
            made.add(names, vectors)
        finally:
            vectors.fill(0)
        return made

    def alike(self, people: Iterable[str], *, least: float) -> dict[str, tuple[Candidate, ...]]:
        """Others who are at least so similar to some of the people, for those who have any.

        Args:
            people: whose references are searched for; unknown ids are no error.
            least: similarity (cosine, -1..1), as in `search`.

        Returns:
            By person the others, at most `_OTHERS` of them for each reference, best first.
        """
        names, vectors = self._copied(people)
        try:
            rows = self.search(vectors, top=_OTHERS + 1, least=least)
        finally:
            vectors.fill(0)
        best: dict[str, dict[str, float]] = {}
        for owner, row in zip(names, rows, strict=True):
            for other in row:
                if other.person_id != owner:
                    known = best.setdefault(owner, {})
                    known[other.person_id] = max(other.similarity, known.get(other.person_id, -1))
        return {
            owner: tuple(sorted(starmap(Candidate, others.items()), key=_order))
            for owner, others in best.items()
        }

    def _copied(self, people: Iterable[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Whose references they are and copies of them, to be overwritten."""
        with self._lock.reading():
            numbers = [self._numbers[person] for person in set(people) if person in self._numbers]
            owners = self._owners[: len(self._templates)]
            places = np.flatnonzero(np.isin(owners, np.array(numbers, np.int32)))
            names = [str(self._people[number]) for number in owners[places]]
            return names, self._templates.copied(places)

    def search(
        self, probes: NDArray[np.float32], *, top: int = 1, least: float = -1.0
    ) -> tuple[tuple[Candidate, ...], ...]:
        """The people most similar to each probe.

        Args:
            probes: (Q, dimension) features of any length; a probe of zeros, or one that is not
                finite, has similarity 0 to everybody.
            top: at most so many people per probe, from 1.
            least: only people at least so similar. Exact in galleries below ``sketched_from``
                references; above, somebody who is just so similar is passed over in at most one
                search of 10,000, and somebody more similar less often.

        Returns:
            Per probe its candidates, best first, each person once with the best of their
            references; ties in the order of person_id.

        Raises:
            SettingMalformed: probes of another shape.
        """
        wide = self._probes(probes)
        narrow = wide.astype(np.float32)
        with self._lock.reading():
            found = []
            for start in range(0, len(wide), _AT_ONCE):
                some = narrow[start : start + _AT_ONCE]
                found += self._templates.alike(some, least, top * self._most)
            return tuple(
                self._candidates(probe, places, top, least)
                for probe, places in zip(wide, found, strict=True)
            )

    def _candidates(
        self, probe: NDArray[np.float64], places: NDArray[np.intp], top: int, least: float
    ) -> tuple[Candidate, ...]:
        similarity = np.clip(self._templates.similarities(probe, places), -1, 1)
        alike = similarity >= np.float32(least)
        owners, who = np.unique(self._owners[places[alike]], return_inverse=True)
        best = np.full(len(owners), -1, np.float32)
        np.maximum.at(best, who, similarity[alike])
        people = [
            Candidate(str(self._people[owner]), float(value))
            for owner, value in zip(owners, best, strict=True)
        ]
        return tuple(sorted(people, key=_order)[:top])

    def _append(self, people: Sequence[str], wide: NDArray[np.float64]) -> None:
        count = len(self._templates)
        if count + len(people) > len(self._owners):
            room = np.full(max(2 * count, count + len(people)), _NOBODY, np.int32)
            room[:count] = self._owners[:count]
            self._owners = room
        added = [self._number(person) for person in people]
        self._owners[count : count + len(people)] = added
        self._templates.append(wide)

    def _number(self, person: str) -> int:
        number = self._numbers.get(person)
        if number is None:
            if self._free:
                number = self._free.pop()
                self._people[number] = person
            else:
                number = len(self._people)
                self._people.append(person)
                self._counts.append(0)
            self._numbers[person] = number
        self._counts[number] += 1
        self._most = max(self._most, self._counts[number])
        return number

    def _remove(self, gone: Iterable[str]) -> int:
        numbers = [self._numbers.pop(person) for person in set(gone) if person in self._numbers]
        if not numbers:
            return 0
        leaving = np.isin(self._owners[: len(self._templates)], np.array(numbers, np.int32))
        places = np.flatnonzero(leaving)
        for place in places[::-1]:
            self._templates.remove(int(place))
            last = len(self._templates)
            self._owners[place] = self._owners[last]
            self._owners[last] = _NOBODY
        for number in numbers:
            self._people[number] = None
            self._counts[number] = 0
        self._free += numbers
        return len(places)

    def _unit(self, people: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scaled in a copy that the caller overwrites; no other is made."""
        wide = np.array(vectors, np.float64)
        if wide.shape == (len(people), self._dimension):
            squares = np.einsum("ij,ij->i", wide, wide)
            if bool(np.all(np.isfinite(squares) & (squares > 0))):
                wide /= np.sqrt(squares)[:, None]
                return wide
        found = f"vectors of shape {wide.shape} for {len(people)}"
        wide.fill(0)
        raise SettingMalformed(
            expected=f"{self._dimension} finite numbers that are not all zero for each reference",
            found=found,
            remedy="Compute the template again from its reference photograph.",
        )

    def _probes(self, probes: NDArray[np.float32]) -> NDArray[np.float64]:
        wide = np.asarray(probes, np.float64)
        if wide.ndim != 2 or wide.shape[1] != self._dimension:  # noqa: PLR2004 - a table
            raise SettingMalformed(
                expected=f"probes of shape (Q, {self._dimension})",
                found=f"shape {wide.shape}",
                remedy="Search with the features of the model that the gallery was built with.",
            )
        norm = np.linalg.norm(wide, axis=1, keepdims=True)
        usable = np.isfinite(norm) & (norm > 0)
        return np.asarray(np.where(usable, np.nan_to_num(wide) / np.where(usable, norm, 1), 0))


def _order(one: Candidate) -> tuple[float, str]:
    return -one.similarity, one.person_id
