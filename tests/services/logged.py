"""A log that signs and proves with a real key, without a ledger: for receipts."""

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sayso.domain.canonical import canonical
from sayso.domain.controller import Controller
from sayso.domain.person import PersonId
from sayso.errors import DiskFull, ReceiptForged
from sayso.services.envelope import Issue, ProvenIssue

SCHOOL = Controller(
    name="Oak Lane School",
    contact="privacy@oak.example",
    address="1 Oak Lane, Glasgow",
    officer="dpo@oak.example",
    authority="Information Commissioner, Wilmslow",
    jurisdiction="GB-SCT",
    storage="GB",
)


class SmallLog:
    """Signs, proves and checks; ``full``: no entry can be written."""

    def __init__(self, first: int = 0) -> None:
        self.entries: list[Issue] = []
        self.full = False
        self._first = first
        self._key = Ed25519PrivateKey.generate()

    def sign(self, text: bytes) -> str:
        signature = base64.b64encode(self._key.sign(text)).decode()
        return f"{text.decode()}\n{signature}\n"

    def proof(self, entry: Issue) -> tuple[int, Mapping[str, Any]]:
        if self.full:
            raise DiskFull(expected="room", found="none", remedy="Make some.")
        self.entries.append(entry)
        sequence = self._first + len(self.entries) - 1
        shown = {"sequence": sequence, "person": entry.person, "sha256": entry.sha256}
        signature = base64.b64encode(self._key.sign(canonical(shown))).decode()
        return sequence, {**shown, "signature": signature}

    def text(self, note: str) -> bytes:
        text, _, signature = note.rpartition("\n\n")
        self._verify(signature, f"{text}\n".encode())
        return f"{text}\n".encode()

    def entry(self, proof: Mapping[str, Any]) -> ProvenIssue:
        shown = {key: proof.get(key) for key in ("sequence", "person", "sha256")}
        self._verify(str(proof.get("signature")), canonical(shown))
        return ProvenIssue(proof["sequence"], PersonId(proof["person"]), proof["sha256"])

    def _verify(self, signature: str, data: bytes) -> None:
        try:
            self._key.public_key().verify(
                base64.b64decode(signature.rstrip("\n").encode(), validate=True), data
            )
        except (InvalidSignature, ValueError):
            raise ReceiptForged(
                expected="this log's signature", found="another", remedy="Ask again."
            ) from None
