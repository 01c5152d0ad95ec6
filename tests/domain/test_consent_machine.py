"""A life of consents: several givers, overlapping scopes, many targets, a clock that moves on.

The machine keeps its own model, one cell for each giver, grant and collection, and compares what
the policy answers with it after every step: now, in two days, in more than a year, and at each
instant at which a yes ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import PUBLIC, STAFF, Grant, Scope
from sayso.domain.person import Guardian
from sayso.domain.photo import CollectionId
from sayso.domain.policy import Compare, HoldTemplate, Manner, Request, Show, TellName
from sayso.domain.sighting import Link
from sayso.errors import ConsentMalformed, UnlistedTransition

from .drawn import BIRTHS, SCOPES
from .records import (
    ADA,
    CLUB,
    FATHER,
    GRANDMOTHER,
    GRANTS,
    MOTHER,
    OF_AGE_ON_DAY_6,
    SOCIAL,
    SPORTS,
    UNNAMED,
    WEBSITE,
    collection,
    day,
    event,
    find,
    only,
    permitted,
    record,
)

_COLLECTIONS = (CLUB, SPORTS, UNNAMED)
_GIVERS = (None, MOTHER, FATHER, GRANDMOTHER)
_DAY_OF_MAJORITY = 6.0
_YEAR = 365.0
_AHEAD = (0.0, 2.0, 400.0)


@dataclass
class Cell:
    """What one giver has said about one grant in one collection."""

    yes: bool = False
    refused: bool = False
    contested: bool = False
    ended: bool = False
    said_on: float = 0.0
    ends_on: float | None = None
    refused_on: float | None = None

    def holds_on(self, today: float) -> bool:
        return self.yes and (self.ends_on is None or today < self.ends_on)

    def take(self, act: Act, today: float, ends_on: float | None) -> None:
        if act in {Act.GIVEN, Act.RENEWED}:
            self.yes = True
            self.refused = self.contested = self.ended = False
            self.said_on, self.ends_on = today, ends_on
            return
        if act is Act.EXPIRED:
            self.yes, self.ended = False, True
            return
        self.contested = act is Act.CONTESTED and (self.yes or self.ended or self.contested)
        self.yes, self.refused, self.ended = False, True, False
        self.refused_on = today if self.refused_on is None else max(self.refused_on, today)

    def lists(self, act: Act) -> bool:
        if act is Act.EXPIRED:
            return self.yes
        if act is Act.RENEWED:
            return self.yes or self.ended or self.contested
        return True


class LifeOfConsents(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.today = 0.0
        self.consents = record()
        self.born_as = "adult"
        self.cells = {
            (giver, grant, where): Cell()
            for giver in _GIVERS
            for grant in GRANTS
            for where in _COLLECTIONS
        }

    @initialize(born=BIRTHS)
    def is_born(self, born: date | None) -> None:
        self.consents = record(born=born)
        self.born_as = "unknown" if born is None else "child" if born.year > 2000 else "adult"
        self.of_age_on = _DAY_OF_MAJORITY if born == OF_AGE_ON_DAY_6 else 1e9

    @rule(days=st.sampled_from([0.25, 1.0, 3.0, 7.0, 200.0]))
    def time_passes(self, days: float) -> None:
        self.today += days

    @rule(
        grant=st.sampled_from(GRANTS),
        giver=st.sampled_from(_GIVERS),
        scope=SCOPES,
        lasts=st.none() | st.sampled_from([1.0, 5.0, 250.0]),
        act=st.sampled_from([Act.GIVEN, Act.GIVEN, Act.RENEWED]),
    )
    def somebody_says_yes(
        self, grant: Grant, giver: Guardian | None, scope: Scope, lasts: float | None, act: Act
    ) -> None:
        cells = list(self._cells(giver, str(grant), scope))
        ends = None if lasts is None else self.today + lasts
        said = event(act, str(grant), self.today, scope=scope, guardian=giver, ends=ends)
        too_early = any(c.refused_on is not None and self.today <= c.refused_on for c in cells)
        self._record(said, cells, malformed=too_early)

    @rule(
        grant=st.sampled_from(GRANTS),
        giver=st.sampled_from(_GIVERS),
        scope=SCOPES,
        every_target=st.booleans(),
        act=st.sampled_from([Act.WITHDRAWN, Act.CONTESTED]),
        off_by=st.sampled_from([0.0, 0.0, 0.0, -4.0, 2.0]),
    )
    def somebody_says_no(  # noqa: PLR0913, PLR0917 - the draw
        self,
        grant: Grant,
        giver: Guardian | None,
        scope: Scope,
        every_target: bool,  # noqa: FBT001 - drawn by Hypothesis
        act: Act,
        off_by: float,
    ) -> None:
        """By a clock that may be wrong: a refusal is recorded and holds all the same."""
        word = str(grant).partition(":")[0] if every_target else str(grant)
        dated = self.today + off_by
        said = event(act, word, dated, scope=scope, guardian=giver)
        self._record(said, list(self._cells(giver, word, scope)), dated=dated)
        for where in _COLLECTIONS:
            if scope.covers(where) and self._answers(giver, self.today):
                live = self.consents.live(grant, where, day(self.today))
                assert isinstance(live, Lack), "a refusal holds from when it is recorded"

    @precondition(lambda self: any(cell.yes for cell in self.cells.values()))
    @rule(data=st.data())
    def an_expiry_is_recorded(self, data: st.DataObject) -> None:
        known = [key for key, cell in self.cells.items() if cell.yes]
        giver, grant, _ = data.draw(st.sampled_from(known))
        scope = data.draw(st.sampled_from([only(c) for c in (CLUB, SPORTS)]) | SCOPES)
        said = event(Act.EXPIRED, str(grant), self.today, scope=scope, guardian=giver)
        self._record(said, list(self._cells(giver, str(grant), scope)))

    @invariant()
    def the_policy_answers_as_the_model_does(self) -> None:
        ends = {cell.ends_on for cell in self.cells.values() if cell.ends_on is not None}
        for when in sorted({self.today + ahead for ahead in _AHEAD} | ends):
            if when < self.today:
                continue
            for grant in GRANTS:
                for where in _COLLECTIONS:
                    expected = self._expected(grant, where, when)
                    answer = self.consents.live(grant, where, day(when))
                    assert isinstance(answer, tuple) == expected, (grant, where, when)

    @invariant()
    def every_permit_follows_from_the_model(self) -> None:
        now = day(self.today)
        for where in _COLLECTIONS:
            for grant in GRANTS:
                expected = self._expected(grant, where, self.today)
                assert permitted(_marked(grant, where), self.consents, now) == expected
        recognised = any(
            self._expected(grant, where, self.today)
            for grant in GRANTS
            for where in _COLLECTIONS
            if grant.purpose == "recognise"
        )
        assert permitted(HoldTemplate(ADA), self.consents, now) == recognised

    def _cells(self, giver: Guardian | None, word: str, scope: Scope) -> Iterator[Cell]:
        for (who, grant, where), cell in self.cells.items():
            spoken_of = word in {str(grant), grant.purpose.value}
            if who == giver and spoken_of and scope.covers(where):
                yield cell

    def _record(
        self,
        said: ConsentEvent,
        cells: list[Cell],
        *,
        malformed: bool = False,
        dated: float | None = None,
    ) -> None:
        unlisted = not all(cell.lists(said.act) for cell in cells)
        before: Consents = self.consents
        if unlisted or malformed:
            with pytest.raises((UnlistedTransition, ConsentMalformed)):
                before.append(said)
            return
        self.consents = before.append(said)
        assert self.consents.events == (*before.events, said)
        ends = None if said.expires is None else (said.expires - day(0)).total_seconds() / 86400
        for cell in cells:
            cell.take(said.act, self.today if dated is None else dated, ends)

    def _is_child(self, when: float) -> bool:
        return self.born_as == "child" and when < self.of_age_on

    def _answers(self, giver: Guardian | None, when: float) -> bool:
        return giver is None or self.born_as == "unknown" or self._is_child(when)

    def _expected(self, grant: Grant, where: CollectionId, when: float) -> bool:
        entitled = {
            giver: self.cells[giver, grant, where]
            for giver in _GIVERS
            if self._answers(giver, when)
        }
        if any(cell.refused for cell in entitled.values()):
            return False
        if self._is_child(when):
            return any(entitled[guardian].holds_on(when) for guardian in _GIVERS[1:])
        own = entitled[None]
        if own.holds_on(when) and not self._is_child(own.said_on):
            return True
        return any(
            cell.holds_on(when) and when < cell.said_on + _YEAR
            for giver, cell in entitled.items()
            if giver is not None
        )


def _marked(grant: Grant, where: CollectionId) -> Request:
    """The request that needs exactly this grant, of a face that a human marked."""
    here = collection(where)
    requests: dict[str, Request] = {
        "recognise": Compare(ADA, here, Manner.ONE_TO_MANY),
        "find": find(where=here),
        "name:staff": TellName(ADA, here, Link.MARKED, STAFF),
        "name:public": TellName(ADA, here, Link.MARKED, PUBLIC),
        "publish:website": Show(ADA, here, Link.MARKED, WEBSITE),
        "publish:social": Show(ADA, here, Link.MARKED, SOCIAL),
    }
    return requests[str(grant)]


TestLifeOfConsents = LifeOfConsents.TestCase
TestLifeOfConsents.settings = settings(deadline=None, max_examples=60, stateful_step_count=20)
