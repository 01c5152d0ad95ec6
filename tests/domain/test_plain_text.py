"""Values that an untyped caller spelt as text, or in another time zone, mean the same."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sayso.domain.event import Act
from sayso.domain.person import Guardian
from sayso.domain.policy import Compare, Manner
from sayso.domain.screening import Outcome, screen_face
from sayso.domain.sighting import Link
from sayso.errors import ConsentMalformed

from .records import ADA, WEBSITE, collection, day, event, find, lived, outcome, permitted, sighting


@pytest.mark.parametrize(("mode", "reason"), [("off", "recognition_off"), ("group", "permit")])
def test_a_mode_spelt_as_text_is_the_mode(mode: Any, reason: str) -> None:  # noqa: ANN401 - untyped
    yes = lived(event(Act.GIVEN, "recognise", 0))
    where = replace(collection(), recognition=mode)
    assert outcome(Compare(ADA, where, Manner.ONE_TO_ONE), yes, 1) == reason


def test_a_rejection_spelt_as_text_is_not_lost() -> None:
    text: Any = "rejected"
    yes = {ADA: lived(event(Act.GIVEN, "publish:website", 0), event(Act.GIVEN, "recognise", 0))}
    links = [sighting(Link.MATCH), replace(sighting(Link.REJECTED), link=text)]
    assert screen_face(links, yes, collection(), WEBSITE, day(1)).outcome is not Outcome.SHOW


def test_retention_holds_in_the_hour_that_summer_time_repeats() -> None:
    london = ZoneInfo("Europe/London")
    until = datetime(2026, 10, 25, 1, 30, tzinfo=london)
    where = replace(collection(), retain_until=until)
    yes = lived(event(Act.GIVEN, "find", 0))
    later = datetime(2026, 10, 25, 1, 10, fold=1, tzinfo=london)
    assert not permitted(find(where=where), yes, later)
    assert not permitted(find(where=where), yes, later.astimezone(UTC))


@pytest.mark.parametrize(
    "changes",
    [
        {"act": "bogus"},
        {"purpose": "bogus"},
        {"fields": "phone"},
        {"expires": datetime.max.replace(tzinfo=ZoneInfo("America/New_York"))},
    ],
)
def test_what_makes_no_event_is_a_consent_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(ConsentMalformed):
        replace(event(Act.GIVEN, "name:staff", 0), **changes)


def test_no_two_guardians_share_a_key() -> None:
    one, other = ("Mary (aunt)", "by court"), ("Mary", "aunt) (by court")
    assert Guardian(*one, "register").key != Guardian(*other, "register").key
