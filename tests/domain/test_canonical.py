import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.canonical import canonical, digest, parse
from sayso.errors import RecordMalformed

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_a_document_comes_back_as_it_was_and_has_one_spelling(
    document: dict[str, object],
) -> None:
    data = canonical(document)
    assert parse(data) == document
    shuffled = dict(reversed(document.items()))
    assert canonical(shuffled) == data
    assert digest(shuffled) == digest(document)


def test_the_example_of_rfc_8785_without_its_fractions() -> None:
    # RFC 8785, 3.2.2 and 3.2.3: strings and the order of keys by UTF-16 code units.
    text = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f", "literals": [None, True]}
    assert canonical(text) == (
        b'{"literals":[null,true],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(keys)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize(
    "value", [0.5, 2**53, float("nan"), b"bytes", {1: 2}, {"a": {1, 2}}, "\ud800"]
)
def test_what_has_no_single_spelling_is_refused(value: object) -> None:
    with pytest.raises(RecordMalformed):
        canonical({"value": value})


def test_endless_nesting_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(RecordMalformed, match="nesting"):
        canonical({"value": deep})


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"5", b"{", b"\xff", b'{"a":1,"a":2}', b'{"x":{"a":1,"a":1}}', b"[" * 10**5],
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(RecordMalformed):
        parse(data)
