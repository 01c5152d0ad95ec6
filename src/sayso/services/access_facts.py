"""What is held of one person, gathered for them: facts without anybody else's name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sayso.domain.calibration import Calibration
from sayso.domain.consent import Consents, Lack
from sayso.domain.controller import Controller
from sayso.domain.face import Face, FaceId
from sayso.domain.grant import Grant
from sayso.domain.matching import GallerySize, Promise, Thresholds, thresholds
from sayso.domain.person import Guardian, Person, PersonId, ProfileField
from sayso.domain.photo import Collection
from sayso.domain.record import consent_records, subjects
from sayso.domain.record_event import ends
from sayso.domain.record_terms import Node, Subject
from sayso.domain.sighting import Limits, Link, Sighting
from sayso.services.redaction import Redaction
from sayso.store.holdings import Published, Rows, Trace
from sayso.store.photographs import Photograph
from sayso.store.repository import Unit

History = Callable[[PersonId], Sequence[Mapping[str, Any]]]
"""The entries of the audit log that are about a person, oldest first, as JSON without names."""


def no_history(_person: PersonId) -> Sequence[Mapping[str, Any]]:
    """A `History` where no log is kept."""
    return ()


@dataclass(frozen=True, slots=True)
class Logic:
    """How faces are compared (GDPR art. 15(1)(h)).

    Attributes:
        model: the recogniser's name.
        model_sha256: of its file, hex.
        provenance: how its error rates were measured.
        calibration: what is known of its errors.
        promise: the error rates that the controller accepts.
    """

    model: str
    model_sha256: str
    provenance: str
    calibration: Calibration
    promise: Promise

    def at(self, size: GallerySize) -> Thresholds:
        """The thresholds in a gallery of some size."""
        return thresholds(self.calibration, size=size, promise=self.promise)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of one grant.

    Attributes:
        where: the collection's name, or the words for all others.
        live: whether it holds now.
        why_not: the code of what it lacks; empty where it is live.
        until: when it ends by itself; None: until it is withdrawn.
    """

    subject: Subject
    where: str
    live: bool
    why_not: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A photograph in which a face is linked to the person.

    Attributes:
        traces: the links.
        theirs: the faces that are the person's and nobody else's, and may stay uncovered.
        others: all other known faces.
    """

    photograph: Photograph
    collection: Collection
    folder: str
    traces: tuple[Trace, ...]
    theirs: tuple[Face, ...]
    others: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is held of one person; texts hold nobody else's name.

    Attributes:
        size: of everybody's references.
        models: of which models (SHA-256) this person has references.
    """

    person: Person
    fields: tuple[ProfileField, ...]
    standings: tuple[Standing, ...]
    records: tuple[Node, ...]
    seen: tuple[Seen, ...]
    published: tuple[tuple[Published, str], ...]
    rows: Rows
    history: tuple[Mapping[str, Any], ...]
    size: GallerySize
    models: frozenset[str]


def gather(  # noqa: PLR0913, PLR0917 - what it is read of
    unit: Unit,
    person: Person,
    controller: Controller,
    history: History,
    limits: Limits,
    now: datetime,
) -> Facts:
    """Read everything, within one transaction."""
    redaction = Redaction(person.name, _others(unit, person))
    collections = [_redacted(one, redaction) for one in unit.collections.all()]
    consents = _without_names(unit.people.consents(person.id), redaction)
    traces = unit.holdings.traces(person.id)
    published = unit.holdings.published(person.id)
    counts = unit.templates.counts()
    return Facts(
        person=person,
        fields=unit.people.fields(person.id),
        standings=tuple(_standings(consents, collections, now)),
        records=consent_records(consents, controller, collections, now),
        seen=tuple(_seen(unit, person.id, traces, limits, redaction)),
        published=tuple(
            (one, redaction.text(unit.collections.of_photograph(one.photo).name))
            for one in published
        ),
        rows=_rows(unit, person, redaction),
        history=tuple(redaction.tree(dict(entry)) for entry in history(person.id)),
        size=GallerySize(len(counts), sum(counts.values())),
        models=unit.templates.models(person.id),
    )


