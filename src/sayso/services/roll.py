"""The roll: everybody who was asked, with what stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import Act
from sayso.domain.grant import Grant
from sayso.domain.person import Person
from sayso.errors import SealBroken
from sayso.ledger.entry import Action
from sayso.services.apart import Alike, Apart, LookAlike
from sayso.services.book import Book
from sayso.services.ports import Clock
from sayso.store.repository import Repository


@dataclass(frozen=True, slots=True)
class Listed:
    """A person, how many references they have, and the grants that are live somewhere.

    Attributes:
        alike: from whom the recogniser cannot tell them apart, as far as staff may be told; None:
            some template does not open, and nobody was compared.
    """

    person: Person
    templates: int
    grants: tuple[str, ...]
    alike: tuple[LookAlike, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Roll:
    """The use case.

    Attributes:
        apart: works out who cannot be told apart; None: nobody is compared.
    """

    repository: Repository
    book: Book
    clock: Clock
    apart: Apart | None = None

    def __call__(self) -> Sequence[Listed]:
        """Everybody, by name; that they are told of is entered first, of each of them."""
        now = self.clock()
        alike, compared = self._alike()
        with self.book.writing() as page:
            unit = page.unit
            records = unit.people.all_consents()
            counts = unit.templates.counts()
            people = unit.people.all()
            if people:
                told = [person.id for person in people]
                page.enter(
                    Action.DISCLOSURE,
                    subjects=told,
                    details={"of": "people"}
                    | ({"templates_opened": opened} if (opened := alike.opened) else {}),
                )

        def live(record: Consents, grant: Grant) -> bool:
            points = record.points(grant.purpose)
            return any(not isinstance(record.live(grant, p, now), Lack) for p in points)

        return [
            Listed(
                person,
                counts.get(person.id, 0),
                tuple(str(g) for g in _asked(records[person.id]) if live(records[person.id], g)),
                alike.people.get(person.id, ()) if compared else None,
            )
            for person in people
        ]

    def _alike(self) -> tuple[Alike, bool]:
        """Who cannot be told apart; and whether that could be worked out."""
        if self.apart is None:
            return Alike(), True
        try:
            with self.repository.reading() as unit:
                return self.apart(unit), True
        except SealBroken:
            return Alike(), False

    def one(self, id_or_name: str) -> Person:
        """One person.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
        """
        with self.repository.reading() as unit:
            return unit.people.get(id_or_name)


def _asked(record: Consents) -> list[Grant]:
    """Every grant that was ever given."""
    given = {(e.purpose, e.target) for e in record.events if e.act is Act.GIVEN}
    return sorted(Grant(purpose, target) for purpose, target in given)
