"""Verdicts on photographs, face by face, read within one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.consent import Consents
from sayso.domain.face import Face, FaceId
from sayso.domain.grant import Audience, Channel
from sayso.domain.objection import Objection
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, PhotoId
from sayso.domain.policy import Permit, Show, TellName, decide
from sayso.domain.screening import (
    OBJECTION,
    FaceOutcome,
    Outcome,
    Perhaps,
    Verdict,
    screen_face,
    screen_face_objected,
    screen_perhaps,
    unmet,
    verdict,
)
from sayso.domain.sighting import Limits, Sighting
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Unit


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
    """A photograph with the verdict on it.

    Attributes:
        faces: also what is perhaps one.
        no_faces: places of which a human said that there is no face; they stay as they are.
    """

    photograph: Photograph
    verdict: Verdict
    faces: tuple[ScreenedFace, ...]
    no_faces: tuple[StoredFace, ...] = ()


class Judging:
    """Verdicts within one transaction; reads of people only those who are linked to a face."""

    def __init__(  # noqa: PLR0913, PLR0917 - the facts of one screening
        self,
        unit: Unit,
        collection: Collection,
        channel: Channel,
        audience: Audience,
        perhaps: Perhaps,
        limits: Limits,
        now: datetime,
    ) -> None:
        self._unit = unit
        self._limits = limits
        self._collection = collection
        self._channel = channel
        self._audience = audience
        self._perhaps = perhaps
        self._records: dict[PersonId, Consents] = {}
        self._people: dict[PersonId, Person] = {}
        self.now = now

    def photographs(self, wanted: Iterable[PhotoId]) -> dict[PhotoId, ScreenedPhotograph]:
        """The verdicts on some photographs, in this order."""
        order = list(dict.fromkeys(wanted))
        known = self._unit.photographs.some(order)
        links = self._unit.sightings.of_photographs(order, self._limits)
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
        no_faces = tuple(
            stored
            for stored in photograph.faces
            if stored.no_face
            and not links.get(stored.id)
            and screen_face_objected(stored.face, objections) is None
        )
        faces = tuple(
            self._face(stored, links.get(stored.id, ()), objections)
            for stored in photograph.faces
            if stored not in no_faces
        )
        known = [stored.face for stored in photograph.faces]
        faces += tuple(_unseen(one, photograph) for one in unmet(objections, known))
        outcomes = (face.outcome.outcome for face in faces)
        return ScreenedPhotograph(photograph, verdict(outcomes, objections), faces, no_faces)

    def _face(
        self,
        stored: StoredFace,
        sightings: tuple[Sighting, ...],
        objections: tuple[Objection, ...],
    ) -> ScreenedFace:
        objected = screen_face_objected(stored.face, objections)
        if objected is not None:
            return ScreenedFace(stored, objected, None, None)
        if stored.doubtful and not sightings:
            return ScreenedFace(stored, screen_perhaps(self._perhaps), None, None)
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
