"""A human's word on a face: the non-biometric way, which must always exist.

Where two operators must say the same, that is of whatever uncovers a face or may do so later: who
it is, who it is not, that nobody can tell, that there is none, and to take such a word back. One
alone covers: whoever speaks against what shows a face has it covered until another has spoken.
"""

from dataclasses import dataclass, replace

from sayso.domain.doubt import shows
from sayso.domain.face import Certainty, Face, Said
from sayso.domain.grant import STAFF
from sayso.domain.person import Person
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link
from sayso.errors import FaceUnknown
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.places import box, photograph, photograph_and_face
from sayso.services.ports import Clock
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Unit


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said of which face.

    Attributes:
        holds: whether it holds; else another operator has still to say the same.
    """

    photograph: Photograph
    face: StoredFace
    person: Person
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A place of which a human said whether there is a face.

    Attributes:
        holds: whether it holds; else another operator has still to say the same.
    """

    photograph: Photograph
    face: StoredFace
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Judge:
    """The use case. What is said here no scan undoes; `take_back` does.

    Attributes:
        operators: how many must say the same before it holds, 1 or 2.
    """

    book: Book
    clock: Clock
    operators: int = 1

    def mark(self, photo: str, face: str, person: str) -> Judgement:
        """Say that a face is this person; a box where no face was found becomes one.

        Raises:
            PhotographUnknown, FaceUnknown, PersonUnknown, PersonAmbiguous: not one of each.
        """
        with self.book.writing() as page:
            known, stored = _face_or_box(page.unit, photo, face)
            return self.say(page, known, stored, page.unit.people.get(person), Link.MARKED)

    def reject(self, photo: str, face: str, person: str) -> Judgement:
        """Say that a face is not this person.

        Raises:
            PhotographUnknown, FaceUnknown, PersonUnknown, PersonAmbiguous: not one of each.
        """
        with self.book.writing() as page:
            known, stored = photograph_and_face(page.unit, photo, face)
            return self.say(page, known, stored, page.unit.people.get(person), Link.REJECTED)

    def reject_all(self, photo: str, face: str) -> tuple[Judgement, ...]:
        """Say that a face is nobody whom staff were told that it may be.

        Only they are rejected: an answer about anybody else would tell of somebody who did not
        agree to be named to staff.

        Raises:
            PhotographUnknown: not one photograph.
            FaceUnknown: not one face, or one of which staff may be told nothing.
        """
        with self.book.writing() as page:
            unit = page.unit
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
            return tuple(
                self.say(page, known, stored, unit.people.get(one), Link.REJECTED) for one in told
            )

    def take_back(self, photo: str, face: str, person: str) -> Judgement:
        """Take back what was said of a face and a person; of what still waits, one's own word.

        Raises:
            FaceUnknown: nothing was said of them.
        """
        with self.book.writing() as page:
            unit = page.unit
            known, stored = photograph_and_face(unit, photo, face)
            named = unit.people.get(person)
            links = unit.sightings.of_photograph(known.id).get(stored.id, ())
            if any(s.person == named.id and s.link in _SAID for s in links):
                return self._say(page, Judgement(known, stored, named), None)
            if not unit.answers.take_back(stored.id, named.id, operator=page.actor):
                raise FaceUnknown(
                    expected=f"a face that was marked as {named.name}, or said not to be",
                    found="one of which nothing was said",
                    remedy="Copy the face's id from `sayso screen --json`.",
                )
            _enter(page, _TAKEN_BACK, stored, named)
            return Judgement(known, stored, named)

    def is_face(self, photo: str, face: str) -> Place:
        """Say that there is a face, whosever it is; a box where none was found becomes one.

        Raises:
            PhotographUnknown, FaceUnknown: not one of each.
        """
        with self.book.writing() as page:
            known, stored = _face_or_box(page.unit, photo, face)
            return _said(page, known, stored, Said.FACE)

    def is_no_face(self, photo: str, face: str) -> Place | None:
        """Say that there is no face; None for what is a face for sure, of which nobody can.

        Alone, where two must say so, it changes nothing.

        Raises:
            PhotographUnknown, FaceUnknown: not one of each.
        """
        with self.book.writing() as page:
            known, stored = photograph_and_face(page.unit, photo, face)
            if stored.face.certainty is Certainty.SURE:
                return None
            agree = page.unit.scrutiny.say_no_face(stored.id, page.actor)
            if agree < self.operators:
                _enter_place(page, Said.NO_FACE, stored, agree)
                return Place(known, stored, holds=False)
            return _said(page, known, stored, Said.NO_FACE, agree)

    def take_back_face(self, photo: str, face: str) -> Place:
        """Take back what was said of there being a face: what is perhaps one is covered again.

        Raises:
            FaceUnknown: nothing was said of it.
        """
        with self.book.writing() as page:
            known, stored = photograph_and_face(page.unit, photo, face)
            if stored.said is None and not page.unit.scrutiny.waits(stored.id):
                raise FaceUnknown(
                    expected="a place of which somebody said whether it is a face",
                    found="one of which nothing was said",
                    remedy="Copy the face's id from `sayso screen --json`.",
                )
            return _said(page, known, stored, None)

    def say(
        self, page: Page, known: Photograph, stored: StoredFace, person: Person, link: Link
    ) -> Judgement:
        """Say something of a face and a person as part of a transaction.

        Args:
            page: of the transaction; its actor is who says it.
            known: the photograph.
            stored: a face of it.
            person: whom it is about.
            link: marked, rejected or unsure.
        """
        return self._say(page, Judgement(known, stored, person), link)

    def _say(self, page: Page, said: Judgement, link: Link | None) -> Judgement:
        """Say something, or None to take back what was said."""
        unit, now, agree = page.unit, self.clock(), 1
        face, person = said.face.id, said.person.id
        word = _TAKEN_BACK if link is None else link.value
        if self.operators > 1:
            agree = unit.answers.give(face, person, word, operator=page.actor, now=now)
        _enter(page, word, said.face, said.person, agree)
        if agree < self.operators:
            links = unit.sightings.of_photograph(said.photograph.id).get(face, ())
            if link is not Link.MARKED and shows(links, person):
                unit.sightings.judge(face, person, Link.UNSURE, now)
            return replace(said, holds=False)
        unit.answers.clear(face, person)
        if link is None:
            unit.sightings.unjudge(face, person)
        else:
            unit.sightings.judge(face, person, link, now)
        return said


_SAID = frozenset({Link.MARKED, Link.REJECTED, Link.UNSURE})
_TAKEN_BACK = "taken_back"


def _said(
    page: Page, known: Photograph, stored: StoredFace, said: Said | None, agree: int = 1
) -> Place:
    page.unit.scrutiny.say(stored.id, said)
    _enter_place(page, _TAKEN_BACK if said is None else said.value, stored, agree)
    return Place(known, replace(stored, said=said))


def _enter_place(page: Page, said: str, stored: StoredFace, agree: int) -> None:
    page.enter(Action.REVIEW, details={"said": said, "face": stored.id, "operators": agree})


def _enter(page: Page, said: str, stored: StoredFace, person: Person, agree: int = 1) -> None:
    details: dict[str, Json] = {"said": said, "face": stored.id, "operators": agree}
    page.enter(Action.REVIEW, subjects=[person.id], details=details)


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
