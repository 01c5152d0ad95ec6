"""Screening: what may be published of each photograph, and why, face by face."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.consent import Consents
from sayso.domain.face import Face, FaceId
from sayso.domain.grant import STAFF, Audience, Channel
from sayso.domain.objection import Objection
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection
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
from sayso.services.book import Book
from sayso.services.ports import Clock
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Repository, Unit


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
        """Everybody of whom it tells: whose face may be shown, and whom a doubt may be."""
        faces = [face for screened in self.photographs for face in screened.faces]
        shown = {face.person for face in faces if face.person is not None}
        return frozenset(shown | {one.id for face in faces for one in face.candidates})

    def files(self) -> Iterator[tuple[str, ScreenedPhotograph]]:
        """Every path with its photograph, in the order of the paths."""
        placed = [
            (path, screened) for screened in self.photographs for path in screened.photograph.paths
        ]
        yield from sorted(placed, key=lambda pair: pair[0])


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
            told = screening.people()
            if told:
                page.enter(
                    Action.DISCLOSURE,
                    subjects=told,
                    details={
                        "of": "screening",
                        "collection": screening.collection.id,
                        "channel": channel,
                        "audience": audience,
                        "photographs": len(screening.photographs),
                    },
                )
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
        records = unit.people.all_consents()
        names = {person.id: person for person in unit.people.all()}
        links = unit.sightings.of_collection(collection.id)
        objections = unit.objections.of_collection(collection.id)
        photographs = unit.photographs.all(collection.id)
        version = unit.people.version()
        judging = _Judging(collection, channel, audience, records, names, self.clock())
        return Screening(
            collection,
            channel,
            tuple(
                judging.photograph(photograph, links, objections.get(photograph.id, ()))
                for photograph in photographs
            ),
            version,
            judging.now,
        )

    def again(
        self, unit: Unit, screening: Screening, screened: Sequence[ScreenedPhotograph]
    ) -> tuple[ScreenedPhotograph, ...]:
        """Some photographs' verdicts as they stand in this very transaction, at this instant."""
        now = self.clock()
        if unit.people.version() == screening.version and _still_permitted(unit, screened, now):
            return tuple(screened)
        judging = _Judging(
            screening.collection,
            screening.channel,
            STAFF,
            unit.people.all_consents(),
            {person.id: person for person in unit.people.all()},
            now,
        )
        photographs = [unit.photographs.get(one.photograph.id) for one in screened]
        return tuple(
            judging.photograph(
                photograph,
                unit.sightings.of_photograph(photograph.id),
                unit.objections.of_photograph(photograph.id).get(photograph.id, ()),
            )
            for photograph in photographs
        )


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


@dataclass(frozen=True, slots=True)
class _Judging:
    collection: Collection
    channel: Channel
    audience: Audience
    records: Mapping[PersonId, Consents]
    people: Mapping[PersonId, Person]
    now: datetime

    def photograph(
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
        outcome = screen_face(sightings, self.records, self.collection, self.channel, self.now)
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
        telling = TellName(shown.person, self.collection, shown.link, self.audience)
        may_tell = isinstance(decide(telling, self.records[shown.person], self.now), Permit)
        return self.people[shown.person] if may_tell else None


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
