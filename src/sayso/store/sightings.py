"""What links faces to people: comparisons' findings and humans' judgements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sayso.domain.doubt import disputed, shown_as
from sayso.domain.face import Box, FaceId
from sayso.domain.matching import SMALLEST_DECISIVE_HEIGHT_PX
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId, PhotoId
from sayso.domain.sighting import Limits, Link, Sighting, held_to
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.tables import (
    answers,
    collections,
    faces,
    files,
    judgements,
    persons,
    photos,
    sightings,
)

_JUDGED = frozenset({Link.MARKED, Link.REJECTED, Link.UNSURE})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an appearance stands in the order of `Sightings.of_person`; similarity of matches."""

    similarity: float | None
    collection: str
    path: str
    face: FaceId


@dataclass(frozen=True, slots=True)
class Appearance:
    """A face that is linked to a person, and where it is: the collection's name, the path."""

    collection: str
    path: str
    box: Box
    sighting: Sighting

    @property
    def place(self) -> Place:
        """Where it stands in the order."""
        sighting = self.sighting
        return Place(sighting.similarity, self.collection, self.path, sighting.face)


class Sightings:
    """Links between faces and people, within one transaction.

    What comparisons found is kept as it was found, and held to the thresholds of now when it is
    read: these may have risen since.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, found: Iterable[Sighting], *, model_sha256: str) -> None:
        """Keep what a comparison found, in place of what an earlier one said of the same."""
        rows = [
            {
                "face_id": int(sighting.face),
                "person_id": sighting.person,
                "link": sighting.link.value,
                "similarity": sighting.similarity,
                "model_sha256": model_sha256,
            }
            for sighting in found
        ]
        if rows:
            self._connection.execute(sa.insert(sightings).prefix_with("OR REPLACE"), rows)

    def forget(self, compared: Iterable[FaceId], *, joined_after: int, joined_through: int) -> None:
        """Forget what earlier comparisons found of people with whom faces were compared anew.

        Their references are others by now, or of another model: an old match is none any more.

        Args:
            compared: the faces.
            joined_after: people who joined after this sequence
            joined_through: and up to this one.
        """
        joined = persons.c.joined_at_sequence
        anew = sa.exists().where(
            persons.c.id == sightings.c.person_id, joined > joined_after, joined <= joined_through
        )
        here = sightings.c.face_id.in_(sorted({int(face) for face in compared}))
        self._connection.execute(sa.delete(sightings).where(here, anew))

    def let_go(self, collection: CollectionId, *, review: float, model_sha256: str) -> None:
        """Let go of what one model found in a collection and that is no doubt any more.

        A gallery that grew needs a higher threshold. Only what lies below is read.
        """
        here = sa.and_(_lies_in(collection), sightings.c.model_sha256 == model_sha256)
        for link in (Link.MATCH, Link.REVIEW):
            below = (sightings.c.link == link.value, sightings.c.similarity < review)
            self._connection.execute(sa.delete(sightings).where(*below, here))

    def strong_doubts(
        self, collection: CollectionId, *, match: float, model_sha256: str
    ) -> frozenset[PersonId]:
        """Who has doubts in a collection that are as alike as matches."""
        query = sa.select(sightings.c.person_id).where(
            *_strong(match, model_sha256), _lies_in(collection)
        )
        return frozenset(map(PersonId, self._connection.execute(query).scalars()))

    def doubt(self, collection: CollectionId, people: Iterable[PersonId]) -> None:
        """Make some people's matches in a collection doubts."""
        here = _lies_in(collection)
        for person in sorted(people):
            own = (sightings.c.person_id == person, sightings.c.link == Link.MATCH.value)
            doubt = sa.update(sightings).where(*own, here).values(link=Link.REVIEW.value)
            self._connection.execute(doubt)

    def settle(
        self,
        collection: CollectionId,
        *,
        match: float,
        model_sha256: str,
        people: Iterable[PersonId],
    ) -> None:
        """Make doubts about some people, who can be told apart, matches again.

        Those that are as alike as a match, in a face that is large enough and that nobody else is
        as like.

        Args:
            collection: whose faces.
            match: the threshold there, cosine.
            model_sha256: doubts of another model stay.
            people: who.
        """
        here, rival = _lies_in(collection), sightings.alias("rival")
        contended = sa.exists().where(
            rival.c.face_id == sightings.c.face_id,
            rival.c.person_id != sightings.c.person_id,
            # Similarities of two models say nothing beside each other: any is a rival.
            (rival.c.similarity >= match) | (rival.c.model_sha256 != sightings.c.model_sha256),
        )
        large = sa.exists().where(
            faces.c.id == sightings.c.face_id, faces.c.height_px >= SMALLEST_DECISIVE_HEIGHT_PX
        )
        for person in sorted(people):
            strong = (sightings.c.person_id == person, *_strong(match, model_sha256))
            decided = sa.update(sightings).where(*strong, here, large, ~contended)
            self._connection.execute(decided.values(link=Link.MATCH.value))

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

    def word(self, face: FaceId, person: PersonId) -> Link | None:
        """A human's word on a face and a person that holds; None: there is none."""
        said = sa.select(judgements.c.link).where(
            judgements.c.face_id == int(face), judgements.c.person_id == person
        )
        found = self._connection.execute(said).scalar_one_or_none()
        return None if found is None else Link(found)

    def unjudge(self, face: FaceId, person: PersonId) -> None:
        """Take a human's word on a face and a person back."""
        self._connection.execute(
            sa.delete(judgements).where(
                judgements.c.face_id == int(face), judgements.c.person_id == person
            )
        )
        bump_version(self._connection)

    def of_photographs(
        self, wanted: Iterable[PhotoId], limits: Limits
    ) -> Mapping[FaceId, tuple[Sighting, ...]]:
        """Every link of some photographs' faces, as it is while words wait."""
        where = faces.c.photo_id.in_(sorted({int(photo) for photo in wanted}))
        links = self._links(where, limits)
        query = sa.select(answers).join(faces, faces.c.id == answers.c.face_id).where(where)
        waiting: dict[FaceId, list[records.Row]] = {}
        for row in self._connection.execute(query):
            waiting.setdefault(FaceId(str(row.face_id)), []).append(row)
        for face, rows in waiting.items():
            denied = {PersonId(row.person_id) for row in rows if row.denies}
            marked = {PersonId(row.person_id) for row in rows if row.link == Link.MARKED}
            links[face] = disputed(links.get(face, ()), denied, marked)
        return links

    def of_photograph(
        self, photo: PhotoId, limits: Limits
    ) -> Mapping[FaceId, tuple[Sighting, ...]]:
        """Every link of a photograph's faces."""
        return self.of_photographs([photo], limits)

    def of_person(  # noqa: PLR0913 - what is asked for, and which page of it
        self,
        person: PersonId,
        link: Link,
        within: Iterable[CollectionId],
        limits: Limits,
        *,
        after: Place | None = None,
        limit: int,
    ) -> list[Appearance]:
        """Where a person was matched, or marked, in some collections, rejections left out.

        A face that a human marked as the person is a mark and no match; one that was marked as
        somebody else is not this person's. A face that matched somebody else as well, whom no
        human ruled out, is a doubt and left out, whoever of them said yes first.

        Args:
            person: whose.
            link: `Link.MATCH`: the most alike first; `Link.MARKED`. Then by collection and path.
            within: only there.
            limits: which thresholds hold now.
            after: where the last one of the page before stood; None: the first page.
            limit: at most so many.
        """
        found: list[Appearance] = []
        chosen, left = sorted(within), True
        while left and len(found) < limit:
            page = self._appearances(person, link, chosen, after, limit)
            left = len(page) == limit
            after = page[-1].place if page else None
            found += page if link is Link.MARKED else self._matching(person, page, limits)
        return found[:limit]

    def _matching(
        self, person: PersonId, page: list[Appearance], limits: Limits
    ) -> list[Appearance]:
        """Those of some faces that are this person's alone, by the thresholds of now."""
        faces_here = sorted({int(one.sighting.face) for one in page})
        links = self._links(faces.c.id.in_(faces_here), limits)
        return [one for one in page if shown_as(links.get(one.sighting.face, ())) == person]

    def _appearances(
        self,
        person: PersonId,
        link: Link,
        within: list[CollectionId],
        after: Place | None,
        limit: int,
    ) -> list[Appearance]:
        table = sightings if link is Link.MATCH else judgements
        other, place = judgements.alias("other"), _place(table, link)
        of_another = sa.exists().where(
            other.c.face_id == table.c.face_id,
            other.c.person_id != person,
            other.c.link == Link.MARKED.value,
        )
        columns = (faces.c.x, faces.c.y, faces.c.width, faces.c.height, files.c.path)
        query = (
            sa.select(table, *columns, collections.c.name)
            .join(faces, faces.c.id == table.c.face_id)
            .join(files, files.c.photo_id == faces.c.photo_id)
            .join(collections, collections.c.id == files.c.collection_id)
            .where(table.c.person_id == person, table.c.link == link.value)
            .where(~of_another, ~_disputed(table, person))
            .where(files.c.collection_id.in_(within))
            .order_by(*place)
            .limit(limit)
        )
        if link is Link.MATCH:
            query = query.where(~_judged(person))
        if after is not None:
            query = query.where(_beyond(place, after))
        return [
            Appearance(row.name, row.path, Box(row.x, row.y, row.width, row.height), _sighting(row))
            for row in self._connection.execute(query)
        ]

    def _links(
        self, where: sa.ColumnElement[bool], limits: Limits
    ) -> dict[FaceId, tuple[Sighting, ...]]:
        links: dict[FaceId, tuple[Sighting, ...]] = {}
        for table in (sightings, judgements):
            query = (
                sa.select(table, photos.c.collection_id)
                .join(faces, faces.c.id == table.c.face_id)
                .join(photos, photos.c.id == faces.c.photo_id)
                .where(where)
                .order_by(table.c.face_id, table.c.person_id)
            )
            for row in self._connection.execute(query):
                sighting = _sighting(row) if table is judgements else _held(row, limits)
                if sighting is not None:
                    links[sighting.face] = (*links.get(sighting.face, ()), sighting)
        return links


