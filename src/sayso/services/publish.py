"""Publishing: covered copies of what may be published, a manifest, and a report to look at.

Nothing is written that the policy does not permit at the very moment of writing: each batch is
screened again inside the transaction that holds the write lock while its files get their names.
A copy is recorded, in a transaction before that, so that whatever happens the take-down list may
name too much but never too little.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.domain.grant import Channel
from sayso.domain.person import PersonId
from sayso.domain.policy import require_held
from sayso.domain.screening import PERHAPS_A_FACE, CoverStyle, Outcome, Verdict
from sayso.errors import PhotographError
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.cover import covered_copy
from sayso.services.eye import Eye
from sayso.services.naming import public_paths
from sayso.services.output import COPIES, Output
from sayso.services.pipeline import in_batches, in_order
from sayso.services.places import read_photograph
from sayso.services.ports import Clock, OpenSource, PhotographSource, Progress, unwatched
from sayso.services.publication import Publication, PublishedFile, WithheldFile
from sayso.services.report import Pages, write_pages
from sayso.services.screen import Screen, Screening
from sayso.services.scrutiny import Scrutinise
from sayso.services.verdicts import ScreenedPhotograph
from sayso.store.publications import Copy
from sayso.store.repository import Repository, Unit
from sayso.vision.decode import Buffers


@dataclass(frozen=True, slots=True)
class _Draft:
    path: str
    copy: str
    screened: ScreenedPhotograph
    data: bytes
    found_later: int


@dataclass(frozen=True, slots=True)
class Publish:
    """The use case."""

    repository: Repository
    book: Book
    eye: Eye
    scrutinise: Scrutinise
    screen: Screen
    open_source: OpenSource
    clock: Clock
    workers: int
    version: str

    def __call__(
        self,
        name: str,
        folder: Path,
        channel: Channel,
        style: CoverStyle,
        *,
        progress: Progress = unwatched,
    ) -> tuple[Publication, Pages]:
        """Write covered copies of every photograph of a collection that needs no review.

        Args:
            name: of the collection.
            folder: an empty one, a new one, or one that an earlier publication made.
            channel: where the copies are to be published.
            style: how faces are covered.
            progress: told how many photographs are done; first of the thorough look, which a
                photograph gets once (an interrupted publication goes on there), then of covering.

        Raises:
            CollectionUnknown: there is none of this name.
            OutputRefused: the folder may not be written, or is no place for copies.
            DiskFull: no room; what was written so far is whole and recorded.
        """
        with self.repository.reading() as unit:
            require_held(unit.collections.get(name), self.clock())
            original_folder = unit.collections.folder(name)
            originals = [Path(unit.collections.folder(c.name)) for c in unit.collections.all()]
        output = Output(folder, keep_out_of=originals)
        with output.open():
            self.scrutinise(name, progress=progress)
            screening = self.screen.unread(name, channel)
            with self.repository.reading() as unit:
                copies = public_paths(unit, screening)
            now = self.clock()
            run = _Run(self, screening, style, output, copies, original_folder)
            with self.book.writing() as page:
                run.publication = page.unit.publications.begin(
                    screening.collection.id, channel, str(output.folder), now
                )
                page.enter(Action.PUBLICATION, details=run.entered("begun"))
            run.write_copies(progress)
            result = Publication(
                screening=screening,
                style=style,
                at=now,
                folder=output.folder,
                original_folder=original_folder,
                published=tuple(run.published),
                withheld=tuple(run.withheld),
            )
            with self.book.writing() as page:
                page.enter(Action.PUBLICATION, details=run.entered("ended"))
        return result, write_pages(result, output, version=self.version)


class _Run:
    """One publication under way."""

    def __init__(  # noqa: PLR0913, PLR0917 - the facts of one publication
        self,
        publish: Publish,
        screening: Screening,
        style: CoverStyle,
        output: Output,
        copies: dict[str, str],
        original_folder: str,
    ) -> None:
        self.published: list[PublishedFile] = []
        self.withheld: list[WithheldFile] = []
        self.publication = 0
        self._publish = publish
        self._screening = screening
        self._style = style
        self._output = output
        self._copies = copies
        self._source: PhotographSource = publish.open_source(original_folder)
        self._done = 0
        # Pictures are used up inside one draft, so that the next may lie where they lay.
        self._originals, self._written = Buffers(), Buffers()

    def entered(self, step: str) -> dict[str, Json]:
        """What the ledger's entries say of this publication."""
        return {
            "step": step,
            "publication": self.publication,
            "collection": self._screening.collection.id,
            "channel": self._screening.channel,
            "copies": len(self.published),
            "withheld": len(self.withheld),
        }

    def write_copies(self, progress: Progress) -> None:
        files = list(self._screening.files())
        progress(0, len(files))
        drafts = in_order(self._draft, files, workers=self._publish.workers)
        for batch in in_batches(draft() for draft in drafts):
            self.withheld += [draft for draft in batch if isinstance(draft, WithheldFile)]
            ready = [draft for draft in batch if isinstance(draft, _Draft)]
            self._write(ready)
            self._done += len(batch)
            progress(self._done, len(files))

    def _draft(self, file: tuple[str, ScreenedPhotograph]) -> _Draft | WithheldFile:
        path, screened = file
        alias = self._copies[path]
        if screened.verdict is Verdict.WITHHOLD:
            return WithheldFile(path, alias, "objection", _OBJECTED, screened)
        if screened.verdict is Verdict.REVIEW:
            doubtful = [f for f in screened.faces if f.outcome.outcome is Outcome.REVIEW]
            perhaps = all(face.outcome.reason == PERHAPS_A_FACE for face in doubtful)
            said = _PERHAPS if perhaps else _REVIEW
            return WithheldFile(path, alias, "review", said, screened)
        try:
            limits = self._publish.eye.limits
            data = read_photograph(self._source, screened.photograph, limits.max_bytes)
            picture = self._publish.eye.picture(data, buffers=self._originals)
            if not screened.photograph.scrutinised:
                return WithheldFile(path, alias, "not_looked_at", _NOT_LOOKED_AT, screened)
            shown = [f for f in screened.faces if f.outcome.outcome is Outcome.SHOW]
            hidden = [f for f in screened.faces if f.outcome.outcome is not Outcome.SHOW]
            copy = covered_copy(
                picture.pixels,
                shown=[*(f.stored.face for f in shown), *(s.face for s in screened.no_faces)],
                covered=[face.stored.face for face in hidden],
                style=self._style,
                format=picture.format,
                eye=self._publish.eye,
                buffers=self._written,
            )
        except PhotographError as error:
            return WithheldFile(path, alias, error.reason_code, error.reason, screened)
        return _Draft(path, alias, screened, copy.data, copy.found_later)

    def _write(self, ready: Sequence[_Draft]) -> None:
        """Record copies, then write them: each in its own transaction, and each asks again."""
        with self._publish.book.writing() as page:
            recorded = self._still_permitted(page.unit, ready)
            page.unit.publications.add(self.publication, [_copy(draft) for draft in recorded])
            shown = {person for draft in recorded for person in _copy(draft).shows}
            if shown:
                page.enter(Action.DISCLOSURE, subjects=shown, details=self.entered("copies"))
        with self._publish.repository.writing() as unit:  # nobody withdraws in between
            for draft in self._still_permitted(unit, recorded):
                self._output.write(draft.copy, draft.data)
                self.published.append(_published(draft))

    def _still_permitted(self, unit: Unit, drafts: Sequence[_Draft]) -> list[_Draft]:
        again = self._publish.screen.again(unit, self._screening, [d.screened for d in drafts])
        same = [
            _facts(now) == _facts(draft.screened) for draft, now in zip(drafts, again, strict=True)
        ]
        self.withheld += [
            WithheldFile(draft.path, draft.copy, "consent_changed", _CHANGED, draft.screened)
            for draft, kept in zip(drafts, same, strict=True)
            if not kept
        ]
        return [draft for draft, kept in zip(drafts, same, strict=True) if kept]


