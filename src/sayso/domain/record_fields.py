"""What a consent record or receipt must have, as data.

Each row of `RECORD_FIELDS` and `RECEIPT_FIELDS` is one field: the name that ISO/IEC TS 27560
gives it, where it lies, what it must be, and whether the standard, the GDPR column of the DPVCG
guide (7.2), or Sayso itself demands it. A path leads through every object and list on its way:
a field must be there in each of them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sayso.domain import dpv
from sayso.domain.controller import is_placeholder


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


SHA256 = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_STATES = frozenset(term for term, scheme in dpv.DEFINED_IN.items() if "consent-status" in scheme)
_TYPES = frozenset(term for term, scheme in dpv.DEFINED_IN.items() if "consent-types" in scheme)


def texts(value: object) -> list[str]:
    """The texts in a value that may be one or a list of them."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def is_text(value: object) -> bool:
    """Whether it says something: no blank, and no placeholder."""
    return isinstance(value, str) and not is_placeholder(value)


def _there(value: object) -> bool:
    return bool(value)


def _exactly(*allowed: str) -> Callable[[object], bool]:
    return lambda value: value in allowed if isinstance(value, str) else False


def _one_of(allowed: frozenset[str]) -> Callable[[object], bool]:
    return lambda value: bool(allowed & set(texts(value)))


