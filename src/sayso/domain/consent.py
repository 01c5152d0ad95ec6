"""Consent as a fold over events.

An event says what one giver (the person, or a guardian) did about one purpose, for one target
and one scope. Whether consent is *live* is asked at a point: one grant, one collection, one
instant. At a point the events of each giver that cover it are folded, in the order in which they
were recorded, through the transition table; then the givers are joined:

1. a refusal (withdrawn or contested) of anybody entitled to answer wins over any yes;
2. a minor's consent rests on a guardian's yes; the minor's own alone is not enough;
3. from the day on which the person comes of age only their own word counts;
4. where no date of birth is known, a guardian's yes ends after a year, because nobody could
   tell when it lapses;
5. a yes that has expired, or that is dated after now, is none.

Refusals have no future: one that is recorded holds, whatever its date. A yes counts over an
earlier refusal only if it was recorded after it and is dated strictly later, so ties resolve
to withdrawn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.majority import comes_of_age
from sayso.domain.person import Guardian, PersonId
from sayso.domain.photo import CollectionId
from sayso.errors import ConsentMalformed, EvidenceRequired, UnlistedTransition

UNKNOWN_AGE_LIMIT = timedelta(days=365)
"""How long a guardian's yes holds for somebody whose date of birth is not known."""


class Act(StrEnum):
    """What a giver did."""

    GIVEN = "given"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CONTESTED = "contested"


class State(StrEnum):
    """What stands at a point, of one giver."""

    ABSENT = "absent"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CONTESTED = "contested"


TRANSITIONS: Mapping[tuple[State, Act], State] = MappingProxyType(
    {
        (State.ABSENT, Act.GIVEN): State.GIVEN,
        (State.ABSENT, Act.WITHDRAWN): State.WITHDRAWN,  # asked, and said no
        (State.ABSENT, Act.CONTESTED): State.CONTESTED,
        (State.GIVEN, Act.GIVEN): State.GIVEN,
        (State.GIVEN, Act.RENEWED): State.GIVEN,
        (State.GIVEN, Act.WITHDRAWN): State.WITHDRAWN,
        (State.GIVEN, Act.EXPIRED): State.EXPIRED,
        (State.GIVEN, Act.CONTESTED): State.CONTESTED,
        (State.EXPIRED, Act.GIVEN): State.GIVEN,
        (State.EXPIRED, Act.RENEWED): State.GIVEN,
        (State.EXPIRED, Act.WITHDRAWN): State.WITHDRAWN,
        (State.EXPIRED, Act.CONTESTED): State.CONTESTED,
        (State.CONTESTED, Act.GIVEN): State.GIVEN,
        (State.CONTESTED, Act.RENEWED): State.GIVEN,  # the giver stands by it
        (State.CONTESTED, Act.WITHDRAWN): State.WITHDRAWN,
        (State.CONTESTED, Act.CONTESTED): State.CONTESTED,
        (State.WITHDRAWN, Act.GIVEN): State.GIVEN,
        (State.WITHDRAWN, Act.WITHDRAWN): State.WITHDRAWN,
        (State.WITHDRAWN, Act.CONTESTED): State.WITHDRAWN,
    }
)
"""Every listed transition; any other raises `UnlistedTransition`."""

_YES = frozenset({Act.GIVEN, Act.RENEWED})
_NO = frozenset({Act.WITHDRAWN, Act.CONTESTED})


