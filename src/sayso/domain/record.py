"""Consent records and receipts: ISO/IEC TS 27560 in the JSON-LD form of the DPVCG guide.

A record is of one grant of one person: the guide's states of consent belong to a whole record,
and consent is granular (GDPR recital 43), so that each purpose that can be granted or withdrawn
on its own has a record of its own. A receipt is a wrapper around all of a person's records, which
the guide provides for. Profiles: ``record-eu-gdpr`` and ``receipt-eu-gdpr``.

Differences from the guide's examples, each because DPV 2.3 lacks what they use, or for the sake of
plain JSON: several values are a list, never a key that comes twice; a contested consent has the
state ``ConsentStatusInvalidForProcessing``; a file's hash is an ``spdx:checksum`` as in DCAT 3.

Records name nobody: the person is an opaque id, a guardian is a relation and how it was checked.

Sources: https://w3id.org/dpv/guides/consent-27560 (15 February 2026), ISO/IEC TS 27560:2023.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sayso.domain import dpv
from sayso.domain.consent import Consents
from sayso.domain.controller import Controller
from sayso.domain.grant import Purpose
from sayso.domain.photo import Collection
from sayso.domain.record_event import all_notices, notice_node, statuses
from sayso.domain.record_process import RIGHTS, applicable_law, process
from sayso.domain.record_terms import (
    Node,
    Subject,
    controller_iri,
    instant,
    person_iri,
    place,
    record_id,
)

_REFERENCES = (
    "dct:conformsTo dct:publisher dpv:hasDataController dpv:hasDataProtectionOfficer "
    "dpv:hasAuthority dpv:hasProcessing dpv:hasLegalBasis dpv:hasApplicableLaw dpv:hasNecessity "
    "dpv:hasAutomationLevel dpv:hasHumanInvolvement schema:recipient skos:broader spdx:algorithm"
)

CONTEXT: Mapping[str, Any] = MappingProxyType(
    dict(dpv.NAMESPACES)
    | {term: {"@id": term, "@type": "@id"} for term in _REFERENCES.split()}
    | {
        "dct:created": {"@id": "dct:created", "@type": "xsd:dateTime"},
        "dpv:isIndicatedAtTime": {"@id": "dpv:isIndicatedAtTime", "@type": "xsd:dateTime"},
        "spdx:checksumValue": {"@id": "spdx:checksumValue", "@type": "xsd:hexBinary"},
    }
)
"""The JSON-LD context, whole and inside each document: nothing is loaded to read one."""


def subjects(consents: Consents) -> tuple[Subject, ...]:
    """What a person was ever asked about, in the order of the purposes."""
    said = {Subject(event.purpose, event.target) for event in consents.events}
    specific = {subject.purpose for subject in said if subject.target is not None}
    kept = [one for one in said if one.target is not None or one.purpose not in specific]
    order = tuple(Purpose)
    return tuple(sorted(kept, key=lambda one: (order.index(one.purpose), one.target or "")))


def consent_records(
    consents: Consents,
    controller: Controller,
    collections: Sequence[Collection],
    now: datetime,
) -> tuple[Node, ...]:
    """The records of one person, one for each grant, each without the context.

    Args:
        consents: all that the person, or a guardian, ever said.
        controller: who answers for the processing.
        collections: every collection, for the names in scopes and for impact assessments.
        now: aware; yeses that ended before it are followed by their end.
    """
    names = {collection.id: collection.name for collection in collections}
    made = []
    for subject in subjects(consents):
        events = [event for event in consents.events if subject.covers(event)]
        made.append(
            _header(consents, subject)
            | {"dpv:hasNotice": [notice_node(notice) for notice in all_notices(events)]}
            | _shared(controller)
            | {
                "dpv:hasProcess": [process(subject, controller, collections)],
                "dpv:hasConsentStatus": statuses(consents, subject, names, now),
            }
        )
    return tuple(made)


def graph(records: Iterable[Mapping[str, Any]]) -> Node:
    """Several records as one JSON-LD document."""
    return {"@context": dict(CONTEXT), "@graph": [dict(record) for record in records]}


def receipt(
    records: Sequence[Mapping[str, Any]],
    controller: Controller,
    *,
    identifier: UUID,
    created: datetime,
) -> Node:
    """A receipt: a copy of a person's records, for that person.

    Args:
        records: as `consent_records` makes them.
        controller: who gives the receipt.
        identifier: a new random one.
        created: aware; when it is given.
    """
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{identifier}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": str(identifier),
        "dpv:hasIdentifier": str(identifier),
        "dct:conformsTo": dpv.RECEIPT_SCHEMA,
        "dct:created": instant(created),
        "dct:publisher": controller_iri(controller),
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": [dict(record) for record in records],
    }


def _header(consents: Consents, subject: Subject) -> Node:
    identifier = str(record_id(consents.person, subject))
    return {
        "@id": f"urn:uuid:{identifier}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": identifier,
        "dpv:hasIdentifier": identifier,
        "dct:conformsTo": dpv.RECORD_SCHEMA,
        "dpv:hasDataSubject": {
            "@id": person_iri(consents.person),
            "@type": "dpv:DataSubject",
            "dct:identifier": str(consents.person),
        },
    }


def _shared(controller: Controller) -> Node:
    """What holds for all processing of this controller."""
    jurisdiction = place(controller.jurisdiction)
    rights = [
        {
            "@type": ["dpv:DataSubjectRight", article],
            "dct:title": words,
            "dpv:isExercisedAt": controller.authority
            if article == "eu-gdpr:A77"
            else controller.contact,
        }
        for article, words in RIGHTS.items()
    ]
    return {
        "dpv:hasDataController": controller_iri(controller),
        "dpv:hasDataProtectionOfficer": controller_iri(controller, "officer"),
        "dpv:hasAuthority": controller_iri(controller, "authority"),
        "dpv:hasJurisdiction": jurisdiction,
        "dpv:hasApplicableLaw": applicable_law(controller.jurisdiction),
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dct:description": "say so, in any form; it holds at once and takes no more than that",
            "dpv:isExercisedAt": controller.contact,
        },
        "dpv:hasRight": rights,
        "dpv:hasEntity": _parties(controller),
    }


def _parties(controller: Controller) -> list[Node]:
    def party(role: str, kind: str, name: str, contact: str, address: str) -> Node:
        identifier = controller_iri(controller, role)
        return {
            "@id": identifier,
            "@type": kind,
            "dpv:hasIdentifier": identifier,
            "dpv:hasName": name,
            "dpv:hasContact": contact,
            "schema:contactPoint": {"@type": "schema:ContactPoint", "schema:description": contact},
            "dpv:hasAddress": address,
            "schema:address": {"@type": "schema:PostalAddress", "schema:streetAddress": address},
        }

    return [
        party(
            "controller",
            "dpv:DataController",
            controller.name,
            controller.contact,
            controller.address,
        ),
        party(
            "officer",
            "dpv:DataProtectionOfficer",
            "data protection officer",
            controller.officer,
            controller.address,
        ),
        party(
            "authority",
            "dpv:DataProtectionAuthority",
            controller.authority,
            controller.authority,
            controller.authority,
        ),
    ]
