"""What may be recorded at all, and how it is spelt."""

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.consent import Lack
from sayso.domain.event import Act, ConsentEvent, Evidence, Notice
from sayso.domain.grant import EVERYWHERE, Grant, Purpose, Scope
from sayso.errors import ConsentMalformed, EvidenceRequired, GrantUnknown

from .records import ADA, CLUB, day, event, record

YES = event(Act.GIVEN, "find", 0)
HASH = "ab" * 32
NO_HASH = ["", " ", "ab" * 31, "ab" * 33, "AB" * 32, "xy" * 32, f"{HASH}\n", f" {HASH[1:]}"]


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
    naive = datetime(2026, 6, 1)  # noqa: DTZ001 - what is refused
    with pytest.raises(ConsentMalformed):
        dataclasses.replace(YES, at=naive)
    with pytest.raises(ConsentMalformed):
        dataclasses.replace(YES, expires=naive)


@pytest.mark.parametrize("bare", ["name", "publish"])
def test_an_expiry_names_exactly_what_expired(bare: str) -> None:
    with pytest.raises(GrantUnknown):
        event(Act.EXPIRED, bare, 0)


@pytest.mark.parametrize("act", [Act.WITHDRAWN, Act.CONTESTED])
@pytest.mark.parametrize("word", [*Purpose, "name:staff", "publish:website"])
def test_a_refusal_speaks_of_one_target_or_of_every_one(act: Act, word: str) -> None:
    assert event(act, word, 0).covers(Grant.parse(_one_of(word)), CLUB)


def _one_of(word: str) -> str:
    return {"name": "name:public", "publish": "publish:press"}.get(word, word)


@pytest.mark.parametrize("sha256", NO_HASH)
def test_what_is_no_hash_is_no_evidence_and_no_notice(sha256: str) -> None:
    with pytest.raises(ConsentMalformed) as caught:
        Evidence(sha256, "signed form")
    assert caught.value.reason_code == "consent_malformed"
    with pytest.raises(ConsentMalformed):
        Notice(sha256, "3", "en-GB")


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_evidence_and_notice_say_what_they_are(blank: str) -> None:
    for words in ((blank, "en"), ("3", blank)):
        with pytest.raises(ConsentMalformed):
            Notice(HASH, *words)
    with pytest.raises(ConsentMalformed):
        Evidence(HASH, blank)


@given(st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_every_hash_is_evidence(sha256: str) -> None:
    assert Evidence(sha256, "signature").sha256 == Notice(sha256, "1", "en").sha256 == sha256


@given(st.sampled_from([-12, -5, 0, 1, 14]), st.integers(1, 40))
def test_one_instant_has_one_spelling(hours: int, lasts: int) -> None:
    there = timezone(timedelta(hours=hours))
    utc = dataclasses.replace(YES, expires=day(lasts))
    elsewhere = dataclasses.replace(
        YES, at=YES.at.astimezone(there), expires=day(lasts).astimezone(there)
    )
    assert elsewhere == utc
    assert elsewhere.expires is not None
    assert (elsewhere.at.isoformat(), elsewhere.expires.isoformat()) == (
        YES.at.isoformat(),
        day(lasts).isoformat(),
    )


@pytest.mark.parametrize("facts", [{"purpose": "find"}, {"act": "withdrawn"}])
def test_a_refusal_counts_however_its_words_were_spelt_in_memory(facts: dict[str, Any]) -> None:
    """A `Purpose` equals its text; a store that forgot to convert must not lose a refusal."""
    refusal = dataclasses.replace(event(Act.WITHDRAWN, "find", 1), **facts)
    assert refusal.act is Act.WITHDRAWN
    assert refusal.purpose is Purpose.FIND
    consents = record(YES).append(refusal)
    assert consents.live(Grant(Purpose.FIND), CLUB, day(2)) is Lack.WITHDRAWN


def test_a_yes_to_recognise_needs_evidence_however_it_was_spelt_in_memory() -> None:
    for act in ("given", "renewed"):
        plain: dict[str, Any] = {"purpose": "recognise", "act": act, "evidence": None}
        with pytest.raises(EvidenceRequired):
            dataclasses.replace(YES, **plain)


def test_a_purpose_spelt_as_plain_text_keeps_its_collections_apart() -> None:
    plain: dict[str, Any] = {"purpose": "recognise"}
    named = dataclasses.replace(
        event(Act.GIVEN, "recognise", 0), scope=Scope(frozenset({CLUB})), **plain
    )
    assert CLUB in record(named).points(Purpose.RECOGNISE)
