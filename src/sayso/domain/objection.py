"""Objections: somebody who is not enrolled asks that a face or a photograph be covered or removed.

An objection is a refusal. It needs no name, no template and no reason, and it wins over any yes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sayso.domain.face import Box, Face

_SAME_FACE_SHARE = 0.5
"""A face of which this much lies in the objection's box, or the other way round, is meant."""


class Wish(StrEnum):
    """What is asked for."""

    COVER = "cover"
    """Never show this face; of a whole photograph, none of its faces."""
    REMOVE = "remove"
    """Publish no copy of this photograph."""


@dataclass(frozen=True, slots=True)
class Objection:
    """What somebody asked for.

    Attributes:
        photo_sha256: of the photograph's content (hex): it holds wherever that lies.
        box: around the face that is meant, relative to the upright photograph; None: all of it.
        note: the controller's own words on it.
    """

    id: int
    photo_sha256: str
    box: Box | None
    wish: Wish
    note: str
    at: datetime

    def means(self, face: Face) -> bool:
        """Whether it speaks of this face. In doubt it does: covering too much harms nobody."""
        if self.box is None:
            return True
        shares = face.box.share_inside(self.box), self.box.share_inside(face.box)
        return max(shares) >= _SAME_FACE_SHARE
