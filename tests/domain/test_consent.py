import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from sayso.domain.consent import TRANSITIONS, Lack, State, fold
from sayso.domain.event import Act
from sayso.domain.grant import EVERYWHERE, Grant, Purpose
from sayso.errors import ConsentMalformed, UnlistedTransition

from .records import (
    BEN,
    CLUB,
    SPORTS,
    UNNAMED,
    day,
    event,
    lived,
    only,
    record,
    stands,
)

FIND = Grant(Purpose.FIND)

TABLE = """
before     given  renewed  withdrawn  expired  contested
absent     given  -        withdrawn  -        withdrawn
given      given  given    withdrawn  expired  contested
expired    given  given    withdrawn  -        contested
contested  given  given    withdrawn  -        contested
withdrawn  given  -        withdrawn  -        withdrawn
"""
"""The transition table as the documentation shows it: rows are states, columns are acts."""

_WAY_TO: Mapping[State, tuple[Act, ...]] = {
    State.ABSENT: (),
    State.GIVEN: (Act.GIVEN,),
    State.EXPIRED: (Act.GIVEN, Act.EXPIRED),
    State.CONTESTED: (Act.GIVEN, Act.CONTESTED),
    State.WITHDRAWN: (Act.GIVEN, Act.WITHDRAWN),
}


def test_the_transition_table_is_the_documented_one() -> None:
    heading, *rows = [line.split() for line in TABLE.strip().splitlines()]
    documented = {
        (State(row[0]), Act(act)): State(after)
        for row in rows
        for act, after in zip(heading[1:], row[1:], strict=True)
        if after != "-"
    }
    assert documented == TRANSITIONS


@pytest.mark.parametrize(("before", "act"), list(product(State, Act)))
def test_a_listed_act_is_recorded_and_an_unlisted_one_raises(before: State, act: Act) -> None:
    history = lived(*(event(each, "find", i) for i, each in enumerate(_WAY_TO[before])))
    if (before, act) in TRANSITIONS:
        after = history.append(event(act, "find", 5))
        assert fold(after.events, day(6)).state is TRANSITIONS[before, act]
    else:
        with pytest.raises(UnlistedTransition) as caught:
            history.append(event(act, "find", 5))
        assert caught.value.reason_code == "consent_transition_unlisted"
        assert len(history.events) == len(_WAY_TO[before])


def test_who_was_never_asked_has_said_nothing() -> None:
    assert stands(record(), 1) == "no_consent"


def test_a_yes_holds_from_its_own_instant() -> None:
    consents = lived(event(Act.GIVEN, "find", 2))
    assert stands(consents, 1.999) == "no_consent"
    assert stands(consents, 2) == "live"


def test_a_yes_is_for_one_purpose_one_target_and_its_scope() -> None:
    consents = lived(event(Act.GIVEN, "publish:website", 0, scope=only(CLUB)))
    now = day(1)
    assert consents.live(Grant.parse("publish:website"), CLUB, now) == consents.events
    for other in ("publish:social", "name:public", "find", "recognise"):
        assert consents.live(Grant.parse(other), CLUB, now) is Lack.ABSENT
    for elsewhere in (SPORTS, UNNAMED):
        assert consents.live(Grant.parse("publish:website"), elsewhere, now) is Lack.ABSENT


def test_a_yes_ends_at_the_instant_of_its_expiry() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, ends=3))
    assert stands(consents, 2.999) == "live"
    assert stands(consents, 3) == "consent_expired"
    renewed = consents.append(event(Act.RENEWED, "find", 4, ends=9))
    assert stands(renewed, 4) == "live"
    assert stands(renewed, 9) == "consent_expired"


def test_a_withdrawal_holds_from_the_instant_it_is_recorded() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 2))
    assert stands(consents, 2) == "consent_withdrawn"
    assert stands(consents, 1) == "consent_withdrawn", "a refusal has no future and no past"


