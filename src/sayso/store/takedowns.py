"""The take-down list: published copies that show somebody who may be shown no more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sayso.domain.grant import Channel
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId, PhotoId
from sayso.errors import TakedownUnknown
from sayso.store import records
from sayso.store.tables import copies, publications, shown, takedowns


@dataclass(frozen=True, slots=True)
class Place:
    """A published copy and whom it shows."""

    person: PersonId
    collection: CollectionId
    channel: Channel
    folder: str
    path: str
    photo: PhotoId
    sha256: str
    at: str


@dataclass(frozen=True, slots=True)
class Takedown:
    """One place to act on.

    Attributes:
        reason: ``withdrawn``, ``expired`` or ``erased``.
        person: whom it shows; None once they are erased.
        due_at: by when; ``done_at`` when it was ticked off, None while it is open.
    """

    id: int
    reason: str
    person: PersonId | None
    channel: Channel
    folder: str
    path: str
    photo: PhotoId
    published_at: str
    due_at: datetime
    done_at: datetime | None


class Takedowns:
    """The list, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def places(self, person: PersonId | None = None) -> list[Place]:
        """Every published copy that shows a person, or anybody."""
        query = (
            sa.select(
                shown.c.person_id,
                copies.c.path,
                copies.c.photo_id,
                copies.c.sha256,
                publications.c.collection_id,
                publications.c.channel,
                publications.c.folder,
                publications.c.at,
            )
            .join(copies, copies.c.id == shown.c.copy_id)
            .join(publications, publications.c.id == copies.c.publication_id)
            .where(sa.true() if person is None else shown.c.person_id == person)
            .order_by(publications.c.id, copies.c.path)
        )
        return [
            Place(
                PersonId(row.person_id),
                CollectionId(row.collection_id),
                Channel(row.channel),
                row.folder,
                row.path,
                PhotoId(str(row.photo_id)),
                row.sha256,
                row.at,
            )
            for row in self._connection.execute(query)
        ]

    def add(self, places: Iterable[Place], *, reason: str, due_at: datetime) -> list[Place]:
        """Put places on the list that are not on it yet; gives those that were new."""
        added = []
        for place in places:
            same = sa.select(takedowns.c.id).where(
                takedowns.c.person_id == place.person,
                takedowns.c.folder == place.folder,
                takedowns.c.path == place.path,
                takedowns.c.published_at == place.at,
            )
            if self._connection.execute(same).first():
                continue
            self._connection.execute(
                sa.insert(takedowns).values(
                    person_id=place.person,
                    reason=reason,
                    channel=place.channel,
                    folder=place.folder,
                    path=place.path,
                    photo_id=int(place.photo),
                    published_at=place.at,
                    due_at=due_at.isoformat(),
                )
            )
            added.append(place)
        return added

    def all(self, person: PersonId | None = None, *, done: bool = False) -> list[Takedown]:
        """The open places (with ``done``, all), of one person or of everybody, by due date."""
        query = sa.select(takedowns).order_by(takedowns.c.due_at, takedowns.c.id)
        if person is not None:
            query = query.where(takedowns.c.person_id == person)
        if not done:
            query = query.where(takedowns.c.done_at.is_(None))
        return self._listed(query)

    def tick_off(self, takedown: int, now: datetime) -> Takedown:
        """Say that a place was dealt with.

        Raises:
            TakedownUnknown: nothing of this number is on the list.
        """
        self._connection.execute(
            sa.update(takedowns)
            .where(takedowns.c.id == takedown, takedowns.c.done_at.is_(None))
            .values(done_at=now.isoformat())
        )
        found = self._listed(sa.select(takedowns).where(takedowns.c.id == takedown))
        if not found:
            raise TakedownUnknown(
                expected="the number of a place on the take-down list",
                found=str(takedown),
                remedy="See `sayso takedowns`.",
            )
        return found[0]

    def _listed(self, query: sa.Select[Any]) -> list[Takedown]:
        return [
            Takedown(
                row.id,
                row.reason,
                None if row.person_id is None else PersonId(row.person_id),
                Channel(row.channel),
                row.folder,
                row.path,
                PhotoId(str(row.photo_id)),
                row.published_at,
                datetime.fromisoformat(row.due_at),
                records.time_of(row.done_at),
            )
            for row in self._connection.execute(query)
        ]