def matching(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    """Whether it is a text of this form."""
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _moment(value: object) -> bool:
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_place(value: object) -> bool:
    """Whether it is a place that DPV knows."""
    if not isinstance(value, Mapping):
        return False
    return any(term in dpv.DEFINED_IN for term in texts([value.get("@id"), value.get(BROADER)]))


BROADER = "skos:broader"
PROCESS, EVENT, _PARTY = "dpv:hasProcess", "dpv:hasConsentStatus", "dpv:hasEntity"
_NOTICE, DATA, STORED = "dpv:hasNotice", "dpv:hasPersonalData", "dpv:hasStorageCondition"
_ISO, _LAW, _OURS = Demand.STANDARD, Demand.GDPR, Demand.SAYSO

RECORD_FIELDS = (
    Field("schema_version", _ISO, ("dct:conformsTo",), _exactly(dpv.RECORD_SCHEMA)),
    Field("record_type", _ISO, ("@type",), _exactly("dpv:ConsentRecord")),
    Field("record_id", _ISO, ("dct:identifier",), is_text),
    Field("record_identifier", _ISO, ("dpv:hasIdentifier",), is_text),
    Field("pii_principal_id", _ISO, ("dpv:hasDataSubject", "dct:identifier"), is_text),
    Field("privacy_notice", _ISO, (_NOTICE, "@type"), _exactly("dpv:ConsentNotice")),
    Field("language", _ISO, (_NOTICE, "dct:language"), is_text),
    Field("notice_version", _OURS, (_NOTICE, "schema:version"), is_text),
    Field("notice_hash", _OURS, (_NOTICE, "spdx:checksum", "spdx:checksumValue"), matching(SHA256)),
    Field("purpose", _ISO, (PROCESS, "dpv:hasPurpose", "dct:description"), is_text),
    Field("purpose_id", _OURS, (PROCESS, "dpv:hasPurpose", "dct:identifier"), is_text),
    Field("purpose_type", _ISO, (PROCESS, "dpv:hasPurpose", BROADER), is_text),
    Field("lawful_basis", _LAW, (PROCESS, "dpv:hasLegalBasis"), _there),
    Field("pii_information", _ISO, (PROCESS, DATA, "dct:description"), is_text),
    Field("pii_type", _ISO, (PROCESS, DATA, BROADER), is_text),
    Field("pii_optional", _LAW, (PROCESS, DATA, "dpv:hasNecessity"), is_text),
    Field(
        "special_pii_category",
        _LAW,
        (PROCESS, DATA, "@type"),
        _exactly("dpv:PersonalData", "dpv:SpecialCategoryPersonalData"),
    ),
    Field("pii_controllers", _ISO, ("dpv:hasDataController",), is_text),
    Field("collection_method", _LAW, (PROCESS, "dpv:hasDataSource", "@type"), is_text),
    Field("processing_method", _LAW, (PROCESS, "dpv:hasProcessing"), _there),
    Field("automated_decisions", _LAW, (PROCESS, "dpv:hasAutomationLevel"), is_text),
    Field("human_involvement", _LAW, (PROCESS, "dpv:hasHumanInvolvement"), is_text),
    Field(
        "algorithmic_logic", _LAW, (PROCESS, "dpv:hasAlgorithmicLogic", "dct:description"), is_text
    ),
    Field("consequence", _LAW, (PROCESS, "dpv:hasConsequence", "dct:description"), is_text),
    Field("storage_condition", _ISO, (PROCESS, STORED, "@type"), is_text),
    Field("recipient_third_parties", _ISO, (PROCESS, "dpv:hasRecipient", "@type"), _there),
    Field(
        "recipient_description",
        _LAW,
        (PROCESS, "dpv:hasRecipient", "dct:description"),
        is_text,
    ),
    Field(
        "processing_location",
        _LAW,
        (PROCESS, "dpv:hasProcessingCondition", "dpv:hasLocation"),
        is_place,
    ),
    Field("geographic_restrictions", _LAW, (PROCESS, "dpv:hasRule", "dpv:hasLocation"), is_place),
    Field("service", _OURS, (PROCESS, "dpv:hasService", "dct:title"), is_text),
    Field("jurisdiction", _ISO, ("dpv:hasJurisdiction",), is_place),
    Field("withdrawal_method", _ISO, ("dpv:hasConsentControl", "dpv:isExercisedAt"), is_text),
    Field(
        "withdrawal_control",
        _ISO,
        ("dpv:hasConsentControl", "@type"),
        _exactly("dpv:WithdrawConsent"),
    ),
    Field("privacy_rights", _LAW, ("dpv:hasRight", "dct:title"), is_text),
    Field("rights_exercise", _LAW, ("dpv:hasRight", "dpv:isExercisedAt"), is_text),
    Field("authority_party", _LAW, ("dpv:hasAuthority",), is_text),
    Field("officer_party", _LAW, ("dpv:hasDataProtectionOfficer",), is_text),
    Field("party_id", _ISO, (_PARTY, "dpv:hasIdentifier"), is_text),
    Field("party_name", _ISO, (_PARTY, "dpv:hasName"), is_text),
    Field("party_role", _LAW, (_PARTY, "@type"), is_text),
    Field("party_contact", _ISO, (_PARTY, "dpv:hasContact"), is_text),
    Field(
        "party_contact_point",
        _ISO,
        (_PARTY, "schema:contactPoint", "schema:description"),
        is_text,
    ),
    Field("party_address", _ISO, (_PARTY, "dpv:hasAddress"), is_text),
    Field(
        "party_postal_address", _ISO, (_PARTY, "schema:address", "schema:streetAddress"), is_text
    ),
    Field("event_state", _ISO, (EVENT, "@type"), _one_of(_STATES)),
    Field("event_type", _ISO, (EVENT, "@type"), _one_of(_TYPES)),
    Field("event_time", _ISO, (EVENT, "dpv:isIndicatedAtTime"), _moment),
    Field("validity_duration", _ISO, (EVENT, "dpv:hasDuration", "rdf:value"), is_text),
    Field("entity_id", _ISO, (EVENT, "dpv:isIndicatedBy", "@id"), is_text),
    Field("expression_method", _OURS, (EVENT, "dpv:hasIndicationMethod"), is_text),
    Field("event_scope", _OURS, (EVENT, "dpv:hasScope"), _there),
)
"""Every field that a record must have, wherever its path leads."""

RECEIPT_FIELDS = (
    Field("receipt_schema_version", _ISO, ("dct:conformsTo",), _exactly(dpv.RECEIPT_SCHEMA)),
    Field("receipt_type", _ISO, ("@type",), _exactly("dpv:ConsentReceipt")),
    Field("receipt_id", _ISO, ("dpv:hasIdentifier",), is_text),
    Field("receipt_identifier", _ISO, ("dct:identifier",), is_text),
    Field("created", _ISO, ("dct:created",), _moment),
    Field("publisher", _OURS, ("dct:publisher",), is_text),
    Field("recipient", _OURS, ("schema:recipient",), _exactly("dpv:DataSubject")),
    Field("consent_record", _ISO, ("dpv:hasRecordOfActivity",), _there),
)
"""Every field of the wrapper that a receipt is."""
