"""A human's word on a face: the non-biometric way, which must always exist."""

from dataclasses import dataclass

from sayso.domain.face import Face
from sayso.domain.grant import STAFF
from sayso.domain.person import Person
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link
from sayso.errors import FaceUnknown
from sayso.services.places import box, photograph, photograph_and_face
from sayso.services.ports import Clock
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said of which face."""

    photograph: Photograph
    face: StoredFace
    person: Person


@dataclass(frozen=True, slots=True)
class Judge:
    """The use case. What is said here no scan undoes; `take_back` does."""

    repository: Repository
    clock: Clock

    def mark(self, photo: str, face: str, person: str) -> Judgement:
        """Say that a face is this person; a box where no face was found becomes one.

        Raises:
            PhotographUnknown, FaceUnknown, PersonUnknown, PersonAmbiguous: not one of each.
        """
        with self.repository.writing() as unit:
            known, stored = _face_or_box(unit, photo, face)
            return self._judged(unit, known, stored, person, Link.MARKED)

    def reject(self, photo: str, face: str, person: str) -> Judgement:
        """Say that a face is not this person.

        Raises:
            PhotographUnknown, FaceUnknown, PersonUnknown, PersonAmbiguous: not one of each.
        """
        with self.repository.writing() as unit:
            known, stored = photograph_and_face(unit, photo, face)
            return self._judged(unit, known, stored, person, Link.REJECTED)

    def reject_all(self, photo: str, face: str) -> tuple[Judgement, ...]:
        """Say that a face is nobody whom staff were told that it may be.

        Only they are rejected: an answer about anybody else would tell of somebody who did not
        agree to be named to staff.

        Raises:
            PhotographUnknown: not one photograph.
            FaceUnknown: not one face, or one of which staff may be told nothing.
        """
        with self.repository.writing() as unit:
            known, stored = photograph_and_face(unit, photo, face)
            collection = unit.collections.of_photograph(known.id)
            links = unit.sightings.of_photograph(known.id).get(stored.id, ())
            linked = {s.person for s in links if s.link in {Link.MATCH, Link.REVIEW}}
            now = self.clock()
            told = [
                person
                for person, record in sorted(unit.people.all_consents(linked).items())
                if isinstance(
                    decide(TellName(person, collection, Link.MATCH, STAFF), record, now), Permit
                )
            ]
            if not told:
                raise FaceUnknown(
                    expected="a face that may be somebody whose name staff may be told",
                    found="one of which nothing may be told",
                    remedy="Leave it: it is not shown unless you mark it.",
                )
            return tuple(self._judged(unit, known, stored, one, Link.REJECTED) for one in told)

    def take_back(self, photo: str, face: str, person: str) -> Judgement:
        """Take back what was said of a face and a person.

        Raises:
            FaceUnknown: nothing was said of them.
        """
        with self.repository.writing() as unit:
            known, stored = photograph_and_face(unit, photo, face)
            named = unit.people.get(person)
            if not unit.sightings.unjudge(stored.id, named.id):
                raise FaceUnknown(
                    expected=f"a face that was marked as {named.name}, or said not to be",
                    found="one of which nothing was said",
                    remedy="Copy the face's id from `sayso screen --json`.",
                )
            return Judgement(known, stored, named)

    def _judged(
        self, unit: Unit, known: Photograph, stored: StoredFace, person: str, link: Link
    ) -> Judgement:
        named = unit.people.get(person)
        unit.sightings.judge(stored.id, named.id, link, self.clock())
        return Judgement(known, stored, named)


def _face_or_box(unit: Unit, photo: str, face: str) -> tuple[Photograph, StoredFace]:
    try:
        return photograph_and_face(unit, photo, face)
    except FaceUnknown:
        if "," not in face:
            raise
    known = photograph(unit, photo)
    drawn = box(face)
    by_hand = Face(drawn, None, 1.0, drawn.height * known.height_px)
    return known, StoredFace(unit.photographs.draw_face(known.id, by_hand), by_hand)
