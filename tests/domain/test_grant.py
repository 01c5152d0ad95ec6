import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.grant import CHANNELS, EVERYWHERE, Grant, Purpose, Scope, audience, channel
from sayso.domain.photo import CollectionId
from sayso.errors import GrantUnknown

from .records import CLUB, SPORTS, UNNAMED, only


@pytest.mark.parametrize(
    "text",
    [
        "recognise",
        "find",
        "name:staff",
        "name:public",
        "name:group:year-7",
        *(f"publish:{each}" for each in CHANNELS),
        "publish:x-alumni",
    ],
)
def test_a_grant_reads_back_as_it_was_written(text: str) -> None:
    assert str(Grant.parse(f" {text} ")) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "identify",
        "Recognise",
        "recognise:",
        "recognise:staff",
        "find:",
        "find:public",
        "name",
        "name:",
        "name:everybody",
        "name:Staff",
        "name:group:",
        "name:group:-x",
        "name:staff,public",
        "name:website",
        "publish",
        "publish:web",
        "publish:staff",
        "publish:x-",
        "publish:website\npress",
        "*",
        "publish:*",
    ],
)
def test_whatever_else_is_written_grants_nothing(text: str) -> None:
    with pytest.raises(GrantUnknown) as caught:
        Grant.parse(text)
    assert caught.value.reason_code == "grant_unknown"
    assert caught.value.remedy.endswith(".")


@given(st.text(max_size=20))
def test_any_text_is_either_a_grant_that_reads_back_or_unknown(text: str) -> None:
    try:
        grant = Grant.parse(text)
    except GrantUnknown:
        return
    assert Grant.parse(str(grant)) == grant


def test_there_are_four_purposes_and_none_implies_another() -> None:
    assert [str(purpose) for purpose in Purpose] == ["recognise", "find", "name", "publish"]


def test_an_audience_and_a_channel_are_different_things() -> None:
    with pytest.raises(GrantUnknown):
        audience("website")
    with pytest.raises(GrantUnknown):
        channel("staff")


def test_a_scope_of_named_collections_covers_these_alone() -> None:
    scope = only(CLUB)
    assert scope.covers(CLUB)
    assert not scope.covers(SPORTS)
    assert not scope.covers(CollectionId("CLUB"))


def test_a_scope_of_everywhere_covers_collections_to_come() -> None:
    assert EVERYWHERE.covers(UNNAMED)


def test_a_scope_of_nothing_is_not_mistaken_for_everywhere() -> None:
    with pytest.raises(GrantUnknown):
        Scope(frozenset())
