"""Rules that do not hold yet, each as its smallest example; worst first.

Each is a strict expected failure: when the fault is mended the mark must go, and with faults 1
and 2 also what excuses them in test_policy_rules.py and test_consent_machine.py.
"""

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent, Evidence
from sayso.domain.grant import EVERYWHERE, Purpose
from sayso.domain.matching import OperatingPoint, Promise, thresholds
from sayso.domain.person import Guardian
from sayso.domain.photo import Collection
from sayso.domain.screening import Outcome, screen_face
from sayso.domain.sighting import Link
from sayso.errors import SaysoError, SettingMalformed

from .records import (
    ADA,
    CHILD_ALL_ALONG,
    MOTHER,
    OF_AGE_ON_DAY_6,
    WEBSITE,
    collection,
    day,
    event,
    find,
    lived,
    outcome,
    permitted,
    record,
    sighting,
)


@pytest.mark.xfail(strict=True, reason="fault 1: contesting nothing makes a renewal count")
def test_contesting_a_consent_that_was_never_given_does_not_bring_it_about() -> None:
    renewed = event(Act.RENEWED, "find", 1)
    assert outcome(find(), record(renewed), 2) != "permit"
    assert outcome(find(), record(event(Act.CONTESTED, "find", 0), renewed), 2) != "permit"


@pytest.mark.xfail(strict=True, reason="fault 2: a void yes leaves the longer one before it")
def test_an_older_refusal_does_not_revive_a_longer_yes() -> None:
    yeses = (event(Act.GIVEN, "find", 5), event(Act.GIVEN, "find", 3, ends=6))
    assert outcome(find(), lived(*yeses), 10) != "permit"
    assert outcome(find(), record(event(Act.WITHDRAWN, "find", 4), *yeses), 10) != "permit"


@pytest.mark.xfail(strict=True, reason="fault 3: append folds at the refusal's own date")
def test_a_withdrawal_is_recorded_even_after_the_clock_ran_backwards() -> None:
    expired = lived(event(Act.GIVEN, "find", 10), event(Act.EXPIRED, "find", 11))
    refused = expired.append(event(Act.WITHDRAWN, "find", 9))
    assert outcome(find(), refused, 12) == "consent_withdrawn"


@pytest.mark.xfail(strict=True, reason="fault 4: expired without a target poisons the others")
@pytest.mark.parametrize("act", [Act.WITHDRAWN, Act.GIVEN])
def test_an_expiry_of_one_channel_leaves_the_others_open_to_a_yes_or_a_no(act: Act) -> None:
    """Either the expiry without a channel is refused, or it harms no channel but its own."""
    given = lived(event(Act.GIVEN, "publish:website", 1))
    try:
        expired = given.append(event(Act.EXPIRED, "publish", 2))
    except SaysoError:
        return
    assert expired.append(event(act, "publish:social", 3)).events[-1].act is act


@pytest.mark.xfail(strict=True, reason="fault 5: guardians are told apart by name alone")
def test_a_guardian_does_not_lift_the_refusal_of_a_namesake() -> None:
    namesake = Guardian(MOTHER.name, "grandmother", "court order")
    consents = record(
        event(Act.WITHDRAWN, "find", 1, guardian=MOTHER),
        event(Act.GIVEN, "find", 2, guardian=namesake),
        born=CHILD_ALL_ALONG,
    )
    assert outcome(find(), consents, 3) == "consent_withdrawn"


@pytest.mark.xfail(strict=True, reason="fault 6: a child's own yes becomes an adult's unasked")
@pytest.mark.parametrize("guardians_word", [Act.WITHDRAWN, Act.GIVEN])
def test_who_comes_of_age_is_asked(guardians_word: Act) -> None:
    """What was refused the day before is not permitted because a birthday came."""
    consents = lived(
        event(Act.GIVEN, "find", 1),
        event(guardians_word, "find", 2, guardian=MOTHER),
        born=OF_AGE_ON_DAY_6,
    )
    assert outcome(find(), consents, 6) != "permit"