def test_a_withdrawal_of_a_whole_purpose_ends_every_target_of_it() -> None:
    consents = lived(
        event(Act.GIVEN, "publish:website", 0),
        event(Act.GIVEN, "publish:social", 0),
        event(Act.GIVEN, "name:staff", 0),
        event(Act.WITHDRAWN, "publish", 1),
    )
    assert stands(consents, 2, "publish:website") == "consent_withdrawn"
    assert stands(consents, 2, "publish:social") == "consent_withdrawn"
    assert stands(consents, 2, "publish:press") == "consent_withdrawn"
    assert stands(consents, 2, "name:staff") == "live"


def test_withdrawing_from_one_collection_leaves_the_others() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 1, scope=only(CLUB)))
    assert consents.live(FIND, CLUB, day(2)) is Lack.WITHDRAWN
    assert consents.live(FIND, SPORTS, day(2)) == consents.events[:1]
    again = consents.append(event(Act.GIVEN, "find", 3, scope=EVERYWHERE))
    assert again.live(FIND, CLUB, day(4)) == again.events[2:]


def test_a_yes_and_a_no_of_the_same_instant_are_a_no_in_either_order() -> None:
    yes, no = event(Act.GIVEN, "find", 1), event(Act.WITHDRAWN, "find", 1)
    assert stands(record(yes, no), 2) == "consent_withdrawn"
    assert stands(record(no, yes), 2) == "consent_withdrawn"
    with pytest.raises(ConsentMalformed):
        lived(no, yes)


def test_a_clock_that_ran_backwards_does_not_lift_a_refusal() -> None:
    refused = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 5))
    with pytest.raises(ConsentMalformed) as caught:
        refused.append(event(Act.GIVEN, "find", 4))
    assert "clock" in caught.value.remedy
    assert stands(record(*refused.events, event(Act.GIVEN, "find", 4)), 9) == "consent_withdrawn"


def test_a_refusal_holds_even_where_the_clock_ran_backwards() -> None:
    consents = lived(event(Act.GIVEN, "find", 5), event(Act.WITHDRAWN, "find", 2))
    assert stands(consents, 6) == "consent_withdrawn"


def test_of_several_refusals_the_latest_dated_must_be_outdone() -> None:
    twice = (event(Act.WITHDRAWN, "find", 5), event(Act.WITHDRAWN, "find", 2))
    assert stands(record(*twice, event(Act.GIVEN, "find", 3)), 9) == "consent_withdrawn"
    assert stands(record(*twice, event(Act.GIVEN, "find", 6)), 9) == "live"


def test_an_older_refusal_does_not_revive_a_longer_yes() -> None:
    longer, shorter = event(Act.GIVEN, "find", 5), event(Act.GIVEN, "find", 3, ends=6)
    assert stands(lived(longer, shorter), 10) == "consent_expired"
    refused = record(event(Act.WITHDRAWN, "find", 4), longer, shorter)
    assert stands(refused, 10) == "consent_withdrawn"


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [(Act.WITHDRAWN, "consent_withdrawn"), (Act.CONTESTED, "consent_contested")],
)
def test_a_void_yes_leaves_the_refusal_standing_and_a_later_one_lifts_it(
    refusal: Act, reason: str
) -> None:
    refused = (event(Act.GIVEN, "find", 0), event(refusal, "find", 4))
    void = record(*refused, event(Act.GIVEN, "find", 5), event(Act.GIVEN, "find", 3))
    assert stands(void, 10) == reason
    assert stands(void.append(event(Act.GIVEN, "find", 6)), 10) == "live"


def test_a_withdrawal_is_recorded_even_after_the_clock_ran_backwards() -> None:
    expired = lived(event(Act.GIVEN, "find", 10), event(Act.EXPIRED, "find", 11))
    assert stands(expired.append(event(Act.WITHDRAWN, "find", 9)), 12) == "consent_withdrawn"


