"""The small parts of consent records: ids, times, hashes, places, and what a record is about."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sayso.domain import dpv
from sayso.domain.controller import Controller
from sayso.domain.event import ConsentEvent
from sayso.domain.grant import Purpose
from sayso.domain.person import PersonId

Node = dict[str, Any]
"""A JSON-LD node."""

_SPACE = UUID("6f0a3f0e-7f0f-4d1c-9d53-0d5a7c1d2b9e")


@dataclass(frozen=True, slots=True)
class Subject:
    """What one record is about: a purpose with its target; None: the purpose as a whole."""

    purpose: Purpose
    target: str | None = None

    def __str__(self) -> str:
        return self.purpose if self.target is None else f"{self.purpose}:{self.target}"

    def covers(self, event: ConsentEvent) -> bool:
        """Whether an event belongs into the record of this subject."""
        return event.purpose is self.purpose and event.target in {None, self.target}


def instant(at: datetime) -> str:
    """ISO 8601 in UTC, whole seconds: ``2026-05-04T09:30:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def person_iri(person: PersonId) -> str:
    """The IRI of a person, always the same one; it tells nothing."""
    return f"urn:uuid:{uuid5(_SPACE, f'person {person}')}"


def controller_iri(controller: Controller, role: str = "controller") -> str:
    """The IRI of a controller of this name, or of one of the parties that it names."""
    return f"urn:uuid:{uuid5(_SPACE, f'{role} {controller.name}')}"


def record_id(person: PersonId, subject: Subject) -> UUID:
    """The id of a record: the same for the same person and grant, whenever it is written."""
    return uuid5(_SPACE, f"record {person} {subject}")


def checksum(sha256: str) -> Node:
    """A SHA-256 (hex), as DCAT 3 writes one."""
    return {
        "@type": "spdx:Checksum",
        "spdx:algorithm": "spdx:checksumAlgorithm_sha256",
        "spdx:checksumValue": sha256,
    }


def place(code: str) -> Node:
    """A jurisdiction or place; of a part of a country also its own code, ``GB-SCT``."""
    country = dpv.country(code)
    if country is None:
        return {"@type": "dpv:Location", "dct:title": code}
    if code.strip().upper() == country:
        return {"@id": f"loc:{country}"}
    node: Node = {"@type": "dpv:Location", "skos:broader": f"loc:{country}"}
    return node | {"dct:identifier": code.strip().upper().replace("_", "-")}
