"""The check of a consent record or receipt that was read back, field by field.

The documents come from anybody; whatever shape they have, the answer is a list of defects.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sayso.domain import dpv
from sayso.domain.grant import Purpose
from sayso.domain.record_fields import (
    BROADER,
    DATA,
    EVENT,
    PROCESS,
    RECEIPT_FIELDS,
    RECORD_FIELDS,
    SHA256,
    STORED,
    Field,
    is_place,
    is_text,
    matching,
    texts,
)
from sayso.errors import RecordMalformed

_ABSENT = object()
_YESES = frozenset({"dpv:ConsentGiven", "dpv:RenewedConsentGiven"})
_GUARDIANS = frozenset({"dpv:ParentOfDataSubject", "dpv:GuardianOfDataSubject"})
_TERM = re.compile(r"([a-z-]+):([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Defect:
    """A field that is missing or wrong; ``where`` is its path."""

    field: str
    where: str
    problem: str


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
    where = f"{PROCESS} / {STORED}"
    for conditions in _follow(record, (PROCESS,)):
        held = conditions.get(STORED) if isinstance(conditions, Mapping) else None
        kept = [one for one in _branches(held) if isinstance(one, Mapping)]
        places = [p for one in kept for p in _branches(one.get("dpv:hasLocation", []))]
        if not any(is_place(one) for one in places):
            yield Defect("storage_locations", where, "is missing, or was never set")
        periods = [one for one in kept if "dpv:StorageDuration" in texts(one.get("@type"))]
        if not any(
            is_text(v) for one in periods for v in _follow(one, ("dpv:hasDuration", _VALUE))
        ):
            yield Defect("retention_period", where, "is missing")


_VALUE = "rdf:value"


def _special(record: Mapping[str, Any]) -> Iterator[Defect]:
    """A biometric template is data of a special category, under explicit consent."""
    for process in _follow(record, (PROCESS,)):
        if not isinstance(process, Mapping) or not _is_recognise(process):
            continue
        kinds = {
            (str(one.get(BROADER)), str(one.get("@type")))
            for one in _branches(process.get(DATA))
            if isinstance(one, Mapping)
        }
        if ("pd:FacialPrint", "dpv:SpecialCategoryPersonalData") not in kinds:
            yield Defect("biometric_template", f"{PROCESS} / {DATA}", "is missing")
        if "eu-gdpr:A9-2-a" not in texts(process.get("dpv:hasLegalBasis")):
            yield Defect("explicit_consent", f"{PROCESS} / dpv:hasLegalBasis", "is missing")


def _evidence(record: Mapping[str, Any]) -> Iterator[Defect]:
    """A yes to recognise rests on evidence; a guardian's word on how the relation was checked."""
    recognise = any(
        isinstance(process, Mapping) and _is_recognise(process)
        for process in _follow(record, (PROCESS,))
    )
    for event in _follow(record, (EVENT,)):
        if not isinstance(event, Mapping):
            continue
        proof = list(_follow(event, ("dct:source", "spdx:checksum", "spdx:checksumValue")))
        required = recognise and _YESES & set(texts(event.get("@type")))
        if (required or proof != [_ABSENT]) and not all(map(matching(SHA256), proof)):
            yield Defect("evidence_hash", f"{EVENT} / dct:source", "is missing or wrong")
        giver = event.get("dpv:isIndicatedBy")
        if isinstance(giver, Mapping) and _GUARDIANS & set(texts(giver.get("@type"))):
            for key in ("dpv:hasRelationWithDataSubject", "dpv:hasJustification"):
                if not is_text(giver.get(key)):
                    yield Defect("guardian", f"{EVENT} / dpv:isIndicatedBy / {key}", "is missing")


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
