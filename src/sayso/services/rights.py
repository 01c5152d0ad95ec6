"""Withdrawal and erasure: as easy as giving, and in force for the very next decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import EVERYWHERE, Purpose
from sayso.domain.person import Guardian, Person, PersonId
from sayso.domain.policy import HoldTemplate, Permit, decide
from sayso.services.ports import Clock
from sayso.store.publications import Showing
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal ended.

    Attributes:
        templates: how many references were destroyed.
        published: copies that still show the person: the controller's take-down list.
    """

    person: Person
    purposes: tuple[Purpose, ...]
    templates: int
    published: tuple[Showing, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed, and which published copies showed the person."""

    person: PersonId
    templates: int
    published: tuple[Showing, ...]


@dataclass(frozen=True, slots=True)
class Rights:
    """The use cases."""

    repository: Repository
    clock: Clock

    def withdraw(self, person: str, purpose: Purpose | None = None) -> Withdrawn:
        """End one purpose, or all. When ``recognise`` ends the template goes with it.

        The withdrawal is recorded for everybody who gave consent for this person, so that one
        step suffices; where nobody did, as the person's own no.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
        """
        now = self.clock()
        purposes = tuple(Purpose) if purpose is None else (purpose,)
        with self.repository.writing() as unit:
            known = unit.people.get(person)
            givers = _givers(unit, known)
            unit.people.record(
                [_refusal(known, one, giver, now) for one in purposes for giver in givers]
            )
            templates = _drop_unpermitted(unit, known.id, now)
            published = tuple(unit.publications.showing(known.id))
        self.repository.forget()
        # A face that was shown on a match is shown no more once recognise has ended.
        shown = published if {Purpose.PUBLISH, Purpose.RECOGNISE} & set(purposes) else ()
        return Withdrawn(known, purposes, templates, shown)

    def erase(self, person: str) -> Erased:
        """Remove everything of a person; what was published is listed once more, then forgotten.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            WorkspaceBusy: everything is removed, but a reader keeps old pages alive.
        """
        with self.repository.writing() as unit:
            known = unit.people.get(person)
            published = tuple(unit.publications.showing(known.id))
            templates = unit.people.drop_templates(known.id)
            unit.people.erase(known.id)
        self.repository.forget()
        return Erased(known.id, templates, published)


def _givers(unit: Unit, person: Person) -> Sequence[Guardian | None]:
    givers = {
        event.giver: event.guardian
        for event in unit.people.consents(person.id).events
        if event.act in {Act.GIVEN, Act.RENEWED}
    }
    return list(givers.values()) or [None]


def _refusal(
    person: Person, purpose: Purpose, guardian: Guardian | None, now: datetime
) -> ConsentEvent:
    return ConsentEvent(
        act=Act.WITHDRAWN,
        person=person.id,
        purpose=purpose,
        target=None,
        scope=EVERYWHERE,
        at=now,
        guardian=guardian,
    )


def _drop_unpermitted(unit: Unit, person: PersonId, now: datetime) -> int:
    """In the same transaction as the withdrawal: no template without a permit to hold it."""
    answer = decide(HoldTemplate(person), unit.people.consents(person), now)
    return 0 if isinstance(answer, Permit) else unit.people.drop_templates(person)
