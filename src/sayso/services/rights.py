"""Withdrawal and erasure: as easy as giving, and in force for the very next decision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import EVERYWHERE, Purpose
from sayso.domain.person import Guardian, Person, PersonId
from sayso.domain.policy import HoldTemplate, Permit, decide
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.erase import Erase, Erased
from sayso.services.ports import Clock
from sayso.services.refusals import remember_withdrawal
from sayso.services.takedowns import DEFAULT_DAYS, listing
from sayso.store.publications import Showing
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal ended.

    Attributes:
        templates: how many references were destroyed.
        published: copies that still show the person: the controller's take-down list.
        receipt: an offline proof that the withdrawal is in the ledger.
        swept: whether nothing of them is left in old pages either; else, though no key opens it,
            it goes on the next start, since another process was reading.
    """

    person: Person
    purposes: tuple[Purpose, ...]
    templates: int
    published: tuple[Showing, ...]
    receipt: bytes
    swept: bool = True


__all__ = ["Erased", "Rights", "Withdrawn"]


def _nothing_held(_person: PersonId) -> None:
    """For a process that compares nothing."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The use cases.

    Attributes:
        let_go: removes a person from what this process holds in memory.
    """

    repository: Repository
    book: Book
    clock: Clock
    places: tuple[Path, ...] = ()
    takedown_days: int = DEFAULT_DAYS
    let_go: Callable[[PersonId], None] = _nothing_held

    def withdraw(self, person: str, purpose: Purpose | None = None) -> Withdrawn:
        """End one purpose, or all. When ``recognise`` ends the template goes with it.

        The withdrawal is recorded for everybody who gave consent for this person, so that one
        step suffices; where nobody did, as the person's own no.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            ErasureIncomplete: it is done, but something of a template was found on reading back.
        """
        purposes = tuple(Purpose) if purpose is None else (purpose,)
        with self.book.writing() as page:
            unit = page.unit
            known = unit.people.get(person)
            givers = _givers(unit, known)
            now = _not_before(unit, known, self.clock())
            unit.people.record(
                [_refusal(known, one, giver, now) for one in purposes for giver in givers]
            )
            templates = _drop_unpermitted(unit, known.id, now)
            published = tuple(unit.publications.showing(known.id))
            remember_withdrawal(self.repository.vault, known.id, purposes, now)
            page.enter(
                Action.WITHDRAWAL,
                subjects=[known.id],
                details={"purposes": list(purposes), "references_destroyed": templates},
            )
            listing(page, now, self.takedown_days, known.id)  # entered behind what it follows from
        self.let_go(known.id)
        # A face that was shown on a match is shown no more once recognise has ended.
        shown = published if {Purpose.PUBLISH, Purpose.RECOGNISE} & set(purposes) else ()
        receipt = self.book.prove(page.receipts[0].sequence)
        swept = not self.repository.vault.store.sweep_is_due()
        return Withdrawn(known, purposes, templates, shown, receipt, swept)

    def erase(self, person: str) -> Erased:
        """Remove everything of a person; what was published is listed once more, then forgotten.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            ErasureIncomplete: everything is removed, but something was found on reading back.
            WorkspaceBusy: everything is removed, but a reader keeps old pages alive.
        """
        with self.repository.reading() as unit:
            known = unit.people.get(person)
        try:
            return self.erasing(known.id)
        finally:
            self.let_go(known.id)

    @property
    def erasing(self) -> Erase:
        """The use case of its own that erases."""
        return Erase(self.repository, self.book, self.clock, self.places, self.takedown_days)


def _givers(unit: Unit, person: Person) -> Sequence[Guardian | None]:
    givers = {
        event.giver: event.guardian
        for event in unit.people.consents(person.id).events
        if event.act in {Act.GIVEN, Act.RENEWED}
    }
    return list(givers.values()) or [None]


def _not_before(unit: Unit, person: Person, now: datetime) -> datetime:
    """This instant, or the record's last where the clock has run backwards.

    Seen from before it was given, every yes is none: what the person did not withdraw would go too.
    """
    return max([now, *(event.at for event in unit.people.consents(person.id).events)])


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
    return 0 if isinstance(answer, Permit) else unit.templates.drop(person)
