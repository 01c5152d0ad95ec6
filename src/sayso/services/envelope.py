"""A signed document with the proof that the audit log knows of it; checked with a key alone.

The file is one JSON object::

    {"document": {...}, "signed": "<C2SP signed note>", "proof": {...}}

The note's text binds the document, whose hash is over its RFC 8785 form, to the person and to the
entry of the log that tells of its issue::

    sayso receipt v1
    document <id>
    person <id>
    issued 2026-05-04T09:30:00Z
    sha256 <64 hex digits>
    entry <sequence number, or none>

and the entry holds the same hash. So a changed document, a note of another document, and a proof
of another entry or of another log are each found, with nothing at hand but the log's key.

The signing and the log come in as ports: `Signer` and `Prover` to make one, `Checker` to check
one. Without a signer the document is written without signature, and says so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sayso.domain.canonical import digest, parse
from sayso.domain.person import PersonId
from sayso.domain.record_terms import instant
from sayso.errors import ReceiptForged, ReceiptReplayed, RecordMalformed

LARGEST_BYTES = 8_000_000
_KEYS = {"document", "signed", "proof"}
_TITLE = "sayso receipt v1"
_LINES = ("document", "person", "issued", "sha256", "entry")


@dataclass(frozen=True, slots=True)
class Issue:
    """What the log is told of a document: never what is in it.

    Attributes:
        person: whom it is about and for.
        sha256: of its canonical form, hex.
        at: when it is issued.
    """

    person: PersonId
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProvenIssue:
    """What a proof has shown: the entry's number in the log, and the issue that it tells of."""

    sequence: int
    person: PersonId
    sha256: str


class Signer(Protocol):
    """Signs with the log's key."""

    def sign(self, text: bytes) -> str:
        """A C2SP signed note over a text that ends in a newline."""


class Prover(Protocol):
    """Tells the log."""

    def proof(self, entry: Issue) -> tuple[int, Mapping[str, Any]]:
        """Record that a document is issued; its sequence number and the proof, as JSON.

        Raises:
            SaysoError: the entry cannot be written; the document is not issued then.
        """


class Checker(Protocol):
    """Checks with the log's public key and nothing else."""

    def text(self, note: str) -> bytes:
        """The text of a note; raises a `SaysoError` unless the log's key signed it."""

    def entry(self, proof: Mapping[str, Any]) -> ProvenIssue:
        """What a proof shows; raises a `SaysoError` unless it is one of this log."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that its signer vouches for.

    Attributes:
        document: as issued.
        person: whom it is about.
        issued: when, ``2026-05-04T09:30:00Z``.
        entry: the number of its entry in the log; None: it was issued without one.
    """

    document: Mapping[str, Any]
    person: PersonId
    issued: str
    entry: int | None


def seal(
    document: Mapping[str, Any],
    person: PersonId,
    at: datetime,
    *,
    signer: Signer | None,
    prover: Prover | None,
) -> bytes:
    """The file: the document, signed, with the proof of its entry. The log is told first.

    Args:
        document: with a ``dct:identifier``.
        person: whom it is about.
        at: aware; when it is issued.
        signer: None: it stays without signature.
        prover: None: it stays without entry.

    Raises:
        RecordMalformed: a document that has no canonical form.
    """
    issue = Issue(person, digest(document), at)
    envelope: dict[str, Any] = {"document": document, "signed": None, "proof": None}
    entry = "none"
    if prover is not None:
        sequence, envelope["proof"] = prover.proof(issue)
        entry = str(sequence)
    if signer is not None:
        values = (document["dct:identifier"], person, instant(at), issue.sha256, entry)
        text = "".join(
            f"{line}\n"
            for line in (_TITLE, *(f"{k} {v}" for k, v in zip(_LINES, values, strict=True)))
        )
        envelope["signed"] = signer.sign(text.encode())
    return (json.dumps(envelope, ensure_ascii=False, indent=2) + "\n").encode()


def check(
    data: bytes,
    checker: Checker,
    *,
    person: PersonId | None = None,
    not_before: int | None = None,
) -> Checked:
    """Check a file with nothing else at hand.

    Args:
        data: the bytes of the file.
        checker: holds the log's public key.
        person: whom it must be about; None: whomever it is about.
        not_before: the number of the entry that last changed what the document tells; an earlier
            document is out of date. None: that is not known here.

    Raises:
        RecordMalformed: no such file.
        ReceiptForged: unsigned, or the document is not the one that was signed.
        ReceiptReplayed: genuine, but another person's, with another document's proof, or out of
            date.
        SaysoError: what the checker raises for a note or proof that is not of this log.
    """
    envelope = _envelope(data)
    signed = _signed(envelope, checker)
    document, sha256 = envelope["document"], digest(envelope["document"])
    if (signed["sha256"], signed["document"]) != (sha256, document.get("dct:identifier")):
        raise _forged("the document that was signed", "another, or a changed one")
    checked = Checked(
        document,
        PersonId(signed["person"]),
        signed["issued"],
        None if signed["entry"] == "none" else int(signed["entry"]),
    )
    _check_entry(envelope["proof"], checker, checked, sha256)
    if person is not None and checked.person != person:
        raise _replayed("a receipt of this person", "another person's")
    if not_before is not None and (checked.entry is None or checked.entry < not_before):
        raise _replayed(f"a receipt from entry {not_before} on", "an earlier one, out of date")
    return checked


def _envelope(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST_BYTES:
        raise _malformed(f"at most {LARGEST_BYTES} bytes", f"{len(data)} bytes")
    envelope = parse(data)
    if set(envelope) != _KEYS or not isinstance(envelope["document"], dict):
        raise _malformed("a receipt with document, signed and proof", "other keys")
    return envelope


def _signed(envelope: Mapping[str, Any], checker: Checker) -> dict[str, str]:
    note = envelope["signed"]
    if not isinstance(note, str):
        raise _forged("a signature", "none")
    try:
        title, *lines = checker.text(note).decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise _forged("a signed text in UTF-8", "other bytes") from error
    pairs = [line.partition(" ") for line in lines]
    if title != _TITLE or tuple(key for key, _, _ in pairs) != _LINES:
        raise _forged("the signature of a receipt", "one of something else")
    signed = {key: value for key, _, value in pairs}
    if not (signed["entry"] == "none" or signed["entry"].isdecimal()):
        raise _forged("the number of an entry", "something else")
    return signed


def _check_entry(proof: object, checker: Checker, checked: Checked, sha256: str) -> None:
    if checked.entry is None:
        if proof is not None:
            raise _replayed("no proof, as was signed", "one")
        return
    if not isinstance(proof, Mapping):
        raise _forged(f"the proof of entry {checked.entry}", "none")
    shown = checker.entry(proof)
    if shown != ProvenIssue(checked.entry, checked.person, sha256):
        raise _replayed(f"the proof of entry {checked.entry}, of this very document", "another")


def _malformed(expected: str, found: str) -> RecordMalformed:
    return RecordMalformed(
        expected=expected, found=found, remedy="Ask the controller for the receipt again."
    )


def _forged(expected: str, found: str) -> ReceiptForged:
    return ReceiptForged(
        expected=expected,
        found=found,
        remedy="Do not rely on it; ask the controller for a new one and keep this as evidence.",
    )


def _replayed(expected: str, found: str) -> ReceiptReplayed:
    return ReceiptReplayed(
        expected=expected,
        found=found,
        remedy="Do not rely on it for this; ask the controller for the present one.",
    )
