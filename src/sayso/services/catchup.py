"""Catching up: what was scanned before meets the people who said yes since, in every collection.

A scan does the same for its own collection at its end. This does it without looking at folders for
anything new, the newest collection first. See `sayso.services.meeting` for how.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sayso.domain.photo import Collection, Recognition
from sayso.domain.policy import Manner, require_comparable
from sayso.errors import SaysoError
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.meeting import Done, Meeting
from sayso.services.places import Unreadable
from sayso.services.ports import Clock, OpenSource, Progress, unwatched
from sayso.services.recognition import LoadRecogniser
from sayso.services.retention import Retention
from sayso.services.takedowns import DEFAULT_DAYS
from sayso.store.repository import Repository
from sayso.vision.decode import DecodeLimits


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is to do in one collection.

    Attributes:
        photographs: of which some face has not met everybody.
        people: whom those that are furthest behind have not met: everybody, where faces were found
            since by the thorough look.
    """

    collection: Collection
    photographs: int
    people: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What was done in one collection.

    Attributes:
        photographs: whose faces were compared.
        faces: compared.
        unreadable: photographs that could not be read; each catch-up tries them again.
        failure: why nothing of it could be looked at, code and reason; None: it could.
    """

    collection: Collection
    photographs: int
    faces: int
    unreadable: tuple[Unreadable, ...]
    failure: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CatchUpResult:
    """What one catch-up did, collection by collection."""

    collections: tuple[CaughtUp, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The use case. ``load_recogniser`` is called only for collections in mode ``group``."""

    repository: Repository
    book: Book
    limits: DecodeLimits
    load_recogniser: LoadRecogniser
    open_source: OpenSource
    clock: Clock
    workers: int
    retain_templates_days: int = 0
    takedown_days: int = DEFAULT_DAYS

    def backlog(self, names: Sequence[str] = ()) -> tuple[Backlog, ...]:
        """What is to do, collections with nothing to do left out; nothing is read or changed.

        Args:
            names: of collections; none: all that are in mode ``group``.

        Raises:
            CollectionUnknown: there is none of a name.
            Denied: one that was named may not be compared.
        """
        due = []
        for collection in self._chosen(names):
            photographs, people = self._meeting(collection).backlog()
            if photographs:
                due.append(Backlog(collection, photographs, people))
        return tuple(due)

    def uncompared(self, collection: Collection) -> int:
        """How many photographs of a collection have faces that were compared with nobody yet.

        The thorough look finds such faces. None in a mode in which nothing compares them.
        """
        if collection.recognition is not Recognition.GROUP:
            return 0
        with self.repository.reading() as unit:
            return unit.photographs.backlog(collection.id, 0)[0]

    def __call__(
        self, names: Sequence[str] = (), *, progress: Progress = unwatched
    ) -> CatchUpResult:
        """Compare faces of earlier scans with those alone who said yes since.

        Whatever interrupts it, the next one goes on where it stopped.

        Args:
            names: of collections; none: all that are in mode ``group``.
            progress: told how many photographs are done, of how many in all collections.

        Raises:
            CollectionUnknown: there is none of a name.
            Denied: one that was named may not be compared.
        """
        started = time.monotonic()
        with self.book.writing() as page:
            retention = Retention(
                self.repository, self.book, self.clock, self.retain_templates_days,
                self.takedown_days,
            )  # fmt: skip
            ended = retention.keep_to(page, self.clock())
        if ended:
            self.repository.forget()
        due = self.backlog(names)
        total, before = sum(one.photographs for one in due), 0
        done: list[CaughtUp] = []
        for one in due:
            done.append(self._catch_up(one.collection, _behind(progress, before, total)))
            before += one.photographs
        return CatchUpResult(tuple(done), time.monotonic() - started)

    def _catch_up(self, collection: Collection, progress: Progress) -> CaughtUp:
        meeting = self._meeting(collection)
        try:
            next(iter(meeting.source.files()), None)  # a drive that is not connected is told once
        except SaysoError as error:
            return CaughtUp(collection, 0, 0, (), (error.reason_code, error.reason))
        self._enter(meeting, "catch_up_begun")
        done = meeting(progress)
        self._enter(meeting, "catch_up_ended")
        return CaughtUp(collection, done.photographs, done.faces, tuple(done.unreadable.values()))

    def _enter(self, meeting: Meeting, step: str) -> None:
        done: Done = meeting.done
        details: dict[str, Json] = {
            "step": step,
            "collection": meeting.collection.id,
            "photographs": 0,
            "faces": done.faces,
            "caught_up": done.photographs,
            "unreadable": len(done.unreadable),
            "gallery_version": meeting.scope.version,
            "gallery_size": len(meeting.scope),
            "key": self.repository.vault.key_id,
            "templates_opened": meeting.opened,
        }
        with self.book.writing() as page:
            page.enter(Action.SCAN, details=details)

    def _meeting(self, collection: Collection) -> Meeting:
        with self.repository.reading() as unit:
            folder = unit.collections.folder(collection.name)
        return Meeting(
            self.repository,
            self.open_source(folder),
            self.limits,
            self.load_recogniser(),
            collection,
            clock=self.clock,
            workers=self.workers,
        )

    def _chosen(self, names: Sequence[str]) -> list[Collection]:
        """The collections to catch up, the newest first."""
        now = self.clock()
        with self.repository.reading() as unit:
            named = {unit.collections.get(name).id for name in names}
            held = unit.collections.newest_first()
        chosen = [one for one in held if one.id in named]
        for one in chosen:
            require_comparable(one, Manner.ONE_TO_MANY, now)
        if names:
            return chosen
        over = [one for one in held if one.retain_until is not None and one.retain_until <= now]
        return [one for one in held if one.recognition is Recognition.GROUP and one not in over]


def _behind(progress: Progress, before: int, total: int) -> Progress:
    """Told of one collection, tells of all."""

    def tell(done: int, here: int) -> None:
        progress(before + done, max(total, before + here))

    return tell