def _lies_in(collection: CollectionId) -> sa.ColumnElement[bool]:
    """Whether the face of a sighting is in a photograph of the collection."""
    return sa.exists().where(
        faces.c.id == sightings.c.face_id,
        photos.c.id == faces.c.photo_id,
        photos.c.collection_id == collection,
    )


def _strong(match: float, model_sha256: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Whether a sighting is a doubt, of this model, that is as alike as a match."""
    return (
        sightings.c.link == Link.REVIEW.value,
        sightings.c.similarity >= match,
        sightings.c.model_sha256 == model_sha256,
    )


def _sighting(row: records.Row) -> Sighting:
    similarity = getattr(row, "similarity", None)
    return Sighting(FaceId(str(row.face_id)), PersonId(row.person_id), Link(row.link), similarity)


def _held(row: records.Row, limits: Limits) -> Sighting | None:
    """What a comparison found, by the thresholds of now."""
    now = limits(CollectionId(row.collection_id), row.model_sha256, PersonId(row.person_id))
    return held_to(_sighting(row), now)


def _judged(person: PersonId) -> sa.ColumnElement[bool]:
    """Whether a human said anything of this match, for or against."""
    own = judgements.alias("own")
    return sa.exists().where(own.c.face_id == sightings.c.face_id, own.c.person_id == person)


def _disputed(table: sa.Table, person: PersonId) -> sa.ColumnElement[bool]:
    """Whether an operator's word against this face's being the person's waits for another's."""
    denied = (answers.c.person_id == person) & answers.c.denies
    marked = (answers.c.person_id != person) & (answers.c.link == Link.MARKED.value)
    return sa.exists().where(answers.c.face_id == table.c.face_id, denied | marked)


def _place(table: sa.Table, link: Link) -> tuple[sa.ColumnElement[Any], ...]:
    """What appearances are put in order by."""
    rest = (collections.c.name, files.c.path, table.c.face_id)
    return (table.c.similarity.desc(), *rest) if link is Link.MATCH else rest


def _beyond(place: tuple[sa.ColumnElement[Any], ...], after: Place) -> sa.ColumnElement[bool]:
    """Whether an appearance comes after a place in this order."""
    rest = sa.tuple_(*place[-3:]) > sa.tuple_(after.collection, after.path, int(after.face))
    if after.similarity is None:
        return rest
    alike = sightings.c.similarity  # the first condition alone is what the index can be asked
    return (alike <= after.similarity) & ((alike < after.similarity) | rest)
