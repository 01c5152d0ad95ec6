"""A person's photographs, for that person."""

from dataclasses import dataclass
from datetime import datetime

from sayso.domain.face import Box
from sayso.domain.person import Person
from sayso.domain.policy import Find, Permit, Refusal, decide, require
from sayso.domain.sighting import Link
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.ports import Clock
from sayso.store.repository import Unit


@dataclass(frozen=True, slots=True)
class Found:
    """A photograph in which the person is; similarity None where a human marked the face."""

    collection: str
    path: str
    box: Box
    similarity: float | None


@dataclass(frozen=True, slots=True)
class FindPhotographs:
    """The use case."""

    book: Book
    clock: Clock

    def __call__(self, person: str) -> tuple[Person, tuple[Found, ...]]:
        """The person's photographs, best first, out of the collections that their consent covers.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            Denied: no collection may be searched for them.
        """
        now = self.clock()
        with self.book.writing() as page:
            unit = page.unit
            known = unit.people.get(person)
            links = _permitted(unit, known, now)
            found = [
                Found(collection, appearance.path, appearance.box, appearance.sighting.similarity)
                for collection, link in links
                for appearance in unit.sightings.of_person(
                    known.id, unit.collections.get(collection).id
                )
                if appearance.sighting.link is link
            ]
            unit.people.touch(known.id, now)  # retention counts from the last time in touch
            page.enter(Action.ACCESS, subjects=[known.id], details={"photographs": len(found)})
        return known, tuple(sorted(found, key=_best_first))


def _permitted(unit: Unit, person: Person, now: datetime) -> list[tuple[str, Link]]:
    """Collections, by name, in which matches or marks of the person may be told to them."""
    record = unit.people.consents(person.id)
    collections = unit.collections.all()
    requests = [
        Find(person.id, collection, link)
        for collection in collections
        for link in (Link.MARKED, Link.MATCH)
    ]
    answers = [(request, decide(request, record, now)) for request in requests]
    links = [
        (request.collection.name, request.link)
        for request, answer in answers
        if isinstance(answer, Permit)
    ]
    if not links and requests:
        refused = next(r for r, answer in answers if isinstance(answer, Refusal))
        require(refused, record, now)
    return links


def _best_first(found: Found) -> tuple[float, str, str]:
    similarity = 2.0 if found.similarity is None else found.similarity
    return (-similarity, found.collection, found.path)
