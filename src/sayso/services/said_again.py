"""What humans said of faces since a backup was made, said again of what it brings back.

A word that covers a face is said again in any case; one that shows it only if as many operators
said it as must. A mark that was taken back since is taken back again; what covers a face and was
taken back since comes back with the backup, which may be what it is restored for. Faces that the
backup does not know are found anew, and then nothing of this is known of them: how many words
those were is told.
"""

from collections.abc import Sequence

from sayso.domain.face import Certainty, FaceId, Said
from sayso.domain.person import PersonId
from sayso.domain.sighting import Link
from sayso.services.judge import TAKEN_BACK
from sayso.services.since_backup import Word
from sayso.store.photographs import StoredFace
from sayso.store.repository import Unit

_COVERING = frozenset({Link.REJECTED.value, Link.UNSURE.value})


def say_again(unit: Unit, words: Sequence[Word], operators: int) -> tuple[int, int]:
    """Say words again, oldest first.

    Args:
        unit: of the transaction.
        words: as the ledgers tell them.
        operators: how many must say the same of a face.

    Returns:
        How many words were said again, and how many are of faces that are not there.
    """
    lost = done = 0
    since: set[tuple[FaceId, PersonId]] = set()
    for word in words:
        stored = _face(unit, word)
        if stored is None:
            lost += 1
        elif word.person is None:
            _of_a_place(unit, word, stored, operators)
            done += 1
        elif unit.people.exists(word.person):
            _of_a_person(unit, word, word.person, operators, since)
            done += 1
    return done, lost


def _face(unit: Unit, word: Word) -> StoredFace | None:
    photo = unit.answers.photograph_of(word.face)
    if photo is None:
        return None
    faces = unit.photographs.get(photo).faces
    return next((stored for stored in faces if stored.id == word.face), None)


def _of_a_place(unit: Unit, word: Word, stored: StoredFace, operators: int) -> None:
    if word.said != Said.NO_FACE:
        unit.scrutiny.say(word.face, Said.FACE if word.said == Said.FACE else None)
    elif stored.face.certainty is Certainty.PERHAPS:
        agreed = unit.scrutiny.say_none(word.face, word.operator)
        if agreed >= operators:
            unit.scrutiny.say(word.face, Said.NO_FACE)


def _of_a_person(
    unit: Unit, word: Word, person: PersonId, operators: int, since: set[tuple[FaceId, PersonId]]
) -> None:
    holds, about = word.agreed >= operators, (word.face, person)
    if word.said == TAKEN_BACK:
        if (holds and about in since) or unit.sightings.word(*about) is Link.MARKED:
            unit.sightings.unjudge(*about)
        return
    since.add(about)
    if holds or word.said in _COVERING:
        unit.sightings.judge(*about, Link(word.said), word.at)
    else:
        unit.answers.give(*about, word.said, operator=word.operator, now=word.at)
