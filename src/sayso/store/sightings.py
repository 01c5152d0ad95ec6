"""What links faces to people: comparisons' findings and humans' judgements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sayso.domain.face import Box, FaceId
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId, PhotoId
from sayso.domain.sighting import Link, Sighting
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.tables import faces, files, judgements, photos, sightings

_JUDGED = frozenset({Link.MARKED, Link.REJECTED})


@dataclass(frozen=True, slots=True)
class Appearance:
    """A face that is linked to a person, and where it is."""

    path: str
    box: Box
    sighting: Sighting


class Sightings:
    """Links between faces and people, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, found: Iterable[Sighting], *, model_sha256: str) -> None:
        """Keep what a comparison found, in place of what an earlier one said of the same."""
        for sighting in found:
            self._connection.execute(
                sa.insert(sightings)
                .prefix_with("OR REPLACE")
                .values(
                    face_id=int(sighting.face),
                    person_id=sighting.person,
                    link=sighting.link.value,
                    similarity=sighting.similarity,
                    model_sha256=model_sha256,
                )
            )

    def hold_to(self, collection: CollectionId, *, match: float, review: float) -> None:
        """Hold what comparisons found in a collection to thresholds that have risen since.

        A gallery that grew needs higher ones: matches below become doubts, doubts below go. What
        was a doubt stays one, since two people may have matched.
        """
        inside = (
            sa.select(faces.c.id)
            .join(photos, photos.c.id == faces.c.photo_id)
            .where(photos.c.collection_id == collection)
            .scalar_subquery()
        )
        here = sightings.c.face_id.in_(inside)
        self._connection.execute(sa.delete(sightings).where(here, sightings.c.similarity < review))
        self._connection.execute(
            sa.update(sightings)
            .where(here, sightings.c.link == Link.MATCH.value, sightings.c.similarity < match)
            .values(link=Link.REVIEW.value)
        )

    def judge(self, face: FaceId, person: PersonId, link: Link, now: datetime) -> None:
        """Keep a human's word on a face: marked as a person (instead of any other), or not them."""
        if link not in _JUDGED:
            msg = f"{link} is no human's word"
            raise ValueError(msg)
        if link is Link.MARKED:
            self._connection.execute(
                sa.delete(judgements).where(
                    judgements.c.face_id == int(face), judgements.c.link == Link.MARKED.value
                )
            )
        self.unjudge(face, person)
        bump_version(self._connection)
        self._connection.execute(
            sa.insert(judgements).values(
                face_id=int(face), person_id=person, link=link.value, at=now.isoformat()
            )
        )

    def unjudge(self, face: FaceId, person: PersonId) -> int:
        """Take a human's word on a face and a person back; gives how many there were."""
        gone = self._connection.execute(
            sa.delete(judgements).where(
                judgements.c.face_id == int(face), judgements.c.person_id == person
            )
        )
        bump_version(self._connection)
        return gone.rowcount

    def of_collection(self, collection: CollectionId) -> Mapping[FaceId, tuple[Sighting, ...]]:
        """Every link of a collection's faces."""
        return self._links(photos.c.collection_id == collection)

    def of_photograph(self, photo: PhotoId) -> Mapping[FaceId, tuple[Sighting, ...]]:
        """Every link of a photograph's faces."""
        return self._links(photos.c.id == int(photo))

    def of_person(self, person: PersonId, collection: CollectionId) -> list[Appearance]:
        """Where a person was matched or marked in a collection, rejections left out, best first.

        A human's mark comes before any match. A face that matched somebody else as well, whom no
        human ruled out, is a doubt and left out, whoever of them said yes first.
        """
        rejected = sa.select(judgements.c.face_id).where(
            judgements.c.person_id == person, judgements.c.link == Link.REJECTED.value
        )
        # A face that a human marked as somebody else is not this person's either.
        others = sa.select(judgements.c.face_id).where(
            judgements.c.person_id != person, judgements.c.link == Link.MARKED.value
        )
        rival, said = sightings.alias("rival"), judgements.alias("said")
        ruled_out = sa.exists().where(
            said.c.face_id == rival.c.face_id,
            said.c.person_id == rival.c.person_id,
            said.c.link == Link.REJECTED.value,
        )
        contended = sa.select(rival.c.face_id).where(
            rival.c.person_id != person, rival.c.link == Link.MATCH.value, ~ruled_out
        )
        found: dict[tuple[str, FaceId], Appearance] = {}
        for table, link, doubtful in (
            (sightings, Link.MATCH, contended),
            (judgements, Link.MARKED, rejected),
        ):
            query = (
                sa.select(table, faces.c.x, faces.c.y, faces.c.width, faces.c.height, files.c.path)
                .join(faces, faces.c.id == table.c.face_id)
                .join(photos, photos.c.id == faces.c.photo_id)
                .join(files, files.c.photo_id == photos.c.id)
                .where(photos.c.collection_id == collection)
                .where(table.c.person_id == person, table.c.link == link.value)
                .where(table.c.face_id.not_in(rejected), table.c.face_id.not_in(others))
                .where(table.c.face_id.not_in(doubtful))
            )
            for row in self._connection.execute(query):
                box = Box(row.x, row.y, row.width, row.height)
                sighting = _sighting(row)
                found[row.path, sighting.face] = Appearance(row.path, box, sighting)
        return sorted(found.values(), key=_best_first)

    def _links(self, where: sa.ColumnElement[bool]) -> Mapping[FaceId, tuple[Sighting, ...]]:
        links: dict[FaceId, tuple[Sighting, ...]] = {}
        for table in (sightings, judgements):
            query = (
                sa.select(table)
                .join(faces, faces.c.id == table.c.face_id)
                .join(photos, photos.c.id == faces.c.photo_id)
                .where(where)
            )
            for row in self._connection.execute(query):
                sighting = _sighting(row)
                links[sighting.face] = (*links.get(sighting.face, ()), sighting)
        return links


def _sighting(row: records.Row) -> Sighting:
    similarity = getattr(row, "similarity", None)
    return Sighting(FaceId(str(row.face_id)), PersonId(row.person_id), Link(row.link), similarity)


def _best_first(appearance: Appearance) -> tuple[float, str]:
    similarity = appearance.sighting.similarity
    return (-2.0 if similarity is None else -similarity, appearance.path)
