"""An open workspace: which service is built of what.

Services that look at pictures, and vision itself, are imported when they are asked for: most verbs
need neither, and they are the larger part of a start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso import __version__
from sayso.domain.calibration import Calibration
from sayso.domain.person import Person, PersonId
from sayso.errors import OutputRefused, WorkspaceBusy
from sayso.ledger.disk import LOCK
from sayso.ledger.entry import Action
from sayso.services.access_facts import Logic
from sayso.services.audit import Audit
from sayso.services.book import Book
from sayso.services.countersign import LedgerProver
from sayso.services.custody import Custody
from sayso.services.declare import Declare
from sayso.services.find import FindPhotographs
from sayso.services.judge import Judge
from sayso.services.limits import Standard
from sayso.services.notices import NoticeBook
from sayso.services.objections import Object
from sayso.services.open_pages import FOLDER, OpenPages
from sayso.services.ports import Clock
from sayso.services.receipt import Receipts
from sayso.services.refusals import Refusals, standing, write_list
from sayso.services.retention import Retention
from sayso.services.review import Questions, Review
from sayso.services.rights import Rights
from sayso.services.roll import Roll
from sayso.services.screen import Screen
from sayso.services.takedowns import TakeDowns
from sayso.services.waiting import WaitingWords
from sayso.settings import FILE, Settings
from sayso.sources.folder import Folder
from sayso.store.backup import Written, clear_unpacked, write_backup
from sayso.store.database import SCHEMA, Database
from sayso.store.repository import Repository, Unit
from sayso.wiring.layout import ADDED, LEDGER
from sayso.wiring.models import Models

if TYPE_CHECKING:
    from sayso.services.access import Access
    from sayso.services.adopt import Adopt
    from sayso.services.apart import Measured
    from sayso.services.catchup import CatchUp
    from sayso.services.changeover import ChangeOver
    from sayso.services.enrol import Enrol
    from sayso.services.eye import Eye
    from sayso.services.identify import Identify, Verify
    from sayso.services.models import ModelBook
    from sayso.services.ports import FaceEmbedder
    from sayso.services.publish import Publish
    from sayso.services.recognition import Recogniser
    from sayso.services.scan import Scan
    from sayso.services.scrutiny import Scrutinise


@dataclass(frozen=True)
class Workspace:
    """An open workspace: every service, each built when first asked for."""

    folder: Path
    settings: Settings
    database: Database
    repository: Repository
    book: Book
    clock: Clock
    custody: Custody
    notes: tuple[str, ...] = ()

    def recover(self) -> tuple[str, ...]:
        """Finish what a crash interrupted, before anything else; gives what there is to tell.

        Raises:
            ErasureIncomplete, WorkspaceBusy: an erasure still cannot be finished.
        """
        clear_unpacked(self.folder)
        self.open_pages.clear()
        finished = self.rights.erasing.finish()
        closed = self.repository.settle()
        notes = [] if self.models.note is None else [self.models.note]
        notes += [f"An erasure that was interrupted is finished: {one.person}." for one in finished]
        try:
            self.repository.sweep()
        except WorkspaceBusy:
            notes.append(
                "Another process keeps reading the workspace, so that old pages of templates that "
                "went are still there. No key opens them; a start when nobody reads removes them."
            )
        over = self._finish_change()
        notes += [] if over is None else [over]
        if closed:
            notes.append(
                f"Templates of {len(closed)} people could not be opened any more, their data keys "
                f"being gone, and were removed: {', '.join(sorted(closed))}. Enrol them again."
            )
        return tuple(notes)

    def _finish_change(self) -> str | None:
        """End a change of models for which nobody is left to be asked."""
        with self.repository.reading() as unit:
            in_use = unit.models.in_use()
        if in_use is None or in_use.former_sha256 is None:
            return None  # as for most verbs: nothing of models is imported
        ended = self.change_over.finish()
        if ended is None:
            return None
        return (
            "Everybody has a reference of the new model: the change is over, and "
            f"{ended.templates} templates of {ended.left.name} are removed."
        )

    @cached_property
    def declare(self) -> Declare:
        """Declares collections."""
        return Declare(self.repository, self.book, self.clock)

    @cached_property
    def enrol(self) -> Enrol:
        """Enrols people."""
        from sayso.services.enrol import Enrol

        return Enrol(self.repository, self.book, self.eye, self._load_recogniser, self.clock)

    @cached_property
    def scan(self) -> Scan:
        """Scans collections."""
        from sayso.services.scan import Scan

        return Scan(
            self.repository,
            self.book,
            self.eye,
            self._load_recogniser,
            self._open_source,
            self.clock,
            self.settings.cores,
            self.settings.retain_templates_days,
            self.settings.takedown_days,
        )

    @cached_property
    def catch_up(self) -> CatchUp:
        """Compares what was scanned before with who said yes since."""
        from sayso.services.catchup import CatchUp

        return CatchUp(  # looked at with known boxes: no detector is loaded
            self.repository,
            self.book,
            self.models.limits,
            self._load_recogniser,
            self._open_source,
            self.clock,
            self.settings.cores,
            self.settings.retain_templates_days,
            self.settings.takedown_days,
        )

    @cached_property
    def retention(self) -> Retention:
        """Lets go of what may be kept no longer."""
        return Retention(
            self.repository,
            self.book,
            self.clock,
            self.settings.retain_templates_days,
            self.settings.takedown_days,
        )

    @cached_property
    def takedowns(self) -> TakeDowns:
        """Keeps the take-down list."""
        return TakeDowns(self.repository, self.book, self.clock, self.settings.takedown_days)

    @cached_property
    def objections(self) -> Object:
        """Records objections."""
        return Object(self.repository, self.book, self.clock)

    def write_refusals(self, out: Path) -> Refusals:
        """Write the list of erasures and refusals, for a restore on another machine."""
        listed = standing(self.repository.vault)
        with _writable_file(out):
            out.write_text(write_list(listed), encoding="utf-8")
        return listed

    def copy_keys(self, out: Path) -> None:
        """Write a copy of the key store, which erasures and changes of key write anew."""
        with _writable_file(out):
            self.custody.copy(self.repository, self.book, out.absolute(), self.clock())

    def backup(self, out: Path) -> Written:
        """Write a backup: one new file, without any data key.

        Raises:
            OutputRefused, DiskFull: the file cannot be written; nothing is left behind.
        """
        now = self.clock()
        with self.book.writing() as page:
            page.enter(Action.BACKUP, details={"schema": SCHEMA})
        with self.repository.writing():  # so that nobody adds to the ledger meanwhile
            return write_backup(
                self.database, out.absolute(), extra=self._extra(), version=__version__, now=now
            )

    def _extra(self) -> dict[str, Path]:
        """What a backup holds besides the databases: the settings, the ledgers, added models."""
        named = {FILE: self.folder / FILE}
        added = self.folder / ADDED
        for folder in (*self.book.folders, *([added] if added.is_dir() else [])):
            named |= {f"{folder.name}/{path.name}": path for path in folder.iterdir()}
        return {
            name: path
            for name, path in sorted(named.items())
            if path.is_file() and path.name != LOCK
        }

    @cached_property
    def identify(self) -> Identify:
        """Tells who is in a picture."""
        from sayso.services.identify import Identify

        return Identify(self.repository, self.book, self.eye, self._load_recogniser, self.clock)

    @cached_property
    def verify(self) -> Verify:
        """Compares one face with one person."""
        from sayso.services.identify import Verify

        return Verify(
            self.repository,
            self.book,
            self.eye,
            self._load_recogniser,
            self._open_source,
            self.clock,
        )

    @cached_property
    def find(self) -> FindPhotographs:
        """Finds a person's photographs."""
        return FindPhotographs(self.book, self.clock, self.standard)

    @cached_property
    def screen(self) -> Screen:
        """Says what may be published."""
        return Screen(self.repository, self.book, self.clock, self.settings.perhaps, self.standard)

    @cached_property
    def scrutinise(self) -> Scrutinise:
        """Looks thoroughly, before publication."""
        from sayso.services.scrutiny import Scrutinise

        return Scrutinise(self.repository, self.book, self.eye, self.clock)

    @cached_property
    def publish(self) -> Publish:
        """Writes covered copies."""
        from sayso.services.publish import Publish

        return Publish(
            self.repository,
            self.book,
            self.eye,
            self.scrutinise,
            self.screen,
            self._open_source,
            self.clock,
            self.settings.cores,
            __version__,
        )

    @cached_property
    def people(self) -> Roll:
        """Lists everybody who was asked."""
        from sayso.services.apart import Apart

        return Roll(self.repository, self.book, self.clock, Apart(self._measured, self.clock))

    @cached_property
    def standard(self) -> Standard:
        """What comparisons found is held to when something is decided."""
        return Standard(_calibrations, self.settings.promise)

    def _measured(self, unit: Unit) -> list[Measured]:
        """What is known of the models, without loading them."""
        from sayso.services.apart import Measured
        from sayso.services.models import chosen

        now = chosen(unit)
        pairs = [(now.manifest, None), (now.former, now.manifest.sha256)]
        return [
            Measured(
                one.sha256, one.dimension, one.calibration, self.settings.promise, besides=besides
            )
            for one, besides in pairs
            if one is not None
        ]

    def person(self, id_or_name: str) -> Person:
        """One person, by id or by a name that only one has.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
        """
        return self.people.one(id_or_name)

    @cached_property
    def judge(self) -> Judge:
        """Takes a human's word."""
        return Judge(self.book, self.clock, self.standard, self.settings.review_operators)

    @cached_property
    def review(self) -> Review:
        """Asks a human about faces in doubt."""
        return Review(self.book, self.judge, self.clock, self.standard)

    @cached_property
    def waiting_words(self) -> WaitingWords:
        """Lists words that wait for another operator."""
        return WaitingWords(self.book, self.clock)

    @property
    def open_pages(self) -> OpenPages:
        """Pages that lie open while somebody is asked."""
        return OpenPages(self.folder / FOLDER)

    def review_page(self, questions: Questions) -> str:
        """A page to look at faces in doubt."""
        from sayso.services.review_page import review_page

        return review_page(self.repository, questions, self.clock, self.standard)

    @cached_property
    def rights(self) -> Rights:
        """Withdraws and erases."""
        # Looked up, not prepared: erasing needs no model.
        return Rights(
            self.repository,
            self.book,
            self.clock,
            (self.models.cache,),
            self.settings.takedown_days,
            self.models.let_go,
        )

    @property
    def audit(self) -> Audit:
        """Checks the ledger and proves what it says."""
        with self.repository.reading() as unit:
            head = unit.entries.head()
        return Audit(self.folder / LEDGER, self.book.verifier, self.book.kept, head)

    @cached_property
    def notices(self) -> NoticeBook:
        """Keeps what people are told."""
        return NoticeBook(self.repository, self.book, self.clock)

    @cached_property
    def receipts(self) -> Receipts:
        """Gives receipts."""
        prover = LedgerProver(self.book)
        return Receipts(self.repository, self.clock, self.settings.controller, self.book, prover)

    def _told(self, person: PersonId) -> Sequence[Mapping[str, Any]]:
        return self.audit.told(person)

    def _logic(self, models: frozenset[str]) -> Logic:
        """How somebody with references of these models is compared."""
        chosen = self.models.chosen()
        former, model = chosen.former, chosen.manifest
        if former is not None and former.sha256 in models and model.sha256 not in models:
            model = former
        return Logic(
            model.name, model.sha256, model.provenance, model.calibration, self.settings.promise
        )

    @cached_property
    def access(self) -> Access:
        """Hands a person everything that is held of them."""
        from sayso.services.access import Access

        return Access(
            self.book,
            self.clock,
            lambda: self.eye,
            self._open_source,
            self.settings.cores,
            self.settings.controller,
            self._logic,
            self.standard,
            self._told,
        )

    @cached_property
    def models(self) -> Models:
        """What looks at pictures."""
        return Models(self.settings, self.repository)

    @cached_property
    def model_book(self) -> ModelBook:
        """Tells of the models, and removes one."""
        from sayso.services.models import ModelBook

        return ModelBook(self.repository, self.book, self.folder / ADDED)

    @cached_property
    def adopt(self) -> Adopt:
        """Adds models."""
        from sayso.services.adopt import Adopt
        from sayso.services.calibrate import Calibrate

        def calibrate(embedder: FaceEmbedder) -> Calibrate:
            return Calibrate(self.eye, embedder, _open_dataset, self.settings.cores)

        return Adopt(
            self.repository,
            self.book,
            self.clock,
            self.folder / ADDED,
            self.models.embedder,
            calibrate,
            self.declare.require_apart,
        )

    @cached_property
    def change_over(self) -> ChangeOver:
        """Changes from one model to another."""
        from sayso.services.changeover import ChangeOver

        return ChangeOver(self.repository, self.book, self.models.embedder, self.models.let_go)

    @property
    def eye(self) -> Eye:
        """Decodes photographs and finds faces."""
        return self.models.eye

    def _load_recogniser(self) -> Recogniser:
        return self.models.recogniser

    def _open_source(self, folder: str) -> Folder:
        return Folder(Path(folder), leaving_out=self.folder)

    def close(self) -> None:
        """Give back what is held."""
        self.database.close()


def _calibrations(unit: Unit) -> Mapping[str, Calibration]:
    """What is known of the models that people are compared by, without loading them."""
    from sayso.services.models import chosen

    now = chosen(unit)
    known = {now.manifest.sha256: now.manifest.calibration}
    return known if now.former is None else known | {now.former.sha256: now.former.calibration}


def _open_dataset(folder: str) -> Folder:
    return Folder(Path(folder))


@contextmanager
def _writable_file(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputRefused(
            expected=f"a file that can be written at {out}",
            found=error.strerror or str(error),
            remedy="Name another, or give this account the right to write there.",
        ) from error
