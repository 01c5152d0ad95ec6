"""Review: faces that comparing left in doubt, for a human to settle, most useful first.

Features of a doubtful face are not kept, so that doubts are not put together by likeness. What an
answer settles is counted in files: a photograph can be used once its last doubt is settled, and the
same content in other collections is settled with it. Doubts about one person come one after the
other, so that the eye has learnt the face; people whose answers settle most come first.

Only those are asked about whose name staff may be told. An answer is a human's word: no scan, model
or restore undoes it, and it never makes a reference.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sayso.domain.doubt import Answer, in_doubt
from sayso.domain.face import FaceId
from sayso.domain.grant import STAFF
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, CollectionId, PhotoId
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link, Sighting
from sayso.errors import FaceUnknown
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.judge import Judge, Judgement
from sayso.services.limits import Standard
from sayso.services.ports import Clock
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Unit

_PAGE = 500
_SAME_PLACE = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """Is this face that person?

    Attributes:
        collection: the photograph's.
        similarity: of the face and the person, cosine; None where it was not kept.
        settles: files that can be used once this and what else is open in them is answered; each
            question of a photograph counts as its share of them.
        others: how many more people the face may be, who are asked about after this one.
    """

    collection: Collection
    photograph: Photograph
    face: StoredFace
    person: Person
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
class Answered:
    """What an answer settled.

    Attributes:
        judgements: of each face and person that it was said of; the face asked about first.
    """

    judgements: tuple[Judgement, ...]

    @property
    def holds(self) -> bool:
        """Whether it holds; else another operator has still to say the same."""
        return all(one.holds for one in self.judgements)


@dataclass(frozen=True, slots=True)
class _Open:
    """A face in doubt, and about whom, most alike first."""

    collection: Collection
    photograph: Photograph
    face: StoredFace
    doubts: tuple[Sighting, ...]


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
            mine = [one for one in found if (one.face.id, one.doubts[0].person) in given]
            asked = _ordered(unit, [one for one in found if one not in mine])[:limit]
            if asked:
                page.enter(
                    Action.DISCLOSURE,
                    subjects={one.person.id for one in asked},
                    details={"of": "review", "photographs": len({q.photograph.id for q in asked})},
                )
        return Questions(tuple(asked), len(found), len(mine))

    def answer(self, face: str, answer: Answer, person: str | None = None) -> Answered:
        """Settle a face: it is this person, is not, or nobody can tell.

        The same content in another collection is settled too where it asks the same. "Cannot
        tell" is said of everybody whom the face may be.

        Args:
            face: the id of a face in doubt.
            answer: what the human says.
            person: whom it is said of, an id or a name that only one has; None: whom the face is
                most like.

        Raises:
            FaceUnknown: it is not in doubt, or not about this person.
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
        doubtful = [one.person for one in asked.doubts]
        about = doubtful if answer is Answer.CANNOT_TELL else doubtful[:1]
        if person is not None:
            about = [unit.people.get(person).id]
        if not set(about) <= set(doubtful):
            raise _not_in_doubt(face)
        said: list[Judgement] = []
        for one in (asked, *self._twins(unit, asked)):
            said += self._said(page, one, about, answer)
        return Answered(tuple(said))

    def _said(
        self, page: Page, one: _Open, about: Sequence[PersonId], answer: Answer
    ) -> list[Judgement]:
        doubtful = {doubt.person for doubt in one.doubts}
        return [
            self.judge.say(
                page, one.photograph, one.face, page.unit.people.get(person), answer.link
            )
            for person in about
            if person in doubtful
        ]

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
        """Faces in doubt of some photographs, asked of staff."""
        known = unit.photographs.some(photos)
        links = unit.sightings.of_photographs(photos, self.standard(unit))
        linked = {one.person for found in links.values() for one in found}
        tellable = _Tellable(unit, linked, self.clock)
        found = []
        for photograph in known.values():
            collection = unit.collections.of_photograph(photograph.id)
            for stored in photograph.faces:
                may = tellable.within(collection)
                doubts = in_doubt(links.get(stored.id, ()), may)
                if doubts:
                    found.append(_Open(collection, photograph, stored, doubts))
        return found


class _Tellable:
    """Whose name staff may be told beside a face, collection by collection."""

    def __init__(self, unit: Unit, people: set[PersonId], clock: Clock) -> None:
        self._records = unit.people.all_consents(people)
        self._now = clock()
        self._known: dict[CollectionId, frozenset[PersonId]] = {}

    def within(self, collection: Collection) -> frozenset[PersonId]:
        """Of a collection."""
        if collection.id not in self._known:
            self._known[collection.id] = frozenset(
                person
                for person, record in self._records.items()
                if isinstance(
                    decide(TellName(person, collection, Link.MATCH, STAFF), record, self._now),
                    Permit,
                )
            )
        return self._known[collection.id]


def _ordered(unit: Unit, found: Sequence[_Open]) -> list[Question]:
    """Questions, those about one person together, the person whose answers settle most first."""
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
        person = one.doubts[0].person
        box = one.face.face.box
        same = (one.photograph.sha256, person, round(box.x, 3), round(box.y, 3))
        if same in asked:
            continue  # the same content in another collection is settled with it
        asked.add(same)
        names.setdefault(person, unit.people.get(person))
        settles = files[one.photograph.sha256] / doubtful[one.photograph.id]
        questions.append(
            Question(
                one.collection,
                one.photograph,
                one.face,
                names[person],
                one.doubts[0].similarity,
                settles,
                len(one.doubts) - 1,
            )
        )
    weight: dict[PersonId, float] = {}
    for question in questions:
        weight[question.person.id] = weight.get(question.person.id, 0.0) + question.settles

    def place(one: Question) -> tuple[float, str, float, float, int]:
        alike = -(one.similarity or 0.0)
        return -weight[one.person.id], one.person.id, -one.settles, alike, int(one.face.id)

    return sorted(questions, key=place)


def _not_in_doubt(face: str) -> FaceUnknown:
    return FaceUnknown(
        expected="the id of a face that is in doubt, and a person whom it may be",
        found=repr(face),
        remedy="Copy it from `sayso review`; somebody may have settled it meanwhile.",
    )
