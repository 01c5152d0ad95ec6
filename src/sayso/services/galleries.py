"""The galleries in this process's memory: one for each scope, changed in place with consent.

Opening a scope anew for every picture would open every template again. So a gallery stays, with
the version of people and consents that it is of; before each use the version is read again, and
what differs is removed or added, nothing else. A withdrawal, here or in another process, changes
the version in its own transaction.

A person's references are one here, their mean: that measured better than the best of them (0023).
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sayso.domain.consent import Consents
from sayso.domain.matching import GallerySize
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection, CollectionId
from sayso.domain.policy import Compare, Manner, Permit, decide
from sayso.gallery import Candidate, Gallery
from sayso.store.repository import Unit
from sayso.store.templates import Held


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who was just enrolled.

    Attributes:
        record: their consents, as they were kept.
        held: which references of theirs there are.
        fused: (D,) of them.
        before, after: versions of people and consents around that one transaction.
        now: when it was.
    """

    record: Consents
    held: Held
    fused: NDArray[np.float32]
    before: int
    after: int
    now: datetime


class ScopeGallery:
    """The gallery of one scope: everybody whose ``recognise`` covers a collection.

    Args:
        dimension: of the features.
        model_sha256: whose templates are compared.
        besides: people who have a template of this model too are left out; None: nobody is.
    """

    def __init__(self, dimension: int, model_sha256: str, besides: str | None = None) -> None:
        self._dimension = dimension
        self._model = model_sha256
        self._besides = besides
        self._everybody = Gallery(dimension)
        self._newcomers: dict[int, Gallery] = {}
        self._held: dict[PersonId, Held] = {}
        self._alike: dict[PersonId, tuple[Candidate, ...]] = {}
        self._alike_from = 1.0
        self._version = -1
        self._through = 0
        self._since: datetime | None = None
        self._until: datetime | None = None
        self._changing = threading.Lock()

    def __len__(self) -> int:
        """The number of people, each with one reference fused of theirs."""
        return len(self._everybody)

    @property
    def size(self) -> GallerySize:
        """How many people and references there are."""
        return GallerySize(len(self._held), sum(len(held.ids) for held in self._held.values()))

    @property
    def version(self) -> int:
        """Of people and consents, when this was last made to agree with them; -1: never."""
        return self._version

    @property
    def through(self) -> int:
        """The sequence of consent events up to which it holds everybody."""
        return self._through

    def renew(self, unit: Unit, collection: Collection, now: datetime) -> int:
        """Make it agree with what is kept: at once where nothing has changed.

        Returns:
            How many templates had to be opened.

        Raises:
            SealBroken: a template does not open; then nobody is held.
        """
        with self._changing:
            version = unit.people.version()
            if self._holds_at(version, now):
                return 0
            roll = unit.templates.roll(model_sha256=self._model, besides=self._besides)
            records = unit.people.all_consents(roll)
            allowed = permits(records, collection, Manner.ONE_TO_MANY, now)
            wanted = {person: held for person, held in roll.items() if person in allowed}
            try:
                opened = self._change(unit, wanted, allowed)
            except BaseException:
                self._drop(list(self._held))
                self._version = -1
                raise
            self._version, self._since = version, now
            self._through = max((held.joined_at for held in wanted.values()), default=0)
            ends = (record.changes_after(now) for record in records.values())
            self._until = min((end for end in ends if end is not None), default=None)
            return opened

    def take_in(self, collection: Collection, newcomer: Newcomer) -> None:
        """Add somebody who was just enrolled, without asking anew of everybody.

        Only if it held everybody else, and there was somebody: otherwise the next use finds out
        by itself.
        """
        person, held, now = newcomer.record.person, newcomer.held, newcomer.now
        with self._changing:
            if not self._held or not self._holds_at(newcomer.before, now):
                return
            if permits({person: newcomer.record}, collection, Manner.ONE_TO_MANY, now):
                self._swap_all((), [(person, held.joined_at)], newcomer.fused[None])
                self._held[person] = held
                self._through = max(self._through, held.joined_at)
            ends = (self._until, newcomer.record.changes_after(now))
            self._until = min((end for end in ends if end is not None), default=None)
            self._version = newcomer.after

    def people(self, joined_after: int) -> int:
        """How many people joined after a sequence of consent events."""
        with self._changing:
            return sum(held.joined_at > joined_after for held in self._held.values())

    def everybody(self, joined_after: int) -> frozenset[PersonId]:
        """Who joined after a sequence of consent events."""
        with self._changing:
            return frozenset(p for p, held in self._held.items() if held.joined_at > joined_after)

    def since(self, joined_after: int) -> Gallery:
        """Those who joined after a sequence of consent events; after -1: everybody."""
        if joined_after < 0:
            return self._everybody
        with self._changing:
            if joined_after not in self._newcomers:
                late = [p for p, held in self._held.items() if held.joined_at > joined_after]
                self._newcomers[joined_after] = self._everybody.part(late)
            return self._newcomers[joined_after]

    def alike(
        self, people: Iterable[PersonId], least: float
    ) -> dict[PersonId, tuple[Candidate, ...]]:
        """Others who are at least so similar (cosine) to some people, for those who have any.

        It is found anew in each process and after each change, and kept nowhere.
        """
        with self._changing:
            if least != self._alike_from:
                self._alike, self._alike_from = {}, least
            asked = {person for person in people if person in self._held}
            new = asked - self._alike.keys()
            found = self._everybody.alike(new, least=least) if new else {}
            self._alike |= {person: found.get(person, ()) for person in new}
            return {person: self._alike[person] for person in asked if self._alike[person]}

    def empty(self) -> None:
        """Remove everybody; the next use asks again what is kept."""
        with self._changing:
            self._drop(list(self._held))
            self._version = -1

    def let_go(self, person: PersonId) -> None:
        """Remove a person now; the next use asks again what is kept."""
        with self._changing:
            self._drop([person])
            self._version = -1

    def _holds_at(self, version: int, now: datetime) -> bool:
        same = version == self._version and self._since is not None and self._since <= now
        return same and (self._until is None or now < self._until)

    def _change(
        self, unit: Unit, wanted: Mapping[PersonId, Held], allowed: Mapping[PersonId, Permit]
    ) -> int:
        differing = [person for person, held in self._held.items() if wanted.get(person) != held]
        new = [person for person, held in wanted.items() if self._held.get(person) != held]
        vectors = np.zeros((len(new), self._dimension), np.float32)
        joined = [(person, wanted[person].joined_at) for person in new]
        opened = 0
        try:
            for row, person in zip(vectors, new, strict=True):
                held = unit.templates.references(allowed[person], model_sha256=self._model)
                for reference in held:
                    np.add(row, reference.vector, out=row)  # unit length; the gallery scales
                    reference.vector.fill(0)
                opened += len(held)
            self._swap_all(differing, joined, vectors)
        finally:
            vectors.fill(0)
        for person in differing:
            del self._held[person]
        self._held |= {person: wanted[person] for person in new}
        return opened

    def _swap_all(
        self,
        gone: Sequence[PersonId],
        joined: Sequence[tuple[PersonId, int]],
        vectors: NDArray[np.float32],
    ) -> None:
        if gone or joined:
            self._alike = {}
        self._swap(self._everybody, gone, joined, vectors, after=-1)
        for after, gallery in self._newcomers.items():
            self._swap(gallery, gone, joined, vectors, after=after)

    @staticmethod
    def _swap(
        gallery: Gallery,
        gone: Sequence[PersonId],
        joined: Sequence[tuple[PersonId, int]],
        vectors: NDArray[np.float32],
        *,
        after: int,
    ) -> None:
        """Swap people in a gallery that a search may be waiting for: it sees all or nothing."""
        late = [place for place, (_, joined_at) in enumerate(joined) if joined_at > after]
        some = vectors[late]
        try:
            gallery.change(gone, [joined[place][0] for place in late], some)
        finally:
            some.fill(0)

    def _drop(self, gone: Sequence[PersonId]) -> None:
        self._alike = {}
        for gallery in (self._everybody, *self._newcomers.values()):
            gallery.remove(gone)
        for person in gone:
            self._held.pop(person, None)


