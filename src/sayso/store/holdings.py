"""Everything that is held of one person, read out of every table that refers to people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sayso.domain.person import PersonId
from sayso.domain.photo import PhotoId
from sayso.store.tables import (
    copies,
    faces,
    judgements,
    metadata,
    persons,
    publications,
    shown,
    sightings,
)

Rows = Mapping[str, list[dict[str, Any]]]
"""Rows by table, each by column; of what is sealed only the length, under ``sealed_bytes``."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A face that is linked to a person in any way.

    Attributes:
        link: as in `sayso.domain.sighting.Link`.
        similarity: cosine, -1..1; None where a human judged.
        model_sha256: of the comparison; None where a human judged.
        judged_at: when a human did; None where faces were compared.
    """

    photo: PhotoId
    face: str
    link: str
    similarity: float | None
    model_sha256: str | None
    judged_at: str | None


@dataclass(frozen=True, slots=True)
class Published:
    """A published copy that shows a person: where and when, without the paths on this machine."""

    channel: str
    at: str
    photo: PhotoId
    sha256: str


class Holdings:
    """What is held of people, within one transaction. Reads only."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def rows(self, person: PersonId) -> Rows:
        """Every row of every table that refers to people, those of tables to come included."""
        found: dict[str, list[dict[str, Any]]] = {}
        for table in metadata.sorted_tables:
            owner = _owner(table)
            if owner is not None:
                query = sa.select(table).where(owner == person)
                found[table.name] = [_plain(row) for row in self._connection.execute(query)]
        return found

    def traces(self, person: PersonId) -> list[Trace]:
        """Every face that comparisons or humans linked to a person, by photograph."""
        found: list[Trace] = []
        for table in (sightings, judgements):
            query = (
                sa.select(table, faces.c.photo_id)
                .join(faces, faces.c.id == table.c.face_id)
                .where(table.c.person_id == person)
                .order_by(faces.c.photo_id, faces.c.id)
            )
            found += [
                Trace(
                    photo=PhotoId(str(row.photo_id)),
                    face=str(row.face_id),
                    link=row.link,
                    similarity=getattr(row, "similarity", None),
                    model_sha256=getattr(row, "model_sha256", None),
                    judged_at=getattr(row, "at", None),
                )
                for row in self._connection.execute(query)
            ]
        return sorted(found, key=lambda trace: (int(trace.photo), int(trace.face)))

    def published(self, person: PersonId) -> list[Published]:
        """Every published copy that shows a person, oldest first."""
        query = (
            sa.select(publications.c.channel, publications.c.at, copies.c.photo_id, copies.c.sha256)
            .join(copies, copies.c.publication_id == publications.c.id)
            .join(shown, shown.c.copy_id == copies.c.id)
            .where(shown.c.person_id == person)
            .order_by(publications.c.at, copies.c.id)
        )
        return [
            Published(row.channel, row.at, PhotoId(str(row.photo_id)), row.sha256)
            for row in self._connection.execute(query)
        ]


def _owner(table: sa.Table) -> sa.Column[Any] | None:
    """The column that says whose a row is; None for a table that is about no person."""
    if table is persons:
        return persons.c.id
    for column in table.columns:
        if any(key.column is persons.c.id for key in column.foreign_keys):
            return column
    return None


_KEPT_AS_JSON = frozenset({"scope", "guardian", "evidence", "notice", "fields"})


def _read(name: str, value: object) -> object:
    return json.loads(value) if name in _KEPT_AS_JSON and isinstance(value, str) else value


def _plain(row: sa.Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for it
    sealed = {name for name, value in values.items() if isinstance(value, bytes)}
    plain = {name: _read(name, value) for name, value in values.items() if name not in sealed}
    lengths = [len(values[name]) for name in sorted(sealed)]
    return plain | ({"sealed_bytes": sum(lengths)} if sealed else {})
