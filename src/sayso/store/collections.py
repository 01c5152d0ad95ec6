"""Collections: what is held, where it lies and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sayso.domain.matching import GallerySize
from sayso.domain.photo import Collection, CollectionId, PhotoId
from sayso.errors import CollectionExists, CollectionUnknown, PhotographUnknown
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.tables import collections, faces, files, photos, publications


class Collections:
    """Everything about collections, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def declare(self, collection: Collection, folder: str, now: datetime) -> None:
        """Keep a new collection.

        Raises:
            CollectionExists: one of this name is declared already.
        """
        same = sa.select(collections.c.id).where(collections.c.name == collection.name)
        if self._connection.execute(same).first():
            raise CollectionExists(
                expected="a name that no collection has yet",
                found=repr(collection.name),
                remedy="Choose another name; see `sayso collection list`.",
            )
        self._connection.execute(
            sa.insert(collections).values(
                id=collection.id,
                name=collection.name,
                folder=folder,
                purpose=collection.purpose,
                recognition=collection.recognition.value,
                basis=collection.basis,
                retain_until=records.text_of(collection.retain_until),
                declared_at=now.isoformat(),
            )
        )

    def get(self, name: str) -> Collection:
        """The collection of this name.

        Raises:
            CollectionUnknown: there is none.
        """
        return records.collection_of(self._row(name))

    def folder(self, name: str) -> str:
        """Where the photographs of a collection lie.

        Raises:
            CollectionUnknown: there is none of this name.
        """
        return str(self._row(name).folder)

    def all(self) -> list[Collection]:
        """Every collection, by name."""
        return self._listed(collections.c.name)

    def newest_first(self) -> list[Collection]:
        """Every collection, the one that was declared last first."""
        return self._listed(collections.c.declared_at.desc(), collections.c.name)

    def of_photograph(self, photo: PhotoId) -> Collection:
        """The collection that a photograph belongs to.

        Raises:
            PhotographUnknown: there is no such photograph.
        """
        query = (
            sa.select(collections)
            .join(photos, photos.c.collection_id == collections.c.id)
            .where(photos.c.id == int(photo))
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise PhotographUnknown(
                expected="a scanned photograph",
                found=repr(photo),
                remedy="Give its path as `sayso screen` prints it, or scan its collection first.",
            )
        return records.collection_of(row)

    def counts(self) -> Mapping[CollectionId, tuple[int, int]]:
        """Files and faces of each collection."""
        of_files = sa.select(sa.func.count()).select_from(files)
        of_faces = (
            sa.select(sa.func.count())
            .select_from(faces)
            .join(photos, faces.c.photo_id == photos.c.id)
        )
        return {
            CollectionId(one): (
                self._number(of_files.where(files.c.collection_id == one)),
                self._number(of_faces.where(photos.c.collection_id == one)),
            )
            for one in self._connection.execute(sa.select(collections.c.id)).scalars().all()
        }

    def contents(self, collection: CollectionId) -> tuple[int, int]:
        """Photographs and faces of a collection."""
        query = (
            sa.select(sa.func.count(photos.c.id.distinct()), sa.func.count(faces.c.id))
            .outerjoin(faces, faces.c.photo_id == photos.c.id)
            .where(photos.c.collection_id == collection)
        )
        photographs, found = self._connection.execute(query).one()
        return photographs, found

    def empty(self, collection: CollectionId) -> None:
        """Remove all that is known of a collection's photographs; its declaration stays.

        Files, faces, what comparisons found and what humans said go with the photographs, and so
        do its publications. The photographs themselves are the controller's own: not touched.
        """
        for table in (photos, publications):
            self._connection.execute(sa.delete(table).where(table.c.collection_id == collection))
        bump_version(self._connection)

    def gallery(self, collection: CollectionId) -> GallerySize | None:
        """How large the gallery was that its faces were last compared with; None: never."""
        size = (collections.c.gallery_people, collections.c.gallery_references)
        query = sa.select(*size).where(collections.c.id == collection)
        people, references = self._connection.execute(query).one()
        return None if people is None else GallerySize(people, references)

    def keep_gallery(self, collection: CollectionId, size: GallerySize) -> None:
        """Keep how large the gallery is that its faces are compared with from now on."""
        if self.gallery(collection) == size:
            return
        self._connection.execute(
            sa.update(collections)
            .where(collections.c.id == collection)
            .values(gallery_people=size.people, gallery_references=size.references)
        )
        bump_version(self._connection)

    def _listed(self, *order: sa.ColumnElement[Any]) -> list[Collection]:
        query = sa.select(collections).order_by(*order)
        return [records.collection_of(row) for row in self._connection.execute(query)]

    def _number(self, query: sa.Select[Any]) -> int:
        return int(self._connection.execute(query).scalar_one())

    def _row(self, name: str) -> records.Row:
        query = sa.select(collections).where(
            (collections.c.name == name) | (collections.c.id == name)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise CollectionUnknown(
                expected="the name of a collection",
                found=repr(name),
                remedy="See `sayso collection list`, or declare it with `sayso collection add`.",
            )
        return row
