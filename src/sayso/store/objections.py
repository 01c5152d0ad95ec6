"""Objections: of which photograph's content, around which face, and what is asked."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from sayso.domain.face import Box
from sayso.domain.objection import Objection, Wish
from sayso.domain.photo import PhotoId
from sayso.errors import ObjectionUnknown
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.tables import objections, photos


class Objections:
    """Everything about objections, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self, photo_sha256: str, box: Box | None, wish: Wish, note: str, now: datetime
    ) -> Objection:
        """Keep an objection; the very same again changes nothing."""
        values = {
            "photo_sha256": photo_sha256,
            "box": box_text(box),
            "request": wish.value,
        }
        same = sa.and_(*(objections.c[name].is_not_distinct_from(v) for name, v in values.items()))
        known = self._connection.execute(sa.select(objections).where(same)).first()
        if known is not None:
            return _objection(known)
        key = self._connection.execute(
            sa.insert(objections).values(**values, note=note, at=now.isoformat())
        ).inserted_primary_key
        bump_version(self._connection)
        return Objection(key[0] if key else 0, photo_sha256, box, wish, note, now)

    def get(self, objection: int) -> Objection:
        """One objection.

        Raises:
            ObjectionUnknown: there is none of this id.
        """
        query = sa.select(objections).where(objections.c.id == objection)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise ObjectionUnknown(
                expected="the number of an objection that stands",
                found=str(objection),
                remedy="See `sayso objection list`.",
            )
        return _objection(row)

    def lift(self, objection: int) -> Objection:
        """Take an objection back.

        Raises:
            ObjectionUnknown: there is none of this id.
        """
        lifted = self.get(objection)
        self._connection.execute(sa.delete(objections).where(objections.c.id == objection))
        bump_version(self._connection)
        return lifted

    def all(self) -> list[Objection]:
        """Every objection, oldest first."""
        query = sa.select(objections).order_by(objections.c.id)
        return [_objection(row) for row in self._connection.execute(query)]

    def of_photographs(self, wanted: Iterable[PhotoId]) -> Mapping[PhotoId, tuple[Objection, ...]]:
        """The objections to some photographs."""
        return self._of(photos.c.id.in_(sorted({int(photo) for photo in wanted})))

    def of_photograph(self, photo: PhotoId) -> Mapping[PhotoId, tuple[Objection, ...]]:
        """The objections to one photograph."""
        return self._of(photos.c.id == int(photo))

    def _of(self, where: sa.ColumnElement[bool]) -> Mapping[PhotoId, tuple[Objection, ...]]:
        query = (
            sa.select(objections, photos.c.id.label("photo"))
            .join(photos, photos.c.sha256 == objections.c.photo_sha256)
            .where(where)
            .order_by(objections.c.id)
        )
        found: dict[PhotoId, tuple[Objection, ...]] = {}
        for row in self._connection.execute(query):
            photo = PhotoId(str(row.photo))
            found[photo] = (*found.get(photo, ()), _objection(row))
        return found


def box_text(box: Box | None) -> str | None:
    """A box for its column."""
    return None if box is None else json.dumps([box.x, box.y, box.width, box.height])


def _objection(row: records.Row) -> Objection:
    return Objection(
        id=row.id,
        photo_sha256=row.photo_sha256,
        box=None if row.box is None else Box(*json.loads(row.box)),
        wish=Wish(row.request),
        note=row.note,
        at=datetime.fromisoformat(row.at),
    )
