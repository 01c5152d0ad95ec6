import unicodedata

import pytest

from sayso.services.redaction import REPLACEMENT, Redaction

OTHERS = ("Bob Stone", "Zoë Müller", "Prince", "Ann-Marie O'Neil", "")


@pytest.mark.parametrize(
    "text",
    [
        "with Bob Stone",
        "with BOB  stone",
        "Stone, Bob",
        "bob_stone and bob stone",
        "Zoë Müller",
        "zoe muller",
        "BobStone and stonebob",
        unicodedata.normalize("NFD", "Zoë Müller"),
        "the day of Prince",
        "Ann-Marie O'Neil's",
    ],
)
def test_others_names_are_taken_out(text: str) -> None:
    left = Redaction("Ada Stone", OTHERS).text(text)
    assert REPLACEMENT in left
    for name in (
        "bob stone",
        "stone, bob",
        "bobstone",
        "stonebob",
        "zoë",
        "zoe",
        "müller",
        "prince",
        "neil",
    ):
        assert name not in unicodedata.normalize("NFC", left).casefold().replace("  ", " ")


@pytest.mark.parametrize(
    "text", ["Ada Stone", "a stone", "Bob the builder", "AdaStone", "princes", "", "12"]
)
def test_other_words_stay(text: str) -> None:
    assert Redaction("Ada Stone", OTHERS).text(text) == text


def test_a_namesake_is_left() -> None:
    assert Redaction("Bob Stone", OTHERS).text("with Bob Stone") == "with Bob Stone"


def test_every_text_of_a_tree_is_looked_at_and_no_key() -> None:
    tree = {"Prince": ["Prince", 5, None, {"x": ("Prince",)}]}
    assert Redaction("Ada", OTHERS).tree(tree) == {
        "Prince": [REPLACEMENT, 5, None, {"x": [REPLACEMENT]}]
    }
