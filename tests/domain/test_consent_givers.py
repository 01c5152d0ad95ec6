"""Whose word counts: the person's, their guardians', and when."""

import dataclasses
from datetime import timedelta, timezone

import pytest

from sayso.domain.consent import Lack
from sayso.domain.event import Act
from sayso.domain.grant import Grant, Purpose
from sayso.domain.person import Guardian

from .records import (
    CHILD_ALL_ALONG,
    CLUB,
    FATHER,
    GRANDMOTHER,
    MOTHER,
    OF_AGE_ON_DAY_6,
    day,
    event,
    lived,
    stands,
)

FIND = Grant(Purpose.FIND)


def test_a_childs_own_yes_waits_for_a_guardians() -> None:
    alone = lived(event(Act.GIVEN, "find", 0), born=CHILD_ALL_ALONG)
    assert stands(alone, 1) == "guardian_required"
    assert stands(alone.append(event(Act.GIVEN, "find", 1, guardian=MOTHER)), 1) == "live"


def test_a_guardians_yes_alone_is_enough_for_a_child() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=CHILD_ALL_ALONG)
    assert stands(consents, 1) == "live"


@pytest.mark.parametrize("act", [Act.WITHDRAWN, Act.CONTESTED])
@pytest.mark.parametrize("refuser", [None, FATHER])
def test_one_refusal_wins_over_every_other_yes(act: Act, refuser: object) -> None:
    giver = FATHER if refuser is FATHER else None
    consents = lived(
        event(Act.GIVEN, "find", 0, guardian=giver),
        event(act, "find", 1, guardian=giver),
        event(Act.GIVEN, "find", 2, guardian=MOTHER),
        born=CHILD_ALL_ALONG,
    )
    assert stands(consents, 3) == f"consent_{act}"


def test_of_two_refusals_the_withdrawal_is_the_reason_given() -> None:
    consents = lived(
        event(Act.GIVEN, "find", 0, guardian=MOTHER),
        event(Act.WITHDRAWN, "find", 1, guardian=FATHER),
        event(Act.CONTESTED, "find", 2, guardian=MOTHER),
        born=CHILD_ALL_ALONG,
    )
    assert stands(consents, 3) == "consent_withdrawn"


def test_only_who_refused_can_lift_the_refusal() -> None:
    refused = lived(
        event(Act.GIVEN, "find", 0, guardian=MOTHER),
        event(Act.WITHDRAWN, "find", 1, guardian=FATHER),
        event(Act.GIVEN, "find", 2, guardian=MOTHER),
        born=CHILD_ALL_ALONG,
    )
    assert stands(refused, 3) == "consent_withdrawn"
    assert stands(refused.append(event(Act.GIVEN, "find", 4, guardian=FATHER)), 4) == "live"


def test_a_guardian_does_not_lift_the_refusal_of_a_namesake() -> None:
    refused = (
        event(Act.WITHDRAWN, "find", 1, guardian=MOTHER),
        event(Act.GIVEN, "find", 2, guardian=GRANDMOTHER),
    )
    assert stands(lived(*refused, born=CHILD_ALL_ALONG), 3) == "consent_withdrawn"
    lifted = lived(*refused, event(Act.GIVEN, "find", 3, guardian=MOTHER), born=CHILD_ALL_ALONG)
    assert stands(lifted, 3) == "live"


def test_a_guardian_who_was_checked_again_is_the_same_guardian() -> None:
    again = Guardian(f" {MOTHER.name.upper()}", MOTHER.relation, "court order")
    consents = lived(
        event(Act.WITHDRAWN, "find", 1, guardian=MOTHER),
        event(Act.GIVEN, "find", 2, guardian=again),
        born=CHILD_ALL_ALONG,
    )
    assert stands(consents, 3) == "live"


def test_every_guardian_who_said_yes_is_named_and_the_childs_own_yes_is_not() -> None:
    own, mothers, fathers, shorter = (
        event(Act.GIVEN, "find", 0, guardian=giver, ends=ends)
        for giver, ends in ((None, None), (MOTHER, None), (FATHER, None), (GRANDMOTHER, 2))
    )
    consents = lived(own, mothers, fathers, shorter, born=CHILD_ALL_ALONG)
    early, late = (consents.live(FIND, CLUB, day(on)) for on in (1, 2))
    assert isinstance(early, tuple)
    assert isinstance(late, tuple)
    assert {e.giver for e in early} == {MOTHER.key, FATHER.key, GRANDMOTHER.key}
    assert {e.giver for e in late} == {MOTHER.key, FATHER.key}
    renewed = event(Act.RENEWED, "find", 3, guardian=MOTHER)
    assert set(consents.append(renewed).live(FIND, CLUB, day(3))) == {renewed, fathers}


