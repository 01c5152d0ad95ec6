"""What a consent record or receipt must have, as data, and the check of one that was read back.

Each row of `RECORD_FIELDS` and `RECEIPT_FIELDS` is one field: the name that ISO/IEC TS 27560
gives it, where it lies, what it must be, and whether the standard, the GDPR column of the DPVCG
guide (7.2), or Sayso itself demands it. A path leads through every object and list on its way:
a field must be there in each of them.

The documents come from anybody; whatever shape they have, the answer is a list of defects.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sayso.domain import dpv
from sayso.domain.controller import is_placeholder
from sayso.domain.grant import Purpose
from sayso.errors import RecordMalformed


class Demand(StrEnum):
    """Who asks for a field."""

    STANDARD = "ISO/IEC TS 27560"
    GDPR = "GDPR"
    SAYSO = "Sayso"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``path`` is the keys that lead to it."""

    name: str
    demand: Demand
    path: tuple[str, ...]
    fits: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Defect:
    """A field that is missing or wrong; ``where`` is its path."""

    field: str
    where: str
    problem: str


_ABSENT = object()
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_STATES = frozenset(term for term, scheme in dpv.DEFINED_IN.items() if "consent-status" in scheme)
_TYPES = frozenset(term for term, scheme in dpv.DEFINED_IN.items() if "consent-types" in scheme)
_YESES = frozenset({"dpv:ConsentGiven", "dpv:RenewedConsentGiven"})
_GUARDIANS = frozenset({"dpv:ParentOfDataSubject", "dpv:GuardianOfDataSubject"})
_TERM = re.compile(r"([a-z-]+):([A-Za-z0-9_-]+)")


def _text(value: object) -> bool:
    return isinstance(value, str) and not is_placeholder(value)


def _there(value: object) -> bool:
    return bool(value) and value is not _ABSENT


def _exactly(*allowed: str) -> Callable[[object], bool]:
    return lambda value: value in allowed if isinstance(value, str) else False


