"""Consent as a fold over events.

An event says what one giver (the person, or a guardian) did about one purpose, for one target
and one scope. Whether consent is *live* is asked at a point: one grant, one collection, one
instant. At a point the events of each giver that cover it are folded, in the order in which they
were recorded, through the transition table; then the givers are joined:

1. a refusal (withdrawn or contested) of anybody entitled to answer wins over any yes;
2. a minor's consent rests on a guardian's yes; the minor's own alone is not enough;
3. from the day on which the person comes of age only their own word counts, and of their own
   yeses only those that they said since: who comes of age is asked;
4. where no date of birth is known, a guardian's yes ends after a year, because nobody could
   tell when it lapses;
5. a yes that has expired, or that is dated after now, is none.

Refusals have no future: one that is recorded holds, whatever its date. A yes counts over an
earlier refusal only if it was recorded after it and is dated strictly later, so ties resolve
to withdrawn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType

from sayso.domain.event import NO, YES, Act, ConsentEvent, require_aware
from sayso.domain.grant import Grant, Purpose
from sayso.domain.majority import comes_of_age
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId
from sayso.errors import ConsentMalformed, UnlistedTransition

UNKNOWN_AGE_LIMIT = timedelta(days=365)
"""How long a guardian's yes holds for somebody whose date of birth is not known."""


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
        (State.ABSENT, Act.CONTESTED): State.WITHDRAWN,  # contesting nothing is a no
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
    """One person's consent record: all events, in the order in which they were recorded.

    Attributes:
        whole: False where some of it could not be read. Such a record permits nothing; refusals
            can still be added to it.
    """

    person: PersonId
    born: date | None
    jurisdiction: str
    events: tuple[ConsentEvent, ...]
    whole: bool = True

    def __post_init__(self) -> None:
        if any(event.person != self.person for event in self.events):
            raise ConsentMalformed(
                expected=f"events of person {self.person} alone",
                found="another person's",
                remedy="Read the record again; if it stays so, restore the workspace.",
            )

    def live(
        self, grant: Grant, collection: CollectionId, now: datetime
    ) -> tuple[ConsentEvent, ...] | Lack:
        """Every yes that stands at this point, one for each giver, or why none does.

        Raises:
            UnlistedTransition: the record contradicts the transition table.
            ConsentMalformed: ``now`` is naive.
        """
        require_aware(now)
        self._require_whole()
        now = now.astimezone(UTC)
        entitled = {
            giver: self._dated(fold(events, now), now)
            for giver, events in self._by_giver(grant, collection).items()
            if self._may_answer(giver, now)
        }
        states = {standing.state for standing in entitled.values()}
        for refusal in (State.WITHDRAWN, State.CONTESTED):  # rule 1
            if refusal in states:
                return Lack[refusal.name]
        minor = self._minor(now)
        yeses = tuple(
            standing.yes
            for giver, standing in sorted(entitled.items())
            if standing.yes is not None and (giver or not minor)  # rule 2
        )
        return yeses or self._lack(states, grant, collection, now)

    def changes_after(self, now: datetime) -> datetime | None:
        """The first instant after now at which time alone may change an answer; None: never."""
        midnight = time(tzinfo=UTC)
        instants = [event.at for event in self.events]
        instants += [event.expires for event in self.events if event.expires is not None]
        if self.born is None:
            instants += [event.at + UNKNOWN_AGE_LIMIT for event in self.events]
        else:
            instants.append(datetime.combine(comes_of_age(self.born, self.jurisdiction), midnight))
        return min((instant for instant in instants if instant > now), default=None)

    def points(self, purpose: Purpose) -> frozenset[CollectionId]:
        """Collections that stand for all: every one named, and one that nobody named."""
        named = (e.scope.collections or frozenset() for e in self.events if e.purpose is purpose)
        return frozenset[CollectionId]({_ELSEWHERE}).union(*named)

    def append(self, event: ConsentEvent) -> "Consents":
        """The record with one more event.

        Raises:
            UnlistedTransition: the event is not listed for the state at some point it covers;
                never for a refusal, which can always be recorded.
            ConsentMalformed: a yes not dated after the refusal that it would lift.
        """
        record = replace(self, events=(*self.events, event))
        if event.act in NO:
            return record
        self._require_whole()
        record._check_yes(event)  # noqa: SLF001 - of the same class
        return record

    def _check_yes(self, event: ConsentEvent) -> None:
        grant = Grant(event.purpose, event.target)
        for collection in self.points(event.purpose):
            if event.covers(grant, collection):
                _check_folds(self._by_giver(grant, collection)[event.giver], event)

    def _require_whole(self) -> None:
        if not self.whole:
            raise ConsentMalformed(
                expected=f"the whole consent record of person {self.person}",
                found="a part that cannot be read",
                remedy="Restore the workspace from a backup; until then they permit nothing.",
            )

    def _by_giver(
        self, grant: Grant, collection: CollectionId
    ) -> Mapping[str, tuple[ConsentEvent, ...]]:
        givers: dict[str, tuple[ConsentEvent, ...]] = {}
        for event in self.events:
            if event.covers(grant, collection):
                givers[event.giver] = (*givers.get(event.giver, ()), event)
        return givers

    def _minor(self, now: datetime) -> bool:
        return self.born is not None and now.date() < comes_of_age(self.born, self.jurisdiction)

    def _may_answer(self, giver: str, now: datetime) -> bool:
        return not giver or self.born is None or self._minor(now)  # rule 3

    def _dated(self, standing: Standing, now: datetime) -> Standing:
        """Let a yes end: at its expiry, with majority, or after a year if no age is known."""
        yes = standing.yes
        if yes is None:
            return standing
        if self._minor(yes.at) and not self._minor(now):  # rule 3
            return Standing(State.ABSENT, None)
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
            for events in self._by_giver(grant, collection).values()
        )
        return Lack.GUARDIAN_LAPSED if lapsed else Lack.ABSENT


_ELSEWHERE = CollectionId("")


def fold(events: Iterable[ConsentEvent], now: datetime) -> Standing:
    """Fold one giver's events at one point, in recorded order.

    Raises:
        UnlistedTransition: an event that the state before it does not list.
    """
    state, yes = State.ABSENT, None
    refusal, refused_at = State.ABSENT, None
    for event in events:
        if event.act in YES and event.at > now:
            continue
        follows = TRANSITIONS.get((state, event.act))
        if follows is None:
            raise UnlistedTransition(
                expected=f"an act that may follow {state}: {_listed(state)}",
                found=event.act,
                remedy="Record a new consent instead.",
            )
        if event.act in YES and refused_at is not None and event.at <= refused_at:
            state, yes = refusal, None  # void: what stands is the refusal, no yes before it
            continue
        state, yes = follows, event if follows is State.GIVEN else None
        if event.act in NO:
            refusal, refused_at = follows, max(refused_at or event.at, event.at)
    return Standing(state, yes)


def _check_folds(events: tuple[ConsentEvent, ...], event: ConsentEvent) -> None:
    standing = fold(events, event.at)
    if event.act in YES and standing.yes is not event:
        raise ConsentMalformed(
            expected="a yes dated after the refusal before it",
            found=event.at.isoformat(),
            remedy="Check this machine's clock: it may have run backwards.",
        )


def _listed(state: State) -> str:
    return ", ".join(act for before, act in TRANSITIONS if before is state)
