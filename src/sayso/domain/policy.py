"""The policy: one pure function that permits or refuses. Nothing else decides.

``decide(request, consents, now)`` answers one request about one person with a `Permit` or a
`Refusal`. A permit can be made nowhere else, names the request and the consent that it rests on,
and is demanded by whatever acts on it: no template is built or saved, no name told, no face
shown without one. What is not plainly permitted is refused:

1. the record must be this person's, and readable;
2. the collection's retention must not be over;
3. a link made by comparing faces needs ``recognise`` live in that collection, and a collection
   whose mode allows the comparison; a link made by a human does not;
4. the purpose itself must be live for exactly this collection and this audience or channel;
5. a profile field must be listed in that consent and shown to exactly that audience.
"""

from dataclasses import InitVar, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NoReturn, assert_never

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import ConsentEvent, require_aware
from sayso.domain.grant import Audience, Channel, Grant, Purpose
from sayso.domain.person import PersonId, ProfileField
from sayso.domain.photo import Collection, Recognition
from sayso.domain.sighting import Link
from sayso.errors import Denied


class Reason(StrEnum):
    """Why a request was refused; stable codes."""

    NO_CONSENT = "no_consent"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_CONTESTED = "consent_contested"
    GUARDIAN_REQUIRED = "guardian_required"
    GUARDIAN_LAPSED = "guardian_lapsed"
    RECORD_UNREADABLE = "record_unreadable"
    RETENTION_OVER = "retention_over"
    RECOGNITION_OFF = "recognition_off"
    RECOGNITION_SELECTED = "recognition_selected"
    BASIS_MISSING = "basis_missing"
    LINK_IN_DOUBT = "link_in_doubt"
    FIELD_UNLISTED = "field_unlisted"


class Manner(StrEnum):
    """How faces are compared."""

    ONE_TO_ONE = "verify"
    ONE_TO_MANY = "identify"


@dataclass(frozen=True, slots=True)
class HoldTemplate:
    """Build a template of this person, or keep one."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare this person's template with faces of the collection."""

    person: PersonId
    collection: Collection
    manner: Manner


@dataclass(frozen=True, slots=True)
class Find:
    """Let this person see the photographs of the collection that they are in."""

    person: PersonId
    collection: Collection
    link: Link

    @property
    def grant(self) -> Grant:
        """What must have been granted."""
        return Grant(Purpose.FIND)


@dataclass(frozen=True, slots=True)
class TellName:
    """Tell this person's name, beside the face, to an audience."""

    person: PersonId
    collection: Collection
    link: Link
    audience: Audience

    @property
    def grant(self) -> Grant:
        """What must have been granted."""
        return Grant(Purpose.NAME, self.audience)


@dataclass(frozen=True, slots=True)
class TellField:
    """Tell one of this person's profile fields, beside the face, to an audience."""

    person: PersonId
    collection: Collection
    link: Link
    audience: Audience
    field: ProfileField

    @property
    def grant(self) -> Grant:
        """What must have been granted."""
        return Grant(Purpose.NAME, self.audience)


@dataclass(frozen=True, slots=True)
class Show:
    """Show this person's face uncovered in a channel."""

    person: PersonId
    collection: Collection
    link: Link
    channel: Channel

    @property
    def grant(self) -> Grant:
        """What must have been granted."""
        return Grant(Purpose.PUBLISH, self.channel)


Use = Find | TellName | TellField | Show
"""What is done with a face that is linked to a person."""

Request = HoldTemplate | Compare | Use

_SEAL = object()


