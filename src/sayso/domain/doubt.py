"""Which faces are in doubt for a human to settle, and about whom."""

from collections.abc import Collection as Several
from collections.abc import Iterable
from enum import StrEnum

from sayso.domain.person import PersonId
from sayso.domain.sighting import Link, Sighting


class Answer(StrEnum):
    """What a human says of a face and a person."""

    SAME = "same"
    NOT_THE_SAME = "not-the-same"
    CANNOT_TELL = "cannot-tell"

    @property
    def link(self) -> Link:
        """What is kept of it."""
        return _LINKS[self]


_LINKS = {
    Answer.SAME: Link.MARKED,
    Answer.NOT_THE_SAME: Link.REJECTED,
    Answer.CANNOT_TELL: Link.UNSURE,
}


def shows(sightings: Iterable[Sighting], person: PersonId) -> bool:
    """Whether a face may be shown as a person: they are marked, or the only match.

    Args:
        sightings: of the face.
        person: who.
    """
    links = list(sightings)
    if any(s.link is Link.MARKED for s in links):
        return any(s.link is Link.MARKED and s.person == person for s in links)
    ruled_out = {s.person for s in links if s.link in {Link.REJECTED, Link.UNSURE}}
    return {s.person for s in links if s.link is Link.MATCH} - ruled_out == {person}


def in_doubt(sightings: Iterable[Sighting], tellable: Several[PersonId]) -> tuple[Sighting, ...]:
    """Whom a face may be that a human is asked about, most alike first; nobody: no doubt.

    The rules are those of `sayso.domain.screening.screen_face`: a mark settles the face, a
    rejection or a "cannot tell" the person, and one match alone decides. A face that also matches
    somebody who may not be told of is a stranger's.

    Args:
        sightings: of one face.
        tellable: who may be told of to whoever is asked.
    """
    links = list(sightings)
    said = {s.person for s in links if s.link in {Link.REJECTED, Link.UNSURE}}
    compared = [s for s in links if s.link in {Link.MATCH, Link.REVIEW}]
    if any(s.link is Link.MARKED for s in links):
        return ()
    if any(s.link is Link.MATCH and s.person not in tellable for s in compared):
        return ()
    left = [s for s in compared if s.person in tellable and s.person not in said]
    unsure = any(s.link is Link.UNSURE for s in links)
    if sum(s.link is Link.MATCH for s in left) == 1 and not unsure:
        return ()
    return tuple(sorted(left, key=lambda s: (-(s.similarity or 0.0), s.person)))
