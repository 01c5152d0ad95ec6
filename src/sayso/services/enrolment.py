"""What somebody agrees to when they are enrolled, and what can be said of it by itself."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from sayso.domain.event import Act, ConsentEvent, Evidence, Notice
from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.majority import comes_of_age
from sayso.domain.person import Guardian, Person, PersonId, ProfileField
from sayso.errors import (
    ConsentMalformed,
    EvidenceRequired,
    GrantUnknown,
    GuardianRequired,
    NoFace,
)
from sayso.ledger.admission import Json, listed


@dataclass(frozen=True, slots=True)
class Image:
    """An enrolment image: its path, for messages, and its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What a person agreed to, and what came with it.

    Attributes:
        name: as the person wants it shown.
        images: of the person, given by them; opened only if they granted ``recognise``.
        collections: names of those that the consent covers; empty: all of this controller's.
        expires: the first instant at which the consent no longer holds; None: no end of its own.
        person: the id of somebody who is enrolled already, to add to; None: somebody new.
        vouched: the operator knows that the images show this person, whatever they look like.
    """

    name: str
    images: tuple[Image, ...]
    grants: tuple[Grant, ...]
    fields: tuple[ProfileField, ...] = ()
    collections: tuple[str, ...] = ()
    expires: datetime | None = None
    guardian: Guardian | None = None
    born: date | None = None
    jurisdiction: str = ""
    notice: Notice | None = None
    evidence: Evidence | None = None
    person: PersonId | None = None
    vouched: bool = False


def check_consistent(wish: Enrolment) -> None:
    """The grants, the fields' audiences and the scope make sense together.

    Raises:
        GrantUnknown, ConsentMalformed: they do not.
    """
    if not wish.name.strip() or not wish.grants:
        raise GrantUnknown(
            expected="a name and at least one grant",
            found="a blank name" if wish.grants else "no grant",
            remedy="Say what the person agreed to, for example --grant publish:website.",
        )
    audiences = {grant.target for grant in wish.grants if grant.purpose is Purpose.NAME}
    for field in wish.fields:
        if field.audience not in audiences:
            raise ConsentMalformed(
                expected=f"the grant name:{field.audience} for the field {field.name}",
                found="the field without it",
                remedy=f"Add --grant name:{field.audience} if the person agreed to that.",
            )


def check_evidence(wish: Enrolment) -> None:
    """Whoever grants ``recognise`` brings evidence, and at least one image.

    Raises:
        EvidenceRequired, NoFace: they do not.
    """
    if Grant(Purpose.RECOGNISE) not in wish.grants:
        return
    if wish.evidence is None:
        raise EvidenceRequired(
            expected="evidence of the person's own yes to recognise",
            found="none",
            remedy="Pass the signed form with --evidence FILE; its SHA-256 is kept.",
        )
    if not wish.images and wish.person is None:
        raise NoFace(
            expected="at least one image of the person, from the person",
            found="none",
            remedy="Give one to five recent photographs that show only this person.",
        )


def check_guardian(wish: Enrolment, person: Person, now: datetime) -> None:
    """A minor comes with a guardian.

    Raises:
        GuardianRequired: one who comes without.
    """
    if person.born is None or wish.guardian is not None:
        return
    of_age = comes_of_age(person.born, person.jurisdiction)
    if now.date() < of_age:
        raise GuardianRequired(
            expected=f"a guardian's consent for somebody who comes of age on {of_age}",
            found="none",
            remedy="Give --guardian, --relation and --verified-by.",
        )


def given(
    wish: Enrolment, person: Person, grant: Grant, scope: Scope, now: datetime
) -> ConsentEvent:
    """The event by which one grant of an enrolment is recorded."""
    fields = (field.name for field in wish.fields if field.audience == grant.target)
    return ConsentEvent(
        act=Act.GIVEN,
        person=person.id,
        purpose=grant.purpose,
        target=grant.target,
        scope=scope,
        at=now,
        guardian=wish.guardian,
        expires=wish.expires,
        evidence=wish.evidence,
        notice=wish.notice,
        fields=frozenset(fields) if grant.purpose is Purpose.NAME else frozenset(),
    )


def entered(wish: Enrolment, scope: Scope) -> dict[str, Json]:
    """What the ledger's entry says of a consent."""
    return {
        **listed("grants", [str(grant) for grant in wish.grants]),
        **(
            {"collections": "all"}
            if scope.collections is None
            else listed("collections", sorted(scope.collections))
        ),
        "expires": None if wish.expires is None else wish.expires.isoformat(),
        "by_guardian": wish.guardian is not None,
        "evidence_sha256": None if wish.evidence is None else wish.evidence.sha256,
        "notice_sha256": None if wish.notice is None else wish.notice.sha256,
    }


def identity(wish: Enrolment) -> tuple[str, ...]:
    """What makes two enrolments the same act."""
    images = sorted(hashlib.sha256(image.data).hexdigest() for image in wish.images)
    return (
        "enrolment",
        " ".join(wish.name.split()),
        *images,
        *sorted(map(str, wish.grants)),
        *sorted(f"{f.name}={f.value}@{f.audience}" for f in wish.fields),
        *sorted(wish.collections),
        str(wish.expires),
        str(wish.guardian),
        str(wish.born),
        "" if wish.notice is None else wish.notice.sha256,
        "" if wish.evidence is None else wish.evidence.sha256,
        *(["vouched"] if wish.vouched else []),
    )
