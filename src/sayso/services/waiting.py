"""Words that wait for another operator, listed so that whoever is to say the same can see them.

A word is what an operator said, whatever a comparison found. Whom it is about is told where staff
may be told the name of a face that was marked; else it is told that there is one, and whose word it
is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sayso.domain.grant import STAFF
from sayso.domain.person import Person
from sayso.domain.photo import Collection, PhotoId
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.ports import Clock
from sayso.store.answers import Given
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Unit


@dataclass(frozen=True, slots=True)
class WaitingWord:
    """What an operator said of a face, until another says the same.

    Attributes:
        said: a `Link`, ``taken_back``, or ``no_face``.
        person: whom it is about; None: nobody, or somebody of whom staff may not be told.
        operator: who said it.
    """

    collection: Collection
    photograph: Photograph
    face: StoredFace
    said: str
    person: Person | None
    operator: str


@dataclass(frozen=True, slots=True)
class WaitingWords:
    """The use case."""

    book: Book
    clock: Clock

    def __call__(self, name: str | None = None, *, limit: int) -> tuple[WaitingWord, ...]:
        """Words that wait, by face; whom they tell of is entered before they are handed over.

        Args:
            name: of a collection; None: every collection.
            limit: at most so many, from 1.

        Raises:
            CollectionUnknown: there is none of this name.
        """
        with self.book.writing() as page:
            unit = page.unit
            held = unit.collections.all() if name is None else [unit.collections.get(name)]
            given = unit.answers.waiting([one.id for one in held], limit=limit)
            words = _each_once(self._words(unit, given))
            told = {word.person.id for word in words if word.person is not None}
            if told:
                page.enter(
                    Action.DISCLOSURE,
                    subjects=told,
                    details={"of": "waiting", "photographs": len({w.photograph.id for w in words})},
                )
        return words

    def _words(self, unit: Unit, given: Sequence[Given]) -> tuple[WaitingWord, ...]:
        photographs = unit.photographs.some(one.photo for one in given)
        known = {photo: unit.collections.of_photograph(photo) for photo in photographs}
        return tuple(
            WaitingWord(
                known[one.photo],
                photographs[one.photo],
                next(face for face in photographs[one.photo].faces if face.id == one.face),
                one.said,
                self._person(unit, one, known),
                one.operator,
            )
            for one in given
        )

    def _person(
        self, unit: Unit, given: Given, known: Mapping[PhotoId, Collection]
    ) -> Person | None:
        if given.person is None:
            return None
        asked = TellName(given.person, known[given.photo], Link.MARKED, STAFF)
        answer = decide(asked, unit.people.consents(given.person), self.clock())
        return unit.people.get(given.person) if isinstance(answer, Permit) else None


def _each_once(words: Sequence[WaitingWord]) -> tuple[WaitingWord, ...]:
    """Words without a name, of several people, are one: how many there are would tell of them."""
    once = {}
    for word in words:
        person = None if word.person is None else word.person.id
        once[word.face.id, person, word.said, word.operator] = word
    return tuple(once.values())
