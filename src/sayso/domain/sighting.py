"""What links a face to a person: a comparison, or a human's word."""

from dataclasses import dataclass
from enum import StrEnum

from sayso.domain.face import FaceId
from sayso.domain.person import PersonId


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
