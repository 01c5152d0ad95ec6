"""Faces in doubt, and what each operator said of them where several must agree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sayso.domain.face import FaceId, Said
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId, PhotoId
from sayso.domain.sighting import Link
from sayso.store.database import bump_version
from sayso.store.tables import answers, faces, files, photos, sightings


@dataclass(frozen=True, slots=True)
class Given:
    """A word that waits for another operator.

    Attributes:
        person: whom it is about; None: whether there is a face.
        said: a `Link`, that one is taken back, or that there is no face.
    """

    photo: PhotoId
    face: FaceId
    person: PersonId | None
    said: str
    operator: str


class Answers:
    """Everything about answers, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def photographs_in_doubt(self, within: Mapping[CollectionId, float]) -> list[PhotoId]:
        """Photographs, lying somewhere, with a face that comparing left in doubt; settled or not.

        A doubt, or a match that somebody else's match contends or that may not reach any more:
        only these rows are read.

        Args:
            within: collections, and the highest similarity (cosine) from which one matches there.
        """
        if not within:
            return []
        matched = sightings.c.link == Link.MATCH.value
        here = sa.case(dict(within), value=photos.c.collection_id)
        alike = sightings.c.similarity
        below = matched & (alike < max(within.values())) & (alike < here)
        rival = sightings.alias("rival")
        contended = sa.exists().where(
            rival.c.face_id == sightings.c.face_id,
            rival.c.person_id != sightings.c.person_id,
            rival.c.link == Link.MATCH.value,
        )
        doubtful = sightings.c.link == Link.REVIEW.value
        found: set[int] = set()
        for which in (doubtful, matched & contended, below):
            query = (
                sa.select(faces.c.photo_id)
                .select_from(sightings)
                .join(faces, faces.c.id == sightings.c.face_id)
                .join(photos, photos.c.id == faces.c.photo_id)
                .where(which, photos.c.collection_id.in_(sorted(within)))
                .where(sa.exists().where(files.c.photo_id == photos.c.id))
                .distinct()
            )
            found |= set(self._connection.execute(query).scalars())
        return [PhotoId(str(photo)) for photo in sorted(found)]

    def photograph_of(self, face: FaceId) -> PhotoId | None:
        """The photograph that a face is in."""
        if not face.isdecimal() or len(face) > 18:  # noqa: PLR2004 - the database's numbers end
            return None
        query = sa.select(faces.c.photo_id).where(faces.c.id == int(face))
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else PhotoId(str(found))

    def same_content(self, sha256: str) -> list[PhotoId]:
        """Photographs of this content, in every collection."""
        query = sa.select(photos.c.id).where(photos.c.sha256 == sha256).order_by(photos.c.id)
        return [PhotoId(str(photo)) for photo in self._connection.execute(query).scalars()]

    def give(  # noqa: PLR0913 - the facts of an answer
        self,
        face: FaceId,
        person: PersonId,
        word: str,
        *,
        denies: bool,
        operator: str,
        now: datetime,
    ) -> int:
        """Keep an operator's answer instead of their last; gives how many say the same now.

        Who marks somebody has marked nobody else before. Who spoke against somebody once has done
        so until it is settled, whatever they say later: one alone does not uncover.

        Args:
            face: of which it is said.
            person: the same.
            word: a `Link`, or that what was said before is taken back.
            denies: whether it speaks against the person.
            operator: who says it.
            now: when.
        """
        about = (answers.c.face_id == int(face), answers.c.person_id == person)
        before = sa.select(answers.c.denies).where(*about, answers.c.operator == operator)
        denied = self._connection.execute(before).scalar_one_or_none()
        self.take_back(face, person, operator=operator)
        if word == Link.MARKED:
            self._unmark(face, answers.c.operator == operator)
        self._connection.execute(
            sa.insert(answers).values(
                face_id=int(face),
                person_id=person,
                operator=operator,
                link=str(word),
                denies=denies or bool(denied),
                at=now.isoformat(),
            )
        )
        same = sa.select(sa.func.count()).where(*about, answers.c.link == str(word))
        return int(self._connection.execute(same).scalar_one())

    def is_denied(self, face: FaceId, person: PersonId) -> bool:
        """Whether somebody's word against a person waits for another's."""
        about = (answers.c.face_id == int(face), answers.c.person_id == person)
        query = sa.select(answers.c.operator).where(*about, answers.c.denies).limit(1)
        return self._connection.execute(query).first() is not None

    def about(self, face: FaceId) -> frozenset[PersonId]:
        """Of whom, and of this face, a word waits."""
        query = sa.select(answers.c.person_id).where(answers.c.face_id == int(face)).distinct()
        return frozenset(PersonId(one) for one in self._connection.execute(query).scalars())

    def take_back(self, face: FaceId, person: PersonId, *, operator: str) -> int:
        """Forget what an operator said; gives how often they had: once or never."""
        about = (answers.c.face_id == int(face), answers.c.person_id == person)
        own = sa.delete(answers).where(*about, answers.c.operator == operator)
        bump_version(self._connection)
        return self._connection.execute(own).rowcount

    def clear(self, face: FaceId, person: PersonId, word: str) -> None:
        """Forget what each said, once a word settled it; a mark settles who else was marked."""
        about = (answers.c.face_id == int(face), answers.c.person_id == person)
        self._connection.execute(sa.delete(answers).where(*about))
        if word == Link.MARKED:
            self._unmark(face)
        bump_version(self._connection)

    def _unmark(self, face: FaceId, *whose: sa.ColumnElement[bool]) -> None:
        """Forget marks of a face; who had spoken against a person before still does."""
        marks = (answers.c.face_id == int(face), answers.c.link == Link.MARKED.value, *whose)
        self._connection.execute(sa.delete(answers).where(*marks, ~answers.c.denies))
        self._connection.execute(sa.update(answers).where(*marks).values(link=Link.REJECTED.value))

    def waiting(self, within: Iterable[CollectionId], *, limit: int) -> list[Given]:
        """Words of operators that wait for another's, by face; at most so many.

        Args:
            within: only of faces in these collections.
            limit: from 1.
        """
        here = photos.c.collection_id.in_(sorted(within))
        # By the indexes of those who said something: only words that wait are read.
        of_people = (
            sa.select(answers, faces.c.photo_id)
            .join(faces, faces.c.id == answers.c.face_id)
            .join(photos, photos.c.id == faces.c.photo_id)
            .where(answers.c.operator > "", here)
            .order_by(answers.c.face_id, answers.c.person_id, answers.c.operator)
            .limit(limit)
        )
        of_places = (
            sa.select(faces.c.id, faces.c.photo_id, faces.c.no_face_by)
            .join(photos, photos.c.id == faces.c.photo_id)
            .where(faces.c.no_face_by > "", here)
            .order_by(faces.c.id)
            .limit(limit)
        )
        found = [
            Given(
                PhotoId(str(row.photo_id)), FaceId(str(row.face_id)), PersonId(row.person_id),
                row.link, row.operator,
            )
            for row in self._connection.execute(of_people)
        ] + [
            Given(
                PhotoId(str(row.photo_id)), FaceId(str(row.id)), None, Said.NO_FACE.value,
                row.no_face_by,
            )
            for row in self._connection.execute(of_places)
        ]  # fmt: skip
        return sorted(found, key=lambda one: int(one.face))[:limit]

    def given_by(self, operator: str) -> frozenset[tuple[FaceId, PersonId]]:
        """Of which faces and people an operator has said what others have still to say."""
        query = sa.select(answers.c.face_id, answers.c.person_id)
        rows = self._connection.execute(query.where(answers.c.operator == operator))
        return frozenset((FaceId(str(face)), PersonId(person)) for face, person in rows)
