"""What publication must still look at, what that look found, and what humans said of it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sayso.domain.face import Certainty, Face, FaceId, Said, beyond, found_for_sure
from sayso.domain.photo import PhotoId
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.tables import faces, photos


@dataclass(frozen=True, slots=True)
class Found:
    """What the thorough look at one photograph found."""

    photo: PhotoId
    faces: tuple[Face, ...]


class Scrutiny:
    """Everything about the look before publication, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

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