_REVIEW = (
    "A face in it may be somebody who said yes; a human must look. Use `sayso mark` or "
    "`sayso reject` and publish again."
)
_PERHAPS = (
    "There is perhaps a face in it of which nobody knows; a human must look. Use `sayso mark` or "
    "`sayso reject` without a person, and publish again."
)
_NOT_LOOKED_AT = (
    "It could not be read, or was scanned again, while all photographs were looked at thoroughly. "
    "Publish again."
)
_OBJECTED = (
    "Somebody objected to its publication. It stays out until they take that back: see "
    "`sayso objection list`."
)
_CHANGED = "Somebody's consent changed while it was being covered. Publish again."


def _facts(screened: ScreenedPhotograph) -> tuple[object, ...]:
    """What a copy rests on: which faces there are, who is shown, the verdict."""
    faces = frozenset(face.stored.id for face in screened.faces)
    none = frozenset(stored.id for stored in screened.no_faces)
    return faces, none, _shown(screened), screened.verdict


def _shown(screened: ScreenedPhotograph) -> frozenset[tuple[str, PersonId]]:
    return frozenset(
        (face.stored.id, face.person) for face in screened.faces if face.person is not None
    )


def _copy(draft: _Draft) -> Copy:
    people = frozenset(person for _, person in _shown(draft.screened))
    return Copy(
        photo=draft.screened.photograph.id,
        path=f"{COPIES}/{draft.copy}",
        sha256=hashlib.sha256(draft.data).hexdigest(),
        shows=people,
    )


def _published(draft: _Draft) -> PublishedFile:
    return PublishedFile(
        path=draft.path,
        copy=draft.copy,
        sha256=hashlib.sha256(draft.data).hexdigest(),
        screened=draft.screened,
        found_later=draft.found_later,
    )
