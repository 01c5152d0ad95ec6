"""Small builders: one person, three collections, two guardians, and a calendar counted in days."""

from datetime import UTC, date, datetime, timedelta

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import Act, ConsentEvent, Evidence
from sayso.domain.face import FaceId
from sayso.domain.grant import EVERYWHERE, STAFF, Channel, Grant, Purpose, Scope
from sayso.domain.person import Guardian, PersonId, ProfileField
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.policy import Find, Permit, Refusal, Request, decide
from sayso.domain.sighting import Link, Sighting

ADA = PersonId("ada")
BEN = PersonId("ben")
MOTHER = Guardian("Mary", "mother", "school register")
FATHER = Guardian("Frank", "father", "school register")
GRANDMOTHER = Guardian("Mary", "grandmother", "court order")
"""A namesake of the mother, and somebody else."""
PHONE = ProfileField("phone", "555 0100", STAFF)
WEBSITE = Channel("website")
SOCIAL = Channel("social")

CLUB, SPORTS = CollectionId("club"), CollectionId("sports")
UNNAMED = CollectionId("declared-later")
"""A collection that no record names: only a scope of everywhere covers it."""

CHILD_ALL_ALONG = date(2020, 1, 1)
ADULT_ALL_ALONG = date(1980, 1, 1)
OF_AGE_ON_DAY_6 = date(2008, 1, 7)

_DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
_FORM = Evidence("ab" * 32, "signed form")


def day(number: float) -> datetime:
    return _DAY_0 + timedelta(days=number)


def only(*names: CollectionId) -> Scope:
    return Scope(frozenset(names))


def event(  # noqa: PLR0913 - the facts of one event
    act: Act,
    grant: str,
    on: float,
    *,
    scope: Scope = EVERYWHERE,
    guardian: Guardian | None = None,
    ends: float | None = None,
    fields: frozenset[str] = frozenset(),
    person: PersonId = ADA,
) -> ConsentEvent:
    """One event; a refusal may name a bare purpose (``publish``) to mean every target of it."""
    word, _, target = grant.partition(":")
    return ConsentEvent(
        act=act,
        person=person,
        purpose=Purpose(word),
        target=target or None,
        scope=scope,
        at=day(on),
        guardian=guardian,
        expires=None if ends is None else day(ends),
        evidence=_FORM,
        fields=fields,
    )


def record(
    *events: ConsentEvent,
    born: date | None = ADULT_ALL_ALONG,
    jurisdiction: str = "GB",
    person: PersonId = ADA,
) -> Consents:
    """A record as it might come out of a store, however it got in."""
    return Consents(person, born, jurisdiction, events)


def lived(
    *events: ConsentEvent, born: date | None = ADULT_ALL_ALONG, jurisdiction: str = "GB"
) -> Consents:
    """A record as it is written: one `Consents.append` after the other."""
    consents = record(born=born, jurisdiction=jurisdiction)
    for each in events:
        consents = consents.append(each)
    return consents


def collection(
    name: CollectionId = CLUB,
    *,
    mode: Recognition = Recognition.GROUP,
    basis: str | None = "DPIA 7",
    until: float | None = None,
) -> Collection:
    return Collection(
        name, str(name), "the yearbook", mode, basis, None if until is None else day(until)
    )


def find(*, link: Link = Link.MARKED, where: Collection | None = None) -> Find:
    return Find(ADA, where or collection(), link)


def outcome(request: Request, consents: Consents, on: float) -> str:
    """``permit``, or the reason code of the refusal."""
    answer = decide(request, consents, day(on))
    return "permit" if isinstance(answer, Permit) else answer.reason.value


def stands(consents: Consents, on: float, grant: str = "find") -> str:
    """``live``, or the reason code of why nothing stands in the club."""
    answer = consents.live(Grant.parse(grant), CLUB, day(on))
    return answer.value if isinstance(answer, Lack) else "live"


def permitted(request: Request, consents: Consents, now: datetime) -> bool:
    answer = decide(request, consents, now)
    assert isinstance(answer, Permit | Refusal)
    return isinstance(answer, Permit)


def sighting(link: Link, person: PersonId = ADA) -> Sighting:
    compared = link in {Link.MATCH, Link.REVIEW}
    return Sighting(FaceId("face"), person, link, 0.5 if compared else None)


_EVERY_GRANT = "recognise find name:staff name:public publish:website publish:social"
GRANTS = tuple(Grant.parse(text) for text in _EVERY_GRANT.split())