@dataclass(frozen=True)
class Permit:
    """Evidence that the policy permitted a request; made by `decide` alone.

    Attributes:
        at: the ``now`` of the decision.
        rests_on: the consent events, the purpose's own first.
    """

    # By hand: ``slots=True`` replaces our ``__setstate__`` with its own before Python 3.11.3.
    __slots__ = ("at", "request", "rests_on")

    request: Request
    at: datetime
    rests_on: tuple[ConsentEvent, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            _refuse_forgery()

    def __init_subclass__(cls) -> None:
        _refuse_forgery()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_forgery()

    def __setstate__(self, state: object) -> NoReturn:
        _refuse_forgery()


def _refuse_forgery() -> NoReturn:
    msg = "a Permit is made by decide() alone; it is neither subclassed, copied nor stored"
    raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The policy's no, always with a reason."""

    request: Request
    at: datetime
    reason: Reason


def decide(request: Request, consents: Consents, now: datetime) -> Permit | Refusal:
    """Permit or refuse one request about one person. Pure: the same answer for the same facts.

    Args:
        request: what is to be done.
        consents: that person's whole consent record.
        now: aware; the instant for which the answer holds.
    """
    try:
        require_aware(now)
        reason_or_events = _weigh(request, consents, now.astimezone(UTC))
    except Exception:  # noqa: BLE001 - step 1: what cannot be read, for whatever cause, permits nothing
        reason_or_events = Reason.RECORD_UNREADABLE
    if isinstance(reason_or_events, Reason):
        return Refusal(request, now, reason_or_events)
    return Permit(request, now, reason_or_events, seal=_SEAL)


def require_comparable(collection: Collection, manner: Manner, now: datetime) -> None:
    """Refuse to compare faces at all where the collection does not allow it (steps 2 and 3).

    Raises:
        Denied: its retention is over, or its mode or basis does not allow the manner.
    """
    _require_none(_comparable(collection, manner, now), collection)


def require_held(collection: Collection, now: datetime) -> None:
    """Refuse to work on photographs that should no longer be held (step 2).

    Raises:
        Denied: the collection's retention is over.
    """
    over = _retention_over(collection, now)
    _require_none(Reason.RETENTION_OVER if over else None, collection)


def _require_none(reason: Reason | None, collection: Collection) -> None:
    if reason is not None:
        raise Denied(
            reason,
            expected=f"the collection {collection.name} to allow it",
            found=EXPLANATIONS[reason],
            remedy=_REMEDIES[reason],
        )


def require(request: Request, consents: Consents, now: datetime) -> Permit:
    """`decide`, for callers that can only go on with a permit.

    Raises:
        Denied: the policy refused; its ``reason_code`` is the refusal's.
    """
    answer = decide(request, consents, now)
    if isinstance(answer, Refusal):
        raise Denied(
            answer.reason,
            expected="a consent that is live for exactly this",
            found=EXPLANATIONS[answer.reason],
            remedy=_REMEDIES.get(answer.reason, _ASK),
        )
    return answer


EXPLANATIONS = {
    Reason.NO_CONSENT: "no consent for it",
    Reason.CONSENT_WITHDRAWN: "a consent that was withdrawn or refused",
    Reason.CONSENT_EXPIRED: "a consent that has expired",
    Reason.CONSENT_CONTESTED: "a consent that is contested",
    Reason.GUARDIAN_REQUIRED: "a minor's consent without a guardian's",
    Reason.GUARDIAN_LAPSED: "a guardian's consent for somebody who has since come of age",
    Reason.RECORD_UNREADABLE: "a consent record that cannot be read",
    Reason.RETENTION_OVER: "a collection whose retention is over",
    Reason.RECOGNITION_OFF: "a collection in which nobody is recognised",
    Reason.RECOGNITION_SELECTED: "a collection in which only one chosen face may be compared",
    Reason.BASIS_MISSING: "a collection without a basis for comparing every face",
    Reason.LINK_IN_DOUBT: "a likeness that a human has still to settle",
    Reason.FIELD_UNLISTED: "a profile field that this consent does not list for this audience",
}
"""Each reason as a noun phrase, for messages."""

_ASK = "Ask the person; record their yes before you try again."
_BY_HAND = (
    "Mark faces by hand with `sayso mark`, or declare a collection whose mode and basis allow it."
)
_REMEDIES = {
    Reason.RECORD_UNREADABLE: "Restore the workspace from a backup, or enrol the person again.",
    Reason.RETENTION_OVER: "Declare the photographs anew if there is still a purpose for them.",
    Reason.RECOGNITION_OFF: _BY_HAND,
    Reason.RECOGNITION_SELECTED: _BY_HAND,
    Reason.BASIS_MISSING: _BY_HAND,
    Reason.LINK_IN_DOUBT: "Settle it with `sayso mark` or `sayso reject`.",
}


def _weigh(
    request: Request, consents: Consents, now: datetime
) -> Reason | tuple[ConsentEvent, ...]:
    if consents.person != request.person:  # step 1
        return Reason.RECORD_UNREADABLE
    match request:
        case HoldTemplate():
            return _anywhere(Grant(Purpose.RECOGNISE), consents, now)
        case Compare(collection=collection, manner=manner):
            return _comparable(collection, manner, now) or _live(
                Grant(Purpose.RECOGNISE), collection, consents, now
            )
        case Find() | TellName() | TellField() | Show():
            return _use(request, consents, now)
        case _:
            assert_never(request)


def _use(request: Use, consents: Consents, now: datetime) -> Reason | tuple[ConsentEvent, ...]:
    ground = _linked(request.link, request.collection, consents, now)
    if isinstance(ground, Reason):
        return ground
    purpose = _live(request.grant, request.collection, consents, now)
    if isinstance(purpose, Reason):
        return purpose
    if isinstance(request, TellField) and not _listed(request, purpose):  # step 5
        return Reason.FIELD_UNLISTED
    return (*purpose, *ground)


def _linked(
    link: Link, collection: Collection, consents: Consents, now: datetime
) -> Reason | tuple[ConsentEvent, ...]:
    """Steps 2 and 3: whether the link between face and person may be used at all."""
    if link is Link.MARKED:
        return Reason.RETENTION_OVER if _retention_over(collection, now) else ()
    if link is not Link.MATCH:
        return Reason.LINK_IN_DOUBT
    # A stored match of a collection in mode selected came from one 1:1 comparison.
    return _comparable(collection, Manner.ONE_TO_ONE, now) or _live(
        Grant(Purpose.RECOGNISE), collection, consents, now
    )


def _comparable(collection: Collection, manner: Manner, now: datetime) -> Reason | None:
    if _retention_over(collection, now):  # step 2
        return Reason.RETENTION_OVER
    if collection.recognition is Recognition.OFF:  # step 3
        return Reason.RECOGNITION_OFF
    if collection.recognition is Recognition.GROUP:
        return None if collection.basis and collection.basis.strip() else Reason.BASIS_MISSING
    return None if manner is Manner.ONE_TO_ONE else Reason.RECOGNITION_SELECTED


def _retention_over(collection: Collection, now: datetime) -> bool:
    return collection.retain_until is not None and now >= collection.retain_until


def _live(
    grant: Grant, collection: Collection, consents: Consents, now: datetime
) -> Reason | tuple[ConsentEvent, ...]:
    """Step 4: the consent for exactly this grant in exactly this collection."""
    yeses = consents.live(grant, collection.id, now)
    return Reason(yeses.value) if isinstance(yeses, Lack) else yeses


def _anywhere(grant: Grant, consents: Consents, now: datetime) -> Reason | tuple[ConsentEvent, ...]:
    """A template may exist as long as ``recognise`` is live for at least one collection."""
    answers = [consents.live(grant, point, now) for point in sorted(consents.points(grant.purpose))]
    live = [answer for answer in answers if not isinstance(answer, Lack)]
    if live:
        return live[0]
    lacks = {answer for answer in answers if isinstance(answer, Lack)}
    return Reason(next(lack for lack in reversed(Lack) if lack in lacks).value)


def _listed(request: TellField, purpose: tuple[ConsentEvent, ...]) -> bool:
    field = request.field
    listed = all(field.name in yes.fields for yes in purpose)  # by each guardian who said yes
    return listed and field.audience == request.audience
