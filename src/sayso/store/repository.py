"""The repository: one unit of work over all tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from sayso.store.collections import Collections
from sayso.store.database import Database
from sayso.store.entries import Entries
from sayso.store.holdings import Holdings
from sayso.store.notices import Notices
from sayso.store.people import People
from sayso.store.photographs import Photographs
from sayso.store.publications import Publications
from sayso.store.sealing import WorkspaceKey
from sayso.store.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything that is kept, within one transaction."""

    collections: Collections
    photographs: Photographs
    people: People
    sightings: Sightings
    publications: Publications
    entries: Entries
    notices: Notices
    holdings: Holdings


class Repository:
    """Reading and writing what is kept. Safe to share between threads."""

    def __init__(self, database: Database, key: WorkspaceKey) -> None:
        self._database = database
        self._key = key

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """A consistent view."""
        with self._database.reading() as connection:
            yield self._unit(connection)

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """All of it or nothing; others wait."""
        with self._database.writing() as connection:
            yield self._unit(connection)

    def forget(self) -> None:
        """Make deleted rows vanish from the write-ahead log too.

        Raises:
            WorkspaceBusy: another process kept reading.
        """
        self._database.forget()

    def _unit(self, connection: sa.Connection) -> Unit:
        return Unit(
            collections=Collections(connection),
            photographs=Photographs(connection),
            people=People(connection, self._key),
            sightings=Sightings(connection),
            publications=Publications(connection),
            entries=Entries(connection),
            notices=Notices(connection),
            holdings=Holdings(connection),
        )
