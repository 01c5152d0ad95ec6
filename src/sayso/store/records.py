"""Between rows and domain values. What does not fit the domain raises; nothing is guessed."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from sayso.domain.event import Act, ConsentEvent, Evidence, Notice
from sayso.domain.face import Box, Certainty, Face, Landmarks, Point
from sayso.domain.grant import Purpose, Scope
from sayso.domain.person import Guardian, Person, PersonId
from sayso.domain.photo import Collection, CollectionId, Recognition

Row = sa.Row[Any]
Values = dict[str, Any]
_Part = TypeVar("_Part", Guardian, Evidence, Notice)


def time_of(text: str | None) -> datetime | None:
    """An aware time out of its column."""
    return None if text is None else datetime.fromisoformat(text)


def text_of(time: datetime | None) -> str | None:
    """A time for its column."""
    return None if time is None else time.isoformat()


def collection_of(row: Row) -> Collection:
    """A collection out of its row."""
    return Collection(
        id=CollectionId(row.id),
        name=row.name,
        purpose=row.purpose,
        recognition=Recognition(row.recognition),
        basis=row.basis,
        retain_until=time_of(row.retain_until),
    )


def person_of(row: Row) -> Person:
    """A person out of their row."""
    born = None if row.born is None else date.fromisoformat(row.born)
    return Person(PersonId(row.id), row.name, born, row.jurisdiction)


def event_of(row: Row) -> ConsentEvent:
    """A consent event out of its row."""
    scope = None if row.scope is None else frozenset(map(CollectionId, json.loads(row.scope)))
    return ConsentEvent(
        act=Act(row.act),
        person=PersonId(row.person_id),
        purpose=Purpose(row.purpose),
        target=row.target,
        scope=Scope(scope),
        at=datetime.fromisoformat(row.at),
        guardian=_part(Guardian, row.guardian),
        expires=time_of(row.expires),
        evidence=_part(Evidence, row.evidence),
        notice=_part(Notice, row.notice),
        fields=frozenset(json.loads(row.fields)),
    )


def event_values(event: ConsentEvent) -> Values:
    """A consent event for its row."""
    scope = event.scope.collections
    return {
        "person_id": event.person,
        "act": event.act.value,
        "purpose": event.purpose.value,
        "target": event.target,
        "scope": None if scope is None else json.dumps(sorted(scope)),
        "at": event.at.isoformat(),
        "guardian": _json(event.guardian, ("name", "relation", "verified_by")),
        "expires": text_of(event.expires),
        "evidence": _json(event.evidence, ("sha256", "kind")),
        "notice": _json(event.notice, ("sha256", "version", "language")),
        "fields": json.dumps(sorted(event.fields)),
    }


def face_of(row: Row) -> Face:
    """A face out of its row."""
    return Face(
        box=Box(row.x, row.y, row.width, row.height),
        landmarks=_landmarks(row.landmarks),
        score=row.score,
        height_px=row.height_px,
        certainty=Certainty(row.certainty),
    )


def face_values(face: Face) -> Values:
    """A face for its row."""
    marks = face.landmarks
    points = None if marks is None else [_pair(getattr(marks, name)) for name in _POINTS]
    return {
        "x": face.box.x,
        "y": face.box.y,
        "width": face.box.width,
        "height": face.box.height,
        "landmarks": None if points is None else json.dumps(points),
        "score": face.score,
        "height_px": face.height_px,
        "certainty": face.certainty.value,
    }


_POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")


def _landmarks(text: str | None) -> Landmarks | None:
    if text is None:
        return None
    return Landmarks(*(Point(x, y) for x, y in json.loads(text)))


def _pair(point: Point) -> list[float]:
    return [round(point.x, 6), round(point.y, 6)]


def _part(kind: type[_Part], text: str | None) -> _Part | None:
    facts: Mapping[str, str] | None = None if text is None else json.loads(text)
    return None if facts is None else kind(**facts)


def _json(value: object, names: tuple[str, ...]) -> str | None:
    return None if value is None else json.dumps({name: getattr(value, name) for name in names})
