"""What becomes of each face on publication: show, cover or review; and of the photograph.

An objection comes before everything: no consent, match or mark shows what somebody objected to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sayso.domain.consent import Consents
from sayso.domain.face import Face
from sayso.domain.grant import Channel
from sayso.domain.objection import Objection, Wish
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection
from sayso.domain.policy import Permit, Refusal, Show, decide
from sayso.domain.sighting import Link, Sighting


class Outcome(StrEnum):
    """What becomes of one face."""

    SHOW = "show"
    COVER = "cover"
    REVIEW = "review"


class Verdict(StrEnum):
    """What becomes of a photograph."""

    CLEAR = "clear"
    """All faces shown, or none there."""
    COVER = "cover"
    """Some covered."""
    REVIEW = "review"
    """A human must look."""
    WITHHOLD = "withhold"
    """Somebody objected: no copy at all. No human's mark changes it."""


class CoverStyle(StrEnum):
    """How a face is covered. Nothing of the face remains in either."""

    FILL = "fill"
    """One fixed colour."""
    PIXELATE = "pixelate"
    """About four cells across the face, of colours from around it, tinted."""


class Perhaps(StrEnum):
    """What becomes of what is perhaps a face until a human has looked."""

    COVER = "cover"
    """It is covered, and nobody need look."""
    REVIEW = "review"
    """The photograph waits for a human."""


NO_PERMIT = "no_permit"
"""The reason of every face without a yes: a stranger's, and that of somebody who granted
``recognise`` but not ``publish``. The two must not be told apart."""
DOUBTFUL = "doubtful"
CONSENT = "consent"
PERHAPS_A_FACE = "perhaps_a_face"
"""The reason of a place of which nobody knows whether it is a face."""
OBJECTION = "objection"
"""The reason of a face that somebody objected to showing."""


@dataclass(frozen=True, slots=True)
class FaceOutcome:
    """The outcome of one face and why.

    Attributes:
        reason: ``consent``, ``doubtful``, ``no_permit``, ``objection``,
            ``perhaps_a_face``, or for a face that a human marked the policy's reason.
        permit: what the outcome ``show`` rests on; None for every other.
        candidates: in a doubt, permits to show those whom the face may be; a human who looks
            may be told of these, and of nobody else.
    """

    outcome: Outcome
    reason: str
    permit: Permit | None
    candidates: tuple[Permit, ...] = ()

    @property
    def person(self) -> PersonId | None:
        """Who is shown; None unless there is a permit."""
        return None if self.permit is None else self.permit.request.person


_STRANGER = FaceOutcome(Outcome.COVER, NO_PERMIT, None)
_DOUBT = FaceOutcome(Outcome.REVIEW, DOUBTFUL, None)
_OBJECTED = FaceOutcome(Outcome.COVER, OBJECTION, None)


def screen_face_objected(face: Face, objections: Iterable[Objection]) -> FaceOutcome | None:
    """The outcome of a face that somebody objected to: covered, whatever else is said of it.

    None: nobody did, and `screen_face` answers. An objection to the whole photograph speaks of
    each of its faces; one that asks for its removal covers what it means besides.
    """
    return _OBJECTED if any(objection.means(face) for objection in objections) else None


def screen_perhaps(perhaps: Perhaps) -> FaceOutcome:
    """The outcome of what is perhaps a face, of which no human said anything: never shown."""
    outcome = Outcome.REVIEW if perhaps is Perhaps.REVIEW else Outcome.COVER
    return FaceOutcome(outcome, PERHAPS_A_FACE, None)


def unmet(objections: Iterable[Objection], faces: Sequence[Face]) -> tuple[Objection, ...]:
    """Objections to a box in which no face was found: that box is covered all the same."""
    return tuple(
        one for one in objections if one.box is not None and not any(map(one.means, faces))
    )


def screen_face(
    sightings: Sequence[Sighting],
    consents: Mapping[PersonId, Consents],
    collection: Collection,
    channel: Channel,
    now: datetime,
) -> FaceOutcome:
    """Show, cover or review one face.

    A human's word goes first: a mark settles the face, a rejection rules a person out. Then a
    match; two people who both match are a doubt. A doubt goes to review only if one of those
    it is about could be shown: otherwise the face is covered whatever the answer, and asking
    would tell the operator of somebody who did not grant that. For the same reason a face that
    also matches somebody who may not be shown is a stranger's, and a rejection of such a person
    changes nothing: or trying every name would tell whose face it is.

    Where a human looked and cannot tell, no comparison shows the face: it is covered, unless it
    may be somebody whom they were not asked about.
    """
    marked = {s.person for s in sightings if s.link is Link.MARKED}
    rejected = {s.person for s in sightings if s.link is Link.REJECTED}
    if marked & rejected:
        return _DOUBT
    if marked:
        answers = [
            _ask(person, Link.MARKED, consents, collection, channel, now)
            for person in sorted(marked)
        ]
        return _of_marks(answers)
    compared = {s.person: s.link for s in sightings if s.link in {Link.MATCH, Link.REVIEW}}
    permits = {
        person: answer
        for person in sorted(compared)
        if isinstance(
            answer := _ask(person, Link.MATCH, consents, collection, channel, now), Permit
        )
    }
    if any(link is Link.MATCH and person not in permits for person, link in compared.items()):
        return _STRANGER
    unsure = {s.person for s in sightings if s.link is Link.UNSURE}
    permits = {
        person: permit
        for person, permit in permits.items()
        if person not in rejected and person not in unsure
    }
    if not permits:
        return _STRANGER
    matched = [person for person in permits if compared[person] is Link.MATCH]
    if len(matched) == 1 and not unsure:
        return FaceOutcome(Outcome.SHOW, CONSENT, permits[matched[0]])
    return FaceOutcome(Outcome.REVIEW, DOUBTFUL, None, tuple(permits.values()))


def verdict(outcomes: Iterable[Outcome], objections: Iterable[Objection] = ()) -> Verdict:
    """The photograph's verdict: the gravest of its faces' outcomes; without faces, clear.

    An objection that asks for the photograph's removal is graver than all.
    """
    if any(objection.wish is Wish.REMOVE for objection in objections):
        return Verdict.WITHHOLD
    seen = set(outcomes)
    if Outcome.REVIEW in seen:
        return Verdict.REVIEW
    return Verdict.COVER if Outcome.COVER in seen else Verdict.CLEAR


def _ask(  # noqa: PLR0913, PLR0917 - the facts of one request
    person: PersonId,
    link: Link,
    consents: Mapping[PersonId, Consents],
    collection: Collection,
    channel: Channel,
    now: datetime,
) -> Permit | Refusal | None:
    record = consents.get(person)
    return None if record is None else decide(Show(person, collection, link, channel), record, now)


def _of_marks(answers: Sequence[Permit | Refusal | None]) -> FaceOutcome:
    """One marked face: shown only if everybody whom it was marked as may be shown."""
    for answer in answers:
        if not isinstance(answer, Permit):
            reason = NO_PERMIT if answer is None else answer.reason
            return FaceOutcome(Outcome.COVER, reason, None)
    first = answers[0]
    if len(answers) > 1 or not isinstance(first, Permit):
        return _DOUBT
    return FaceOutcome(Outcome.SHOW, CONSENT, first)
