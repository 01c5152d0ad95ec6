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
_COMPARED = frozenset({Link.MATCH, Link.REVIEW})


def shown_as(sightings: Iterable[Sighting]) -> PersonId | None:
    """Whom a face may be shown as: whoever is marked, or the only match.

    Whether they said yes is not asked. The rules are those of `in_doubt`.
    """
    links = list(sightings)
    rejected = {s.person for s in links if s.link is Link.REJECTED}
    marked = {s.person for s in links if s.link is Link.MARKED}
    matched = {s.person for s in links if s.link is Link.MATCH} - rejected
    if not marked and any(s.link is Link.UNSURE for s in links):
        return None
    people = marked or matched
    return None if len(people) != 1 or people & rejected else next(iter(people))


def disputed(
    sightings: tuple[Sighting, ...], denied: Several[PersonId], marked: Several[PersonId]
) -> tuple[Sighting, ...]:
    """A face's links while words of it wait for another operator: one alone covers.

    Where a word speaks against whom the face would be shown as, it is as if nobody could tell.

    Args:
        sightings: what comparing found, and the words that hold.
        denied: against whom a word waits.
        marked: as whom the face is, by a word that waits.
    """
    shown = shown_as(sightings)
    if shown is None or not (shown in denied or any(one != shown for one in marked)):
        return sightings
    left = [s for s in sightings if (s.person, s.link) != (shown, Link.MARKED)]
    return (*left, Sighting(sightings[0].face, shown, Link.UNSURE, None))


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
    people = thought_of(links, tellable) - said
    left = [s for s in links if s.person in people and s.link in _COMPARED]
    unsure = any(s.link is Link.UNSURE for s in links)
    if sum(s.link is Link.MATCH for s in left) == 1 and not unsure:
        return ()
    return tuple(sorted(left, key=lambda s: (-(s.similarity or 0.0), s.person)))


def thought_of(sightings: Iterable[Sighting], tellable: Several[PersonId]) -> frozenset[PersonId]:
    """Whom comparing took a face for, whatever a human said of them; nobody if it is marked.

    A face that also matches somebody who may not be told of is a stranger's.
    """
    links = list(sightings)
    compared = [s for s in links if s.link in _COMPARED]
    if any(s.link is Link.MARKED for s in links):
        return frozenset()
    if any(s.link is Link.MATCH and s.person not in tellable for s in compared):
        return frozenset()
    return frozenset(s.person for s in compared if s.person in tellable)
