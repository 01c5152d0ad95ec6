"""What links a face to a person: a comparison, or a human's word."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sayso.domain.face import FaceId
from sayso.domain.matching import Thresholds
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId


class Link(StrEnum):
    """How a face came to be linked to a person."""

    MATCH = "match"
    """Compared, at or above the match threshold."""
    REVIEW = "review"
    """Compared, in the review band: a doubt for a human."""
    MARKED = "marked"
    """A human says: this is that person. No biometrics needed."""
    REJECTED = "rejected"
    """A human says: this is not that person."""
    UNSURE = "unsure"
    """A human looked and cannot tell: no comparison shows or names this face."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One link; ``similarity`` (cosine, -1..1) only where faces were compared."""

    face: FaceId
    person: PersonId
    link: Link
    similarity: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", Link(self.link))  # a word equals itself, however read


Limits = Callable[[CollectionId, str, PersonId], Thresholds | None]
"""Gives the thresholds of now for what a model (SHA-256) found of a person in a collection; None:
nobody is compared by that model any more."""


def held_to(found: Sighting, limits: Thresholds | None) -> Sighting | None:
    """What a comparison found, by the thresholds of now; None: it is nothing any more.

    It may have been found when they were lower: a match below today's is a doubt. Where they were
    higher, a doubt stays one: whether it is a match depends on who else is alike.
    """
    alike = found.similarity
    if limits is None or alike is None or not alike >= limits.review:
        return None
    if found.link is Link.MATCH and alike < limits.match:
        return replace(found, link=Link.REVIEW)
    return found
