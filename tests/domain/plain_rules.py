"""The rules of consent said again, naively and without a fold, to hold the real ones against.

Nothing here is shared with ``sayso.domain``'s own reasoning: every rule is a sentence with
"there is", "every" and "none" over a list of events, as a lawyer would read them.

Where two readings of the design are defensible, `Reading` names both: whatever the policy
permits must be live on the generous reading, and whatever is live on the strict reading must be
permitted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import Grant, Purpose
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.policy import Compare, HoldTemplate, Manner, Request, TellField
from sayso.domain.sighting import Link

AGES = {"GB": 18, "US-AL": 19}


class Reading(Enum):
    """Whether the yes that a child said of themselves holds once they are of age."""

    GENEROUS = auto()
    STRICT = auto()


def is_yes(event: ConsentEvent) -> bool:
    return event.act in {Act.GIVEN, Act.RENEWED}


def is_no(event: ConsentEvent) -> bool:
    return event.act in {Act.WITHDRAWN, Act.CONTESTED}


def is_minor(consents: Consents, now: datetime) -> bool:
    born = consents.born
    if born is None:
        return False
    birthday = (born.year + AGES[consents.jurisdiction], born.month, born.day)
    return (now.year, now.month, now.day) < birthday


def words(
    consents: Consents, giver: str, grant: Grant, collection: CollectionId
) -> list[ConsentEvent]:
    """What this giver said about this grant here; ``giver`` is a name, empty for the person."""
    return [
        e
        for e in consents.events
        if ("" if e.guardian is None else e.guardian.name) == giver
        and e.purpose == grant.purpose
        and (e.target is None or e.target == grant.target)
        and (e.scope.collections is None or collection in e.scope.collections)
    ]


def counts(said: Sequence[ConsentEvent], i: int, now: datetime) -> bool:
    """A yes counts if it has been reached and is later than every no recorded before it."""
    return (
        is_yes(said[i])
        and said[i].at <= now
        and all(no.at < said[i].at for no in said[:i] if is_no(no))
    )


def says_no(said: Sequence[ConsentEvent], now: datetime) -> bool:
    """There is a no that no yes recorded after it has lifted."""
    return any(
        is_no(word) and not any(counts(said, j, now) for j in range(i + 1, len(said)))
        for i, word in enumerate(said)
    )


def says_yes(said: Sequence[ConsentEvent], consents: Consents, now: datetime) -> list[ConsentEvent]:
    """The last yes that counts, if nothing recorded after it ended it and its time is not up."""
    valid = [i for i in range(len(said)) if counts(said, i, now)]
    if not valid:
        return []
    yes = said[valid[-1]]
    ended = any(is_no(e) or e.act is Act.EXPIRED for e in said[valid[-1] + 1 :])
    expired = yes.expires is not None and yes.expires <= now
    nobody_knows_the_age = consents.born is None and yes.guardian is not None
    too_old = nobody_knows_the_age and now - yes.at >= timedelta(days=365)
    return [] if ended or expired or too_old else [yes]


def live(
    consents: Consents, grant: Grant, collection: CollectionId, now: datetime, reading: Reading
) -> list[ConsentEvent]:
    """Every yes on which a permit may rest at this point; empty: none."""
    guardians = sorted({e.guardian.name for e in consents.events if e.guardian is not None})
    minor = is_minor(consents, now)
    may_answer = ["", *guardians] if minor or consents.born is None else [""]
    said = {giver: words(consents, giver, grant, collection) for giver in may_answer}
    if any(says_no(each, now) for each in said.values()):
        return []
    enough = guardians if minor else may_answer
    found = [yes for giver in enough for yes in says_yes(said[giver], consents, now)]
    if reading is Reading.STRICT and not minor:
        found = [yes for yes in found if not is_minor(consents, yes.at)]
    return found


def permits(
    request: Request,
    consents: Consents,
    now: datetime,
    reading: Reading,
    collections: Sequence[CollectionId],
) -> bool:
    """Whether the design permits this; ``collections`` stand for all that there are."""
    recognise = Grant(Purpose.RECOGNISE)
    if request.person != consents.person:
        return False
    if isinstance(request, HoldTemplate):
        return any(live(consents, recognise, c, now, reading) for c in collections)
    here = request.collection
    kept = here.retain_until is None or now < here.retain_until
    recognised = bool(live(consents, recognise, here.id, now, reading))
    if isinstance(request, Compare):
        return kept and recognised and _mode_allows(here, request.manner)
    compared = request.link is Link.MATCH and recognised
    linked = request.link is Link.MARKED or (compared and _mode_allows(here, Manner.ONE_TO_ONE))
    yes = live(consents, request.grant, here.id, now, reading)
    if isinstance(request, TellField) and not _agreed(request, yes, reading):
        return False
    return kept and linked and bool(yes)


def _agreed(request: TellField, yes: Sequence[ConsentEvent], reading: Reading) -> bool:
    """Where several guardians said yes, the strict reading wants the field listed by each."""
    lists = [request.field.name in event.fields for event in yes]
    agreed = any(lists) if reading is Reading.GENEROUS else all(lists)
    return agreed and request.field.audience == request.audience


def _mode_allows(collection: Collection, manner: Manner) -> bool:
    if collection.recognition is Recognition.GROUP:
        return bool((collection.basis or "").strip())
    return collection.recognition is Recognition.SELECTED and manner is Manner.ONE_TO_ONE