@dataclass(frozen=True, slots=True)
class Evidence:
    """The person's own act: the SHA-256 (hex) of a signed form or of a signature."""

    sha256: str
    kind: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the person was told: SHA-256 (hex) of the text, its version and language (BCP 47)."""

    sha256: str
    version: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """What one giver did about one purpose.

    Attributes:
        target: as in `Grant`; None in a refusal means every target of the purpose.
        at: when it was recorded; aware.
        guardian: who gave it for the person; None: the person.
        expires: the first instant at which a yes no longer holds; None: no end of its own.
        fields: names of the profile fields that a yes to ``name`` lists.

    Raises:
        EvidenceRequired: a yes to ``recognise`` without evidence.
        ConsentMalformed: a naive time, an end before the beginning, fields without ``name``.
        GrantUnknown: a yes whose target does not fit its purpose.
    """

    act: Act
    person: PersonId
    purpose: Purpose
    target: str | None
    scope: Scope
    at: datetime
    guardian: Guardian | None = None
    expires: datetime | None = None
    evidence: Evidence | None = None
    notice: Notice | None = None
    fields: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _require_aware(self.at, self.expires)
        if self.act in _YES:
            self._check_yes()
        elif self.target is not None:
            Grant(self.purpose, self.target)
        if self.fields and (self.act not in _YES or self.purpose is not Purpose.NAME):
            raise ConsentMalformed(
                expected="profile fields only with a yes to name",
                found=f"{self.act} {self.purpose}",
                remedy="Grant name:AUDIENCE for the audience of each field.",
            )

    @property
    def giver(self) -> str:
        """Whose word it is: empty for the person, else the guardian's key."""
        return "" if self.guardian is None else self.guardian.key

    def covers(self, grant: Grant, collection: CollectionId) -> bool:
        """Whether the event speaks of this grant in this collection."""
        same = self.purpose is grant.purpose and self.target in {None, grant.target}
        return same and self.scope.covers(collection)

    def _check_yes(self) -> None:
        Grant(self.purpose, self.target)
        if self.purpose is Purpose.RECOGNISE and self.evidence is None:
            raise EvidenceRequired(
                expected="evidence of the person's own yes to recognise",
                found="none",
                remedy="Pass the signed form with --evidence FILE; its SHA-256 is kept.",
            )
        if self.expires is not None and self.expires <= self.at:
            raise ConsentMalformed(
                expected="an expiry after the consent",
                found=self.expires.isoformat(),
                remedy="Give a date that is still to come.",
            )


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of one giver at a point; ``yes`` is the event that it rests on, if given."""

    state: State
    yes: ConsentEvent | None


class Lack(StrEnum):
    """Why no live consent stands at a point."""

    ABSENT = "no_consent"
    WITHDRAWN = "consent_withdrawn"
    EXPIRED = "consent_expired"
    CONTESTED = "consent_contested"
    GUARDIAN_REQUIRED = "guardian_required"
    GUARDIAN_LAPSED = "guardian_lapsed"


@dataclass(frozen=True, slots=True)
class Consents:
    """One person's consent record: all events, in the order in which they were recorded."""

    person: PersonId
    born: date | None
    jurisdiction: str
    events: tuple[ConsentEvent, ...]

    def __post_init__(self) -> None:
        if any(event.person != self.person for event in self.events):
            raise ConsentMalformed(
                expected=f"events of person {self.person} alone",
                found="another person's",
                remedy="Read the record again; if it stays so, restore the workspace.",
            )

    def live(self, grant: Grant, collection: CollectionId, now: datetime) -> ConsentEvent | Lack:
        """The yes that stands at this point, or why none does.

        Raises:
            UnlistedTransition: the record contradicts the transition table.
            ConsentMalformed: ``now`` is naive.
        """
        _require_aware(now)
        entitled = {
            giver: self._dated(fold(events, now), now)
            for giver, events in self._by_giver(grant, collection).items()
            if self._may_answer(giver, now)
        }
        states = {standing.state for standing in entitled.values()}
        for refusal in (State.WITHDRAWN, State.CONTESTED):  # rule 1
            if refusal in states:
                return Lack[refusal.name]
        for giver, standing in sorted(entitled.items()):
            if standing.yes is not None and (giver or not self._minor(now)):  # rule 2
                return standing.yes
        return self._lack(states, grant, collection, now)

    def points(self, purpose: Purpose) -> frozenset[CollectionId]:
        """Collections that stand for all: every one named, and one that nobody named."""
        named = (e.scope.collections or frozenset() for e in self.events if e.purpose is purpose)
        return frozenset[CollectionId]({_ELSEWHERE}).union(*named)

    def append(self, event: ConsentEvent) -> "Consents":
        """The record with one more event.

        Raises:
            UnlistedTransition: the event is not listed for the state at some point it covers.
            ConsentMalformed: a yes not dated after the refusal that it would lift.
        """
        record = Consents(self.person, self.born, self.jurisdiction, (*self.events, event))
        for target in sorted(record._targets(event), key=str):
            grant = Grant(event.purpose, target)
            for collection in record.points(event.purpose):
                if event.covers(grant, collection):
                    _check_folds(record._by_giver(grant, collection)[event.giver], event)
        return record

    def _by_giver(
        self, grant: Grant, collection: CollectionId
    ) -> Mapping[str, tuple[ConsentEvent, ...]]:
        givers: dict[str, tuple[ConsentEvent, ...]] = {}
        for event in self.events:
            if event.covers(grant, collection):
                givers[event.giver] = (*givers.get(event.giver, ()), event)
        return givers

    def _targets(self, event: ConsentEvent) -> Iterable[str | None]:
        if event.target is not None or event.purpose in {Purpose.RECOGNISE, Purpose.FIND}:
            return {event.target}
        return {e.target for e in self.events if e.purpose is event.purpose and e.target}

    def _minor(self, now: datetime) -> bool:
        return self.born is not None and now.date() < comes_of_age(self.born, self.jurisdiction)

    def _may_answer(self, giver: str, now: datetime) -> bool:
        return not giver or self.born is None or self._minor(now)  # rule 3

    def _dated(self, standing: Standing, now: datetime) -> Standing:
        """Let a yes end at its expiry, and a guardian's after a year if no age is known."""
        yes = standing.yes
        if yes is None:
            return standing
        unknown_age = yes.guardian is not None and self.born is None
        over = unknown_age and now >= yes.at + UNKNOWN_AGE_LIMIT  # rule 4
        if over or (yes.expires is not None and now >= yes.expires):  # rule 5
            return Standing(State.EXPIRED, None)
        return standing

    def _lack(
        self, states: set[State], grant: Grant, collection: CollectionId, now: datetime
    ) -> Lack:
        if State.GIVEN in states:
            return Lack.GUARDIAN_REQUIRED
        if State.EXPIRED in states:
            return Lack.EXPIRED
        lapsed = any(
            fold(events, now).yes is not None
            for giver, events in self._by_giver(grant, collection).items()
            if not self._may_answer(giver, now)
        )
        return Lack.GUARDIAN_LAPSED if lapsed else Lack.ABSENT


