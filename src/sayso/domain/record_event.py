"""The events of a consent record: what state, when, for how long, whose word, on what evidence."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from types import MappingProxyType

from sayso.domain.consent import UNKNOWN_AGE_LIMIT, Consents
from sayso.domain.event import YES, Act, ConsentEvent, Notice
from sayso.domain.grant import Purpose
from sayso.domain.majority import comes_of_age
from sayso.domain.person import Guardian
from sayso.domain.photo import CollectionId
from sayso.domain.record_terms import Node, Subject, checksum, instant, person_iri

_PARENTS = frozenset({"mother", "father", "parent", "mum", "mom", "dad"})
_STATES: Mapping[Act, str] = MappingProxyType(
    {
        Act.GIVEN: "dpv:ConsentGiven",
        Act.RENEWED: "dpv:RenewedConsentGiven",
        Act.WITHDRAWN: "dpv:ConsentWithdrawn",
        Act.EXPIRED: "dpv:ConsentExpired",
        # DPV 2.3 has no state of being contested: what is meant is that it is not valid now.
        Act.CONTESTED: "dpv:ConsentStatusInvalidForProcessing",
    }
)


def consent_type(purpose: Purpose) -> str:
    """How it must be expressed: explicitly where biometric data are processed (art. 9(2)(a))."""
    explicit = purpose is Purpose.RECOGNISE
    return "dpv:ExplicitlyExpressedConsent" if explicit else "dpv:ExpressedConsent"


def notice_node(notice: Notice) -> Node:
    """A notice, bound by its hash, version and language."""
    return {
        "@type": "dpv:ConsentNotice",
        "dct:identifier": f"sha256:{notice.sha256}",
        "schema:version": notice.version,
        "dct:language": notice.language,
        "spdx:checksum": checksum(notice.sha256),
    }


def statuses(
    consents: Consents, subject: Subject, names: Mapping[CollectionId, str], now: datetime
) -> list[Node]:
    """The events of one record in order; a yes that ended before ``now`` is followed by its end.

    Args:
        consents: the person's whole record.
        subject: which of it.
        names: of the collections, for the scopes.
        now: aware.
    """
    events = [event for event in consents.events if subject.covers(event)]
    found: list[Node] = []
    for index, event in enumerate(events):
        found.append(_status(consents, event, events[:index], names))
        end = ends(consents, event)
        if end is not None and end <= now and not _answered(event, events[index + 1 :], end):
            found.append(_expired(consents, event, end, names))
    return found


def ends(consents: Consents, event: ConsentEvent) -> datetime | None:
    """The first instant at which a yes no longer holds by itself; None: no such end."""
    if event.act not in YES:
        return None
    limits = [] if event.expires is None else [event.expires]
    if consents.born is not None:
        of_age = _midnight(comes_of_age(consents.born, consents.jurisdiction))
        if event.at < of_age:
            limits.append(of_age)
    elif event.guardian is not None:
        limits.append(event.at + UNKNOWN_AGE_LIMIT)
    return min(limits, default=None)


def _status(
    consents: Consents,
    event: ConsentEvent,
    before: Sequence[ConsentEvent],
    names: Mapping[CollectionId, str],
) -> Node:
    state = _STATES[event.act]
    if event.act is Act.WITHDRAWN and not any(one.act in YES for one in before):
        state = "dpv:ConsentRefused"
    node: Node = {
        "@type": [state, consent_type(event.purpose)],
        "dpv:isIndicatedAtTime": instant(event.at),
        "dpv:hasDuration": _duration(consents, event),
        "dpv:isIndicatedBy": _giver(consents, event.guardian),
        "dpv:hasIndicationMethod": "recorded by an operator",
        "dpv:hasScope": _scope(event, names),
    }
    if event.evidence is not None:
        node["dpv:hasIndicationMethod"] = event.evidence.kind
        node["dct:source"] = {"spdx:checksum": checksum(event.evidence.sha256)}
    if event.notice is not None:
        node["dpv:hasNotice"] = notice_node(event.notice)
    if event.fields:
        node["dct:references"] = [f"profile field {name}" for name in sorted(event.fields)]
    return node


def _expired(
    consents: Consents, event: ConsentEvent, end: datetime, names: Mapping[CollectionId, str]
) -> Node:
    """What happened by itself; nobody had to say it."""
    return {
        "@type": ["dpv:ConsentExpired", consent_type(event.purpose)],
        "dpv:isIndicatedAtTime": instant(end),
        "dpv:hasDuration": _until_event("a new consent"),
        "dpv:isIndicatedBy": _giver(consents, event.guardian),
        "dpv:hasIndicationMethod": "ended by itself on the day that the consent or the law set",
        "dpv:hasScope": _scope(event, names),
    }


def _answered(event: ConsentEvent, later: Sequence[ConsentEvent], end: datetime) -> bool:
    """Whether the same giver said something else of it before it ended."""
    return any(one.giver == event.giver and one.at <= end for one in later)


def _duration(consents: Consents, event: ConsentEvent) -> Node:
    end = ends(consents, event)
    if end is not None:
        return {"@type": "dpv:UntilTimeDuration", "rdf:value": instant(end)}
    return _until_event("withdrawal" if event.act in YES else "a new consent")


def _until_event(event: str) -> Node:
    return {"@type": "dpv:UntilEventDuration", "rdf:value": event}


def _giver(consents: Consents, guardian: Guardian | None) -> Node:
    """The person, or a guardian by relation: which one is told apart by a number, not a name."""
    if guardian is None:
        return {"@id": person_iri(consents.person), "@type": "dpv:DataSubject"}
    parent = guardian.relation.strip().casefold() in _PARENTS
    return {
        "@id": f"_:guardian-{_guardians(consents).index(guardian.key) + 1}",
        "@type": "dpv:ParentOfDataSubject" if parent else "dpv:GuardianOfDataSubject",
        "dpv:hasRelationWithDataSubject": guardian.relation,
        "dpv:hasJustification": f"relation verified by: {guardian.verified_by}",
    }


def _guardians(consents: Consents) -> list[str]:
    """The keys of the guardians in the order in which they first spoke."""
    return list(dict.fromkeys(event.giver for event in consents.events if event.guardian))


def _scope(event: ConsentEvent, names: Mapping[CollectionId, str]) -> list[str]:
    named = event.scope.collections
    if named is None:
        return ["all collections of this controller"]
    return [f"collection {names.get(one, 'that is no longer held')}" for one in sorted(named)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def all_notices(events: Sequence[ConsentEvent]) -> Iterator[Notice]:
    """Each notice once, in the order in which people were told."""
    yield from dict.fromkeys(event.notice for event in events if event.notice is not None)
