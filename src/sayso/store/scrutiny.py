"""What publication must still look at, what that look found, and what humans said of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sayso.domain.face import Certainty, Face, FaceId, Said, beyond
from sayso.domain.objection import Wish
from sayso.domain.photo import CollectionId, PhotoId
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.tables import faces, files, objections, photos


@dataclass(frozen=True, slots=True)
class Found:
    """What the thorough look at one photograph found."""

    photo: PhotoId
    faces: tuple[Face, ...]


class Scrutiny:
    """Everything about the look before publication, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def pending(
        self, collection: CollectionId, *, after: PhotoId | None = None, limit: int
    ) -> list[PhotoId]:
        """Photographs that lie somewhere and were not looked at thoroughly, by their ids.

        One of which somebody asked that it be left out gets no copy, and no look.

        Args:
            collection: whose.
            after: the last one of the page before; None: the first page.
            limit: the size of a page.
        """
        query = self._pending(collection, photos.c.id).order_by(photos.c.id).limit(limit)
        if after is not None:
            query = query.where(photos.c.id > int(after))
        return [PhotoId(str(photo)) for photo in self._connection.execute(query).scalars()]

    def backlog(self, collection: CollectionId) -> int:
        """How many there are."""
        number: int = self._connection.execute(
            self._pending(collection, sa.func.count())
        ).scalar_one()
        return number

    def _pending(self, collection: CollectionId, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        stays_out = sa.exists().where(
            objections.c.photo_sha256 == photos.c.sha256, objections.c.request == Wish.REMOVE.value
        )
        lies_somewhere = sa.exists().where(files.c.photo_id == photos.c.id)
        return (
            sa.select(*columns)
            .select_from(photos)
            .where(photos.c.collection_id == collection, photos.c.scrutinised_at.is_(None))
            .where(lies_somewhere, ~stays_out)
        )

    def keep(self, found: Found, now: datetime) -> tuple[int, int]:
        """Add what was found to what is known, which stays as it is.

        A photograph with new faces is behind: the next scan compares them, where it may.

        Returns:
            How many new faces there are, and how many places that are perhaps one.
        """
        new = beyond(found.faces, self._faces(found.photo))
        sure = sum(face.certainty is Certainty.SURE for face in new)
        values: dict[str, object] = {"scrutinised_at": now.isoformat()}
        if sure:
            values["compared_through"] = -1
        this = photos.c.id == int(found.photo)
        self._connection.execute(sa.update(photos).where(this).values(**values))
        if new:
            rows = [{"photo_id": int(found.photo), **records.face_values(face)} for face in new]
            self._connection.execute(sa.insert(faces), rows)
            bump_version(self._connection)
        return sure, len(new) - sure

    def say(self, face: FaceId, said: Said | None) -> None:
        """Keep a human's word on whether there is a face; None takes it back."""
        word = None if said is None else said.value
        self._of(face, said=word, no_face_by=None)

    def say_no_face(self, face: FaceId, operator: str) -> int:
        """Keep that an operator says that there is no face; gives how many say so now."""
        query = sa.select(faces.c.no_face_by).where(faces.c.id == int(face))
        before: str | None = self._connection.execute(query).scalar_one()
        self._of(face, no_face_by=before or operator)
        return 1 if before in {None, operator} else 2

    def waits(self, face: FaceId) -> bool:
        """Whether one operator said that there is no face, and another has still to say so."""
        query = sa.select(faces.c.no_face_by).where(faces.c.id == int(face))
        return self._connection.execute(query).scalar_one() is not None

    def _of(self, face: FaceId, **values: str | None) -> None:
        self._connection.execute(sa.update(faces).where(faces.c.id == int(face)).values(**values))
        bump_version(self._connection)

    def _faces(self, photo: PhotoId) -> list[Face]:
        query = sa.select(faces).where(faces.c.photo_id == int(photo))
        return [records.face_of(row) for row in self._connection.execute(query)]
