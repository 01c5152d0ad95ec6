"""A human's word on a face: the non-biometric way, which must always exist.

Whether it holds, or waits for another operator, `sayso.services.agreement` says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sayso.domain.face import Certainty, Face, Said
from sayso.domain.grant import STAFF
from sayso.domain.person import Person, PersonId
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.screening import screen_face_objected
from sayso.domain.sighting import Link, Sighting
from sayso.errors import FaceUnknown
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.agreement import TAKEN_BACK, Heard, Word, hear
from sayso.services.book import Book, Page
from sayso.services.doubts import Tellable
from sayso.services.limits import Standard
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
    """A place of which a human said something that names nobody: whether there is a face, say.

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
        standard: what comparisons found is held to.
        operators: how many must say the same before it holds, 1 or 2.
    """

    book: Book
    clock: Clock
    standard: Standard
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

    def reject_all(self, photo: str, face: str) -> Place:
        """Say that a face is nobody whom the program takes it for.

        Of those it is said whose name staff may be told, and of those of whom `sayso screen` tells
        without a name. An answer about anybody else would tell that they are enrolled.

        Raises:
            PhotographUnknown: not one photograph.
            FaceUnknown: not one face, or one of which staff may be told nothing.
        """
        with self.book.writing() as page:
            unit = page.unit
            known, stored = photograph_and_face(unit, photo, face)
            collection = unit.collections.of_photograph(known.id)
            links = self._links(unit, known, stored)
            linked = {s.person for s in links if s.link in {Link.MATCH, Link.REVIEW}}
            tellable = Tellable(unit, linked, self.clock())
            objections = unit.objections.of_photograph(known.id).get(known.id, ())
            objected = screen_face_objected(stored.face, objections) is not None
            named = sorted(tellable.names(collection))
            unnamed = tellable.unnamed(collection, links, objected=objected)
            if not named and not unnamed:
                raise FaceUnknown(
                    expected="a face that may be somebody who said yes",
                    found="one of which nothing may be told",
                    remedy="Leave it: it is not shown unless you mark it.",
                )
            holds = [
                self.say(page, known, stored, unit.people.get(one), Link.REJECTED).holds
                for one in named
            ]
            if unnamed:
                said = self.say_unnamed(page, known, stored, unnamed, Link.REJECTED)
                holds.append(said.holds)
            return Place(known, stored, all(holds))

    def take_back(self, photo: str, face: str, person: str) -> Judgement:
        """Take back what was said of a face and a person; a mark that waits, whoever said it.

        Raises:
            FaceUnknown: nothing was said of them, or whether it was would tell whose face it is.
        """
        with self.book.writing() as page:
            known, stored = photograph_and_face(page.unit, photo, face)
            named = page.unit.people.get(person)
            if not self._may_name(page.unit, known, named.id) and self._hides(
                page.unit, known, stored
            ):
                raise _take_back_unnamed(photo, face)
            heard = self._hear(page, TAKEN_BACK, stored, named)
            if not heard.agree:
                raise FaceUnknown(
                    expected=f"a face that was marked as {named.name}, or said not to be",
                    found="one of which nothing was said",
                    remedy="Copy the face's id from `sayso screen --json`.",
                )
            return Judgement(known, stored, named, heard.holds)

    def take_back_unnamed(self, photo: str, face: str) -> Place | None:
        """Take back what was said of a face and of people whose name staff may not be told.

        None: nothing was said of any.

        Raises:
            PhotographUnknown, FaceUnknown: not one of each.
        """
        with self.book.writing() as page:
            unit = page.unit
            known, stored = photograph_and_face(unit, photo, face)
            links = self._links(unit, known, stored)
            held = {one.person for one in links if one.link not in {Link.MATCH, Link.REVIEW}}
            about = held | unit.answers.about(stored.id)
            hidden = [one for one in about if not self._may_name(unit, known, one)]
            heard = self._hear_unnamed(page, TAKEN_BACK, stored, hidden)
            return None if heard is None else Place(known, stored, heard.holds)

    def is_face(self, photo: str, face: str) -> Place:
        """Say that there is a face, whosever it is; a box where none was found becomes one.

        Raises:
            PhotographUnknown, FaceUnknown: not one of each.
        """
        with self.book.writing() as page:
            known, stored = _face_or_box(page.unit, photo, face)
            self._hear(page, Said.FACE, stored)
            return Place(known, replace(stored, said=Said.FACE))

    def is_no_face(self, photo: str, face: str) -> Place | None:
        """Say that there is no face; None for what is a face for sure, of which nobody can.

        Raises:
            PhotographUnknown, FaceUnknown: not one of each.
        """
        with self.book.writing() as page:
            known, stored = photograph_and_face(page.unit, photo, face)
            if stored.face.certainty is Certainty.SURE:
                return None
            heard = self._hear(page, Said.NO_FACE, stored)
            said = Said.NO_FACE if heard.holds else stored.said
            return Place(known, replace(stored, said=said), heard.holds)

    def take_back_face(self, photo: str, face: str) -> Place:
        """Take back what was said of there being a face: what is perhaps one is covered again.

        Raises:
            FaceUnknown: nothing was said of it.
        """
        with self.book.writing() as page:
            known, stored = photograph_and_face(page.unit, photo, face)
            if not self._hear(page, TAKEN_BACK, stored).agree:
                raise FaceUnknown(
                    expected="a place of which somebody said whether it is a face",
                    found="one of which nothing was said",
                    remedy="Copy the face's id from `sayso screen --json`.",
                )
            return Place(known, replace(stored, said=None))

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
        return Judgement(known, stored, person, self._hear(page, link, stored, person).holds)

    def say_unnamed(
        self,
        page: Page,
        known: Photograph,
        stored: StoredFace,
        people: Iterable[PersonId],
        link: Link,
    ) -> Place:
        """The same of people whom whoever says it does not know, and is not told.

        Args:
            page: of the transaction; its actor is who says it.
            known: the photograph.
            stored: a face of it.
            people: one or more.
            link: rejected or unsure.
        """
        heard = self._hear_unnamed(page, link, stored, people)
        return Place(known, stored, heard is not None and heard.holds)

    def _hear_unnamed(
        self, page: Page, said: str, stored: StoredFace, people: Iterable[PersonId]
    ) -> Heard | None:
        """Keep a word on each, and enter it once, about nobody: operators read the ledger."""
        now = self.clock()
        words = [Word(str(said), stored.id, one, page.actor, now) for one in sorted(people)]
        heard = [one for word in words if (one := hear(page.unit, word, self.operators)).agree]
        if not heard:
            return None
        agree, holds = min(one.agree for one in heard), all(one.holds for one in heard)
        details: dict[str, Json] = {"said": str(said), "face": stored.id, "operators": agree}
        page.enter(Action.REVIEW, details=details)
        return Heard(agree, holds)

    def _links(self, unit: Unit, known: Photograph, stored: StoredFace) -> Sequence[Sighting]:
        return unit.sightings.of_photograph(known.id, self.standard(unit)).get(stored.id, ())

    def _may_name(self, unit: Unit, known: Photograph, person: PersonId) -> bool:
        collection = unit.collections.of_photograph(known.id)
        asked = TellName(person, collection, Link.MARKED, STAFF)
        return isinstance(decide(asked, unit.people.consents(person), self.clock()), Permit)

    def _hides(self, unit: Unit, known: Photograph, stored: StoredFace) -> bool:
        """Whether comparing left in doubt whether it is somebody whose name may not be told.

        Of a face that is shown `sayso screen` tells whose it is, by their id.
        """
        links = self._links(unit, known, stored)
        seen = [one for one in links if one.link in {Link.MATCH, Link.REVIEW}]
        tellable = Tellable(unit, {one.person for one in seen}, self.clock())
        collection = unit.collections.of_photograph(known.id)
        return bool(tellable.doubts(collection, seen, objected=False).unnamed)

    def _hear(
        self, page: Page, said: str, stored: StoredFace, person: Person | None = None
    ) -> Heard:
        """Keep a word and enter it; of a person, or without one of there being a face."""
        about = None if person is None else person.id
        word = Word(str(said), stored.id, about, page.actor, self.clock())
        heard = hear(page.unit, word, self.operators)
        if heard.agree:
            details: dict[str, Json] = {
                "said": word.said, "face": stored.id, "operators": heard.agree,
            }  # fmt: skip
            page.enter(Action.REVIEW, subjects=[] if about is None else [about], details=details)
        return heard


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


def _take_back_unnamed(photo: str, face: str) -> FaceUnknown:
    return FaceUnknown(
        expected="no name: the face may be somebody whose name may not be told",
        found="the name of somebody of whom that holds",
        remedy=f"Say `sayso unmark` with {photo} and {face} alone: it takes back what was said of "
        "whoever it may be.",
    )
