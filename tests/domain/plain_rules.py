"""The rules of consent said again, naively and without a fold, to hold the real ones against.

Nothing here is shared with ``sayso.domain``'s own reasoning: every rule is a sentence with
"there is", "every" and "none" over a list of events, as a lawyer would read them. Of a record
that can be read, the policy must say exactly what is said here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import Grant, Purpose
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.policy import Compare, HoldTemplate, Manner, Request, TellField
from sayso.domain.sighting import Link

AGES = {"GB": 18, "US-AL": 19}
PERSON = ("", "")
"""The giver who is the person; a guardian is a name and a relation."""


def giver_of(event: ConsentEvent) -> tuple[str, str]:
    return PERSON if event.guardian is None else (event.guardian.name, event.guardian.relation)


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
    consents: Consents, giver: tuple[str, str], grant: Grant, collection: CollectionId
) -> list[ConsentEvent]:
    """What this giver said about this grant here."""
    return [
        e
        for e in consents.events
        if giver_of(e) == giver
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


def refuses(said: Sequence[ConsentEvent], i: int, now: datetime) -> bool:
    """A no refuses, and so does a yes that has been reached and yet does not count: it is void,
    and what stands is the no before it.
    """
    return is_no(said[i]) or (is_yes(said[i]) and said[i].at <= now and not counts(said, i, now))


def says_no(said: Sequence[ConsentEvent], now: datetime) -> bool:
    """There is a refusal that no yes recorded after it has lifted."""
    return any(
        refuses(said, i, now) and not any(counts(said, j, now) for j in range(i + 1, len(said)))
        for i in range(len(said))
    )


def says_yes(said: Sequence[ConsentEvent], consents: Consents, now: datetime) -> list[ConsentEvent]:
    """The last yes that counts, if nothing recorded after it ended it and its time is not up."""
    valid = [i for i in range(len(said)) if counts(said, i, now)]
    if not valid:
        return []
    yes = said[valid[-1]]
    after = range(valid[-1] + 1, len(said))
    ended = any(refuses(said, i, now) or said[i].act is Act.EXPIRED for i in after)
    expired = yes.expires is not None and yes.expires <= now
    nobody_knows_the_age = consents.born is None and yes.guardian is not None
    too_old = nobody_knows_the_age and now - yes.at >= timedelta(days=365)
    return [] if ended or expired or too_old else [yes]


def live(
    consents: Consents, grant: Grant, collection: CollectionId, now: datetime
) -> list[ConsentEvent]:
    """Every yes that stands at this point; empty: none."""
    guardians = sorted({giver_of(e) for e in consents.events} - {PERSON})
    minor = is_minor(consents, now)
    may_answer = [PERSON, *guardians] if minor or consents.born is None else [PERSON]
    said = {giver: words(consents, giver, grant, collection) for giver in may_answer}
    if any(says_no(each, now) for each in said.values()):
        return []
    enough = guardians if minor else may_answer
    found = [yes for giver in enough for yes in says_yes(said[giver], consents, now)]
    return [yes for yes in found if minor or not is_minor(consents, yes.at)]


def permits(
    request: Request, consents: Consents, now: datetime, collections: Sequence[CollectionId]
) -> bool:
    """Whether the design permits this; ``collections`` stand for all that there are."""
    recognise = Grant(Purpose.RECOGNISE)
    if request.person != consents.person:
        return False
    if isinstance(request, HoldTemplate):
        return any(live(consents, recognise, c, now) for c in collections)
    here = request.collection
    kept = here.retain_until is None or now < here.retain_until
    recognised = bool(live(consents, recognise, here.id, now))
    if isinstance(request, Compare):
        return kept and recognised and _mode_allows(here, request.manner)
    compared = request.link is Link.MATCH and recognised
    linked = request.link is Link.MARKED or (compared and _mode_allows(here, Manner.ONE_TO_ONE))
    yes = live(consents, request.grant, here.id, now)
    return kept and linked and bool(yes) and _agreed(request, yes)


def _agreed(request: Request, yes: Sequence[ConsentEvent]) -> bool:
    """A profile field is listed by everybody whose yes stands, and for exactly this audience."""
    if not isinstance(request, TellField):
        return True
    listed = all(request.field.name in event.fields for event in yes)
    return listed and request.field.audience == request.audience


def _mode_allows(collection: Collection, manner: Manner) -> bool:
    if collection.recognition is Recognition.GROUP:
        return bool((collection.basis or "").strip())
    return collection.recognition is Recognition.SELECTED and manner is Manner.ONE_TO_ONE
