"""A certificate of erasure, signed, with the proof of its entry; checked with a key alone.

The file is one JSON object::

    {"certificate": {...}, "signed": "<C2SP signed note>", "proof": "<tlog-proof>"}

The note's text binds the certificate, by the hash of its RFC 8785 form, to the person and to the
entry of the erasure, which itself names nobody::

    sayso erasure certificate v1
    person <id>
    sha256 <64 hex digits>
    entry <sequence number>
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayso.domain.canonical import digest, parse
from sayso.domain.person import PersonId
from sayso.errors import ReceiptForged, ReceiptReplayed
from sayso.ledger import proof as proofs
from sayso.ledger.checkpoint import VerifierKey, open_note
from sayso.ledger.entry import Action
from sayso.services.book import Book

_KEYS = {"certificate", "signed", "proof"}
_TITLE = "sayso erasure certificate v1"
_LINES = ("person", "sha256", "entry")


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that the log's key vouches for.

    Attributes:
        certificate: as it was given.
        person: whose erasure it is.
        entry: the number of the erasure's entry in the log.
    """

    certificate: Mapping[str, Any]
    person: PersonId
    entry: int


def sign(certificate: Mapping[str, Any], person: PersonId, entry: int, book: Book) -> bytes:
    """The file. What is not Unicode in it, such as some file names, is written with escapes."""
    plain = _unicode(certificate)
    values = (person, digest(plain), str(entry))
    lines = [_TITLE, *(f"{key} {value}" for key, value in zip(_LINES, values, strict=True)), ""]
    parts = {
        "certificate": plain,
        "signed": book.sign("\n".join(lines).encode()),
        "proof": book.prove(entry).decode(),
    }
    return (json.dumps(parts, ensure_ascii=False, indent=2) + "\n").encode()


def is_certificate(data: bytes) -> bool:
    """Whether a file is a certificate of erasure, genuine or not."""
    try:
        return set(json.loads(data)) == _KEYS
    except (ValueError, TypeError, RecursionError):
        return False


def check(data: bytes, key: str, person: PersonId | None = None) -> Certified:
    """Check a certificate with nothing but the log's public key.

    Args:
        data: the file's bytes.
        key: the log's public key, as a C2SP vkey.
        person: whose it must be; None: whosever it is.

    Raises:
        RecordMalformed: no such file.
        CheckpointInvalid, ProofInvalid: the signature or the proof is none of this log.
        ReceiptForged: the certificate is not the one that was signed.
        ReceiptReplayed: it is genuine, but another person's, or with another entry's proof.
    """
    parts = parse(data)
    if not isinstance(parts.get("certificate"), dict):
        raise _forged("a certificate", "none")
    text = open_note(str(parts.get("signed")).encode(), VerifierKey.parse(key))
    title, *lines = text.removesuffix("\n").split("\n")
    pairs = [line.partition(" ") for line in lines]
    if title != _TITLE or tuple(name for name, _, _ in pairs) != _LINES:
        raise _forged("the signature of a certificate of erasure", "one of something else")
    signed = {name: value for name, _, value in pairs}
    if signed["sha256"] != digest(parts["certificate"]) or not signed["entry"].isdecimal():
        raise _forged("the certificate that was signed", "another, or a changed one")
    shown = proofs.check(str(parts.get("proof")).encode(), key).entry
    if (shown.sequence, shown.draft.action) != (int(signed["entry"]), Action.ERASURE):
        raise _replayed(f"the proof of entry {signed['entry']}, an erasure", "another's")
    if person is not None and person != signed["person"]:
        raise _replayed("the certificate of this person", "another person's")
    return Certified(parts["certificate"], PersonId(signed["person"]), shown.sequence)


def _unicode(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_unicode(key): _unicode(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_unicode(one) for one in value]
    return value


def _forged(expected: str, found: str) -> ReceiptForged:
    return ReceiptForged(
        expected=expected,
        found=found,
        remedy="Do not rely on it; ask the controller for the certificate, and keep this file.",
    )


def _replayed(expected: str, found: str) -> ReceiptReplayed:
    return ReceiptReplayed(
        expected=expected,
        found=found,
        remedy="Do not rely on it for this; ask the controller for the right one.",
    )
