"""Whom a face may be, for an operator to settle: with a name, or without one.

Of somebody whose name staff may not be told nothing is said but what `sayso screen` says of the
face: that it may be somebody who said yes, for one channel or another. Where it says nothing of
them, neither does this: of a face that somebody objected to, and of one that also matches somebody
who may not be shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.consent import Consents
from sayso.domain.doubt import in_doubt, thought_of
from sayso.domain.grant import STAFF, Channel, Purpose
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection, CollectionId
from sayso.domain.policy import Permit, Show, TellName, decide
from sayso.domain.sighting import Link, Sighting
from sayso.store.repository import Unit


@dataclass(frozen=True, slots=True)
class Doubts:
    """Whom one face may be, most alike first.

    Attributes:
        named: whose name staff may be told.
        unnamed: the others; nobody is told who they are, how many or how alike.
    """

    named: tuple[Sighting, ...] = ()
    unnamed: tuple[Sighting, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.named or self.unnamed)


class Tellable:
    """What staff may be told of some people's faces, collection by collection."""

    def __init__(self, unit: Unit, people: Iterable[PersonId], now: datetime) -> None:
        self._records = unit.people.all_consents(set(people))
        self._now = now
        self._names: dict[CollectionId, frozenset[PersonId]] = {}
        self._faces: dict[CollectionId, tuple[frozenset[PersonId], ...]] = {}

    def names(self, collection: Collection) -> frozenset[PersonId]:
        """Whose name, beside a face that comparing found."""
        if collection.id not in self._names:
            self._names[collection.id] = frozenset(
                person
                for person, record in self._records.items()
                if self._permits(TellName(person, collection, Link.MATCH, STAFF), record)
            )
        return self._names[collection.id]

    def doubts(
        self, collection: Collection, sightings: Sequence[Sighting], *, objected: bool
    ) -> Doubts:
        """Whom a face may be that is in doubt; nobody: it is not.

        Args:
            collection: in which it is.
            sightings: of the face.
            objected: whether somebody objected to its being shown.
        """
        names = self.names(collection)
        found = [in_doubt(sightings, names)]
        if not objected:
            found += [in_doubt(sightings, shown) for shown in self._shown(collection)]
        doubts = {one.person: one for several in found for one in several}
        ordered = sorted(doubts.values(), key=lambda one: (-(one.similarity or 0.0), one.person))
        return Doubts(
            tuple(one for one in ordered if one.person in names),
            tuple(one for one in ordered if one.person not in names),
        )

    def unnamed(
        self, collection: Collection, sightings: Sequence[Sighting], *, objected: bool
    ) -> frozenset[PersonId]:
        """Whom a face is taken for, in doubt or not, whose name may not be told.

        What was said of them makes no difference: who says the same again may.
        """
        if objected:
            return frozenset()
        taken = [thought_of(sightings, shown) for shown in self._shown(collection)]
        return frozenset().union(*taken) - self.names(collection)

    def _shown(self, collection: Collection) -> tuple[frozenset[PersonId], ...]:
        """Who may be shown, channel by channel."""
        if collection.id not in self._faces:
            events = (event for record in self._records.values() for event in record.events)
            targets = {event.target for event in events if event.purpose is Purpose.PUBLISH}
            self._faces[collection.id] = tuple(
                self._shown_in(collection, Channel(target))
                for target in sorted(one for one in targets if one is not None)
            )
        return self._faces[collection.id]

    def _shown_in(self, collection: Collection, channel: Channel) -> frozenset[PersonId]:
        return frozenset(
            person
            for person, record in self._records.items()
            if self._permits(Show(person, collection, Link.MATCH, channel), record)
        )

    def _permits(self, request: Show | TellName, record: Consents) -> bool:
        return isinstance(decide(request, record, self._now), Permit)
