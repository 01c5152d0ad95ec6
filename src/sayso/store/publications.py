"""Where covered copies went, and whom each of them shows: the take-down list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sayso.domain.grant import Channel
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId, PhotoId
from sayso.store.tables import copies, publications, shown


@dataclass(frozen=True, slots=True)
class Copy:
    """One written copy: whose content, where, its SHA-256 (hex), and whom it shows."""

    photo: PhotoId
    path: str
    sha256: str
    shows: frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class Showing:
    """A published copy that shows a person."""

    channel: Channel
    path: str
    at: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A publication in a folder: what of, for which channel, and the paths of its copies."""

    collection: CollectionId
    channel: Channel
    copies: frozenset[str]


class Publications:
    """Publications, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def begin(self, collection: CollectionId, channel: Channel, folder: str, now: datetime) -> int:
        """Keep that a publication began; gives its id."""
        key = self._connection.execute(
            sa.insert(publications).values(
                collection_id=collection, channel=channel, folder=folder, at=now.isoformat()
            )
        ).inserted_primary_key
        return int(key[0]) if key else 0

    def add(self, publication: int, written: Iterable[Copy]) -> None:
        """Keep the copies of a publication."""
        for copy in written:
            key = self._connection.execute(
                sa.insert(copies).values(
                    publication_id=publication,
                    photo_id=int(copy.photo),
                    path=copy.path,
                    sha256=copy.sha256,
                )
            ).inserted_primary_key
            for person in sorted(copy.shows):
                self._connection.execute(
                    sa.insert(shown).values(copy_id=key[0] if key else None, person_id=person)
                )

    def newest_in(self, folder: str) -> Earlier | None:
        """The newest publication in a folder, ended or not; it removed earlier ones' copies."""
        query = (
            sa.select(publications.c.id, publications.c.collection_id, publications.c.channel)
            .where(publications.c.folder == folder)
            .order_by(publications.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        paths = sa.select(copies.c.path).where(copies.c.publication_id == row.id)
        return Earlier(
            CollectionId(row.collection_id),
            Channel(row.channel),
            frozenset(self._connection.execute(paths).scalars()),
        )

    def showing(self, person: PersonId) -> list[Showing]:
        """Every published copy that shows a person, newest first."""
        query = (
            sa.select(
                publications.c.channel, publications.c.folder, copies.c.path, publications.c.at
            )
            .join(copies, copies.c.publication_id == publications.c.id)
            .join(shown, shown.c.copy_id == copies.c.id)
            .where(shown.c.person_id == person)
            .order_by(publications.c.id.desc(), copies.c.path)
        )
        return [
            Showing(Channel(row.channel), f"{row.folder}/{row.path}", row.at)
            for row in self._connection.execute(query)
        ]
