"""What publication must still look at, what that look found, and what humans said of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sayso.domain.face import Certainty, Face, FaceId, Said, beyond, found_for_sure
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

        But for a place that was perhaps a face and surely is one now. A photograph with new faces
        is behind: the next scan compares them, where it may.

        Returns:
            How many new faces there are, and how many places that are perhaps one.
        """
        known = self._faces(found.photo)
        surer = {
            face: surely
            for face, place in known.items()
            if (surely := found_for_sure(place, found.faces)) is not None
        }
        new = beyond(found.faces, (known | surer).values())
        fresh = sum(face.certainty is Certainty.SURE for face in new)
        sure = fresh + len(surer)
        values: dict[str, object] = {"scrutinised_at": now.isoformat()}
        if sure:
            values["compared_through"] = -1
        this = photos.c.id == int(found.photo)
        self._connection.execute(sa.update(photos).where(this).values(**values))
        for face, now_sure in surer.items():
            where = faces.c.id == face
            self._connection.execute(
                sa.update(faces).where(where).values(**records.face_values(now_sure))
            )
        if new:
            rows = [{"photo_id": int(found.photo), **records.face_values(face)} for face in new]
            self._connection.execute(sa.insert(faces), rows)
        if new or surer:
            bump_version(self._connection)
        return sure, len(new) - fresh

    def say(self, face: FaceId, said: Said | None) -> None:
        """Keep a human's word on whether there is a face; None takes it back."""
        self._of(face, said=None if said is None else said.value, no_face_by=None)

    def say_no_face(self, face: FaceId, operator: str) -> int:
        """Keep that an operator says that there is no face; gives how many say so now.

        It holds only once it is kept by `say`.
        """
        query = sa.select(faces.c.no_face_by).where(faces.c.id == int(face))
        first: str | None = self._connection.execute(query).scalar_one()
        self._of(face, no_face_by=first or operator)
        return 1 if first in {None, operator} else 2

    def said(self, face: FaceId) -> tuple[Said | None, bool]:
        """What holds of there being a face, and whether a "no face" waits for another's."""
        query = sa.select(faces.c.said, faces.c.no_face_by).where(faces.c.id == int(face))
        row = self._connection.execute(query).one()
        return None if row.said is None else Said(row.said), row.no_face_by is not None

    def _of(self, face: FaceId, **values: str | None) -> None:
        self._connection.execute(sa.update(faces).where(faces.c.id == int(face)).values(**values))
        bump_version(self._connection)

    def _faces(self, photo: PhotoId) -> dict[int, Face]:
        query = sa.select(faces).where(faces.c.photo_id == int(photo))
        return {row.id: records.face_of(row) for row in self._connection.execute(query)}