class Galleries:
    """Every gallery of this process. Safe to share between threads."""

    def __init__(self) -> None:
        self._galleries: dict[tuple[CollectionId, str, str | None], ScopeGallery] = {}
        self._lock = threading.Lock()

    def of(
        self,
        collection: Collection,
        dimension: int,
        model_sha256: str,
        *,
        besides: str | None = None,
    ) -> ScopeGallery:
        """The one gallery of a scope; empty until it is renewed."""
        with self._lock:
            key = (collection.id, model_sha256, besides)
            if key not in self._galleries:
                self._galleries[key] = ScopeGallery(dimension, model_sha256, besides)
            return self._galleries[key]

    def let_go(self, person: PersonId) -> None:
        """Remove a person from all of them: when it returns no copy is left in this process."""
        with self._lock:
            galleries = list(self._galleries.values())
        for gallery in galleries:
            gallery.let_go(person)


def permits(
    records: Mapping[PersonId, Consents], collection: Collection, manner: Manner, now: datetime
) -> dict[PersonId, Permit]:
    """Who of these may be compared with faces of the collection, each with the permit."""
    answers = {
        person: decide(Compare(person, collection, manner), record, now)
        for person, record in records.items()
    }
    return {person: answer for person, answer in answers.items() if isinstance(answer, Permit)}