_ELSEWHERE = CollectionId("")


def fold(events: Iterable[ConsentEvent], now: datetime) -> Standing:
    """Fold one giver's events at one point, in recorded order.

    Raises:
        UnlistedTransition: an event that the state before it does not list.
    """
    state, yes, refused_at = State.ABSENT, None, None
    for event in events:
        if event.act in _YES and event.at > now:
            continue
        follows = TRANSITIONS.get((state, event.act))
        if follows is None:
            raise UnlistedTransition(
                expected=f"an act that may follow {state}: {_listed(state)}",
                found=event.act,
                remedy="Record a new consent instead.",
            )
        if event.act in _YES and refused_at is not None and event.at <= refused_at:
            continue
        state, yes = follows, event if follows is State.GIVEN else None
        if event.act in _NO:
            refused_at = max(refused_at or event.at, event.at)
    return Standing(state, yes)


def _check_folds(events: tuple[ConsentEvent, ...], event: ConsentEvent) -> None:
    standing = fold(events, event.at)
    if event.act in _YES and standing.yes is not event:
        raise ConsentMalformed(
            expected="a yes dated after the refusal before it",
            found=event.at.isoformat(),
            remedy="Check this machine's clock: it may have run backwards.",
        )


def _listed(state: State) -> str:
    return ", ".join(act for before, act in TRANSITIONS if before is state)


def _require_aware(*times: datetime | None) -> None:
    if any(time is not None and time.utcoffset() is None for time in times):
        raise ConsentMalformed(
            expected="a time with its offset from UTC",
            found="a naive time",
            remedy="Pass aware datetimes; the engine keeps UTC.",
        )
