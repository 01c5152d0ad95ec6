"""The same enrolment again: it changes nothing, and is no way around a withdrawal or an erasure."""

from dataclasses import dataclass
from datetime import datetime

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import ConsentEvent, Evidence
from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.person import Person, folded
from sayso.errors import EvidenceWithdrawn
from sayso.services.enrolment import Enrolment, identity
from sayso.store.repository import Unit


@dataclass(frozen=True, slots=True)
class Repeated:
    """Who was enrolled by the very same act, with their references.

    Attributes:
        namesakes: how many others have this name.
    """

    person: Person
    templates: tuple[str, ...]
    namesakes: int


def repeated(
    unit: Unit, wish: Enrolment, person: Person, scope: Scope, now: datetime
) -> Repeated | None:
    """The person who was enrolled by the very same act and still stands by it.

    Raises:
        EvidenceWithdrawn: what it rests on was taken back or erased.
    """
    if wish.evidence is not None:
        _check_form(unit, person.name, wish.evidence, now)
    token = unit.people.token(identity(wish))
    if unit.people.is_suppressed(token):
        raise _withdrawn("an enrolment that was erased since")
    earlier = None if wish.person is not None else unit.people.remembered(token)
    if earlier is None:
        return None
    record = unit.people.consents(earlier.id)
    points = scope.collections or record.points(Purpose.RECOGNISE)
    for grant in wish.grants:
        for point in points:
            if isinstance(lack := record.live(grant, point, now), Lack):
                raise _withdrawn(f"the very enrolment whose {grant} ended since ({lack})")
    others = len(unit.people.named(earlier.name)) - 1
    return Repeated(earlier, unit.templates.ids(earlier.id), others)


def _check_form(unit: Unit, name: str, evidence: Evidence, now: datetime) -> None:
    """A form whose yes was taken back or erased, by somebody of this name, is no new yes."""
    if unit.people.is_suppressed(unit.people.token(("evidence", folded(name), evidence.sha256))):
        raise _withdrawn("the form of somebody who was erased since")
    for namesake in unit.people.named(name):
        record = unit.people.consents(namesake.id)
        for event in record.events:
            if event.evidence == evidence and _taken_back(record, event, now):
                raise _withdrawn("a form whose consent was withdrawn since")


def _taken_back(record: Consents, event: ConsentEvent, now: datetime) -> bool:
    grant = Grant(event.purpose, event.target)
    points = event.scope.collections or record.points(event.purpose)
    return any(record.live(grant, point, now) is Lack.WITHDRAWN for point in points)


def _withdrawn(found: str) -> EvidenceWithdrawn:
    return EvidenceWithdrawn(
        expected="a yes that was given anew",
        found=found,
        remedy="Ask the person; if they say yes again, have a new form signed and use it.",
    )
