"""Access: everything that is held of a person, in one archive that the person can read.

GDPR article 15 asks for no consent and no permit: it is the person's own right to what is held,
their own face included. Nobody else's: every other face is covered, looked at again before the
copy is handed over, and no other name is in any text. The template is described, not exported.

The archive is written whole or not at all, under its name only when it is complete.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date
from pathlib import Path
from typing import BinaryIO

from sayso.domain.controller import Controller
from sayso.domain.deadline import one_month_after
from sayso.domain.person import Person
from sayso.domain.record import graph
from sayso.errors import SettingMalformed
from sayso.ledger.entry import Action
from sayso.services.access_data import Asked, data
from sayso.services.access_facts import Facts, History, Logic, gather, no_history
from sayso.services.access_page import page as html
from sayso.services.access_page import readme
from sayso.services.access_pictures import Copier, Handed
from sayso.services.book import Book
from sayso.services.eye import Eye
from sayso.services.handover import whole_file
from sayso.services.limits import Standard
from sayso.services.ports import Clock, OpenSource, Progress, unwatched


@dataclass(frozen=True, slots=True)
class Accessed:
    """What was handed over.

    Attributes:
        due: the last day on which the request may be answered.
        photographs: how many pictures are in the archive.
        unshown: how many links it describes without a picture.
        missing: settings of the controller that were never set.
    """

    person: Person
    file: Path
    due: date
    photographs: int
    unshown: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """The use case."""

    book: Book
    clock: Clock
    eye: Callable[[], Eye]
    open_source: OpenSource
    workers: int
    controller: Controller
    logic: Callable[[frozenset[str]], Logic]
    standard: Standard
    history: History = no_history

    def __call__(
        self,
        person: str,
        out: Path,
        *,
        received: date | None = None,
        overwrite: bool = False,
        progress: Progress = unwatched,
    ) -> Accessed:
        """Write the archive.

        Args:
            person: an id, or a name that only one has.
            out: where to; its folder must be there.
            received: the day on which the request came; None: today.
            overwrite: whether a file that lies there may be replaced.
            progress: told how many photographs are done.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            OutputRefused: a file lies there, or none may be written.
            DiskFull: no room; nothing is left behind.
            SettingMalformed: a request from the future.
        """
        now = self.clock().astimezone(UTC)
        asked = Asked(received or now.date(), one_month_after(received or now.date()), now)
        if asked.received > now.date():
            raise SettingMalformed(
                expected="a request that has come already",
                found=asked.received.isoformat(),
                remedy="Give the day on which the person asked.",
            )
        with whole_file(out, overwrite=overwrite) as stream:
            with self.book.writing() as page:  # entered before it is handed over
                known = page.unit.people.get(person)
                limits = self.standard(page.unit)
                facts = gather(page.unit, known, self.controller, self.history, limits, now)
                page.unit.people.touch(known.id, now)
                page.enter(Action.ACCESS, subjects=[known.id], details={"archive": True})
            handed = self._write(stream, facts, asked, progress)
        shown = sum(one.file is not None for one in handed)
        return Accessed(known, out, asked.due, shown, len(handed) - shown, self.controller.missing)

    def _write(
        self, stream: BinaryIO, facts: Facts, asked: Asked, progress: Progress
    ) -> list[Handed]:
        logic = self.logic(facts.models)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            handed = self._pictures(archive, facts, asked, progress)
            texts = {
                "README.txt": readme(asked, self.controller),
                "index.html": html(facts, handed, asked, self.controller, logic),
                "records.jsonld": _json(graph(facts.records)),
                "data.json": _json(data(facts, handed, asked, self.controller, logic)),
            }
            for name, text in texts.items():
                archive.writestr(_entry(name, asked), text.encode())
        return handed

    def _pictures(
        self, archive: zipfile.ZipFile, facts: Facts, asked: Asked, progress: Progress
    ) -> list[Handed]:
        """Each picture goes into the archive as soon as it is made: not all are held at once."""
        handed: list[Handed] = []
        progress(0, len(facts.seen))
        if facts.seen:
            copier = Copier(self.eye(), self.open_source, self.workers)
            for one in copier(facts.seen):
                if one.file is not None:
                    entry = _entry(one.file, asked)
                    entry.compress_type = zipfile.ZIP_STORED  # it is compressed already
                    archive.writestr(entry, one.data)
                handed.append(replace(one, data=b""))
                progress(len(handed), len(facts.seen))
        return handed


def _entry(name: str, asked: Asked) -> zipfile.ZipInfo:
    made = asked.made
    entry = zipfile.ZipInfo(
        name, (made.year, made.month, made.day, made.hour, made.minute, made.second)
    )
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
