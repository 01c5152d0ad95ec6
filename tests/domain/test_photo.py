from datetime import timedelta

import pytest

from sayso.domain.photo import Collection, Recognition, declare_collection
from sayso.errors import BasisRequired, CollectionMalformed

from .records import CLUB, day


def _declare(
    *,
    purpose: str = "the yearbook",
    recognition: Recognition = Recognition.OFF,
    basis: str | None = None,
    retain_days: int | None = None,
) -> Collection:
    return declare_collection(
        id=CLUB,
        name=" Club ",
        purpose=purpose,
        recognition=recognition,
        basis=basis,
        retain_days=retain_days,
        now=day(0),
    )


@pytest.mark.parametrize("basis", [None, "", "  "])
def test_comparing_every_face_needs_a_written_basis(basis: str | None) -> None:
    with pytest.raises(BasisRequired) as caught:
        _declare(recognition=Recognition.GROUP, basis=basis)
    assert caught.value.reason_code == "basis_required"


def test_with_a_basis_every_face_may_be_compared() -> None:
    declared = _declare(recognition=Recognition.GROUP, basis="DPIA 7")
    assert declared.recognition is Recognition.GROUP
    assert declared.name == "Club"


def test_a_collection_without_a_purpose_is_refused() -> None:
    with pytest.raises(CollectionMalformed):
        _declare(purpose=" ")


@pytest.mark.parametrize("days", [0, -1])
def test_retention_is_at_least_a_day(days: int) -> None:
    with pytest.raises(CollectionMalformed):
        _declare(retain_days=days)


def test_retention_ends_so_many_days_after_the_declaration() -> None:
    assert _declare(retain_days=30).retain_until == day(0) + timedelta(days=30)
    assert _declare().retain_until is None
