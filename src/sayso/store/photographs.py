"""Photographs, where they lie, and the faces in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from sayso.domain.face import Box, Certainty, Face, FaceId, Said
from sayso.domain.photo import CollectionId, PhotoId
from sayso.errors import FaceUnknown, PhotographUnknown
from sayso.store import records
from sayso.store.tables import answers, faces, files, judgements, photos, sightings

_SAME_FACE_OVERLAP = 0.5
"""Boxes that share at least this much (intersection over union) are of the same face."""


@dataclass(frozen=True, slots=True)
class Located:
    """A file as it was when it was last looked at."""

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face with its id, and what a human said of there being one at all."""

    id: FaceId
    face: Face
    said: Said | None = None

    @property
    def doubtful(self) -> bool:
        """Whether nobody knows yet that it is a face."""
        return self.face.certainty is Certainty.PERHAPS and self.said is None

    @property
    def no_face(self) -> bool:
        """Whether a human said that there is none; of what is surely a face nobody can."""
        return self.face.certainty is Certainty.PERHAPS and self.said is Said.NO_FACE


@dataclass(frozen=True, slots=True)
class Photograph:
    """One content of a collection: its size in pixels (upright), its paths and its faces.

    Attributes:
        compared_through: the sequence of consent events up to which its faces were compared; -1:
            not at all; None: it has no face that could be compared.
        scrutinised: looked at as publication needs it; False: only as a scan does.
    """

    id: PhotoId
    sha256: str
    width_px: int
    height_px: int
    format: str
    compared_through: int | None
    scrutinised: bool
    paths: tuple[str, ...]
    faces: tuple[StoredFace, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """A photograph that has met people up to a sequence only."""

    photo: PhotoId
    compared_through: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scan found in one content."""

    sha256: str
    width_px: int
    height_px: int
    format: str
    faces: tuple[Face, ...]


class Photographs:
    """Everything about photographs, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def known(self, collection: CollectionId, sha256: str) -> PhotoId | None:
        """The photograph with this content, or None if the collection has none."""
        query = sa.select(photos.c.id).where(
            photos.c.collection_id == collection, photos.c.sha256 == sha256
        )
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else PhotoId(str(found))

    def place(self, collection: CollectionId, file: Located, photo: PhotoId) -> None:
        """Say that this content lies at this path now."""
        facts = {
            "photo_id": int(photo),
            "size_bytes": file.size_bytes,
            "modified_ns": file.modified_ns,
        }
        self._connection.execute(
            upsert(files)
            .values(collection_id=collection, path=file.path, **facts)
            .on_conflict_do_update(index_elements=["collection_id", "path"], set_=facts)
        )

    def forget_paths(self, collection: CollectionId, paths: Iterable[str]) -> None:
        """Say that nothing lies at these paths any more; contents and human marks stay."""
        for path in paths:
            self._connection.execute(
                sa.delete(files).where(files.c.collection_id == collection, files.c.path == path)
            )

    def tell_of_erased(self, photo: PhotoId, file: int) -> None:
        """Say that a file's path tells of somebody who is being erased: no copy is called so.

        Of the file, for what else will lie there; of the content, for where else that will lie.
        """
        for table, key in ((files, file), (photos, int(photo))):
            self._connection.execute(
                sa.update(table).where(table.c.id == key).values(tells_erased=True)
            )

    def any(self, collection: CollectionId) -> bool:
        """Whether any content of a collection was ever scanned, wherever it lies now."""
        query = sa.select(photos.c.id).where(photos.c.collection_id == collection).limit(1)
        return self._connection.execute(query).first() is not None

    def add(
        self, collection: CollectionId, seen: Seen, *, compared_through: int, now: datetime
    ) -> tuple[PhotoId, tuple[FaceId, ...]]:
        """Keep a scanned content with its faces; ids of the faces in the order of ``seen``.

        A content that is known already is kept, with a face that a human judged where it was. What
        the thorough look found of it is forgotten: publication looks again.
        """
        known = self.known(collection, seen.sha256)
        comparable = any(face.landmarks is not None for face in seen.faces)
        values = {
            "width_px": seen.width_px,
            "height_px": seen.height_px,
            "format": seen.format,
            "scanned_at": now.isoformat(),
            "compared_through": compared_through if comparable else None,
            "scrutinised_at": None,
        }
        if known is None:
            key = self._connection.execute(
                sa.insert(photos).values(collection_id=collection, sha256=seen.sha256, **values)
            ).inserted_primary_key
            photo = PhotoId(str(key[0] if key else ""))
            return photo, self._add_faces(photo, seen.faces)
        self._connection.execute(
            sa.update(photos).where(photos.c.id == int(known)).values(**values)
        )
        settled = self._replace_faces(known, seen.faces)
        if not comparable and self._has_comparable_face(known):
            self.compared({known: compared_through})
        return known, settled

    def compared(self, through: Mapping[PhotoId, int]) -> None:
        """Say up to which sequence each photograph's faces were compared with everybody."""
        if through:
            query = (
                sa.update(photos)
                .where(photos.c.id == sa.bindparam("photo"))
                .values(compared_through=sa.bindparam("reached"))
            )
            rows = [{"photo": int(photo), "reached": n} for photo, n in through.items()]
            self._connection.execute(query, rows)

    def compare_again(self) -> None:
        """Say that no face was compared with anybody: catching up compares all of them anew."""
        known = photos.c.compared_through.is_not(None)
        self._connection.execute(sa.update(photos).where(known).values(compared_through=-1))

    def behind(
        self, collection: CollectionId, through: int, *, after: Behind | None = None, limit: int
    ) -> list[Behind]:
        """Photographs of which some face was not compared up to this sequence.

        In the order of catching up: those that have met the most people first, of these the
        newest. An interrupted catch-up begins with the newest photographs, so what it left is
        behind by more, and older; the order is that of the index, which costs no sorting.

        Args:
            collection: whose photographs.
            through: the sequence that they should have reached.
            after: the last one of the page before; None: the first page.
            limit: the size of a page.
        """
        query = self._behind(collection, photos.c.id, photos.c.compared_through)
        here = photos.c.compared_through
        parts = [here < through]
        if after is not None:
            # Two ranges of one index; as a comparison of pairs SQLite would use only the first.
            parts = [
                sa.and_(here == after.compared_through, photos.c.id < int(after.photo)),
                here < after.compared_through,
            ]
        found: list[Behind] = []
        for part in parts:
            ordered = query.where(part).order_by(here.desc(), photos.c.id.desc())
            rows = self._connection.execute(ordered.limit(limit - len(found)))
            found += [Behind(PhotoId(str(photo)), met) for photo, met in rows]
        return found

    def backlog(self, collection: CollectionId, through: int) -> tuple[int, int]:
        """How many photographs are behind, and the least sequence that any of them reached."""
        here = photos.c.compared_through
        query = self._behind(collection, sa.func.count(), sa.func.min(here)).where(here < through)
        number, least = self._connection.execute(query).one()
        return number, through if least is None else least

    def _behind(self, collection: CollectionId, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        lies_somewhere = sa.exists().where(files.c.photo_id == photos.c.id)
        return (
            sa.select(*columns)
            .select_from(photos)
            .where(photos.c.collection_id == collection, lies_somewhere)
        )

    def get(self, photo: PhotoId) -> Photograph:
        """One photograph with its paths and faces.

        Raises:
            PhotographUnknown: there is none of this id.
        """
        found = self._photographs(photos.c.id == int(photo))
        if not found:
            raise _unknown(photo)
        return found[0]

    def some(self, wanted: Iterable[PhotoId]) -> dict[PhotoId, Photograph]:
        """Several photographs by their ids, those that are not known left out."""
        chosen = sorted({int(photo) for photo in wanted})
        return {photo.id: photo for photo in self._photographs(photos.c.id.in_(chosen))}

    def draw_face(self, photo: PhotoId, face: Face) -> FaceId:
        """Keep a face whose box a human drew where the detector found none."""
        (added,) = self._add_faces(photo, [face])
        return added

    def face_at(self, photograph: Photograph, box: Box) -> StoredFace:
        """The face of a photograph that best fits a box.

        Raises:
            FaceUnknown: none overlaps it by half.
        """
        best = max(
            photograph.faces,
            key=lambda stored: stored.face.box.intersection_over_union(box),
            default=None,
        )
        if best is None or best.face.box.intersection_over_union(box) < _SAME_FACE_OVERLAP:
            raise FaceUnknown(
                expected="a box around a face of this photograph",
                found=f"{box.x:.3f},{box.y:.3f},{box.width:.3f},{box.height:.3f}",
                remedy="Copy the box, or the face's id, from `sayso screen --json`.",
            )
        return best

    def _photographs(self, where: sa.ColumnElement[bool]) -> list[Photograph]:
        """Three queries for any number of photographs."""
        chosen = sa.select(photos.c.id).where(where).scalar_subquery()
        paths: dict[int, list[str]] = {}
        query = sa.select(files.c.photo_id, files.c.path).where(files.c.photo_id.in_(chosen))
        for photo, path in self._connection.execute(query):
            paths.setdefault(photo, []).append(path)
        found: dict[int, list[StoredFace]] = {}
        in_photos = sa.select(faces).where(faces.c.photo_id.in_(chosen)).order_by(faces.c.id)
        for row in self._connection.execute(in_photos):
            found.setdefault(row.photo_id, []).append(_stored(row))
        return [
            Photograph(
                id=PhotoId(str(row.id)),
                sha256=row.sha256,
                width_px=row.width_px,
                height_px=row.height_px,
                format=row.format,
                compared_through=row.compared_through,
                scrutinised=row.scrutinised_at is not None,
                paths=tuple(sorted(paths.get(row.id, ()))),
                faces=tuple(found.get(row.id, ())),
            )
            for row in self._connection.execute(sa.select(photos).where(where))
        ]

    def _has_comparable_face(self, photo: PhotoId) -> bool:
        """Whether one is left that a human judged and that was not found again."""
        query = sa.select(faces.c.id).where(
            faces.c.photo_id == int(photo), faces.c.landmarks.is_not(None)
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def _add_faces(self, photo: PhotoId, found: Sequence[Face]) -> tuple[FaceId, ...]:
        if not found:
            return ()
        rows = [{"photo_id": int(photo), **records.face_values(face)} for face in found]
        added = sa.insert(faces).returning(faces.c.id, sort_by_parameter_order=True)
        return tuple(FaceId(str(key)) for key in self._connection.execute(added, rows).scalars())

    def _replace_faces(self, photo: PhotoId, found: Sequence[Face]) -> tuple[FaceId, ...]:
        """Put newly found faces in place of the old, keeping those that a human judged."""
        judged = sa.or_(
            sa.exists().where(judgements.c.face_id == faces.c.id),
            sa.exists().where(answers.c.face_id == faces.c.id),
            faces.c.said.is_not(None),
            faces.c.no_face_by.is_not(None),
        )
        kept_rows = sa.select(faces).where(faces.c.photo_id == int(photo), judged)
        kept = [_stored(row) for row in self._connection.execute(kept_rows)]
        self._connection.execute(sa.delete(faces).where(faces.c.photo_id == int(photo), ~judged))
        return tuple(self._settle(photo, face, kept) for face in found)

    def _settle(self, photo: PhotoId, face: Face, kept: list[StoredFace]) -> FaceId:
        for stored in kept:
            if stored.face.box.intersection_over_union(face.box) >= _SAME_FACE_OVERLAP:
                kept.remove(stored)
                # It is compared anew, with everybody.
                self._connection.execute(
                    sa.delete(sightings).where(sightings.c.face_id == int(stored.id))
                )
                self._connection.execute(
                    sa.update(faces)
                    .where(faces.c.id == int(stored.id))
                    .values(**records.face_values(face))
                )
                return stored.id
        (added,) = self._add_faces(photo, [face])
        return added


def _stored(row: records.Row) -> StoredFace:
    said = None if row.said is None else Said(row.said)
    return StoredFace(FaceId(str(row.id)), records.face_of(row), said)


def _unknown(photo: str) -> PhotographUnknown:
    return PhotographUnknown(
        expected="a scanned photograph",
        found=repr(photo),
        remedy="Give its path as `sayso screen` prints it, or scan its collection first.",
    )
