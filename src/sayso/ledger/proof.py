r"""An offline proof that one entry is in the log: made by `write`, checked by `check`. Pure.

The form is C2SP tlog-proof (https://c2sp.org/tlog-proof), because it fits: it carries a leaf's
index, its inclusion path and the signed checkpoint, and an ``extra`` line for "additional data
necessary to reconstruct the record hash", which here is the salt and the entry's canonical bytes::

    c2sp.org/tlog-proof@v1
    extra <base64(salt || canonical entry)>
    index 73894
    <base64 hash>
    ...

    <checkpoint, verbatim>

Extra data is not authenticated by the format; here it is by the commitment, which is recomputed.
A checker needs these bytes and the log's public key, and nothing else: no workspace, no network.
The proof discloses its entry to whoever holds it. After an erasure nobody can make it again, and
the person's own copy still verifies.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sayso.errors import CheckpointInvalid, EntryForbidden, ProofInvalid
from sayso.ledger import checkpoint as notes
from sayso.ledger import merkle
from sayso.ledger.entry import SALT_BYTES, Entry, commitment, parse_entry

PROOF_BYTES = 4_194_304
"""The largest proof that is read."""

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_MOST_HASHES = 64


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """What a proof has shown.

    Attributes:
        entry: the entry, as it was committed to.
        checkpoint: the signed tree head that contains it.
    """

    entry: Entry
    checkpoint: notes.Checkpoint


def write(
    *, salt: bytes, content: bytes, index: int, path: Sequence[bytes], signed_checkpoint: bytes
) -> bytes:
    """The proof file, UTF-8.

    Args:
        salt: the entry's salt, 32 bytes.
        content: the entry's canonical bytes.
        index: of its leaf, from 0.
        path: the inclusion path in the checkpoint's tree, from the leaf's sibling up.
        signed_checkpoint: the C2SP signed note, verbatim.
    """
    lines = [
        _HEADER,
        f"extra {notes.encode_base64(salt + content)}",
        f"index {index}",
        *map(notes.encode_base64, path),
        "",
        "",
    ]
    return "\n".join(lines).encode("ascii") + signed_checkpoint


def check(proof: bytes, vkey: str) -> VerifiedEntry:
    """Check a proof with nothing but the log's public key.

    Args:
        proof: the bytes of the proof file.
        vkey: the log's key as published (see `sayso.ledger.checkpoint`).

    Raises:
        CheckpointInvalid: its checkpoint is not signed by this key, or is another log's.
        ProofInvalid: malformed, or the entry is not the one committed to at that place.
    """
    key = notes.VerifierKey.parse(vkey)
    salt, content, index, path, note = _parse(proof)
    head = notes.open_checkpoint(note, key)
    merkle.verify_inclusion(
        index=index,
        size=head.size,
        leaf=merkle.leaf_hash(commitment(salt, content)),
        path=path,
        root=head.root,
    )
    try:
        entry = parse_entry(content)
    except EntryForbidden as error:
        raise _invalid("an entry of the ledger", "other data at this place of the log") from error
    if entry.sequence != index:
        raise _invalid(f"entry {index}", f"entry {entry.sequence} at its place")
    return VerifiedEntry(entry, head)


def _parse(proof: bytes) -> tuple[bytes, bytes, int, list[bytes], bytes]:
    head, blank, note = proof.partition(b"\n\n")
    if len(proof) > PROOF_BYTES or not blank:
        raise _invalid("a proof, a blank line and a checkpoint", "something else")
    try:
        lines = head.decode("ascii").split("\n")
        if len(lines) < 3 or lines[0] != _HEADER:  # noqa: PLR2004 - header, extra, index
            raise _invalid(f"the lines of {_HEADER}", "others")
        extra = notes.decode_base64(lines[1].removeprefix("extra "))
        path = [notes.decode_base64(line) for line in lines[3:]]
    except (UnicodeDecodeError, CheckpointInvalid) as error:
        raise _invalid("canonical base64 in each line", "something else") from error
    index = _INDEX.fullmatch(lines[2])
    if not lines[1].startswith("extra ") or index is None:
        raise _invalid("an extra line and an index line", "others")
    if len(extra) <= SALT_BYTES or len(path) > _MOST_HASHES:
        raise _invalid("a salt, an entry and a path", "another amount of data")
    return extra[:SALT_BYTES], extra[SALT_BYTES:], int(index[1]), path, note


def _invalid(expected: str, found: str) -> ProofInvalid:
    return ProofInvalid(
        expected=expected,
        found=found,
        remedy="Ask the controller for the proof again, and keep this file as evidence.",
    )