def test_a_withdrawal_is_recorded_even_in_a_record_that_cannot_be_read() -> None:
    unreadable = record(event(Act.RENEWED, "find", 0))
    with pytest.raises(UnlistedTransition):
        unreadable.append(event(Act.GIVEN, "find", 1))
    assert unreadable.append(event(Act.WITHDRAWN, "find", 1)).events[-1].act is Act.WITHDRAWN


def test_a_refusal_does_not_expire() -> None:
    """Whatever date its record carries, it takes a yes to lift it."""
    no = event(Act.WITHDRAWN, "find", 1, ends=2)
    assert stands(lived(event(Act.GIVEN, "find", 0), no), 3) == "consent_withdrawn"


@pytest.mark.parametrize("act", [Act.WITHDRAWN, Act.GIVEN])
def test_an_expiry_of_one_channel_leaves_the_others_open_to_a_yes_or_a_no(act: Act) -> None:
    given = lived(event(Act.GIVEN, "publish:website", 1), event(Act.GIVEN, "publish:social", 1))
    expired = given.append(event(Act.EXPIRED, "publish:website", 2))
    assert stands(expired, 2, "publish:website") == "consent_expired"
    assert stands(expired, 2, "publish:social") == "live"
    after = expired.append(event(act, "publish:social", 3))
    expected = "live" if act is Act.GIVEN else "consent_withdrawn"
    assert stands(after, 3, "publish:social") == expected


def test_a_contested_yes_is_a_refusal_until_the_giver_stands_by_it() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), event(Act.CONTESTED, "find", 1))
    assert stands(consents, 2) == "consent_contested"
    assert stands(consents.append(event(Act.RENEWED, "find", 3)), 4) == "live"


def test_contesting_a_consent_that_was_never_given_is_a_no() -> None:
    contested = lived(event(Act.CONTESTED, "find", 0))
    assert stands(contested, 1) == "consent_withdrawn"
    with pytest.raises(UnlistedTransition):
        contested.append(event(Act.RENEWED, "find", 1))
    assert stands(contested.append(event(Act.GIVEN, "find", 1)), 2) == "live"


def test_contesting_what_was_withdrawn_reopens_nothing() -> None:
    consents = lived(
        event(Act.GIVEN, "find", 0),
        event(Act.WITHDRAWN, "find", 1),
        event(Act.CONTESTED, "find", 2),
    )
    assert stands(consents, 3) == "consent_withdrawn"
    with pytest.raises(UnlistedTransition):
        consents.append(event(Act.RENEWED, "find", 4))


def test_a_question_at_a_time_without_its_offset_is_refused() -> None:
    with pytest.raises(ConsentMalformed):
        record().live(FIND, CLUB, day(0).replace(tzinfo=None))


def test_a_record_never_mixes_two_people() -> None:
    with pytest.raises(ConsentMalformed):
        record(event(Act.GIVEN, "find", 0, person=BEN))


def test_an_expiry_holds_in_the_hour_that_summer_time_repeats() -> None:
    london = ZoneInfo("Europe/London")
    ends = datetime(2026, 10, 25, 1, 30, tzinfo=london)
    consents = lived(dataclasses.replace(event(Act.GIVEN, "find", 0), expires=ends))
    twenty_minutes_before = datetime(2026, 10, 25, 1, 10, tzinfo=london)
    forty_minutes_later = twenty_minutes_before.replace(fold=1)
    for zone in (UTC, london):
        before, later = twenty_minutes_before, forty_minutes_later
        assert consents.live(FIND, CLUB, before.astimezone(zone)) == consents.events
        assert consents.live(FIND, CLUB, later.astimezone(zone)) is Lack.EXPIRED


def test_the_same_instant_written_with_another_offset_is_the_same() -> None:
    yes = event(Act.GIVEN, "find", 1, ends=3)
    consents = lived(yes)
    there = day(3).astimezone(tz=None)
    assert consents.live(FIND, CLUB, there) is Lack.EXPIRED
    assert consents.live(FIND, CLUB, there - timedelta(microseconds=1)) == (yes,)
