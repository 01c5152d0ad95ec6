"""The repository: one unit of work over all tables."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

from sayso.domain.person import PersonId
from sayso.errors import ErasureIncomplete, SaysoError, WorkspaceBusy
from sayso.store.answers import Answers
from sayso.store.collections import Collections
from sayso.store.database import Database
from sayso.store.entries import Entries
from sayso.store.files import Files
from sayso.store.holdings import Holdings
from sayso.store.models import Models
from sayso.store.notices import Notices
from sayso.store.objections import Objections
from sayso.store.people import People
from sayso.store.photographs import Photographs
from sayso.store.publications import Publications
from sayso.store.readback import files_beside, search
from sayso.store.scrutiny import Scrutiny
from sayso.store.sealing import WorkspaceKey
from sayso.store.sightings import Sightings
from sayso.store.takedowns import Takedowns
from sayso.store.templates import Parting, Templates
from sayso.store.traces import Gathered, Trace, gather, told_of_others
from sayso.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything that is kept, within one transaction."""

    collections: Collections
    photographs: Photographs
    scrutiny: Scrutiny
    files: Files
    people: People
    templates: Templates
    sightings: Sightings
    answers: Answers
    publications: Publications
    entries: Entries
    notices: Notices
    holdings: Holdings
    takedowns: Takedowns
    objections: Objections
    models: Models


_TOLD = 8


class Repository:
    """Reading and writing what is kept. Safe to share between threads.

    Args:
        database: in which it is.
        key: that opens its key store.
        in_force: whether this is the workspace's database; False while a backup is prepared
            beside it, when the key store is still another database's and no data key may go.
    """

    def __init__(self, database: Database, key: WorkspaceKey, *, in_force: bool = True) -> None:
        self._database = database
        self._in_force = in_force
        self.vault = Vault(key, database.keys)

    @property
    def database(self) -> Database:
        """The database itself, for backups and the read-back of an erasure."""
        return self._database

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """A consistent view."""
        with self._database.reading() as connection:
            yield self._unit(connection, Parting())

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """All of it or nothing; others wait.

        Data keys of people whose templates went are destroyed once that is on disk, and what is
        left of the rows is swept away. A crash in between leaves a key without a template, which
        the next start destroys (`settle`), and old pages, which it sweeps (`sweep`).

        Raises:
            ErasureIncomplete: it is done, but something of a template was found on reading back.
        """
        parting = Parting()
        try:
            with self._database.writing() as connection:
                yield self._unit(connection, parting)
        except BaseException:
            if parting.sealed and self._in_force:
                with suppress(SaysoError):  # what cannot be settled now is by the next start
                    self.settle()
            raise
        if parting.people and self._in_force:
            self.settle()
            with suppress(WorkspaceBusy):  # no key opens it any more; the next start sweeps again
                self.sweep(parting.traces)

    def sweep(self, traces: Sequence[Trace] = ()) -> None:
        """Remove what destroyed templates left in old pages, if any were, and read that back.

        Args:
            traces: of what went; none: it is not known, and the databases are written anew.

        Raises:
            WorkspaceBusy: another process kept reading; it is still to be done.
            ErasureIncomplete: some of these traces are still there.
        """
        keys = self.vault.store
        if not keys.sweep_is_due():
            return
        self._database.forget()
        files = [*files_beside(self._database.path), *files_beside(keys.path)]
        if not traces or search(files, traces).hits:
            self._database.vacuum()
            keys.vacuum()
            if hits := search(files, traces).hits:
                where = "; ".join(f"{hit.trace.kind} in {hit.file}" for hit in hits[:_TOLD])
                raise ErasureIncomplete(
                    expected="nothing of a template that was to go on the disk",
                    found=where,
                    remedy="What was asked is done and its data key is destroyed, so that nobody "
                    "can open it. Run any `sayso` verb: it sweeps again before it does more.",
                )
        keys.sweep_is_done()

    def settle(self) -> frozenset[PersonId]:
        """Destroy keys without templates, and drop templates without keys; gives whose those were.

        Neither can be left by anything but a crash, a backup or another's hand. Holding the
        write lock keeps enrolments of other processes, which make the key first, out of it.
        """
        holders = self.vault.store.holders()
        with self._database.reading() as connection:
            unit = self._unit(connection, Parting())
            if unit.templates.counts().keys() == holders:
                return frozenset()
        with self._database.writing() as connection:
            holders = self.vault.store.holders()
            unit = self._unit(connection, Parting())
            owners = frozenset(unit.templates.counts())
            if holders - owners:
                self.vault.destroy(sorted(holders - owners))
            lost = owners - holders
            if lost:
                self.vault.store.owe_sweep()
            for person in sorted(lost):
                unit.templates.drop(PersonId(person))
        return frozenset(PersonId(person) for person in lost)

    def drop_closed(self) -> frozenset[PersonId]:
        """Drop templates whose data key is gone; gives whose they were. No key is touched."""
        holders = self.vault.store.holders()
        with self._database.writing() as connection:
            templates = self._unit(connection, Parting()).templates
            lost = frozenset(templates.counts()) - holders
            for person in sorted(lost):
                templates.drop(PersonId(person))
        return frozenset(PersonId(person) for person in lost)

    def gather(self, person: PersonId) -> Gathered:
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

    def _unit(self, connection: sa.Connection, parting: Parting) -> Unit:
        return Unit(
            collections=Collections(connection),
            photographs=Photographs(connection),
            scrutiny=Scrutiny(connection),
            files=Files(connection),
            people=People(connection, self.vault, parting),
            templates=Templates(connection, self.vault, parting),
            sightings=Sightings(connection),
            answers=Answers(connection),
            publications=Publications(connection),
            entries=Entries(connection),
            notices=Notices(connection),
            holdings=Holdings(connection),
            takedowns=Takedowns(connection),
            objections=Objections(connection),
            models=Models(connection),
        )
