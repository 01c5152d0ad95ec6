"""Erasing a person, reading back that it is so, and finishing what a crash interrupted.

1. What would give the person away is gathered, and that they are being erased is noted in the
   key store: from then on the erasure is finished, if need be on the next start.
2. In one transaction: places where they were published go on the take-down list; copies of ours
   that show them go; the data key is destroyed; files that are called by their name are marked, so
   that no copy is; the rows go.
3. The write-ahead log is emptied, and every byte of every file is searched. What is found is
   repaired by writing the databases anew and searching again; what is still found is told, loudly,
   and the erasure stays open.
4. What is left is a keyed hash: enough to erase the person again out of a restored backup.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sayso.domain.person import PersonId
from sayso.errors import ErasureIncomplete, SaysoError
from sayso.ledger.admission import Json
from sayso.services.book import Book
from sayso.services.certificate import ASTRAY, STALE, Noted, certify, note
from sayso.services.certified import sign
from sayso.services.names_told import keep_names_back
from sayso.services.open_pages import FOLDER, OpenPages
from sayso.services.outputs import clear_outputs
from sayso.services.ports import Clock
from sayso.store.keystore import Pending
from sayso.store.publications import Showing
from sayso.store.readback import Searched, files_beside, files_of, search
from sayso.store.repository import Repository, Unit
from sayso.store.traces import THE_ID, Trace, lasting, loaded, of_id

Step = Callable[[str], None]
"""Told the name of each step just before it is taken."""


def unwatched(_step: str) -> None:
    """A `Step` that nobody looks at."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed, and which published copies showed the person.

    Attributes:
        certificate: what was removed, what is kept and why, what is left to do: plain values.
        receipt: an offline proof that the erasure is in the ledger.
        signed: the certificate with its signature and that proof, as a file
            (`sayso.services.certified`).
    """

    person: PersonId
    templates: int
    published: tuple[Showing, ...]
    certificate: Mapping[str, Any]
    receipt: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class Erase:
    """The use case.

    Attributes:
        places: files and folders that are searched besides the workspace: caches.
        takedown_days: how long there is to take published copies down.
    """

    repository: Repository
    book: Book
    clock: Clock
    places: tuple[Path, ...] = ()
    takedown_days: int = 7
    step: Step = unwatched

    def __call__(self, person: str) -> Erased:
        """Erase a person.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            ErasureIncomplete: everything is removed, but something was found on reading back.
            WorkspaceBusy: everything is removed, but a reader keeps old pages alive.
        """
        with self.repository.reading() as unit:
            known = unit.people.get(person).id
        return self._erase(known)

    def finish(self) -> list[Erased]:
        """Finish erasures that were interrupted, before anything else is done.

        Raises:
            ErasureIncomplete, WorkspaceBusy: as for an erasure.
        """
        return [self._resume(pending) for pending in self.repository.vault.store.pending_erasures()]

    def again(self, person: PersonId) -> None:
        """Erase somebody whom a restored backup brought back."""
        self._erase(person)

    def _resume(self, pending: Pending) -> Erased:
        person = PersonId(pending.person)
        with self.repository.reading() as unit:
            there = unit.people.exists(person)
        if there:
            return self._erase(person)
        facts = json.loads(self.repository.vault.open_traces(pending.token, pending.traces))
        noted, traces = Noted.of(facts), loaded(facts["traces"])
        if noted.entry is None:  # noted by a key that is lost, with all but the id
            with self.repository.writing() as unit:
                noted = replace(noted, entry=self._enter(unit, person, noted, opened=0))
            traces = [*traces, *of_id(person)]
        return self._read_back(person, noted, traces, pending.begun_at)

    def _erase(self, person: PersonId) -> Erased:
        vault = self.repository.vault
        token, now = vault.erasure_token(person), self.clock()
        gathered = self.repository.gather(person)
        traces = gathered.traces
        with self.repository.writing() as unit:
            noted = note(unit, person)
            sealed = vault.seal_traces(token, noted.dumped(lasting(traces)))
            self.step("note")
            vault.store.begin_erasure(Pending(token, person, sealed, now.isoformat()))
            try:
                entry = self._enter(unit, person, noted, gathered.opened)
                noted = replace(noted, entry=entry)
            except BaseException:
                vault.store.give_up_erasure(token)
                raise
            sealed = vault.seal_traces(token, noted.dumped(lasting(traces)))
            vault.store.begin_erasure(Pending(token, person, sealed, now.isoformat()))
            self.step("copies")
            places = unit.takedowns.places(person)
            due = now + timedelta(days=self.takedown_days)
            unit.takedowns.add(places, reason="erased", due_at=due)
            clear_outputs(places, traces)
            self.step("key")
            vault.destroy([person])
            self.step("rows")
            keep_names_back(unit, unit.people.get(person))
            unit.templates.drop(person)
            unit.people.erase(person)
            self.step("commit")
        return self._read_back(person, noted, traces, now.isoformat())

    def _enter(self, unit: Unit, person: PersonId, noted: Noted, opened: int) -> int:
        """Erase the ledger's entries about a person; the number of the entry that says so."""
        details: dict[str, Json] = {
            "references": noted.removed["templates"],
            "key": self.repository.vault.key_id,
            "templates_opened": opened,
        }
        return self.book.erase(unit, person, details).sequence

    def _read_back(
        self, person: PersonId, noted: Noted, traces: Sequence[Trace], begun_at: str
    ) -> Erased:
        vault = self.repository.vault
        token = vault.erasure_token(person)
        self.step("forget")
        self.repository.forget()
        OpenPages(self.repository.database.path.parent / FOLDER).remove()
        self.step("read back")
        searched, shared = self._search(person, traces, noted.folders)
        self.step("finish")
        vault.store.finish_erasure(token, self.clock().isoformat())
        stale = renew_key_copies(self.repository)
        left = [(place, STALE) for place in stale]
        left += [ASTRAY] if self.book.astray() else []
        certificate = certify(person, noted, traces, searched, shared, left, begun_at, self.clock())
        if noted.entry is None:
            msg = "an erasure is entered before it is read back"
            raise AssertionError(msg)
        receipt = self.book.prove(noted.entry)
        signed = sign(certificate, person, noted.entry, self.book)
        count = noted.removed["templates"]
        return Erased(person, count, noted.showing, certificate, receipt, signed)

    def _search(
        self, person: PersonId, traces: Sequence[Trace], folders: Iterable[str]
    ) -> tuple[Searched, Mapping[str, list[str]]]:
        """Search, repair, search again; gives texts that others have too, with where."""
        home = self.repository.database.path.parent
        store = self.repository.vault.store
        places = [home, *self.places, *map(Path, folders), *_temporary()]
        ledgers = self.book.folders
        searched = self._searched(places, traces)
        if searched.hits:
            self.repository.database.vacuum()
            store.vacuum()
            searched = self._searched(places, traces)
        shared: dict[str, list[str]] = {}
        found: list[str] = []
        for hit in searched.hits:
            others = (
                self.repository.told_of_others(hit.trace)
                if hit.file == self.repository.database.path or hit.file.parent in ledgers
                else []
            )
            if others:
                shared.setdefault(hit.trace.kind, []).extend(others)
            else:
                found.append(f"{hit.trace.kind} in {hit.file} at byte {hit.offset}")
        if found or searched.unread:
            found += [f"{file}, which cannot be read" for file in searched.unread]
            raise ErasureIncomplete(
                expected=f"nothing of person {person} on the disk",
                found="; ".join(found[:_TOLD]) + ("; and more" if len(found) > _TOLD else ""),
                remedy="The person is removed from the database. Remove or mend these files, then "
                "run any `sayso` verb: it reads back again before it does anything else.",
            )
        return searched, {kind: sorted(set(where)) for kind, where in shared.items()}

    def _searched(self, places: Iterable[Path], traces: Sequence[Trace]) -> Searched:
        """Search all files but for the person's id in the note of this very erasure."""
        own = set(files_beside(self.repository.vault.store.path))
        files = list(files_of(places))
        others = search([file for file in files if file not in own], traces)
        noted = [trace for trace in traces if trace.kind != THE_ID]
        keys = search([file for file in files if file in own], noted)
        return Searched(
            others.files + keys.files,
            others.bytes + keys.bytes,
            (*others.hits, *keys.hits),
            (*others.unread, *keys.unread),
        )


_TOLD = 8


def renew_key_copies(repository: Repository) -> list[str]:
    """Write copies of the key store anew; gives those that could not be, and are stale."""
    stale = []
    for place in repository.vault.store.copies():
        try:
            if not Path(place).is_file():
                raise FileNotFoundError
            write_key_copy(repository, Path(place))
        except (OSError, SaysoError):
            stale.append(place)
    return stale


def write_key_copy(repository: Repository, place: Path) -> None:
    """Write a whole copy of the key store: all of it under its name, or nothing."""
    part = place.with_name(f".{place.name}.part")
    try:
        repository.vault.store.copy_to(part, keys=True)
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _temporary() -> list[Path]:
    """Temporary files of ours and of SQLite's, should there be any."""
    folder = Path(tempfile.gettempdir())
    with suppress(OSError):
        return [*folder.glob("sayso*"), *folder.glob("etilqs_*")]
    return []
