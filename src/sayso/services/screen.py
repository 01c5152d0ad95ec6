"""Screening: what may be published of each photograph, and why; a page at a time, or all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.grant import STAFF, Audience, Channel
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection, PhotoId
from sayso.domain.policy import Permit, decide
from sayso.domain.screening import Perhaps, Verdict
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.limits import Standard
from sayso.services.ports import Clock
from sayso.services.verdicts import Judging, ScreenedPhotograph
from sayso.store.files import Placed
from sayso.store.repository import Repository, Unit

_PAGE = 500
"""Files that are looked up at once."""


@dataclass(frozen=True, slots=True)
class Screening:
    """The verdicts on a collection, for one channel at one instant.

    Attributes:
        version: of people, consents and judgements when it was made.
        at: that instant.
    """

    collection: Collection
    channel: Channel
    photographs: tuple[ScreenedPhotograph, ...]
    version: int
    at: datetime

    def counts(self) -> Mapping[Verdict, int]:
        """How many files have each verdict; a content that lies twice counts twice."""
        counts = dict.fromkeys(Verdict, 0)
        for screened in self.photographs:
            counts[screened.verdict] += len(screened.photograph.paths)
        return counts

    def people(self) -> frozenset[PersonId]:
        """Everybody of whom it tells."""
        return _told(self.photographs)

    def files(self) -> Iterator[tuple[str, ScreenedPhotograph]]:
        """Every path with its photograph, in the order of the paths."""
        placed = [
            (path, screened) for screened in self.photographs for path in screened.photograph.paths
        ]
        yield from sorted(placed, key=lambda pair: pair[0])


@dataclass(frozen=True, slots=True)
class ScreenedPage:
    """The verdicts on some files of a collection, in the order of their paths.

    Attributes:
        files: each path with its photograph.
        total: how many files the collection has.
        next: what to ask the next page with; None: this is the last.
    """

    collection: Collection
    channel: Channel
    files: tuple[tuple[str, ScreenedPhotograph], ...]
    total: int
    next: str | None

    def counts(self) -> Mapping[Verdict, int]:
        """How many files of this page have each verdict."""
        counts = dict.fromkeys(Verdict, 0)
        for _, screened in self.files:
            counts[screened.verdict] += 1
        return counts


@dataclass(frozen=True, slots=True)
class Screen:
    """The use case.

    Attributes:
        perhaps: what becomes of what is perhaps a face.
        standard: what comparisons found is held to.
    """

    repository: Repository
    book: Book
    clock: Clock
    perhaps: Perhaps
    standard: Standard

    def __call__(self, name: str, channel: Channel, *, audience: Audience = STAFF) -> Screening:
        """Screen every scanned photograph of a collection, for somebody to read.

        Whom it tells of, by id or name, is entered before it is handed over.

        Args:
            name: of the collection.
            channel: where it is to be published.
            audience: who reads the verdicts, and so whom names are told to.

        Raises:
            CollectionUnknown: there is none of this name.
        """
        with self.book.writing() as page:
            screening = self._screen(page.unit, name, channel, audience)
            _enter(page, screening.collection, channel, audience, screening.photographs)
        return screening

    def unread(self, name: str, channel: Channel) -> Screening:
        """The same for the program alone, which acts on it: nobody is told of anybody.

        Raises:
            CollectionUnknown: there is none of this name.
        """
        with self.repository.reading() as unit:
            return self._screen(unit, name, channel, STAFF)

    def _screen(self, unit: Unit, name: str, channel: Channel, audience: Audience) -> Screening:
        collection = unit.collections.get(name)
        judging = self._judging(unit, collection, channel, audience, self.clock())
        screened: dict[PhotoId, ScreenedPhotograph] = {}
        for placed in _pages(unit, collection):
            screened |= judging.photographs(
                one.photo for one in placed if one.photo not in screened
            )
        version = unit.people.version()
        return Screening(collection, channel, tuple(screened.values()), version, judging.now)

    def page(
        self,
        name: str,
        channel: Channel,
        *,
        audience: Audience = STAFF,
        after: str | None = None,
        limit: int,
    ) -> ScreenedPage:
        """Screen some files of a collection; what that takes does not grow with the collection.

        Whom it tells of, by id or name, is entered before it is handed over.

        Args:
            name: of the collection.
            channel: where it is to be published.
            audience: who reads the verdicts, and so whom names are told to.
            after: the ``next`` of the page before, which is a path; None: from the first path.
            limit: at most so many files, from 1.

        Raises:
            CollectionUnknown: there is none of this name.
        """
        with self.book.writing() as page:
            screened = self._page(page.unit, name, channel, audience, after=after, limit=limit)
            known = {one.photograph.id: one for _, one in screened.files}
            _enter(page, screened.collection, channel, audience, tuple(known.values()))
        return screened

    def _page(  # noqa: PLR0913 - as `page`
        self,
        unit: Unit,
        name: str,
        channel: Channel,
        audience: Audience,
        *,
        after: str | None,
        limit: int,
    ) -> ScreenedPage:
        collection = unit.collections.get(name)
        total = unit.files.count(collection.id)
        judging = self._judging(unit, collection, channel, audience, self.clock())
        files: list[tuple[str, ScreenedPhotograph]] = []
        more = False
        for placed in _pages(unit, collection, after, limit + 1):
            here, more = placed[: limit - len(files)], len(files) + len(placed) > limit
            known = judging.photographs(one.photo for one in here)
            files += [(one.path, known[one.photo]) for one in here]
        return ScreenedPage(
            collection, channel, tuple(files), total, files[-1][0] if files and more else None
        )

    def _judging(
        self,
        unit: Unit,
        collection: Collection,
        channel: Channel,
        audience: Audience,
        now: datetime,
    ) -> Judging:
        limits = self.standard(unit)
        return Judging(unit, collection, channel, audience, self.perhaps, limits, now)

    def again(
        self, unit: Unit, screening: Screening, screened: Sequence[ScreenedPhotograph]
    ) -> tuple[ScreenedPhotograph, ...]:
        """Some photographs' verdicts as they stand in this very transaction, at this instant."""
        now = self.clock()
        if unit.people.version() == screening.version and _still_permitted(unit, screened, now):
            return tuple(screened)
        return self.anew(unit, screening, [one.photograph.id for one in screened])

    def anew(
        self, unit: Unit, screening: Screening, wanted: Sequence[PhotoId]
    ) -> tuple[ScreenedPhotograph, ...]:
        """The same, of photographs of which more may be known than when they were screened."""
        now = self.clock()
        judging = self._judging(unit, screening.collection, screening.channel, STAFF, now)
        known = judging.photographs(wanted)
        for photo in wanted:
            if photo not in known:
                unit.photographs.get(photo)  # raises what there is to say
        return tuple(known[photo] for photo in wanted)


