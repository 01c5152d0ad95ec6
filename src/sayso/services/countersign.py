"""Receipts held to the ledger: each is an entry of it, signed with its key; anybody can check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayso.domain.person import PersonId
from sayso.errors import ProofInvalid
from sayso.ledger import proof as proofs
from sayso.ledger.checkpoint import VerifierKey, open_note
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.envelope import Issue, ProvenIssue

_PROOF = "tlog_proof"
_SHA256 = "receipt_sha256"


@dataclass(frozen=True, slots=True)
class LedgerProver:
    """Enters that a document is issued, and proves it: a `sayso.services.envelope.Prover`."""

    book: Book

    def proof(self, entry: Issue) -> tuple[int, Mapping[str, Any]]:
        """Record that a document is issued; its sequence number and the proof, as JSON.

        Raises:
            SaysoError: the entry cannot be written; the document is not issued then.
        """
        with self.book.writing() as page:
            page.enter(Action.EXPORT, subjects=[entry.person], details={_SHA256: entry.sha256})
        sequence = page.receipts[0].sequence
        return sequence, {_PROOF: self.book.prove(sequence).decode()}


@dataclass(frozen=True, slots=True)
class LedgerChecker:
    """Checks with the log's public key alone: a `sayso.services.envelope.Checker`.

    Attributes:
        key: the public key, as a C2SP vkey.
    """

    key: str

    def text(self, note: str) -> bytes:
        """The text of a note.

        Raises:
            CheckpointInvalid: the log's key did not sign it.
        """
        return open_note(note.encode(), VerifierKey.parse(self.key)).encode()

    def entry(self, proof: Mapping[str, Any]) -> ProvenIssue:
        """What a proof shows.

        Raises:
            CheckpointInvalid, ProofInvalid: it proves nothing of this log, or of no receipt.
        """
        shown = proofs.check(str(proof.get(_PROOF, "")).encode(), self.key).entry
        subjects, sha256 = shown.draft.subjects, shown.draft.details.get(_SHA256)
        if len(subjects) != 1 or not isinstance(sha256, str):
            raise ProofInvalid(
                expected="the proof of an entry that tells of a receipt",
                found=f"one of an entry of another kind, {shown.draft.action}",
                remedy="Ask the controller for the receipt again, and keep this file as evidence.",
            )
        return ProvenIssue(shown.sequence, PersonId(subjects[0]), sha256)
