"""Review: faces that comparing left in doubt, for a human to settle, most useful first.

Features of a doubtful face are not kept, so that doubts are not put together by likeness. What an
answer settles is counted in files: a photograph can be used once its last doubt is settled, and the
same content in other collections is settled with it. Doubts about one person come one after the
other, so that the eye has learnt the face; people whose answers settle most come first.

Those are asked about whose name staff may be told. Of a face that may be somebody else who may be
shown it is told that there is a doubt, as `sayso screen` does, and never about whom: a human says
that nobody can tell, or that it is not whom it was taken for. An answer is a human's word: no scan,
model or restore undoes it, and it never makes a reference.
"""

from collections.abc import Collection as Several
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sayso.domain.doubt import Answer
from sayso.domain.face import FaceId
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, PhotoId
from sayso.domain.screening import screen_face_objected
from sayso.errors import FaceUnknown
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.doubts import Doubts, Tellable
from sayso.services.judge import Judge
from sayso.services.limits import Standard
from sayso.services.ports import Clock
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Unit

UNNAMED = "somebody whose name may not be told"
"""How people are told of whom nothing may be told but that they said yes."""
_PAGE = 500
_SAME_PLACE = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """Is this face that person?

    Attributes:
        collection: the photograph's.
        person: None: somebody whose name may not be told.
        similarity: of the face and the person, cosine; None where it was not kept, or without one.
        settles: files that can be used once this and what else is open in them is answered; each
            question of a photograph counts as its share of them.
        others: how many more people the face may be, who are asked about after this one.
    """

    collection: Collection
    photograph: Photograph
    face: StoredFace
    person: Person | None
    similarity: float | None
    settles: float
    others: int


@dataclass(frozen=True, slots=True)
class Questions:
    """What is to be settled.

    Attributes:
        asked: most useful first.
        faces: how many faces are in doubt in all.
        waiting: how many of them wait for another operator to say what this one said.
    """

    asked: tuple[Question, ...]
    faces: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What was said of which face.

    Attributes:
        person: of whom; None: of whoever it may be whose name may not be told.
        holds: whether it holds; else another operator has still to say the same.
    """

    face: StoredFace
    person: Person | None
    holds: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer settled.

    Attributes:
        judgements: of each face and person that it was said of; the face asked about first.
    """

    judgements: tuple[Settled, ...]

    @property
    def holds(self) -> bool:
        """Whether it holds; else another operator has still to say the same."""
        return all(one.holds for one in self.judgements)

    def people(self) -> frozenset[Person]:
        """Of whom it was said, of those whose name may be told."""
        return frozenset(one.person for one in self.judgements if one.person is not None)


@dataclass(frozen=True, slots=True)
class _Open:
    """A face in doubt, and about whom."""

    collection: Collection
    photograph: Photograph
    face: StoredFace
    doubts: Doubts

    def said_by(self, given: Several[tuple[FaceId, PersonId]]) -> bool:
        """Whether whoever gave these words has answered what is asked first.

        Without a name any word of theirs on the face is taken for it: else naming people would
        tell whom it may be.
        """
        if self.doubts.named:
            return (self.face.id, self.doubts.named[0].person) in given
        return self.face.id in {face for face, _ in given}


