from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import product

import pytest

from sayso.domain.consent import TRANSITIONS, Consents, Lack, State, fold
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import EVERYWHERE, Grant, Purpose
from sayso.errors import ConsentMalformed, EvidenceRequired, GrantUnknown, UnlistedTransition

from .records import (
    ADA,
    BEN,
    CHILD_ALL_ALONG,
    CLUB,
    FATHER,
    MOTHER,
    OF_AGE_ON_DAY_6,
    SPORTS,
    UNNAMED,
    day,
    event,
    lived,
    only,
    record,
)

FIND = Grant(Purpose.FIND)

TABLE = """
before     given  renewed  withdrawn  expired  contested
absent     given  -        withdrawn  -        contested
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


def _stands(consents: Consents, on: float, where: str = "find") -> str:
    answer = consents.live(Grant.parse(where), CLUB, day(on))
    return answer.value if isinstance(answer, Lack) else "live"


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
    assert _stands(record(), 1) == "no_consent"


def test_a_yes_holds_from_its_own_instant() -> None:
    consents = lived(event(Act.GIVEN, "find", 2))
    assert _stands(consents, 1.999) == "no_consent"
    assert _stands(consents, 2) == "live"


def test_a_yes_is_for_one_purpose_one_target_and_its_scope() -> None:
    consents = lived(event(Act.GIVEN, "publish:website", 0, scope=only(CLUB)))
    now = day(1)
    assert isinstance(consents.live(Grant.parse("publish:website"), CLUB, now), ConsentEvent)
    for other in ("publish:social", "name:public", "find", "recognise"):
        assert consents.live(Grant.parse(other), CLUB, now) is Lack.ABSENT
    for elsewhere in (SPORTS, UNNAMED):
        assert consents.live(Grant.parse("publish:website"), elsewhere, now) is Lack.ABSENT


def test_a_yes_ends_at_the_instant_of_its_expiry() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, ends=3))
    assert _stands(consents, 2.999) == "live"
    assert _stands(consents, 3) == "consent_expired"
    renewed = consents.append(event(Act.RENEWED, "find", 4, ends=9))
    assert _stands(renewed, 4) == "live"
    assert _stands(renewed, 9) == "consent_expired"


def test_a_withdrawal_holds_from_the_instant_it_is_recorded() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 2))
    assert _stands(consents, 2) == "consent_withdrawn"
    assert _stands(consents, 1) == "consent_withdrawn", "a refusal has no future and no past"


def test_a_withdrawal_of_a_whole_purpose_ends_every_target_of_it() -> None:
    consents = lived(
        event(Act.GIVEN, "publish:website", 0),
        event(Act.GIVEN, "publish:social", 0),
        event(Act.GIVEN, "name:staff", 0),
        event(Act.WITHDRAWN, "publish", 1),
    )
    assert _stands(consents, 2, "publish:website") == "consent_withdrawn"
    assert _stands(consents, 2, "publish:social") == "consent_withdrawn"
    assert _stands(consents, 2, "publish:press") == "consent_withdrawn"
    assert _stands(consents, 2, "name:staff") == "live"


def test_withdrawing_from_one_collection_leaves_the_others() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 1, scope=only(CLUB)))
    assert consents.live(FIND, CLUB, day(2)) is Lack.WITHDRAWN
    assert isinstance(consents.live(FIND, SPORTS, day(2)), ConsentEvent)
    again = consents.append(event(Act.GIVEN, "find", 3, scope=EVERYWHERE))
    assert isinstance(again.live(FIND, CLUB, day(4)), ConsentEvent)


def test_a_yes_and_a_no_of_the_same_instant_are_a_no_in_either_order() -> None:
    yes, no = event(Act.GIVEN, "find", 1), event(Act.WITHDRAWN, "find", 1)
    assert _stands(record(yes, no), 2) == "consent_withdrawn"
    assert _stands(record(no, yes), 2) == "consent_withdrawn"
    with pytest.raises(ConsentMalformed):
        lived(no, yes)


def test_a_clock_that_ran_backwards_does_not_lift_a_refusal() -> None:
    refused = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 5))
    with pytest.raises(ConsentMalformed) as caught:
        refused.append(event(Act.GIVEN, "find", 4))
    assert "clock" in caught.value.remedy
    assert _stands(record(*refused.events, event(Act.GIVEN, "find", 4)), 9) == "consent_withdrawn"


def test_a_refusal_holds_even_where_the_clock_ran_backwards() -> None:
    consents = lived(event(Act.GIVEN, "find", 5), event(Act.WITHDRAWN, "find", 2))
    assert _stands(consents, 6) == "consent_withdrawn"


def test_of_several_refusals_the_latest_dated_must_be_outdone() -> None:
    twice = (event(Act.WITHDRAWN, "find", 5), event(Act.WITHDRAWN, "find", 2))
    assert _stands(record(*twice, event(Act.GIVEN, "find", 3)), 9) == "consent_withdrawn"
    assert _stands(record(*twice, event(Act.GIVEN, "find", 6)), 9) == "live"


def test_a_contested_yes_is_a_refusal_until_the_giver_stands_by_it() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), event(Act.CONTESTED, "find", 1))
    assert _stands(consents, 2) == "consent_contested"
    assert _stands(consents.append(event(Act.RENEWED, "find", 3)), 4) == "live"


def test_contesting_what_was_withdrawn_reopens_nothing() -> None:
    consents = lived(
        event(Act.GIVEN, "find", 0),
        event(Act.WITHDRAWN, "find", 1),
        event(Act.CONTESTED, "find", 2),
    )
    assert _stands(consents, 3) == "consent_withdrawn"
    with pytest.raises(UnlistedTransition):
        consents.append(event(Act.RENEWED, "find", 4))


def test_a_childs_own_yes_waits_for_a_guardians() -> None:
    alone = lived(event(Act.GIVEN, "find", 0), born=CHILD_ALL_ALONG)
    assert _stands(alone, 1) == "guardian_required"
    assert _stands(alone.append(event(Act.GIVEN, "find", 1, guardian=MOTHER)), 1) == "live"


def test_a_guardians_yes_alone_is_enough_for_a_child() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=CHILD_ALL_ALONG)
    assert _stands(consents, 1) == "live"


@pytest.mark.parametrize("act", [Act.WITHDRAWN, Act.CONTESTED])
@pytest.mark.parametrize("refuser", [None, FATHER])
def test_one_refusal_wins_over_every_other_yes(act: Act, refuser: object) -> None:
    no = event(act, "find", 1, guardian=FATHER if refuser is FATHER else None)
    consents = lived(no, event(Act.GIVEN, "find", 2, guardian=MOTHER), born=CHILD_ALL_ALONG)
    assert _stands(consents, 3) == f"consent_{act}"


def test_only_who_refused_can_lift_the_refusal() -> None:
    refused = lived(
        event(Act.GIVEN, "find", 0, guardian=MOTHER),
        event(Act.WITHDRAWN, "find", 1, guardian=FATHER),
        event(Act.GIVEN, "find", 2, guardian=MOTHER),
        born=CHILD_ALL_ALONG,
    )
    assert _stands(refused, 3) == "consent_withdrawn"
    assert _stands(refused.append(event(Act.GIVEN, "find", 4, guardian=FATHER)), 4) == "live"


def test_on_the_day_somebody_comes_of_age_the_guardians_word_lapses() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=OF_AGE_ON_DAY_6)
    assert _stands(consents, 5.999) == "live"
    assert _stands(consents, 6) == "guardian_lapsed"
    assert _stands(consents.append(event(Act.GIVEN, "find", 6)), 6) == "live"


def test_the_same_person_is_still_a_child_in_a_state_where_majority_is_later() -> None:
    yes = event(Act.GIVEN, "find", 0, guardian=MOTHER)
    assert _stands(lived(yes, born=OF_AGE_ON_DAY_6, jurisdiction="US-AL"), 7) == "live"
    assert _stands(lived(yes, born=OF_AGE_ON_DAY_6, jurisdiction="US"), 7) == "guardian_lapsed"


def test_what_a_child_refused_stays_refused_when_they_are_of_age() -> None:
    consents = lived(event(Act.WITHDRAWN, "find", 0), born=OF_AGE_ON_DAY_6)
    assert _stands(consents, 7) == "consent_withdrawn"


def test_nobody_else_answers_for_an_adult() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER))
    assert _stands(consents, 1) == "guardian_lapsed"
    own = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 1, guardian=MOTHER))
    assert _stands(own, 2) == "live"


def test_where_the_age_is_unknown_a_guardians_yes_ends_after_a_year() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=None)
    assert _stands(consents, 364.999) == "live"
    assert _stands(consents, 365) == "consent_expired"
    assert _stands(consents.append(event(Act.RENEWED, "find", 366, guardian=MOTHER)), 366) == "live"


def test_where_the_age_is_unknown_ones_own_yes_has_no_such_end() -> None:
    assert _stands(lived(event(Act.GIVEN, "find", 0), born=None), 4000) == "live"


def test_recognise_needs_the_persons_own_act() -> None:
    with pytest.raises(EvidenceRequired) as caught:
        ConsentEvent(
            act=Act.GIVEN,
            person=ADA,
            purpose=Purpose.RECOGNISE,
            target=None,
            scope=EVERYWHERE,
            at=day(0),
        )
    assert caught.value.reason_code == "evidence_required"
    assert "--evidence" in caught.value.remedy


def test_a_yes_names_exactly_one_audience_or_channel() -> None:
    for bare in ("name", "publish"):
        with pytest.raises(GrantUnknown):
            event(Act.GIVEN, bare, 0)
    with pytest.raises(GrantUnknown):
        event(Act.WITHDRAWN, "publish:staff", 0)


@pytest.mark.parametrize("ends", [0, -1])
def test_a_yes_that_ends_before_it_begins_is_refused(ends: float) -> None:
    with pytest.raises(ConsentMalformed):
        event(Act.GIVEN, "find", 0, ends=ends)


@pytest.mark.parametrize(
    ("act", "grant"), [(Act.GIVEN, "find"), (Act.WITHDRAWN, "name:staff"), (Act.EXPIRED, "find")]
)
def test_fields_are_listed_only_with_a_yes_to_a_name(act: Act, grant: str) -> None:
    with pytest.raises(ConsentMalformed):
        event(act, grant, 0, fields=frozenset({"phone"}))


def test_a_time_without_its_offset_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    with pytest.raises(ConsentMalformed):
        record().live(FIND, CLUB, naive)
    with pytest.raises(ConsentMalformed):
        ConsentEvent(
            act=Act.GIVEN, person=ADA, purpose=Purpose.FIND, target=None, scope=EVERYWHERE, at=naive
        )


def test_a_record_never_mixes_two_people() -> None:
    with pytest.raises(ConsentMalformed):
        record(event(Act.GIVEN, "find", 0, person=BEN))


def test_the_same_instant_written_with_another_offset_is_the_same() -> None:
    yes = event(Act.GIVEN, "find", 1, ends=3)
    consents = lived(yes)
    there = day(3).astimezone(tz=None)
    assert consents.live(FIND, CLUB, there) is Lack.EXPIRED
    assert consents.live(FIND, CLUB, there - timedelta(microseconds=1)) == yes
