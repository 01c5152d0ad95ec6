"""Screening: what may be published of each photograph, and why, face by face."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.consent import Consents
from sayso.domain.face import Face, FaceId
from sayso.domain.grant import STAFF, Audience, Channel
from sayso.domain.objection import Objection
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, PhotoId
from sayso.domain.policy import Permit, Show, TellName, decide
from sayso.domain.screening import (
    OBJECTION,
    FaceOutcome,
    Outcome,
    Verdict,
    screen_face,
    screen_face_objected,
    unmet,
    verdict,
)
from sayso.domain.sighting import Sighting
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.ports import Clock
from sayso.store.files import Placed
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Repository, Unit

_PAGE = 500
"""Files that are looked up at once."""


@dataclass(frozen=True, slots=True)
class ScreenedFace:
    """A face, what becomes of it, and who it is as far as that may be told.

    Attributes:
        person: whose face may be shown; None for every face that is not.
        name: of that person, if it may be told too.
        candidates: in a doubt, whom it may be, of those who may be both shown and named.
    """

    stored: StoredFace
    outcome: FaceOutcome
    person: PersonId | None
    name: str | None
    candidates: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class ScreenedPhotograph:
    """A photograph with the verdict on it."""

    photograph: Photograph
    verdict: Verdict
    faces: tuple[ScreenedFace, ...]


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
    """The use case."""

    repository: Repository
    book: Book
    clock: Clock

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
        judging = _Judging(unit, collection, channel, audience, self.clock())
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
        judging = _Judging(unit, collection, channel, audience, self.clock())
        files: list[tuple[str, ScreenedPhotograph]] = []
        more = False
        for placed in _pages(unit, collection, after, limit + 1):
            here, more = placed[: limit - len(files)], len(files) + len(placed) > limit
            known = judging.photographs(one.photo for one in here)
            files += [(one.path, known[one.photo]) for one in here]
        return ScreenedPage(
            collection, channel, tuple(files), total, files[-1][0] if files and more else None
        )

    def again(
        self, unit: Unit, screening: Screening, screened: Sequence[ScreenedPhotograph]
    ) -> tuple[ScreenedPhotograph, ...]:
        """Some photographs' verdicts as they stand in this very transaction, at this instant."""
        now = self.clock()
        if unit.people.version() == screening.version and _still_permitted(unit, screened, now):
            return tuple(screened)
        judging = _Judging(unit, screening.collection, screening.channel, STAFF, now)
        wanted = [one.photograph.id for one in screened]
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


class _Judging:
    """Verdicts within one transaction; reads of people only those who are linked to a face."""

    def __init__(
        self,
        unit: Unit,
        collection: Collection,
        channel: Channel,
        audience: Audience,
        now: datetime,
    ) -> None:
        self._unit = unit
        self._collection = collection
        self._channel = channel
        self._audience = audience
        self._records: dict[PersonId, Consents] = {}
        self._people: dict[PersonId, Person] = {}
        self.now = now

    def photographs(self, wanted: Iterable[PhotoId]) -> dict[PhotoId, ScreenedPhotograph]:
        """The verdicts on some photographs, in this order."""
        order = list(dict.fromkeys(wanted))
        known = self._unit.photographs.some(order)
        links = self._unit.sightings.of_photographs(order)
        objections = self._unit.objections.of_photographs(order)
        linked = {one.person for found in links.values() for one in found}
        if not linked <= self._records.keys():
            self._records |= self._unit.people.all_consents(linked - self._records.keys())
        return {
            photo: self._photograph(known[photo], links, objections.get(photo, ()))
            for photo in order
            if photo in known
        }

    def _photograph(
        self,
        photograph: Photograph,
        links: Mapping[FaceId, tuple[Sighting, ...]],
        objections: tuple[Objection, ...],
    ) -> ScreenedPhotograph:
        faces = tuple(
            self._face(stored, links.get(stored.id, ()), objections) for stored in photograph.faces
        )
        known = [stored.face for stored in photograph.faces]
        faces += tuple(_unseen(one, photograph) for one in unmet(objections, known))
        outcomes = (face.outcome.outcome for face in faces)
        return ScreenedPhotograph(photograph, verdict(outcomes, objections), faces)

    def _face(
        self,
        stored: StoredFace,
        sightings: tuple[Sighting, ...],
        objections: tuple[Objection, ...],
    ) -> ScreenedFace:
        objected = screen_face_objected(stored.face, objections)
        if objected is not None:
            return ScreenedFace(stored, objected, None, None)
        outcome = screen_face(sightings, self._records, self._collection, self._channel, self.now)
        if outcome.permit is None:
            doubted = (self._named(permit) for permit in outcome.candidates)
            candidates = tuple(person for person in doubted if person is not None)
            return ScreenedFace(stored, outcome, None, None, candidates)
        named = self._named(outcome.permit)
        return ScreenedFace(stored, outcome, outcome.person, None if named is None else named.name)

    def _named(self, permit: Permit) -> Person | None:
        """The person whom a permit shows, if their name may be told beside the face."""
        shown = permit.request
        if not isinstance(shown, Show):
            return None
        telling = TellName(shown.person, self._collection, shown.link, self._audience)
        if not isinstance(decide(telling, self._records[shown.person], self.now), Permit):
            return None
        if shown.person not in self._people:
            self._people[shown.person] = self._unit.people.get(shown.person)
        return self._people[shown.person]


def _unseen(objection: Objection, photograph: Photograph) -> ScreenedFace:
    """What was objected to where no face was found: covered as if one were."""
    box = objection.box
    if box is None:
        msg = "an objection to a whole photograph has no box"
        raise ValueError(msg)
    face = Face(box, None, 1.0, box.height * photograph.height_px)
    outcome = FaceOutcome(Outcome.COVER, OBJECTION, None)
    stored = StoredFace(FaceId(f"objection-{objection.id}"), face)
    return ScreenedFace(stored, outcome, None, None)
