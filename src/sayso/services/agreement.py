"""What becomes of a human's word on a face, and how many operators must say the same.

Where two must, that is of whatever uncovers a face or may do so later: who it is, who it is not,
that nobody can tell, that there is none, and to take back a word that holds, or a "no" that waits.
One alone covers: a face is not shown as somebody against whom a word waits (`sayso.domain.doubt`).
What is answered here depends on what was said alone, never on whom a comparison found: else trying
names would tell whose face it is.
"""

from dataclasses import dataclass
from datetime import datetime

from sayso.domain.face import FaceId, Said
from sayso.domain.person import PersonId
from sayso.domain.sighting import Link
from sayso.store.repository import Unit

TAKEN_BACK = "taken_back"
"""How the ledger says that a word was taken back."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a human says of a face.

    Attributes:
        said: a `Link`, a `Said`, or that one is taken back.
        person: whom it is about; None: whether there is a face.
        operator: who says it.
    """

    said: str
    face: FaceId
    person: PersonId | None
    operator: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a word.

    Attributes:
        agree: how many operators say the same by now; 0: nothing was said that it could take back.
        holds: whether it holds; else another operator has still to say the same.
    """

    agree: int
    holds: bool


def hear(unit: Unit, word: Word, operators: int) -> Heard:
    """Keep a word.

    Args:
        unit: of the transaction.
        word: what is said.
        operators: how many must say the same, 1 or 2.
    """
    if word.person is None:
        return _of_a_place(unit, word, operators)
    return _of_a_person(unit, word, word.person, operators)


def _of_a_place(unit: Unit, word: Word, operators: int) -> Heard:
    held, waits = unit.scrutiny.said(word.face)
    agree = 1
    if word.said == Said.NO_FACE:
        again = held is Said.NO_FACE
        agree = operators if again else unit.scrutiny.say_no_face(word.face, word.operator)
        if agree < operators:
            return Heard(agree, holds=False)
    elif word.said == TAKEN_BACK and held is None and not waits:
        return Heard(0, holds=False)
    unit.scrutiny.say(word.face, None if word.said == TAKEN_BACK else Said(word.said))
    return Heard(agree, holds=True)


def _of_a_person(unit: Unit, word: Word, person: PersonId, operators: int) -> Heard:
    about = (word.face, person)
    held = unit.sightings.word(*about)
    denied = unit.answers.is_denied(*about)
    if word.said == TAKEN_BACK and held is None and not denied:
        own = unit.answers.take_back(*about, operator=word.operator)
        return Heard(own, holds=own > 0)
    again = word.said == held and not (held is Link.MARKED and denied)
    if operators == 1 or again:
        agree = operators
    else:
        denies = word.said != Link.MARKED
        agree = unit.answers.give(
            *about, word.said, denies=denies, operator=word.operator, now=word.at
        )
    if agree < operators:
        return Heard(agree, holds=False)
    unit.answers.clear(*about, word.said)
    if word.said == TAKEN_BACK:
        unit.sightings.unjudge(*about)
    else:
        unit.sightings.judge(*about, Link(word.said), word.at)
    return Heard(agree, holds=True)
