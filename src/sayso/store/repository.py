"""The repository: one unit of work over all tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from sayso.domain.person import PersonId
from sayso.store.collections import Collections
from sayso.store.database import Database
from sayso.store.entries import Entries
from sayso.store.files import Files
from sayso.store.holdings import Holdings
from sayso.store.notices import Notices
from sayso.store.objections import Objections
from sayso.store.people import People
from sayso.store.photographs import Photographs
from sayso.store.publications import Publications
from sayso.store.sealing import WorkspaceKey
from sayso.store.sightings import Sightings
from sayso.store.takedowns import Takedowns
from sayso.store.traces import Trace, gather, told_of_others
from sayso.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything that is kept, within one transaction."""

    collections: Collections
    photographs: Photographs
    files: Files
    people: People
    sightings: Sightings
    publications: Publications
    entries: Entries
    notices: Notices
    holdings: Holdings
    takedowns: Takedowns
    objections: Objections


class Repository:
    """Reading and writing what is kept. Safe to share between threads."""

    def __init__(self, database: Database, key: WorkspaceKey) -> None:
        self._database = database
        self.vault = Vault(key, database.keys)

    @property
    def database(self) -> Database:
        """The database itself, for backups and the read-back of an erasure."""
        return self._database

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """A consistent view."""
        with self._database.reading() as connection:
            yield self._unit(connection, set())

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """All of it or nothing; others wait.

        Data keys of people whose templates went are destroyed once that is on disk. A crash in
        between leaves a key without a template, which the next start destroys (`settle`).
        """
        closed: set[PersonId] = set()
        with self._database.writing() as connection:
            yield self._unit(connection, closed)
        if closed:
            self.settle()

    def settle(self) -> frozenset[PersonId]:
        """Destroy keys without templates, and drop templates without keys; gives whose those were.

        Neither can be left by anything but a crash, a backup or another's hand. Holding the
        write lock keeps enrolments of other processes, which make the key first, out of it.
        """
        holders = self.vault.store.holders()
        with self._database.reading() as connection:
            unit = self._unit(connection, set())
            if unit.people.template_counts().keys() == holders:
                return frozenset()
        with self._database.writing() as connection:
            holders = self.vault.store.holders()
            unit = self._unit(connection, set())
            owners = frozenset(unit.people.template_counts())
            self.vault.destroy(sorted(holders - owners))
            lost = owners - holders
            for person in sorted(lost):
                unit.people.drop_templates(PersonId(person))
        return frozenset(PersonId(person) for person in lost)

    def drop_closed(self) -> frozenset[PersonId]:
        """Drop templates whose data key is gone; gives whose they were. No key is touched."""
        holders = self.vault.store.holders()
        with self._database.writing() as connection:
            people = self._unit(connection, set()).people
            lost = frozenset(people.template_counts()) - holders
            for person in sorted(lost):
                people.drop_templates(PersonId(person))
        return frozenset(PersonId(person) for person in lost)

    def gather(self, person: PersonId) -> list[Trace]:
        """Everything by which a person could be found again on the disk."""
        with self._database.reading() as connection:
            return gather(connection, self.vault, person)

    def told_of_others(self, trace: Trace) -> list[str]:
        """Where rows that are left hold a text that an erased person had too."""
        with self._database.reading() as connection:
            return told_of_others(connection, trace)

    def forget(self) -> None:
        """Make deleted rows vanish from the write-ahead log too.

        Raises:
            WorkspaceBusy: another process kept reading.
        """
        self._database.forget()

    def _unit(self, connection: sa.Connection, closed: set[PersonId]) -> Unit:
        return Unit(
            collections=Collections(connection),
            photographs=Photographs(connection),
            files=Files(connection),
            people=People(connection, self.vault, closed),
            sightings=Sightings(connection),
            publications=Publications(connection),
            entries=Entries(connection),
            notices=Notices(connection),
            holdings=Holdings(connection),
            takedowns=Takedowns(connection),
            objections=Objections(connection),
        )
