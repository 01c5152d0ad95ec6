"""The take-down list: made by itself, acted on and ticked off by the operator."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sayso.domain.consent import Lack
from sayso.domain.grant import Grant, Purpose
from sayso.domain.person import PersonId
from sayso.errors import ConsentError
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.ports import Clock
from sayso.store.repository import Repository
from sayso.store.takedowns import Place, Takedown

__all__ = ["DEFAULT_DAYS", "TakeDowns", "Takedown", "listing"]

DEFAULT_DAYS = 7


@dataclass(frozen=True, slots=True)
class TakeDowns:
    """The use case; ``days``: how long there is to take a copy down."""

    repository: Repository
    book: Book
    clock: Clock
    days: int = DEFAULT_DAYS

    def __call__(self, person: str | None = None, *, done: bool = False) -> list[Takedown]:
        """The places to act on (with ``done`` those dealt with too), by due date.

        Of whom the list tells is entered first; as what follows from a no, so that no clock stands
        in the way of taking copies down.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
        """
        with self.book.writing() as page:
            unit = page.unit
            known = None if person is None else unit.people.get(person).id
            listing(page, self.clock(), self.days)
            listed = unit.takedowns.all(known, done=done)
            told = {one.person for one in listed if one.person is not None}
            if told:
                page.enter(Action.TAKEDOWN, subjects=told, details={"told": len(listed)})
        return listed

    def tick_off(self, takedown: int) -> Takedown:
        """Say that a place was dealt with.

        Raises:
            TakedownUnknown: nothing of this number is on the list.
        """
        with self.book.writing() as page:
            done = page.unit.takedowns.tick_off(takedown, self.clock())
            subjects = [] if done.person is None else [PersonId(done.person)]
            page.enter(Action.TAKEDOWN, subjects=subjects, details={"takedown": done.id})
        return done


def listing(page: Page, now: datetime, days: int, person: PersonId | None = None) -> int:
    """Put every published copy on the list that shows somebody who may be shown no more.

    What is new on it is entered, with whom the copies show: from then on it is to be acted on.

    Args:
        page: to write on.
        now: the instant that consents are asked for.
        days: how long there is to take a copy down.
        person: only copies that show this person; None: anybody's.

    Returns:
        How many places were new.
    """
    unit = page.unit
    places = unit.takedowns.places(person)
    records = unit.people.all_consents({place.person for place in places})
    lacking: dict[str, list[Place]] = {}
    for place in places:
        record = records[place.person]
        grant = Grant(Purpose.PUBLISH, place.channel)
        try:
            answer = record.live(grant, place.collection, now)
        except ConsentError:
            answer = Lack.CONTESTED  # what cannot be read permits nothing
        if isinstance(answer, Lack):
            ended = "withdrawn" if answer in {Lack.WITHDRAWN, Lack.CONTESTED} else "expired"
            lacking.setdefault(ended, []).append(place)
    due = now + timedelta(days=days)
    count = 0
    for reason, within in lacking.items():
        new = unit.takedowns.add(within, reason=reason, due_at=due)
        if new:
            page.enter(
                Action.TAKEDOWN,
                subjects={place.person for place in new},
                details={"listed": len(new), "reason": reason, "due": due.date().isoformat()},
            )
        count += len(new)
    return count
