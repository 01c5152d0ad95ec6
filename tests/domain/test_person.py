import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.person import Guardian, folded, new_person_id
from sayso.errors import ConsentMalformed


@pytest.mark.parametrize(
    ("name", "relation", "verified_by"),
    [("", "mother", "register"), ("Mary", " ", "register"), ("Mary", "mother", "\t")],
)
def test_a_guardian_without_a_name_a_relation_or_a_check_is_none(
    name: str, relation: str, verified_by: str
) -> None:
    with pytest.raises(ConsentMalformed):
        Guardian(name, relation, verified_by)


def test_a_guardian_is_the_same_however_the_name_was_typed() -> None:
    typed = ["Zoë Müller", "  zoë   MÜLLER ", "Zoe\u0308 Mu\u0308ller"]
    keys = {Guardian(name, "mother", "register").key for name in typed}
    assert len(keys) == 1


def test_a_namesake_of_another_relation_is_another_guardian() -> None:
    mother = Guardian("Mary", "mother", "register")
    assert mother.key != Guardian("Mary", "grandmother", "register").key
    assert mother.key == Guardian("mary", " MOTHER ", "court order").key


@given(st.text(min_size=1, max_size=8).filter(str.strip))
def test_no_guardian_is_taken_for_the_person(name: str) -> None:
    assert Guardian(name, "mother", "register").key


@given(st.text(max_size=8))
def test_folding_a_folded_name_changes_nothing(name: str) -> None:
    assert folded(f" {folded(name)}  ") == folded(name)


def test_an_id_can_be_told_from_a_name() -> None:
    # Of ids of twelve random hex digits, one in 130,000 was letters alone, and no ledger took it.
    assert all(any(map(str.isdigit, new_person_id())) for _ in range(500_000))
