"""Receipts: what a person agreed to, for that person, signed, with proof that the log knows it."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sayso.domain.controller import Controller
from sayso.domain.person import Person, PersonId
from sayso.domain.record import consent_records, receipt
from sayso.domain.record_check import Defect, receipt_defects
from sayso.domain.record_fields import RECEIPT_FIELDS
from sayso.errors import RecordMalformed
from sayso.services.envelope import Checked, Checker, Prover, Signer, check, seal
from sayso.services.ports import Clock
from sayso.store.repository import Repository


@dataclass(frozen=True, slots=True)
class Given:
    """A receipt that was made.

    Attributes:
        data: the file's bytes.
        receipt: the JSON-LD in it.
        defects: what the controller should still put right: no notice was recorded, say.
        signed: whether it has a signature.
    """

    person: Person
    data: bytes
    receipt: Mapping[str, Any]
    defects: tuple[Defect, ...]
    signed: bool


@dataclass(frozen=True, slots=True)
class Receipts:
    """The use cases."""

    repository: Repository
    clock: Clock
    controller: Controller
    signer: Signer | None = None
    prover: Prover | None = None

    def __call__(self, person: str) -> Given:
        """Make a receipt of everything that a person ever said, as it stands now.

        A receipt with a defect is given all the same: the person has a right to what there is.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
            RecordMalformed: nothing was ever recorded of them.
        """
        now = self.clock()
        with self.repository.reading() as unit:
            known = unit.people.get(person)
            consents = unit.people.consents(known.id)
            collections = unit.collections.all()
        records = consent_records(consents, self.controller, collections, now)
        if not records:
            raise RecordMalformed(
                expected="somebody who was asked and answered",
                found="no consent event",
                remedy="Record what they agreed to, or refused, first.",
            )
        made = receipt(records, self.controller, identifier=uuid.uuid4(), created=now)
        data = seal(made, known.id, now, signer=self.signer, prover=self.prover)
        return Given(known, data, made, receipt_defects(made), self.signer is not None)


def check_receipt(
    data: bytes,
    checker: Checker,
    *,
    person: PersonId | None = None,
    not_before: int | None = None,
) -> tuple[Checked, tuple[Defect, ...]]:
    """Check a receipt with nothing else at hand: signature, proof, and each mandatory field.

    A genuine receipt may tell of an incomplete record, of a consent without a notice, say: what
    is missing in it is given back, for the reader to hold against the controller.

    Args, and what else is raised: as `sayso.services.envelope.check`.

    Raises:
        RecordMalformed: what was signed is no receipt.
    """
    checked = check(data, checker, person=person, not_before=not_before)
    defects = receipt_defects(checked.document)
    for defect in defects:
        if defect.field in _WRAPPER:
            raise RecordMalformed(
                expected=f"a receipt with {defect.where}",
                found=f"a signed document in which it {defect.problem}",
                remedy="Ask the controller for the receipt again.",
            )
    return checked, defects


def stated(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a receipt says of each grant: the grant, and the last state of its consent (DPV).

    A receipt of one purpose is none of another: whoever checks one has to see which.
    """
    found = []
    for record in document.get("dpv:hasRecordOfActivity", ()):
        with suppress(KeyError, IndexError, TypeError, AttributeError):  # told as a defect
            purpose = record["dpv:hasProcess"][0]["dpv:hasPurpose"]["dct:identifier"]
            state = record["dpv:hasConsentStatus"][-1]["@type"][0]
            found.append((str(purpose), str(state).removeprefix("dpv:")))
    return tuple(found)


_WRAPPER = frozenset({field.name for field in RECEIPT_FIELDS})