def _one_of(allowed: frozenset[str]) -> Callable[[object], bool]:
    return lambda value: bool(allowed & set(_texts(value)))


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _moment(value: object) -> bool:
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _place(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return any(term in dpv.DEFINED_IN for term in _texts([value.get("@id"), value.get(_BROADER)]))


_BROADER = "skos:broader"
_PROCESS, _EVENT, _PARTY = "dpv:hasProcess", "dpv:hasConsentStatus", "dpv:hasEntity"
_NOTICE, _DATA, _STORED = "dpv:hasNotice", "dpv:hasPersonalData", "dpv:hasStorageCondition"
_ISO, _LAW, _OURS = Demand.STANDARD, Demand.GDPR, Demand.SAYSO

RECORD_FIELDS = (
    Field("schema_version", _ISO, ("dct:conformsTo",), _exactly(dpv.RECORD_SCHEMA)),
    Field("record_type", _ISO, ("@type",), _exactly("dpv:ConsentRecord")),
    Field("record_id", _ISO, ("dct:identifier",), _text),
    Field("record_identifier", _ISO, ("dpv:hasIdentifier",), _text),
    Field("pii_principal_id", _ISO, ("dpv:hasDataSubject", "dct:identifier"), _text),
    Field("privacy_notice", _ISO, (_NOTICE, "@type"), _exactly("dpv:ConsentNotice")),
    Field("language", _ISO, (_NOTICE, "dct:language"), _text),
    Field("notice_version", _OURS, (_NOTICE, "schema:version"), _text),
    Field(
        "notice_hash", _OURS, (_NOTICE, "spdx:checksum", "spdx:checksumValue"), _matches(_SHA256)
    ),
    Field("purpose", _ISO, (_PROCESS, "dpv:hasPurpose", "dct:description"), _text),
    Field("purpose_id", _OURS, (_PROCESS, "dpv:hasPurpose", "dct:identifier"), _text),
    Field("purpose_type", _ISO, (_PROCESS, "dpv:hasPurpose", _BROADER), _text),
    Field("lawful_basis", _LAW, (_PROCESS, "dpv:hasLegalBasis"), _there),
    Field("pii_information", _ISO, (_PROCESS, _DATA, "dct:description"), _text),
    Field("pii_type", _ISO, (_PROCESS, _DATA, _BROADER), _text),
    Field("pii_optional", _LAW, (_PROCESS, _DATA, "dpv:hasNecessity"), _text),
    Field(
        "special_pii_category",
        _LAW,
        (_PROCESS, _DATA, "@type"),
        _exactly("dpv:PersonalData", "dpv:SpecialCategoryPersonalData"),
    ),
    Field("pii_controllers", _ISO, ("dpv:hasDataController",), _text),
    Field("collection_method", _LAW, (_PROCESS, "dpv:hasDataSource", "@type"), _text),
    Field("processing_method", _LAW, (_PROCESS, "dpv:hasProcessing"), _there),
    Field("automated_decisions", _LAW, (_PROCESS, "dpv:hasAutomationLevel"), _text),
    Field("human_involvement", _LAW, (_PROCESS, "dpv:hasHumanInvolvement"), _text),
    Field(
        "algorithmic_logic", _LAW, (_PROCESS, "dpv:hasAlgorithmicLogic", "dct:description"), _text
    ),
    Field("consequence", _LAW, (_PROCESS, "dpv:hasConsequence", "dct:description"), _text),
    Field("storage_condition", _ISO, (_PROCESS, _STORED, "@type"), _text),
    Field("recipient_third_parties", _ISO, (_PROCESS, "dpv:hasRecipient", "@type"), _there),
    Field(
        "recipient_description",
        _LAW,
        (_PROCESS, "dpv:hasRecipient", "dct:description"),
        _text,
    ),
    Field(
        "processing_location",
        _LAW,
        (_PROCESS, "dpv:hasProcessingCondition", "dpv:hasLocation"),
        _place,
    ),
    Field("geographic_restrictions", _LAW, (_PROCESS, "dpv:hasRule", "dpv:hasLocation"), _place),
    Field("service", _OURS, (_PROCESS, "dpv:hasService", "dct:title"), _text),
    Field("jurisdiction", _ISO, ("dpv:hasJurisdiction",), _place),
    Field("withdrawal_method", _ISO, ("dpv:hasConsentControl", "dpv:isExercisedAt"), _text),
    Field(
        "withdrawal_control",
        _ISO,
        ("dpv:hasConsentControl", "@type"),
        _exactly("dpv:WithdrawConsent"),
    ),
    Field("privacy_rights", _LAW, ("dpv:hasRight", "dct:title"), _text),
    Field("rights_exercise", _LAW, ("dpv:hasRight", "dpv:isExercisedAt"), _text),
    Field("authority_party", _LAW, ("dpv:hasAuthority",), _text),
    Field("officer_party", _LAW, ("dpv:hasDataProtectionOfficer",), _text),
    Field("party_id", _ISO, (_PARTY, "dpv:hasIdentifier"), _text),
    Field("party_name", _ISO, (_PARTY, "dpv:hasName"), _text),
    Field("party_role", _LAW, (_PARTY, "@type"), _text),
    Field("party_contact", _ISO, (_PARTY, "dpv:hasContact"), _text),
    Field(
        "party_contact_point",
        _ISO,
        (_PARTY, "schema:contactPoint", "schema:description"),
        _text,
    ),
    Field("party_address", _ISO, (_PARTY, "dpv:hasAddress"), _text),
    Field("party_postal_address", _ISO, (_PARTY, "schema:address", "schema:streetAddress"), _text),
    Field("event_state", _ISO, (_EVENT, "@type"), _one_of(_STATES)),
    Field("event_type", _ISO, (_EVENT, "@type"), _one_of(_TYPES)),
    Field("event_time", _ISO, (_EVENT, "dpv:isIndicatedAtTime"), _moment),
    Field("validity_duration", _ISO, (_EVENT, "dpv:hasDuration", "rdf:value"), _text),
    Field("entity_id", _ISO, (_EVENT, "dpv:isIndicatedBy", "@id"), _text),
    Field("expression_method", _OURS, (_EVENT, "dpv:hasIndicationMethod"), _text),
    Field("event_scope", _OURS, (_EVENT, "dpv:hasScope"), _there),
)
"""Every field that a record must have, wherever its path leads."""

RECEIPT_FIELDS = (
    Field("receipt_schema_version", _ISO, ("dct:conformsTo",), _exactly(dpv.RECEIPT_SCHEMA)),
    Field("receipt_type", _ISO, ("@type",), _exactly("dpv:ConsentReceipt")),
    Field("receipt_id", _ISO, ("dpv:hasIdentifier",), _text),
    Field("receipt_identifier", _ISO, ("dct:identifier",), _text),
    Field("created", _ISO, ("dct:created",), _moment),
    Field("publisher", _OURS, ("dct:publisher",), _text),
    Field("recipient", _OURS, ("schema:recipient",), _exactly("dpv:DataSubject")),
    Field("consent_record", _ISO, ("dpv:hasRecordOfActivity",), _there),
)
"""Every field of the wrapper that a receipt is."""


def record_defects(record: Mapping[str, Any]) -> tuple[Defect, ...]:
    """What is missing or wrong in a record; nothing if it is as it should be."""
    found = [defect for field in RECORD_FIELDS for defect in _check(field, record)]
    return (*found, *_storage(record), *_special(record), *_evidence(record), *_terms(record))


def receipt_defects(receipt: Mapping[str, Any]) -> tuple[Defect, ...]:
    """What is missing or wrong in a receipt and in every record that it wraps."""
    found = [defect for field in RECEIPT_FIELDS for defect in _check(field, receipt)]
    for record in _branches(receipt.get("dpv:hasRecordOfActivity")):
        if isinstance(record, Mapping):
            found += record_defects(record)
        elif record is not _ABSENT:
            found.append(Defect("consent_record", "dpv:hasRecordOfActivity", "is no object"))
    return tuple(dict.fromkeys(found))


def require_record(record: Mapping[str, Any]) -> None:
    """Refuse a record with a defect.

    Raises:
        RecordMalformed: the message names the first field that is missing or wrong.
    """
    _refuse(record_defects(record))


def require_receipt(receipt: Mapping[str, Any]) -> None:
    """Refuse a receipt with a defect; raises as `require_record` does."""
    _refuse(receipt_defects(receipt))


def _refuse(defects: Sequence[Defect]) -> None:
    if defects:
        first = defects[0]
        raise RecordMalformed(
            expected=f"the field {first.field} at {first.where}",
            found=f"one that {first.problem}",
            remedy="Ask whoever wrote the record for a whole one; nothing was taken from it.",
        )


def _check(field: Field, record: Mapping[str, Any]) -> Iterator[Defect]:
    where = " / ".join(field.path)
    problems = set()
    for value in _follow(record, field.path):
        if value is _ABSENT:
            problems.add("is missing")
        elif not field.fits(value):
            problems.add("is wrong, or was never set")
    return (Defect(field.name, where, problem) for problem in sorted(problems))


def _follow(node: object, path: Sequence[str]) -> Iterator[object]:
    """Every value that a path leads to; `_ABSENT` for each branch on which it ends early.

    Only what must be taken apart is: lists on the way, and at the end lists of objects.
    """
    if not isinstance(node, Mapping) or path[0] not in node:
        yield _ABSENT
        return
    value = node[path[0]]
    if len(path) > 1:
        for branch in _branches(value):
            yield from _follow(branch, path[1:])
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield from value
    else:
        yield value


def _branches(value: object) -> Sequence[object]:
    """A list's items; an empty one counts as one branch on which nothing is."""
    if isinstance(value, list):
        return value or [_ABSENT]
    return [value]


def _storage(record: Mapping[str, Any]) -> Iterator[Defect]:
    """Location and period, both of which the standard demands, lie side by side in one list."""
    where = f"{_PROCESS} / {_STORED}"
    for conditions in _follow(record, (_PROCESS,)):
        held = conditions.get(_STORED) if isinstance(conditions, Mapping) else None
        kept = [one for one in _branches(held) if isinstance(one, Mapping)]
        places = [p for one in kept for p in _branches(one.get("dpv:hasLocation", []))]
        if not any(_place(one) for one in places):
            yield Defect("storage_locations", where, "is missing, or was never set")
        periods = [one for one in kept if "dpv:StorageDuration" in _texts(one.get("@type"))]
        if not any(_text(v) for one in periods for v in _follow(one, ("dpv:hasDuration", _VALUE))):
            yield Defect("retention_period", where, "is missing")


_VALUE = "rdf:value"


def _special(record: Mapping[str, Any]) -> Iterator[Defect]:
    """A biometric template is data of a special category, under explicit consent."""
    for process in _follow(record, (_PROCESS,)):
        if not isinstance(process, Mapping) or not _is_recognise(process):
            continue
        kinds = {
            (str(one.get(_BROADER)), str(one.get("@type")))
            for one in _branches(process.get(_DATA))
            if isinstance(one, Mapping)
        }
        if ("pd:FacialPrint", "dpv:SpecialCategoryPersonalData") not in kinds:
            yield Defect("biometric_template", f"{_PROCESS} / {_DATA}", "is missing")
        if "eu-gdpr:A9-2-a" not in _texts(process.get("dpv:hasLegalBasis")):
            yield Defect("explicit_consent", f"{_PROCESS} / dpv:hasLegalBasis", "is missing")


def _evidence(record: Mapping[str, Any]) -> Iterator[Defect]:
    """A yes to recognise rests on evidence; a guardian's word on how the relation was checked."""
    recognise = any(
        isinstance(process, Mapping) and _is_recognise(process)
        for process in _follow(record, (_PROCESS,))
    )
    for event in _follow(record, (_EVENT,)):
        if not isinstance(event, Mapping):
            continue
        proof = list(_follow(event, ("dct:source", "spdx:checksum", "spdx:checksumValue")))
        required = recognise and _YESES & set(_texts(event.get("@type")))
        if (required or proof != [_ABSENT]) and not all(map(_matches(_SHA256), proof)):
            yield Defect("evidence_hash", f"{_EVENT} / dct:source", "is missing or wrong")
        giver = event.get("dpv:isIndicatedBy")
        if isinstance(giver, Mapping) and _GUARDIANS & set(_texts(giver.get("@type"))):
            for key in ("dpv:hasRelationWithDataSubject", "dpv:hasJustification"):
                if not _text(giver.get(key)):
                    yield Defect("guardian", f"{_EVENT} / dpv:isIndicatedBy / {key}", "is missing")


def _is_recognise(process: Mapping[str, Any]) -> bool:
    stated = list(_follow(process, ("dpv:hasPurpose", "dct:identifier")))
    return Purpose.RECOGNISE.value in stated


def _terms(record: Mapping[str, Any]) -> Iterator[Defect]:
    unknown = sorted(set(terms(record)) - dpv.DEFINED_IN.keys())
    return (Defect("vocabulary", term, "no vocabulary here defines") for term in unknown)


def terms(node: object) -> Iterator[str]:
    """Every compact IRI of a known vocabulary in a document, as a key, a type or a value."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key != "@context":
                yield from _as_term(key)
                yield from terms(value)
    elif isinstance(node, list | tuple):
        for one in node:
            yield from terms(one)
    elif isinstance(node, str):
        yield from _as_term(node)


def _as_term(text: object) -> Iterator[str]:
    match = _TERM.fullmatch(text) if isinstance(text, str) else None
    if match and match[1] in dpv.NAMESPACES:
        yield match[0]


def _texts(value: object) -> list[str]:
    return [one for one in _branches(value) if isinstance(one, str)]
