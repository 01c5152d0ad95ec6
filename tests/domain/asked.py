"""A controller and a person whose records have everything that a record can have."""

from dataclasses import replace
from datetime import date

from sayso.domain.consent import Consents
from sayso.domain.controller import Controller
from sayso.domain.event import Act, ConsentEvent, Notice
from sayso.domain.person import Guardian, PersonId
from sayso.domain.record import consent_records
from sayso.domain.record_terms import Node

from .records import FATHER, MOTHER, collection, day, event

SCHOOL = Controller(
    name="Oak Lane School",
    contact="privacy@oak.example",
    address="1 Oak Lane, Glasgow",
    officer="dpo@oak.example",
    authority="Information Commissioner, Wilmslow",
    jurisdiction="GB-SCT",
    storage="GB",
)
TOLD = Notice("cd" * 32, "2", "en")
NOW = 5.0
CARER = Guardian("Gwen", "foster carer", "court order")
_EVERY_GRANT = "recognise find name:staff name:group:parents publish:website publish:x-wall"


def told(act: Act, grant: str, on: float, *, guardian: Guardian | None = None) -> ConsentEvent:
    """An event that rests on the notice of the day."""
    return replace(event(act, grant, on, guardian=guardian), notice=TOLD)


def everything() -> Consents:
    """Somebody for whom a mother and a father said yes, and who contested and withdrew."""
    yeses = tuple(
        told(Act.GIVEN, grant, 0, guardian=guardian)
        for grant in _EVERY_GRANT.split()
        for guardian in (MOTHER, FATHER)
    )
    later = (
        replace(told(Act.GIVEN, "name:staff", 1, guardian=CARER), fields=frozenset({"phone"})),
        told(Act.RENEWED, "find", 1, guardian=MOTHER),
        event(Act.CONTESTED, "name:staff", 2, guardian=FATHER),
        event(Act.WITHDRAWN, "publish", 3, guardian=MOTHER),
        event(Act.EXPIRED, "find", 4, guardian=MOTHER),
    )
    return Consents(PersonId("ada"), date(2015, 1, 1), "GB-SCT", (*yeses, *later))


def records_of(consents: Consents, on: float = NOW) -> tuple[Node, ...]:
    return consent_records(consents, SCHOOL, [collection()], day(on))


def recognise_record() -> Node:
    return records_of(everything())[0]