def theirs(face: FaceId, links: Sequence[Sighting], person: PersonId) -> bool:
    """Whether a face is this person's and may be shown to them: a mark settles it, a doubt hides.

    A human's word goes first. Of matches there must be exactly one person's: somebody else's face
    must never be handed over as theirs.
    """
    of_face = [link for link in links if link.face == face]
    marked = {link.person for link in of_face if link.link is Link.MARKED}
    rejected = {link.person for link in of_face if link.link is Link.REJECTED}
    if marked or person in rejected:
        return marked == {person} and person not in rejected
    if any(link.link is Link.UNSURE for link in of_face):
        return False
    matched = {link.person for link in of_face if link.link is Link.MATCH} - rejected
    return matched == {person}


def _others(unit: Unit, person: Person) -> list[str]:
    names = [one.name for one in unit.people.all() if one.id != person.id]
    guardians = {
        event.guardian.name
        for record in unit.people.all_consents().values()
        for event in record.events
        if event.guardian is not None
    }
    return [*names, *sorted(guardians)]


def _redacted(collection: Collection, redaction: Redaction) -> Collection:
    basis = None if collection.basis is None else redaction.text(collection.basis)
    return replace(
        collection,
        name=redaction.text(collection.name),
        purpose=redaction.text(collection.purpose),
        basis=basis,
    )


def _without_names(consents: Consents, redaction: Redaction) -> Consents:
    """The same record; what was written down of a guardian's relation names nobody."""
    events = tuple(
        replace(
            event,
            guardian=Guardian(
                event.guardian.name,
                redaction.text(event.guardian.relation),
                redaction.text(event.guardian.verified_by),
            ),
        )
        if event.guardian is not None
        else event
        for event in consents.events
    )
    return replace(consents, events=events)


def _standings(
    consents: Consents, collections: Sequence[Collection], now: datetime
) -> list[Standing]:
    """What stands, for each collection that a consent names, and for all others together."""
    names = {collection.id: collection.name for collection in collections}
    found = []
    for subject in subjects(consents):
        if subject.target is None and subject.purpose.value in {"name", "publish"}:
            found.append(
                Standing(subject, _ALL, live=False, why_not="consent_withdrawn", until=None)
            )
            continue
        grant = Grant(subject.purpose, subject.target)
        for point in sorted(consents.points(subject.purpose)):
            answer = consents.live(grant, point, now)
            where = names.get(point, "a collection that is no longer held") if point else _ALL
            if isinstance(answer, Lack):
                found.append(Standing(subject, where, live=False, why_not=answer.value, until=None))
            else:
                until = min((e for e in (ends(consents, yes) for yes in answer) if e), default=None)
                found.append(Standing(subject, where, live=True, why_not="", until=until))
    return _without_repetition(found)


_ALL = "every collection that is not named here"


def _without_repetition(found: Sequence[Standing]) -> list[Standing]:
    """Where all points of a grant stand alike, one line says so."""
    kept: list[Standing] = []
    for subject in dict.fromkeys(standing.subject for standing in found):
        same = [standing for standing in found if standing.subject == subject]
        alike = {(one.live, one.why_not, one.until) for one in same}
        kept += [replace(same[0], where="all collections")] if len(alike) == 1 else same
    return kept


def _seen(
    unit: Unit, person: PersonId, traces: Sequence[Trace], limits: Limits, redaction: Redaction
) -> list[Seen]:
    found = []
    for photo in dict.fromkeys(trace.photo for trace in traces):
        photograph = unit.photographs.get(photo)
        links = unit.sightings.of_photograph(photo, limits)
        own = {
            stored.id
            for stored in photograph.faces
            if theirs(stored.id, links.get(stored.id, ()), person)
        }
        collection = unit.collections.of_photograph(photo)
        found.append(
            Seen(
                photograph=photograph,
                collection=_redacted(collection, redaction),
                folder=unit.collections.folder(collection.name),
                traces=tuple(trace for trace in traces if trace.photo == photo),
                theirs=tuple(s.face for s in photograph.faces if s.id in own),
                others=tuple(s.face for s in photograph.faces if s.id not in own),
            )
        )
    return found


def _rows(unit: Unit, person: Person, redaction: Redaction) -> Rows:
    """The tables' rows as they are; the person's own name, and what they gave, stays."""
    rows = dict(unit.holdings.rows(person.id))
    own = {"persons", "profile_fields"}
    return {name: found if name in own else redaction.tree(found) for name, found in rows.items()}