def test_where_the_age_is_unknown_the_persons_own_yes_and_a_guardians_both_stand() -> None:
    yeses = (event(Act.GIVEN, "find", 0), event(Act.GIVEN, "find", 1, guardian=MOTHER))
    assert lived(*yeses, born=None).live(FIND, CLUB, day(2)) == yeses
    assert lived(*yeses, born=None).live(FIND, CLUB, day(366)) == yeses[:1]


@pytest.mark.parametrize("guardians_word", [None, Act.WITHDRAWN, Act.GIVEN])
def test_who_comes_of_age_is_asked(guardians_word: Act | None) -> None:
    """What a child said yes to, with a guardian or without, is no adult's yes."""
    said = [event(Act.GIVEN, "find", 1)]
    if guardians_word is not None:
        said.append(event(guardians_word, "find", 2, guardian=MOTHER))
    consents = lived(*said, born=OF_AGE_ON_DAY_6)
    assert stands(consents, 6) == "guardian_lapsed"
    for act in (Act.GIVEN, Act.RENEWED):
        assert stands(consents.append(event(act, "find", 6)), 6) == "live"
    assert stands(consents.append(event(Act.GIVEN, "find", 5.999)), 6) == "guardian_lapsed"


def test_on_the_day_somebody_comes_of_age_the_guardians_word_lapses() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=OF_AGE_ON_DAY_6)
    assert stands(consents, 5.999) == "live"
    assert stands(consents, 6) == "guardian_lapsed"
    assert stands(consents.append(event(Act.GIVEN, "find", 6)), 6) == "live"


def test_the_same_person_is_still_a_child_in_a_state_where_majority_is_later() -> None:
    yes = event(Act.GIVEN, "find", 0, guardian=MOTHER)
    assert stands(lived(yes, born=OF_AGE_ON_DAY_6, jurisdiction="US-AL"), 7) == "live"
    assert stands(lived(yes, born=OF_AGE_ON_DAY_6, jurisdiction="US"), 7) == "guardian_lapsed"


def test_what_a_child_refused_stays_refused_when_they_are_of_age() -> None:
    consents = lived(event(Act.WITHDRAWN, "find", 0), born=OF_AGE_ON_DAY_6)
    assert stands(consents, 7) == "consent_withdrawn"


def test_nobody_else_answers_for_an_adult() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER))
    assert stands(consents, 1) == "guardian_lapsed"
    own = lived(event(Act.GIVEN, "find", 0), event(Act.WITHDRAWN, "find", 1, guardian=MOTHER))
    assert stands(own, 2) == "live"


def test_where_the_age_is_unknown_a_guardians_yes_ends_after_a_year() -> None:
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=None)
    assert stands(consents, 364.999) == "live"
    assert stands(consents, 365) == "consent_expired"
    assert stands(consents.append(event(Act.RENEWED, "find", 366, guardian=MOTHER)), 366) == "live"


def test_where_the_age_is_unknown_ones_own_yes_has_no_such_end() -> None:
    assert stands(lived(event(Act.GIVEN, "find", 0), born=None), 4000) == "live"


def test_one_instant_has_one_answer_whatever_the_offset() -> None:
    """Somebody comes of age on one day, not on the day of whoever asks."""
    consents = lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=OF_AGE_ON_DAY_6)
    for hours in (-12, 0, 14):
        there = timezone(timedelta(hours=hours))
        assert consents.live(FIND, CLUB, day(5.9).astimezone(there)) == consents.events
        assert consents.live(FIND, CLUB, day(6).astimezone(there)) is Lack.GUARDIAN_LAPSED


def test_the_day_on_which_a_yes_was_said_is_that_of_no_offset_either() -> None:
    for hours, on, expected in ((14, 5.9, "guardian_lapsed"), (-12, 6.1, "live")):
        there = day(on).astimezone(timezone(timedelta(hours=hours)))
        said = dataclasses.replace(event(Act.GIVEN, "find", 0), at=there)
        assert stands(lived(said, born=OF_AGE_ON_DAY_6), 7) == expected
