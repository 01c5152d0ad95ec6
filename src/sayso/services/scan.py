"""Scanning a collection: new and changed files are looked at, known faces meet newcomers.

A scan writes as it goes, a batch of photographs in one transaction, so that an interrupted one
goes on where it stopped. Features are computed and compared inside one step of one worker.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sayso.domain.face import FaceId
from sayso.domain.photo import Collection, PhotoId, Recognition
from sayso.domain.policy import require_held
from sayso.errors import PhotographError, PhotographUnreadable
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.examine import (
    Examined,
    Examiner,
    Outcome,
    compare,
    crops,
    in_pieces,
    whole,
)
from sayso.services.eye import Eye
from sayso.services.listing import Listing
from sayso.services.meeting import Meeting
from sayso.services.pipeline import in_batches, in_order
from sayso.services.places import Unreadable
from sayso.services.ports import Clock, OpenSource, PhotographSource, Progress, unwatched
from sayso.services.recognition import LoadRecogniser
from sayso.services.retention import Retention
from sayso.services.scope import Candidate, Scope, keep_sightings
from sayso.services.side_by_side import open_scope
from sayso.services.takedowns import DEFAULT_DAYS
from sayso.sources.source import SourceFile
from sayso.store.photographs import Located, Seen
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one scan did.

    Attributes:
        photos: photographs looked at: new and changed contents.
        faces: faces found in them.
        repeated: files whose content was known already (moved or copied).
        caught_up: photographs of earlier scans, compared with people who said yes since.
        vanished: files of earlier scans that lie there no more; what humans said of them stays.
        unreadable: files that could not be scanned; each scan tries them again.
    """

    photos: int
    faces: int
    repeated: int
    caught_up: int
    vanished: int
    unreadable: tuple[Unreadable, ...]
    seconds: float


_Kept = TypeVar("_Kept")
_TOGETHER = 16
"""So many faces are embedded in one go; more is no faster on a processor."""

_GROUPS_AHEAD = 4
"""Groups in hand for each thread that compares: so many that looking goes on while it compiles its
network; a group is half a megabyte."""
_LOOKING_PER_COMPARING = 3
"""Comparing the faces of a photograph takes a third of the time of looking at it, or less, and each
thread that does holds the memory of sixteen faces."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The use case. ``load_recogniser`` is called only for collections in mode ``group``."""

    repository: Repository
    book: Book
    eye: Eye
    load_recogniser: LoadRecogniser
    open_source: OpenSource
    clock: Clock
    workers: int
    retain_templates_days: int = 0
    takedown_days: int = DEFAULT_DAYS

    @property
    def retention(self) -> Retention:
        """What is kept to before anything is looked at."""
        return Retention(
            self.repository, self.book, self.clock, self.retain_templates_days, self.takedown_days
        )

    def __call__(
        self, name: str, *, again: bool = False, progress: Progress = unwatched
    ) -> ScanResult:
        """Scan a collection.

        Args:
            name: of the collection.
            again: look at known photographs too; what humans said of their faces stays.
            progress: told how many files and photographs are done.

        Raises:
            CollectionUnknown: there is none of this name.
            FolderMissing: its folder is not there.
            Denied: its retention is over; what was known of it is gone.
        """
        started = time.monotonic()
        with self.book.writing() as page:
            unit = page.unit
            collection = unit.collections.get(name)
            source = self.open_source(unit.collections.folder(name))
            ended = self.retention.keep_to(page, self.clock())
        if ended:
            self.repository.forget()
        require_held(collection, ended.at)
        listing = Listing(self.repository, source, collection.id, again=again)
        pending, gone = listing.survey()
        run = _Run(self, collection, source, again=again, progress=progress)
        with self.book.writing() as page:
            page.enter(Action.SCAN, details=run.entered("begun"))
        if pending:
            run.look_at(listing.pending(), pending)
        run.catch_up()
        with self.book.writing() as page:
            page.enter(Action.SCAN, details=run.entered("ended"))
        return ScanResult(
            photos=run.photos,
            faces=run.faces,
            repeated=run.repeated,
            caught_up=run.caught_up,
            vanished=gone,
            unreadable=tuple(run.unreadable),
            seconds=time.monotonic() - started,
        )

    def scope(self, collection: Collection) -> Scope | None:
        """Whom the faces of a collection are compared with now; None: with nobody."""
        if collection.recognition is not Recognition.GROUP:
            return None
        return open_scope(self.repository, self.load_recogniser(), collection, self.clock)


def _compared(group: Sequence[Outcome]) -> list[Outcome]:
    done = iter(compare([found for _, found in group if isinstance(found, Examined)]))
    return [(file, next(done) if isinstance(found, Examined) else found) for file, found in group]