def _enter(
    page: Page,
    collection: Collection,
    channel: Channel,
    audience: Audience,
    photographs: Sequence[ScreenedPhotograph],
) -> None:
    """Enter whom a screening tells of."""
    told = _told(photographs)
    if told:
        page.enter(
            Action.DISCLOSURE,
            subjects=told,
            details={
                "of": "screening",
                "collection": collection.id,
                "channel": channel,
                "audience": audience,
                "photographs": len(photographs),
            },
        )


def _told(photographs: Sequence[ScreenedPhotograph]) -> frozenset[PersonId]:
    """Whose face may be shown, and whom a doubt may be."""
    faces = [face for screened in photographs for face in screened.faces]
    shown = {face.person for face in faces if face.person is not None}
    return frozenset(shown | {one.id for face in faces for one in face.candidates})


def _pages(
    unit: Unit, collection: Collection, after: str | None = None, limit: int | None = None
) -> Iterator[list[Placed]]:
    """Files of a collection by their paths, at most so many, some at a time."""
    while True:
        step = _PAGE if limit is None else min(_PAGE, limit)
        placed = unit.files.page(collection.id, after=after, limit=step)
        if not placed:
            return
        yield placed
        after, limit = placed[-1].path, None if limit is None else limit - len(placed)


def _still_permitted(unit: Unit, screened: Sequence[ScreenedPhotograph], now: datetime) -> bool:
    """Whether every permit holds now too: a consent can end without anybody doing anything."""
    requests = [
        face.outcome.permit.request
        for one in screened
        for face in one.faces
        if face.outcome.permit is not None
    ]
    records = unit.people.all_consents({request.person for request in requests})
    return all(
        isinstance(decide(request, records[request.person], now), Permit) for request in requests
    )