@pytest.mark.xfail(strict=True, reason="fault 7: a mark wins over a rejection of the same person")
def test_a_face_both_marked_and_rejected_as_somebody_is_not_shown() -> None:
    yes = {ADA: lived(event(Act.GIVEN, "publish:website", 0))}
    links = [sighting(Link.MARKED), sighting(Link.REJECTED)]
    face = screen_face(links, yes, collection(), WEBSITE, day(1))
    assert face.outcome is not Outcome.SHOW


@pytest.mark.xfail(strict=True, reason="fault 8: evidence is not looked at")
def test_an_empty_hash_is_no_evidence() -> None:
    with pytest.raises(SaysoError):
        ConsentEvent(
            act=Act.GIVEN,
            person=ADA,
            purpose=Purpose.RECOGNISE,
            target=None,
            scope=EVERYWHERE,
            at=day(0),
            evidence=Evidence("", ""),
        )


@pytest.mark.xfail(strict=True, reason="fault 9: one hour of the autumn is compared by its face")
def test_an_expiry_holds_in_the_hour_that_summer_time_repeats() -> None:
    london = ZoneInfo("Europe/London")
    ends = datetime(2026, 10, 25, 1, 30, tzinfo=london)
    consents = record(dataclasses.replace(event(Act.GIVEN, "find", 0), expires=ends))
    forty_minutes_later = datetime(2026, 10, 25, 1, 10, fold=1, tzinfo=london)
    assert not permitted(find(), consents, forty_minutes_later.astimezone(UTC))
    assert not permitted(find(), consents, forty_minutes_later)


@pytest.mark.xfail(strict=True, reason="fault 10: majority is read off the caller's offset")
def test_one_instant_has_one_answer_whatever_the_offset() -> None:
    consents = lived(event(Act.GIVEN, "find", 0), born=OF_AGE_ON_DAY_6)
    at_sea = timezone(timedelta(hours=14))
    assert not permitted(find(), consents, day(5.5))
    assert not permitted(find(), consents, day(5.5).astimezone(at_sea))


_BORN_TOO_LATE = record(event(Act.GIVEN, "find", 0), born=date(9999, 1, 1))
_UNTIL_NAIVE = dataclasses.replace(collection(), retain_until=day(9).replace(tzinfo=None))


@pytest.mark.xfail(strict=True, reason="fault 11: decide raises instead of refusing")
@pytest.mark.parametrize(
    ("consents", "where"),
    [
        (_BORN_TOO_LATE, collection()),
        (lived(event(Act.GIVEN, "find", 0)), _UNTIL_NAIVE),
    ],
)
def test_what_cannot_be_read_is_refused(consents: Consents, where: Collection) -> None:
    assert outcome(find(where=where), consents, 1) == "record_unreadable"


@pytest.mark.xfail(strict=True, reason="fault 12: a refusal whose purpose is plain text is lost")
def test_a_refusal_counts_however_its_purpose_was_spelt_in_memory() -> None:
    """A `Purpose` equals its text; a store that forgot to convert must not lose a refusal."""
    plain: Purpose = "find"  # type: ignore[assignment]  # what an untyped caller passes
    refusal = dataclasses.replace(event(Act.WITHDRAWN, "find", 1), purpose=plain)
    consents = record(event(Act.GIVEN, "find", 0), refusal)
    assert outcome(find(), consents, 2) != "permit"


@pytest.mark.xfail(strict=True, reason="fault 13: operating points are not checked")
@pytest.mark.parametrize("second", [OperatingPoint(0.0, 0.7), OperatingPoint(1e-3, 0.5)])
def test_operating_points_that_make_no_line_are_a_setting_malformed(
    second: OperatingPoint,
) -> None:
    points = (OperatingPoint(1e-3, 0.4), second)
    with pytest.raises(SettingMalformed):
        thresholds(points, references=100, promise=Promise(0.001, 0.1))