@dataclass(frozen=True, slots=True)
class Review:
    """The use case.

    Attributes:
        standard: what comparisons found is held to.
    """

    book: Book
    judge: Judge
    clock: Clock
    standard: Standard

    def questions(self, name: str | None = None, *, limit: int) -> Questions:
        """What to settle first; whom it tells of is entered before it is handed over.

        Args:
            name: of a collection; None: every collection.
            limit: at most so many questions, from 1.

        Raises:
            CollectionUnknown: there is none of this name.
        """
        with self.book.writing() as page:
            unit = page.unit
            found = self._open(unit, name)
            given = unit.answers.given_by(page.actor) if self.judge.operators > 1 else frozenset()
            mine = [one for one in found if one.said_by(given)]
            asked = _ordered(unit, [one for one in found if one not in mine])[:limit]
            told = {one.person.id for one in asked if one.person is not None}
            if told:
                photographs = {one.photograph.id for one in asked if one.person is not None}
                page.enter(
                    Action.DISCLOSURE,
                    subjects=told,
                    details={"of": "review", "photographs": len(photographs)},
                )
        return Questions(tuple(asked), len(found), len(mine))

    def answer(self, face: str, answer: Answer, person: str | None = None) -> Answered:
        """Settle a face: it is this person, is not, or nobody can tell.

        The same content in another collection is settled too where it asks the same. "Cannot
        tell" is said of everybody whom the face may be, and where nobody's name may be told "not
        the same" too.

        Args:
            face: the id of a face in doubt.
            answer: what the human says.
            person: whom it is said of, an id or a name that only one has; None: whom the face is
                most like.

        Raises:
            FaceUnknown: it is not in doubt, or not about this person, or nobody whom it may be can
                be named: who knows who it is marks it.
            PersonUnknown, PersonAmbiguous: not one person.
        """
        [answered] = self.answer_all([(face, answer, person)])
        return answered

    def answer_all(self, answers: Iterable[tuple[str, Answer, str | None]]) -> list[Answered]:
        """The same of several faces: all of them, or none where one answer cannot be taken."""
        with self.book.writing() as page:
            return [self._answer(page, *one) for one in answers]

    def _answer(self, page: Page, face: str, answer: Answer, person: str | None) -> Answered:
        unit = page.unit
        asked = self._asked(unit, FaceId(face))
        about = _about(asked.doubts, answer)
        if person is not None:
            named = unit.people.get(person).id
            about = Doubts(tuple(one for one in asked.doubts.named if one.person == named))
        if not about:
            raise _not_in_doubt(face)
        if about.unnamed and answer is Answer.SAME:
            raise _not_named(face)
        said: list[Settled] = []
        for one in (asked, *self._twins(unit, asked)):
            said += self._said(page, one, about, answer)
        return Answered(tuple(said))

    def _said(self, page: Page, one: _Open, about: Doubts, answer: Answer) -> list[Settled]:
        """Say it of those whom this very face may be: with a name where it may be told of here."""
        photograph, face, link = one.photograph, one.face, answer.link
        here = {doubt.person for doubt in one.doubts.named}
        said = []
        for doubt in about.named:
            if doubt.person in here:
                person = page.unit.people.get(doubt.person)
                holds = self.judge.say(page, photograph, face, person, link).holds
                said.append(Settled(face, person, holds))
        here = {doubt.person for doubt in one.doubts.unnamed}
        hidden = here & {doubt.person for doubt in about.unnamed}
        if hidden:
            place = self.judge.say_unnamed(page, photograph, face, hidden, link)
            said.append(Settled(face, None, place.holds))
        return said

    def _asked(self, unit: Unit, face: FaceId) -> _Open:
        photo = unit.answers.photograph_of(face)
        found = [] if photo is None else self._of(unit, [photo])
        for one in found:
            if one.face.id == face:
                return one
        raise _not_in_doubt(face)

    def _twins(self, unit: Unit, asked: _Open) -> list[_Open]:
        """The same face of the same content in other collections, where it is in doubt too."""
        same = unit.answers.same_content(asked.photograph.sha256)
        box = asked.face.face.box
        return [
            one
            for one in self._of(unit, [photo for photo in same if photo != asked.photograph.id])
            if one.face.face.box.intersection_over_union(box) >= _SAME_PLACE
        ]

    def _open(self, unit: Unit, name: str | None) -> list[_Open]:
        held = unit.collections.newest_first() if name is None else [unit.collections.get(name)]
        limits = self.standard(unit)
        photos = unit.answers.photographs_in_doubt({one.id: limits.highest(one.id) for one in held})
        return [
            one
            for at in range(0, len(photos), _PAGE)
            for one in self._of(unit, photos[at : at + _PAGE])
        ]

    def _of(self, unit: Unit, photos: Sequence[PhotoId]) -> list[_Open]:
        """Faces in doubt of some photographs."""
        known = unit.photographs.some(photos)
        links = unit.sightings.of_photographs(photos, self.standard(unit))
        linked = {one.person for found in links.values() for one in found}
        tellable = Tellable(unit, linked, self.clock())
        objections = unit.objections.of_photographs(photos)
        found = []
        for photograph in known.values():
            collection = unit.collections.of_photograph(photograph.id)
            wishes = objections.get(photograph.id, ())
            for stored in photograph.faces:
                objected = screen_face_objected(stored.face, wishes) is not None
                seen = links.get(stored.id, ())
                doubts = tellable.doubts(collection, seen, objected=objected)
                if doubts:
                    found.append(_Open(collection, photograph, stored, doubts))
        return found


def _about(doubts: Doubts, answer: Answer) -> Doubts:
    """Of whom an answer is said that names nobody."""
    if answer is Answer.CANNOT_TELL:
        return doubts
    return Doubts(doubts.named[:1]) if doubts.named else doubts


def _ordered(unit: Unit, found: Sequence[_Open]) -> list[Question]:
    """Questions, those about one person together, the person whose answers settle most first.

    Those without a name come last, in an order that tells of nobody.
    """
    doubtful: dict[PhotoId, int] = {}
    files: dict[str, int] = {}
    for one in found:
        doubtful[one.photograph.id] = doubtful.get(one.photograph.id, 0) + 1
    for photograph in {one.photograph.id: one.photograph for one in found}.values():
        files[photograph.sha256] = files.get(photograph.sha256, 0) + len(photograph.paths)
    names: dict[PersonId, Person] = {}
    questions = []
    asked = set()
    for one in found:
        first = one.doubts.named[0] if one.doubts.named else None
        box = one.face.face.box
        about = None if first is None else first.person
        same = (one.photograph.sha256, about, round(box.x, 3), round(box.y, 3))
        if same in asked:
            continue  # the same content in another collection is settled with it
        asked.add(same)
        if about is not None:
            names.setdefault(about, unit.people.get(about))
        questions.append(
            Question(
                one.collection,
                one.photograph,
                one.face,
                None if about is None else names[about],
                None if first is None else first.similarity,
                files[one.photograph.sha256] / doubtful[one.photograph.id],
                max(0, len(one.doubts.named) - 1),
            )
        )
    weight: dict[PersonId | None, float] = {}
    for question in questions:
        person = _id(question)
        weight[person] = weight.get(person, 0.0) + question.settles

    def place(one: Question) -> tuple[bool, float, str, float, float, int]:
        person, alike = _id(one), -(one.similarity or 0.0)
        heavy = -weight[person]
        return person is None, heavy, person or "", -one.settles, alike, int(one.face.id)

    return sorted(questions, key=place)


def _id(question: Question) -> PersonId | None:
    return None if question.person is None else question.person.id


def _not_in_doubt(face: str) -> FaceUnknown:
    return FaceUnknown(
        expected="the id of a face that is in doubt, and a person whom it may be",
        found=repr(face),
        remedy="Copy it from `sayso review`; somebody may have settled it meanwhile.",
    )


def _not_named(face: str) -> FaceUnknown:
    return FaceUnknown(
        expected="a face that may be somebody whose name staff may be told",
        found=f"{face!r}, of which nobody's name may be told",
        remedy="If you know who it is, say so with `sayso mark`, with the photograph, the face and "
        "the person.",
    )
