import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.consent import Consents
from sayso.domain.event import Act
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.retention import (
    DEFAULT_LIMIT,
    LIMITS,
    End,
    Ground,
    purpose_end,
    template_end,
)

from .drawn import orderly_records
from .records import day, event, only, record

CLUB, SCHOOL = CollectionId("club"), CollectionId("school")
DAYS = st.integers(0, 4000).map(day)


def held(name: CollectionId, until: datetime | None) -> Collection:
    return Collection(name, name, "yearbook", Recognition.GROUP, "DPIA 7", until)


def end(
    *,
    expires: float | None = None,
    policy_days: int = 0,
    touched: datetime = day(0),  # noqa: B008 - a constant
    until: datetime | None = None,
    now: datetime = day(1),  # noqa: B008 - a constant
) -> End:
    yes = event(Act.GIVEN, "recognise", 0, scope=only(CLUB), ends=expires)
    return template_end(
        record(yes),
        {CLUB: held(CLUB, until)},
        built_at=day(0),
        last_interaction=touched,
        policy_days=policy_days,
        now=now,
    )


def test_the_earliest_end_counts_and_says_why() -> None:
    three_years = day(0).replace(year=day(0).year + 3)
    assert end() == End(three_years, Ground.NO_INTERACTION)
    assert end(policy_days=90) == End(day(90), Ground.POLICY)
    assert end(expires=30, policy_days=90) == End(day(30), Ground.PURPOSE_OVER)
    assert end(until=day(20), expires=30) == End(day(20), Ground.PURPOSE_OVER)
    assert end(touched=day(100)).at == day(100).replace(year=day(100).year + 3)


def test_without_a_live_consent_there_is_no_time_at_all() -> None:
    assert end(expires=30, now=day(31)) == End(day(31), Ground.CONSENT_OVER)


def test_the_purpose_ends_with_the_last_of_its_collections() -> None:
    yes = record(event(Act.GIVEN, "recognise", 0, scope=only(CLUB, SCHOOL)))
    both = {CLUB: held(CLUB, day(20)), SCHOOL: held(SCHOOL, day(40))}
    assert purpose_end(yes, both, day(1)) == End(day(40), Ground.PURPOSE_OVER)
    open_ended = {**both, SCHOOL: held(SCHOOL, None)}
    assert purpose_end(yes, open_ended, day(1)) is None


@pytest.mark.parametrize(
    ("code", "years"),
    [("US-IL", 3), ("us_il", 3), ("US-CO", 2), ("US-TX", 3), ("GB", 3), ("", 3), ("DE", 3)],
)
def test_out_of_touch_a_template_is_kept_as_long_as_the_persons_law_says(
    code: str, years: int
) -> None:
    yes = event(Act.GIVEN, "recognise", 0, scope=only(CLUB))
    told = replace(record(yes), jurisdiction=code)
    answer = template_end(
        told,
        {CLUB: held(CLUB, None)},
        built_at=day(0),
        last_interaction=day(0),
        policy_days=0,
        now=day(1),
    )
    assert answer == End(day(0).replace(year=day(0).year + years), Ground.NO_INTERACTION)


def test_every_limit_names_its_section_and_none_is_laxer_than_the_default() -> None:
    for one in LIMITS.values():
        assert re.search(r"\d+[-/ ]\d+", one.source)
        assert one.interaction_years <= DEFAULT_LIMIT.interaction_years


@given(orderly_records(), DAYS, DAYS, DAYS, st.integers(0, 4000))
def test_no_template_outlives_any_of_its_limits(
    consents: Consents, built: datetime, touched: datetime, now: datetime, policy_days: int
) -> None:
    answer = template_end(
        consents,
        {},
        built_at=built,
        last_interaction=touched,
        policy_days=policy_days,
        now=now,
    )
    assert answer.at <= touched + timedelta(days=3 * 366)
    if policy_days:
        assert answer.at <= built + timedelta(days=policy_days)
    purpose = purpose_end(consents, {}, now)
    if purpose is not None:
        assert answer.at <= purpose.at


def test_a_last_interaction_on_a_leap_day_ends_on_the_first_of_march() -> None:
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert end(touched=leap).at == datetime(2031, 3, 1, tzinfo=UTC)
