"""What is held of a person, for programs: complete, in one JSON object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sayso.domain.controller import Controller
from sayso.domain.record_process import ACTIVITIES, RIGHTS, recipient_words
from sayso.domain.record_terms import instant
from sayso.services.access_facts import Facts, Logic, Standing
from sayso.services.access_pictures import Handed

FORMAT = "sayso access 1"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for access.

    Attributes:
        received: the day on which it came.
        due: the last day on which it may be answered.
        made: when this answer was made.
    """

    received: date
    due: date
    made: datetime


def data(
    facts: Facts, handed: Sequence[Handed], asked: Asked, controller: Controller, logic: Logic
) -> Mapping[str, Any]:
    """Everything, as JSON; the records themselves are in records.jsonld."""
    person = facts.person
    limits = logic.at(facts.size)
    return {
        "format": FORMAT,
        "request": {
            "received": asked.received.isoformat(),
            "due": asked.due.isoformat(),
            "made": instant(asked.made),
            "article": "GDPR art. 15; due by art. 12(3)",
        },
        "controller": {
            "name": controller.name,
            "contact": controller.contact,
            "address": controller.address,
            "data_protection_officer": controller.officer,
            "supervisory_authority": controller.authority,
            "jurisdiction": controller.jurisdiction,
            "not_yet_set": list(controller.missing),
        },
        "person": {
            "id": person.id,
            "name": person.name,
            "born": None if person.born is None else person.born.isoformat(),
            "jurisdiction": person.jurisdiction,
        },
        "profile_fields": [
            {"name": one.name, "value": one.value, "shown_to": one.audience} for one in facts.fields
        ],
        "consents": [_consent(standing) for standing in facts.standings],
        "photographs": [photograph(one) for one in handed],
        "publications": [
            {
                "channel": one.channel,
                "at": one.at,
                "collection": collection,
                "photograph": one.photo,
                "copy_sha256": one.sha256,
            }
            for one, collection in facts.published
        ],
        "templates": {
            "held": facts.rows.get("templates", []),
            "exported": False,
            "why_not": NOT_EXPORTED,
        },
        "logic": {
            "model": logic.model,
            "model_sha256": logic.model_sha256,
            "measure": "cosine similarity, -1 to 1; a match is at or above the threshold",
            "match_threshold": round(limits.match, 4),
            "review_threshold": round(limits.review, 4),
            "references_compared": facts.size.references,
            "accepted_false_names": logic.promise.false_names,
            "accepted_false_reviews": logic.promise.false_reviews,
            "error_rates_measured": logic.provenance,
        },
        "storage": {
            "country": controller.storage,
            "longest_days_after_last_interaction": controller.retention_days,
        },
        "rights": [{"article": article, "you_may": words} for article, words in RIGHTS.items()],
        "history": list(facts.history),
        "rows": facts.rows,
    }


NOT_EXPORTED = (
    "The template is described here and not handed over. Its numbers say nothing to a reader; in "
    "the hands of whoever finds this file they would be a key to the person's face in any system "
    "that uses the same model, and no erasure could reach that copy. It exists nowhere but sealed."
)


def photograph(handed: Handed) -> Mapping[str, Any]:
    """One photograph with its links."""
    held, collection = handed.seen.photograph, handed.seen.collection
    until = collection.retain_until
    return {
        "file": handed.file,
        "why_no_file": handed.why_not or None,
        "photograph": held.id,
        "sha256": held.sha256,
        "width_px": held.width_px,
        "height_px": held.height_px,
        "format": held.format,
        "collection": collection.name,
        "collection_purpose": collection.purpose,
        "kept_until": None if until is None else instant(until),
        "faces_covered": handed.covered,
        "your_faces": [
            [round(n, 5) for n in (face.box.x, face.box.y, face.box.width, face.box.height)]
            for face in handed.seen.theirs
        ],
        "links": [
            {
                "face": trace.face,
                "link": trace.link,
                "similarity": None if trace.similarity is None else round(trace.similarity, 4),
                "model_sha256": trace.model_sha256,
                "judged_at": trace.judged_at,
            }
            for trace in handed.seen.traces
        ],
    }


def _consent(standing: Standing) -> Mapping[str, Any]:
    subject = standing.subject
    activity = ACTIVITIES[subject.purpose]
    return {
        "grant": str(subject),
        "means": activity.words,
        "where": standing.where,
        "live": standing.live,
        "why_not": standing.why_not or None,
        "until": None if standing.until is None else instant(standing.until),
        "legal_basis": list(activity.basis),
        "recipients": recipient_words(subject),
    }
