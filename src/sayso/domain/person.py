"""People who have been asked, the guardians who answer for minors, and their profile fields."""

import unicodedata
import uuid
from dataclasses import dataclass
from datetime import date
from typing import NewType

from sayso.domain.grant import Audience
from sayso.errors import ConsentMalformed

PersonId = NewType("PersonId", str)

_DIGITS = 13
"""Of a random UUID in hex. The last of so many is its version, 4: without a digit an id might be a
name, and no ledger takes it."""


def new_person_id() -> PersonId:
    """An id that tells nothing of the person."""
    return PersonId(uuid.uuid4().hex[:_DIGITS])


@dataclass(frozen=True, slots=True)
class Person:
    """A data subject who has been asked.

    Attributes:
        name: as the person wants it shown; several people may have the same.
        born: the date of birth; None where it was not given.
        jurisdiction: an ISO 3166 code (``GB``, ``US-AL``) that decides the age of majority.
    """

    id: PersonId
    name: str
    born: date | None
    jurisdiction: str


@dataclass(frozen=True, slots=True)
class Guardian:
    """Somebody who answers for a minor.

    Attributes:
        relation: to the person, in words (mother, foster father).
        verified_by: how the relation was checked, in words (school register).
    """

    name: str
    relation: str
    verified_by: str

    def __post_init__(self) -> None:
        for fact in (self.name, self.relation, self.verified_by):
            if not fact.strip():
                raise ConsentMalformed(
                    expected="a guardian's name, relation and how it was verified",
                    found="a blank one",
                    remedy="Give --guardian, --relation and --verified-by together.",
                )

    @property
    def key(self) -> str:
        """The same for the same guardian, however name and relation were spaced or capitalised.

        The relation is part of it: a namesake must not lift a guardian's refusal.
        """
        return f"{folded(self.name)}\n{folded(self.relation)}"  # folding leaves no line break


@dataclass(frozen=True, slots=True)
class ProfileField:
    """Something that a person shows of themselves to one audience (a phone number, say)."""

    name: str
    value: str
    audience: Audience


def folded(name: str) -> str:
    """A name without differences of case, width or spacing, for comparing names."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
