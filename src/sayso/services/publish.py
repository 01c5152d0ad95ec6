"""Publishing: covered copies of what may be published, a manifest, and a report to look at.

Nothing is written that the policy does not permit at the very moment of writing: each batch is
screened again inside the transaction that holds the write lock while its files get their names.
A copy is recorded, in a transaction before that, so that whatever happens the take-down list may
name too much but never too little.

Photographs are looked at thoroughly and covered in the same pass, see `sayso.services.draft`.
"""

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from sayso.domain.grant import Channel
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection
from sayso.domain.policy import require_held
from sayso.domain.screening import CoverStyle
from sayso.errors import FolderMissing, NothingScanned
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.draft import Draft, Drafting, Left
from sayso.services.eye import Eye
from sayso.services.naming import public_paths
from sayso.services.output import COPIES, Made, Output
from sayso.services.pipeline import in_batches, in_order
from sayso.services.ports import Clock, OpenSource, PhotographSource, Progress, unwatched
from sayso.services.publication import Publication, PublishedFile, WithheldFile
from sayso.services.report import Pages, write_pages
from sayso.services.screen import Screen, Screening
from sayso.services.scrutiny import Scrutinise
from sayso.services.verdicts import ScreenedPhotograph
from sayso.store.publications import Copy
from sayso.store.repository import Repository, Unit


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
            folder: an empty one, a new one, or one that an earlier publication made, of the same
                collection and for the same channel.
            channel: where the copies are to be published.
            style: how faces are covered.
            progress: told how many photographs are done. The thorough look, which is a part of
                that, a photograph gets once: an interrupted publication does not look again.

        Raises:
            CollectionUnknown: there is none of this name.
            NothingScanned: nothing was ever scanned in it.
            FolderMissing: the originals are not there; earlier copies were not touched.
            OutputRefused: the folder may not be written, is no place for copies, or holds what
                is not an earlier publication of the same kind.
            DiskFull: no room; what was written so far is whole and recorded.
        """
        with self.repository.reading() as unit:
            collection = unit.collections.get(name)
            require_held(collection, self.clock())
            original_folder = unit.collections.folder(name)
            source = self.open_source(original_folder)
            _require_originals(unit, collection, source)
            output = _output(unit, folder, collection, channel)
            earlier = unit.publications.newest_in(str(output.folder))
        with output.open(earlier):
            screening = self.screen.unread(name, channel)
            with self.repository.reading() as unit:
                copies = public_paths(unit, screening)
            now = self.clock()
            run = _Run(self, screening, output, copies)
            with self.book.writing() as page:
                run.publication = page.unit.publications.begin(
                    screening.collection.id, channel, str(output.folder), now
                )
                page.enter(Action.PUBLICATION, details=run.entered("begun"))
            with self.scrutinise.begin(screening, self.screen) as looking:
                run.write_copies(Drafting(self.eye, source, style, looking), progress)
            run.take_back_names()
            result = Publication(
                screening=screening,
                style=style,
                at=now,
                folder=output.folder,
                original_folder=original_folder,
                published=tuple(sorted(run.published, key=lambda file: file.path)),
                withheld=tuple(sorted(run.withheld, key=lambda file: file.path)),
            )
            with self.book.writing() as page:
                page.enter(Action.PUBLICATION, details=run.entered("ended"))
        return result, write_pages(result, output, version=self.version)


def _require_originals(unit: Unit, collection: Collection, source: PhotographSource) -> None:
    """There is something to publish; asked before earlier copies go."""
    folder = unit.collections.folder(collection.name)
    if not unit.photographs.any(collection.id):
        raise NothingScanned(
            expected=f"scanned photographs in {collection.name}",
            found="none: nothing was scanned in it yet",
            remedy=f"Run `sayso scan {shlex.quote(collection.name)}` first; if that finds none, "
            f"look whether photographs are in {folder}.",
        )
    first = next(iter(source.files()), None)
    if first is None and unit.files.count(collection.id):
        raise FolderMissing(  # where a drive is mounted, an empty folder stays without it
            expected=f"the photographs of {collection.name} in {folder}",
            found="an empty folder",
            remedy="Connect the drive that they are on; if they are gone for good, scan first.",
        )


def _output(unit: Unit, folder: Path, collection: Collection, channel: Channel) -> Output:
    held = unit.collections.all()
    made = Made(collection.id, channel, {one.id: one.name for one in held})
    originals = [Path(unit.collections.folder(one.name)) for one in held]
    return Output(folder, made=made, keep_out_of=originals)


class _Run:
    """One publication under way.

    Args:
        copies: by a photograph's path the copy's.
    """

    def __init__(
        self, publish: Publish, screening: Screening, output: Output, copies: dict[str, str]
    ) -> None:
        self.published: list[PublishedFile] = []
        self.withheld: list[WithheldFile] = []
        self.publication = 0
        self._publish = publish
        self._screening = screening
        self._output = output
        self._copies = copies

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

    def write_copies(self, drafting: Drafting, progress: Progress) -> None:
        """Draft and write them, those that are permitted then."""
        done, total = 0, len(self._copies)
        progress(done, total)
        photographs = self._screening.photographs
        # Closed, so that nobody looks on when this has ended in an error.
        with closing(in_order(drafting, photographs, workers=self._publish.workers)) as drafts:
            for batch in in_batches(draft() for draft in drafts):
                for one in batch:
                    if isinstance(one, Left):
                        self._withhold(one, one.code, one.reason)
                self._write([one for one in batch if isinstance(one, Draft)])
                done += sum(len(one.paths) for one in batch)
                progress(done, total)

    def take_back_names(self) -> None:
        """Remove copies whose names tell now of somebody who may not be told of any more.

        Names are given before the first look, and with many photographs that is hours ago.
        """
        later = replace(self._screening, at=self._publish.clock())
        with self._publish.repository.reading() as unit:
            now = public_paths(unit, later)
        kept = []
        for file in self.published:
            if now[file.path] == file.copy:
                kept.append(file)
                continue
            self._output.remove(file.copy)
            self.withheld.append(
                WithheldFile(file.path, now[file.path], "consent_changed", _CHANGED, file.screened)
            )
        self.published = kept

    def _write(self, ready: Sequence[Draft]) -> None:
        """Record copies, then write them: each in its own transaction, and each asks again."""
        with self._publish.book.writing() as page:
            recorded = self._still_permitted(page.unit, ready)
            copies = [self._copy(draft, path) for draft in recorded for path in draft.paths]
            page.unit.publications.add(self.publication, copies)
            shown = {person for copy in copies for person in copy.shows}
            if shown:
                page.enter(Action.DISCLOSURE, subjects=shown, details=self.entered("copies"))
        with self._publish.repository.writing() as unit:  # nobody withdraws in between
            for draft in self._still_permitted(unit, recorded):
                for path in draft.paths:
                    self._output.write(self._copies[path], draft.data)
                    self.published.append(self._published(draft, path))

    def _still_permitted(self, unit: Unit, drafts: Sequence[Draft]) -> list[Draft]:
        again = self._publish.screen.again(unit, self._screening, [d.screened for d in drafts])
        kept = []
        for draft, now in zip(drafts, again, strict=True):
            if _facts(now) == _facts(draft.screened):
                kept.append(draft)
            else:
                self._withhold(draft, "consent_changed", _CHANGED)
        return kept

    def _withhold(self, one: Draft | Left, code: str, reason: str) -> None:
        self.withheld += [
            WithheldFile(path, self._copies[path], code, reason, one.screened) for path in one.paths
        ]

    def _copy(self, draft: Draft, path: str) -> Copy:
        return Copy(
            photo=draft.screened.photograph.id,
            path=f"{COPIES}/{self._copies[path]}",
            sha256=draft.sha256,
            shows=frozenset(person for _, person in _shown(draft.screened)),
        )

    def _published(self, draft: Draft, path: str) -> PublishedFile:
        return PublishedFile(
            path=path,
            copy=self._copies[path],
            sha256=draft.sha256,
            screened=draft.screened,
            found_later=draft.found_later,
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
