"""What humans said of faces since a backup was made, said again of what it brings back.

It counts as it did when it was said: what covers a face does so again, and what shows one only if
as many operators said it as must. What covers a face and was taken back since comes back with the
backup, which may be what it is restored for. Faces that the backup does not know are found anew,
and then nothing of this is known of them: how many words those were is told.
"""

from collections.abc import Sequence

from sayso.domain.face import Certainty, FaceId, Said
from sayso.domain.person import PersonId
from sayso.domain.sighting import Link
from sayso.services.agreement import TAKEN_BACK, Word, hear
from sayso.store.photographs import StoredFace
from sayso.store.repository import Unit

_COVERING = frozenset({Link.REJECTED, Link.UNSURE})


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
            if word.said != Said.NO_FACE or stored.face.certainty is Certainty.PERHAPS:
                hear(unit, word, operators)
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


def _of_a_person(
    unit: Unit, word: Word, person: PersonId, operators: int, since: set[tuple[FaceId, PersonId]]
) -> None:
    about = (word.face, person)
    held = unit.sightings.word(*about)
    if word.said == TAKEN_BACK and held in _COVERING and about not in since:
        unit.answers.take_back(*about, operator=word.operator)
        return
    hear(unit, word, operators)
    if unit.sightings.word(*about) is not held:
        since.add(about)