class _Run:
    """One scan under way."""

    def __init__(
        self,
        scan: Scan,
        collection: Collection,
        source: PhotographSource,
        *,
        again: bool,
        progress: Progress,
    ) -> None:
        self.photos = self.faces = self.repeated = self.caught_up = 0
        self.unreadable: list[Unreadable] = []
        self._twins: list[Examined] = []
        self._written: list[tuple[str, PhotoId]] = []
        self._scan = scan
        self._collection = collection
        self._source = source
        self._progress = progress
        self._examiner = Examiner(scan.repository, source, collection.id, scan.eye, again=again)
        self._scopes: list[Scope] = []
        self._opened = 0
        self._scope = self._load_scope()
        self._done = self._total = 0

    def entered(self, step: str) -> dict[str, Json]:
        """What the ledger's entries say of this scan."""
        scope = self._scope
        return {
            "step": step,
            "collection": self._collection.id,
            "photographs": self.photos,
            "faces": self.faces,
            "caught_up": self.caught_up,
            "unreadable": len(self.unreadable),
            "gallery_version": None if scope is None else scope.version,
            "gallery_size": None if scope is None else len(scope),
            "key": None if scope is None else self._scan.repository.vault.key_id,
            "templates_opened": self._opened + sum(one.opened for one in self._scopes),
        }

    def _load_scope(self) -> Scope | None:
        scope = self._scan.scope(self._collection)
        self._scopes += [] if scope is None else [scope]
        return scope

    def look_at(self, pending: Iterable[SourceFile], total: int) -> None:
        """Examine files (about so many), and keep what was found."""
        self._total = total
        self._progress(0, self._total)
        workers = self._scan.workers
        # Three things go on at once: photographs are looked at, the faces of several are compared
        # together, which is faster than one by one, and this thread writes.
        looked = (outcome() for outcome in in_order(self._attempt, pending, workers=workers))
        groups = in_batches(in_pieces(looked, _TOGETHER), weigh=crops, most=_TOGETHER)
        comparing = -(-workers // _LOOKING_PER_COMPARING)
        compared = in_order(_compared, groups, workers=comparing, ahead=_GROUPS_AHEAD)
        for batch in in_batches(whole(outcome for group in compared for outcome in group())):
            self._write(self._keep, batch)
        twins, self._twins = self._twins, []
        with self._scan.repository.writing() as unit:
            for found in twins:
                self._keep_repeated(unit, found)

    def catch_up(self) -> None:
        """Compare faces of earlier scans with those alone who joined since."""
        scan = self._scan
        if self._collection.recognition is not Recognition.GROUP:
            return
        before = self._done
        meeting = Meeting(
            scan.repository,
            self._source,
            scan.eye.limits,
            scan.load_recogniser(),
            self._collection,
            clock=scan.clock,
            workers=scan.workers,
        )
        done = meeting(lambda done, total: self._progress(before + done, before + total))
        self._scope = meeting.scope
        self._opened += meeting.opened
        self.caught_up += done.photographs
        self.unreadable += done.unreadable.values()

    def _attempt(self, file: SourceFile) -> Outcome:
        try:
            file.path.encode()
            return file, self._examiner(file, self._scope)
        except UnicodeEncodeError:
            return replace(file, path=ascii(file.path)), PhotographUnreadable(
                expected="a file name in UTF-8",
                found=ascii(file.path),
                remedy="Rename the file.",
            )
        except PhotographError as error:
            return file, error

    def _write(self, keep: Callable[[Unit, _Kept], None], batch: Sequence[_Kept]) -> None:
        with self._scan.repository.writing() as unit:
            for found in batch:
                keep(unit, found)
            version = unit.people.version()
        for sha256, photo in self._written:
            self._examiner.written(sha256, photo)
        self._written.clear()
        if self._scope is not None and self._scope.version != version:
            # Somebody said yes or no meanwhile: what comes next meets the gallery as it is now.
            self._scope = self._load_scope()
        self._done += len(batch)
        self._progress(self._done, max(self._done, self._total))

    def _keep(self, unit: Unit, found: Outcome) -> None:
        file, outcome = found
        if isinstance(outcome, PhotographError):
            self._report(unit, file.path, outcome)
        elif outcome.seen is None:
            self._keep_repeated(unit, outcome)
        else:
            self._keep_seen(unit, outcome, outcome.seen)

    def _keep_seen(self, unit: Unit, found: Examined, seen: Seen) -> None:
        photo, faces = unit.photographs.add(
            self._collection.id, seen, compared_through=found.through, now=self._scan.clock()
        )
        self._place(unit, found.file, photo)
        self._keep_sightings(unit, faces, found.candidates)
        self._written.append((found.sha256, photo))
        self.photos += 1
        self.faces += len(faces)

    def _keep_repeated(self, unit: Unit, found: Examined) -> None:
        photo = unit.photographs.known(self._collection.id, found.sha256)
        failure = self._examiner.failures.get(found.sha256)
        if photo is not None:
            self._place(unit, found.file, photo)
            self.repeated += 1
        elif failure is not None:
            self._report(unit, found.file.path, failure)
        else:  # the same content, further down the list, is still in another worker's hands
            self._twins.append(found)

    def _keep_sightings(
        self,
        unit: Unit,
        faces: Sequence[FaceId],
        candidates: Sequence[Sequence[Candidate]],
    ) -> None:
        if candidates:
            keep_sightings(
                unit,
                self._collection,
                faces,
                candidates,
                model_sha256=self._scan.load_recogniser().model_sha256,
                now=self._scan.clock(),
            )

    def _place(self, unit: Unit, file: SourceFile, photo: PhotoId) -> None:
        located = Located(file.path, file.size_bytes, file.modified_ns)
        unit.photographs.place(self._collection.id, located, photo)

    def _report(self, unit: Unit, path: str, error: PhotographError) -> None:
        """A file that cannot be read now is not where its old content lies any more either."""
        unit.photographs.forget_paths(self._collection.id, [path])
        self.unreadable.append(Unreadable.because(path, error))
