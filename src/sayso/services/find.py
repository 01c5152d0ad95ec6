"""A person's photographs, for that person."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sayso.domain.face import Box, FaceId
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import CollectionId
from sayso.domain.policy import Find, Permit, Refusal, decide, require
from sayso.domain.sighting import Limits, Link
from sayso.errors import SettingMalformed
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.limits import Standard
from sayso.services.ports import Clock
from sayso.store.repository import Unit
from sayso.store.sightings import Appearance, Place

_STEP = 500
"""Photographs that are looked up at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """A photograph in which the person is; similarity None where a human marked the face."""

    collection: str
    path: str
    box: Box
    similarity: float | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some of a person's photographs, best first.

    Attributes:
        next: what to ask the next page with; None: this is the last.
    """

    person: Person
    photographs: tuple[Found, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class FindPhotographs:
    """The use case.

    Attributes:
        standard: what comparisons found is held to.
    """

    book: Book
    clock: Clock
    standard: Standard

    def __call__(self, person: str) -> tuple[Person, tuple[Found, ...]]:
        """All of the person's photographs; see `page`."""
        page = self.page(person, limit=None)
        return page.person, page.photographs

    def page(self, person: str, *, after: str | None = None, limit: int | None) -> FoundPage:
        """The person's photographs, best first, out of the collections that their consent covers.

        Those that a human marked come before any match.

        Args:
            person: an id, or a name that only one has.
            after: the ``next`` of the page before; None: from the best.
            limit: at most so many, from 1; None: all.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            Denied: no collection may be searched for them.
            SettingMalformed: ``after`` is no ``next`` of a page.
        """
        now = self.clock()
        last = None if after is None else _place(after)
        with self.book.writing() as page:
            unit = page.unit
            known = unit.people.get(person)
            permitted = _permitted(unit, known, now)
            wanted = None if limit is None else limit + 1
            limits = self.standard(unit)
            seen = list(islice(_appearances(unit, known.id, permitted, limits, last), wanted))
            found = seen[:limit]
            unit.people.touch(known.id, now)  # retention counts from the last time in touch
            page.enter(Action.ACCESS, subjects=[known.id], details={"photographs": len(found)})
        return FoundPage(
            known,
            tuple(
                Found(one.collection, one.path, one.box, one.sighting.similarity) for one in found
            ),
            _cursor(found[-1].place) if len(seen) > len(found) else None,
        )


def _appearances(
    unit: Unit,
    person: PersonId,
    permitted: Mapping[Link, Sequence[CollectionId]],
    limits: Limits,
    last: Place | None,
) -> Iterator[Appearance]:
    """Marks, then matches, some at a time."""
    for link in (Link.MARKED, Link.MATCH):
        if last is not None and last.similarity is not None and link is Link.MARKED:
            continue  # the place is among the matches: the marks are behind us
        after = None if last is None or (last.similarity is None) is (link is Link.MATCH) else last
        while True:
            found = unit.sightings.of_person(
                person, link, permitted.get(link, ()), limits, after=after, limit=_STEP
            )
            yield from found
            if len(found) < _STEP:
                break
            after = found[-1].place


def _cursor(place: Place) -> str:
    facts = [place.similarity, place.collection, place.path, place.face]
    return base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        similarity, collection, path, face = json.loads(text)
        alike = None if similarity is None else float(similarity)
        return Place(alike, str(collection), str(path), FaceId(str(int(face))))
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise SettingMalformed(
            expected="what the page before gave as next",
            found=repr(cursor),
            remedy="Begin again without --after.",
        ) from None


def _permitted(unit: Unit, person: Person, now: datetime) -> dict[Link, list[CollectionId]]:
    """Collections in which matches, or marks, of the person may be told to them."""
    record = unit.people.consents(person.id)
    collections = unit.collections.all()
    requests = [
        Find(person.id, collection, link)
        for collection in collections
        for link in (Link.MARKED, Link.MATCH)
    ]
    answers = [(request, decide(request, record, now)) for request in requests]
    links: dict[Link, list[CollectionId]] = {}
    for request, answer in answers:
        if isinstance(answer, Permit):
            links.setdefault(request.link, []).append(request.collection.id)
    if not links and requests:
        refused = next(r for r, answer in answers if isinstance(answer, Refusal))
        require(refused, record, now)
    return links
