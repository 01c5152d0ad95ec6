"""Photographs, the collections that hold them, and how a collection may be recognised."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NewType

from sayso.errors import BasisRequired, CollectionMalformed

CollectionId = NewType("CollectionId", str)
PhotoId = NewType("PhotoId", str)


class Recognition(StrEnum):
    """Recognition mode of a collection: how far faces may be compared at all."""

    OFF = "off"
    """No recogniser is loaded; a face is shown only where a human marked it."""
    SELECTED = "selected"
    """An operator picks one face; it is compared 1:1 with one named person."""
    GROUP = "group"
    """Every face is compared 1:N, in memory, with those whose ``recognise`` covers this."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Photographs held for one stated purpose.

    Attributes:
        purpose: why the controller holds them, in the controller's words.
        basis: the written basis of recognition (a DPIA reference); ``group`` needs one.
        retain_until: from this instant on nothing in the collection may be used; None: no end.
    """

    id: CollectionId
    name: str
    purpose: str
    recognition: Recognition
    basis: str | None
    retain_until: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "recognition", Recognition(self.recognition))
        if self.retain_until is not None and self.retain_until.utcoffset() is not None:
            object.__setattr__(self, "retain_until", self.retain_until.astimezone(UTC))


def declare_collection(  # noqa: PLR0913 - a declaration is these six facts
    *,
    id: CollectionId,  # noqa: A002 - the field's name
    name: str,
    purpose: str,
    recognition: Recognition,
    basis: str | None,
    retain_days: int | None,
    now: datetime,
) -> Collection:
    """A new collection, or the reason why it may not be declared.

    Raises:
        BasisRequired: ``group`` without a basis.
        CollectionMalformed: a blank name or purpose, or less than a day of retention.
    """
    if not name.strip() or not purpose.strip():
        raise CollectionMalformed(
            expected="a name and a purpose",
            found="a blank one",
            remedy="Say in a few words what these photographs are held for.",
        )
    if retain_days is not None and retain_days < 1:
        raise CollectionMalformed(
            expected="at least one day of retention",
            found=f"{retain_days} days",
            remedy="Give --retain-days a whole number from 1, or leave it out.",
        )
    if recognition is Recognition.GROUP and not (basis and basis.strip()):
        raise BasisRequired(
            expected="a written basis for comparing every face with a gallery",
            found="none",
            remedy="Name your impact assessment with --basis, or use --recognise off or selected.",
        )
    until = None if retain_days is None else now + timedelta(days=retain_days)
    return Collection(id, name.strip(), purpose.strip(), recognition, basis, until)
