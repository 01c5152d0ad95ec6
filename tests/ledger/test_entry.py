"""Entries: their canonical bytes, their commitments, and what they refuse to hold."""

import base64
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import EntryForbidden
from sayso.ledger.admission import Aside
from sayso.ledger.entry import (
    Action,
    Draft,
    Entry,
    commitment,
    glance,
    parse_entry,
    spans,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
VECTOR = np.random.default_rng(7).standard_normal(128).astype(np.float32)

details = st.dictionaries(
    st.from_regex(r"\A(count|code|photo)_[a-z]{1,8}\Z"),
    st.one_of(
        st.booleans(),
        st.none(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(-1, 1),
        st.from_regex(r"\A[a-z0-9:]{0,64}\Z"),
        st.lists(st.integers(0, 9), max_size=3),
    ),
    max_size=8,
)


@given(details, st.integers(0, 2**40), st.sampled_from(list(Action)))
def test_an_entry_reads_back_as_it_was_written(
    held: dict[str, Any], sequence: int, action: Action
) -> None:
    entry = Entry(sequence, NOON, Draft(action, "op-1", ("person-1",), held))
    assert parse_entry(entry.canonical()) == entry
    glanced = glance(entry.canonical())
    assert (glanced.sequence, glanced.at, glanced.action) == (
        sequence,
        "2026-05-04T12:00:00Z",
        action.value,
    )


def test_the_canonical_bytes_are_those_of_rfc_8785() -> None:
    entry = Entry(3, NOON, Draft(Action.SCAN, "op-1", ("p-2",), {"faces": 12, "share": 0.50}))
    assert entry.canonical() == (
        b'{"action":"scan","actor":"op-1","at":"2026-05-04T12:00:00Z",'
        b'"details":{"faces":12,"share":0.5},"sequence":3,"stage":"done",'
        b'"subjects":["p-2"],"targets":[],"v":1}'
    )


WRITTEN = Entry(3, NOON, Draft(Action.SCAN, "op-1")).canonical()


@pytest.mark.parametrize(
    "content",
    [
        b'{"action": "scan"}',
        b"[]",
        b"",
        b"\xff",
        b"null",
        b"[" * 100_000,
        WRITTEN + b" ",
        WRITTEN.replace(b":3,", b":3.0,"),
        WRITTEN.replace(b"00Z", b"00+00:00"),
        WRITTEN.replace(b"scan", b"spy"),
        WRITTEN.replace(b'"v":1', b'"v":true'),
        WRITTEN.replace(b'"v":1', b'"v":2'),
        WRITTEN.replace(b'"details":{}', b'"details":[]'),
        WRITTEN.replace(b'"details":{}', b'"details":{"name":1}'),
    ],
)
def test_only_the_one_spelling_of_an_entry_is_read(content: bytes) -> None:
    with pytest.raises(EntryForbidden):
        parse_entry(content)


@pytest.mark.parametrize(
    "forbidden",
    [
        {"values": VECTOR.tolist()},
        {"values": VECTOR[:17].tolist()},
        {"values": [VECTOR[:9].tolist(), VECTOR[:9].tolist()]},
        {f"count_{place}": float(value) for place, value in enumerate(VECTOR)},
        {"sealed": base64.b64encode(VECTOR.tobytes()).decode()},
        {"sealed": base64.b64encode(VECTOR.astype(np.float16).tobytes()).decode()},
        {"sealed": VECTOR.astype(np.int8).tobytes().hex()},
        {"vector": 1},
        {"face_vector": 1},
        {"features": 1},
        {"name": "p-1"},
        {"display_name": "p-1"},
        {"nested": {"email": "p-1"}},
        {"nested": [{"phone": "p-1"}]},
        {"note": "Anna Example"},
        {"note": "Änne"},
        {"contact": "anna@example.org"},
        {"contact": "+44-20-7946-0000"},
        {"Name": 1},
        {"count": float("nan")},
        {"count": 2**60},
        {"raw": b"bytes"},
        {1: 1},
        {"long": ["x" * 120 for _ in range(20)]},
    ],
)
def test_features_names_and_contacts_are_refused(forbidden: dict[str, Any]) -> None:
    with pytest.raises(EntryForbidden) as caught:
        Draft(Action.SCAN, "op-1", details=forbidden)
    assert caught.value.reason_code == "entry_forbidden"
    assert "Anna" not in str(caught.value)
    assert "7946" not in str(caught.value)


@pytest.mark.parametrize("actor", ["", "Anna Example", "anna@example.org", "ä", "x" * 65, "a/b"])
def test_an_actor_is_an_id(actor: str) -> None:
    with pytest.raises(EntryForbidden):
        Draft(Action.SCAN, actor)


@pytest.mark.parametrize("subject", ["", "Anna", "anna-example", "Anna Example"])
def test_a_subject_is_an_opaque_id(subject: str) -> None:
    with pytest.raises(EntryForbidden):
        Draft(Action.CONSENT, "op-1", (subject,))


@pytest.mark.parametrize("targets", [((2, 1),), ((0, 3), (3, 4)), ((5, 6), (1, 2)), ((-1, 0),)])
def test_targets_rise(targets: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(EntryForbidden):
        Draft(Action.ERASURE, "op-1", targets=targets)


def test_only_erasures_and_aborts_have_targets() -> None:
    with pytest.raises(EntryForbidden):
        Draft(Action.SCAN, "op-1", targets=((0, 1),))


ROOT = "ab" * 32


def test_an_erasure_says_which_entries_of_other_ledgers_it_erased() -> None:
    draft = Draft(Action.ERASURE, "op-1", aside=((ROOT, ((0, 2), (5, 5))),))
    entry = Entry(4, NOON, draft)
    assert b'"aside":[["' + ROOT.encode() + b'",[[0,2],[5,5]]]]' in entry.canonical()
    assert parse_entry(entry.canonical()) == entry
    assert glance(entry.canonical()).aside == draft.aside
    with pytest.raises(EntryForbidden):  # one spelling: what is empty is not written
        parse_entry(WRITTEN.replace(b"{", b'{"aside":[],', 1))


@pytest.mark.parametrize(
    ("action", "aside"),
    [
        (Action.SCAN, ((ROOT, ((0, 1),)),)),
        (Action.ERASURE, (("ledger-1", ((0, 1),)),)),
        (Action.ERASURE, ((ROOT, ((0, 1),)), (ROOT, ((3, 4),)))),
        (Action.ERASURE, ((ROOT, ((1, 0),)),)),
        (Action.ERASURE, ((ROOT, ()),)),
    ],
)
def test_only_erasures_name_entries_of_other_ledgers_and_by_their_roots(
    action: Action, aside: tuple[Aside, ...]
) -> None:
    with pytest.raises(EntryForbidden):
        Draft(action, "op-1", aside=aside)


@given(st.sets(st.integers(0, 50)))
def test_spans_name_exactly_the_numbers(numbers: set[int]) -> None:
    joined = spans(list(numbers))
    assert {n for first, last in joined for n in range(first, last + 1)} == numbers
    Draft(Action.ERASURE, "op-1", targets=joined)


def test_a_commitment_depends_on_every_bit_of_salt_and_content() -> None:
    salt, content = bytes(32), b"content"
    whole = commitment(salt, content)
    for bit in range(256):
        bent = (1 << bit).to_bytes(32, "big")
        assert commitment(bent, content) != whole
    assert commitment(salt, content + b"\0") != whole
    with pytest.raises(EntryForbidden):
        commitment(b"short", content)


def test_a_time_needs_its_zone() -> None:
    entry = Entry(0, datetime(2026, 5, 4, 12), Draft(Action.SCAN, "op-1"))  # noqa: DTZ001 - the fault
    with pytest.raises(EntryForbidden):
        entry.canonical()
