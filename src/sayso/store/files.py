"""Where photographs lie: the paths of a collection, in pages, and what is known of listed ones."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from sayso.domain.photo import CollectionId, PhotoId
from sayso.store import records
from sayso.store.photographs import Located
from sayso.store.tables import collections, files, photos

_PAGE = 500


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that was scanned: its own number, which no other file ever gets, and what it was."""

    id: int
    located: Located


@dataclass(frozen=True, slots=True)
class Placed:
    """A path of a collection and the photograph that lies there."""

    id: int
    path: str
    photo: PhotoId


class Files:
    """Everything about paths, within one transaction. Reads only."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def known(self, collection: CollectionId, paths: Iterable[str]) -> dict[str, KnownFile]:
        """What is known of some paths, by path; those that are not known are left out."""
        query = sa.select(files.c.id, files.c.path, files.c.size_bytes, files.c.modified_ns).where(
            files.c.collection_id == collection, files.c.path.in_(sorted(paths))
        )
        return {
            row.path: KnownFile(row.id, Located(row.path, row.size_bytes, row.modified_ns))
            for row in self._connection.execute(query)
        }

    def newest(self) -> int:
        """The highest number of any file, 0 if there is none; later ones get higher ones."""
        return self._connection.execute(sa.select(sa.func.max(files.c.id))).scalar_one() or 0

    def count(self, collection: CollectionId) -> int:
        """How many files of a collection are known."""
        query = sa.select(sa.func.count()).where(files.c.collection_id == collection)
        return int(self._connection.execute(query).scalar_one())

    def page(
        self, collection: CollectionId, *, after: str | None = None, limit: int
    ) -> list[Placed]:
        """A collection's files in the order of their paths (by code points).

        Args:
            collection: whose files.
            after: the last path of the page before, or any; None: from the beginning.
            limit: at most so many.
        """
        query = (
            sa.select(files.c.id, files.c.path, files.c.photo_id)
            .where(files.c.collection_id == collection)
            .order_by(files.c.path)
            .limit(limit)
        )
        if after is not None:
            query = query.where(files.c.path > after)
        return [
            Placed(row.id, row.path, PhotoId(str(row.photo_id)))
            for row in self._connection.execute(query)
        ]

    def everywhere(self) -> Iterator[list[Placed]]:
        """Every file of every collection, some at a time."""
        after = 0
        query = sa.select(files.c.id, files.c.path, files.c.photo_id).order_by(files.c.id)
        while rows := self._connection.execute(query.where(files.c.id > after).limit(_PAGE)).all():
            yield [Placed(row.id, row.path, PhotoId(str(row.photo_id))) for row in rows]
            after = rows[-1].id

    def telling_of_erased(self, collection: CollectionId) -> frozenset[str]:
        """Paths by which no copy may be called: they, or others of their content, told of somebody.

        That was somebody who was erased since; of whom, nobody knows any more.
        """
        query = (
            sa.select(files.c.path)
            .join(photos, photos.c.id == files.c.photo_id)
            .where(
                files.c.collection_id == collection,
                sa.or_(files.c.tells_erased, photos.c.tells_erased),
            )
        )
        return frozenset(self._connection.execute(query).scalars())

    def at_path(self, path: str) -> list[tuple[str, PhotoId]]:
        """Names of collections and photographs that lie at this path, relative or absolute."""
        held = self._connection.execute(sa.select(collections)).all()
        relative = [(one, path) for one in held]
        absolute = [
            (one, path.removeprefix(one.folder).removeprefix("/"))
            for one in held
            if path.startswith(f"{one.folder.rstrip('/')}/")
        ]
        return self._lying(relative) or self._lying(absolute)

    def paths_of(self, contents: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Where some contents (SHA-256) lie now, as ``collection/path``."""
        query = (
            sa.select(photos.c.sha256, collections.c.name, files.c.path)
            .join(photos, photos.c.id == files.c.photo_id)
            .join(collections, collections.c.id == files.c.collection_id)
            .where(photos.c.sha256.in_(sorted(set(contents))))
            .order_by(collections.c.name, files.c.path)
        )
        rows = [tuple(row) for row in self._connection.execute(query)]
        by_content = itertools.groupby(sorted(rows, key=lambda row: row[0]), key=lambda row: row[0])
        return {
            sha256: tuple(f"{name}/{path}" for _, name, path in group)
            for sha256, group in by_content
        }

    def _lying(self, places: Iterable[tuple[records.Row, str]]) -> list[tuple[str, PhotoId]]:
        found = []
        for collection, path in places:
            query = sa.select(files.c.photo_id).where(
                files.c.collection_id == collection.id, files.c.path == path
            )
            photo = self._connection.execute(query).scalar_one_or_none()
            if photo is not None:
                found.append((str(collection.name), PhotoId(str(photo))))
        return found
