"""The ledger read: its head, entries and proofs. Needs no private key and no lock.

Files of a ledger's folder:

``contents``      salts and entries, in frames; the only file that erasure changes in place
``tree``          commitments and inner nodes
``checkpoint.0``  the two latest checkpoints, each a C2SP signed note; the larger one is the
``checkpoint.1``  head, and only what it covers is part of the log
``erasing``       there only while an erasure is under way
``lock``          empty; held by the writer
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sayso.errors import (
    EntryForbidden,
    EntryUnknown,
    LedgerTampered,
    ProofInvalid,
)
from sayso.ledger import merkle, proof, records
from sayso.ledger.checkpoint import Checkpoint, VerifierKey
from sayso.ledger.disk import File, Folder, PosixFolder
from sayso.ledger.entry import Entry, Glance, commitment, glance, parse_entry
from sayso.ledger.heads import REMEDY, forked, read_heads, require_reach

CONTENTS = "contents"
TREE = "tree"
ERASING = "erasing"


class Reader:
    """A view of the log as its head signs it.

    Args:
        folder: the ledger's files.
        key: the log's public key.
        writable: True only for the journal, which shares the files.
        checked: False only for the verification, which then says where a fault lies.

    Raises:
        WorkspaceMissing: there is no ledger.
        LedgerTampered: no valid checkpoint, or a file too short for it.
    """

    def __init__(
        self, folder: Folder, key: VerifierKey, *, writable: bool = False, checked: bool = True
    ) -> None:
        self.key = key
        self.heads = read_heads(folder, key)
        self.head = self.heads.newest
        self.contents = _open(folder, CONTENTS, writable=writable)
        try:
            self.tree = _open(folder, TREE, writable=writable)
        except BaseException:
            self.contents.close()
            raise
        try:
            self.range = self._open_range() if checked else merkle.CompactRange()
        except BaseException:
            self.close()
            raise

    def _open_range(self) -> merkle.CompactRange:
        """O(log n): the stored peaks must give the signed root, and the files must be as long."""
        _require_length(TREE, self.tree.size(), records.leaf_offset(self.size))
        _require_length(CONTENTS, self.contents.size(), self.contents_end())
        peaks = merkle.CompactRange.read(self.size, self.read_node)
        if peaks.root() != self.head.checkpoint.root:
            raise LedgerTampered(
                where=TREE,
                expected="the nodes that the checkpoint signs",
                found="others",
                remedy="Run a full verification to see which entry was changed.",
            )
        return peaks

    @classmethod
    def open(cls, path: Path, key: VerifierKey) -> Self:
        """Read the ledger in a folder, also while another process appends to it."""
        return cls(PosixFolder(path), key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.head.checkpoint.size

    def close(self) -> None:
        """Give the files back."""
        self.contents.close()
        self.tree.close()

    def contents_end(self) -> int:
        """Where the last frame ends."""
        return self.leaf(self.size - 1)[1] if self.size else 0

    def leaf(self, sequence: int) -> tuple[bytes, int]:
        """Commitment and frame end of an entry."""
        record = self.tree.read(records.leaf_offset(sequence), records.LEAF_BYTES)
        return records.read_leaf(sequence, record)

    def read_node(self, level: int, index: int) -> bytes:
        """A node of the tree (`merkle.ReadNode`)."""
        if level == 0:
            return merkle.leaf_hash(self.leaf(index)[0])
        return self.tree.read(records.node_offset(level, index), merkle.HASH_BYTES)

    def place(self, sequence: int) -> tuple[int, int]:
        """Offset and length of an entry's frame in ``contents``.

        Raises:
            EntryUnknown: no such entry.
            LedgerTampered: ends that do not rise.
        """
        if not 0 <= sequence < self.size:
            raise _unknown(f"a sequence number below {self.size}", str(sequence))
        begin = self.leaf(sequence - 1)[1] if sequence else 0
        end = self.leaf(sequence)[1]
        if not begin < end <= self.contents.size():
            raise _tampered(f"{TREE}, entry {sequence}", "where its frame ends", "another place")
        return begin, end - begin

    def frame(self, sequence: int) -> records.Kept | records.Erased:
        """An entry's salt and content, checked against its commitment; or that it was erased.

        Raises:
            EntryUnknown: no such entry.
            LedgerTampered: not what was written.
        """
        begin, length = self.place(sequence)
        frame = records.read_frame(sequence, self.contents.read(begin, length))
        if isinstance(frame, records.Kept):
            require_committed(sequence, frame, self.leaf(sequence)[0])
        return frame

    def kept(self, sequence: int) -> records.Kept:
        """An entry's salt and content.

        Raises:
            EntryUnknown: no such entry, or it was erased.
            LedgerTampered: not what was written.
        """
        frame = self.frame(sequence)
        if isinstance(frame, records.Erased):
            raise _unknown(f"the content of entry {sequence}", "that it was erased")
        return frame

    def entry(self, sequence: int) -> Entry:
        """One entry; raises as `kept` does."""
        return read_entry(sequence, self.kept(sequence).content)

    def last_at(self) -> datetime:
        """The last entry's time, or the earliest there is.

        Before no other entry's, but for those before the last entry that sets the clock right.

        The last entry always has its content, as an erasure is recorded behind what it erases.

        Raises:
            LedgerTampered: it does not.
        """
        if not self.size:
            return datetime.min.replace(tzinfo=UTC)
        try:
            return self.entry(self.size - 1).at
        except EntryUnknown as error:
            where = f"{CONTENTS}, entry {self.size - 1}"
            raise _tampered(where, "its content", "it removed") from error

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """The entries from ``start`` on, oldest first; erased ones are left out."""
        for sequence in range(start, self.size):
            frame = self.frame(sequence)
            if isinstance(frame, records.Kept):
                yield read_entry(sequence, frame.content)

    def about(self, subject: str) -> Iterator[Entry]:
        """The entries about one person, by opaque id; a walk over the whole log, O(n)."""
        mark = f'"{subject}"'.encode("ascii", "replace")
        for sequence in range(self.size):
            frame = self.frame(sequence)
            if isinstance(frame, records.Kept) and mark in frame.content:  # parsing costs more
                entry = read_entry(sequence, frame.content)
                if subject in entry.draft.subjects:
                    yield entry

    def glances(self, start: int = 0) -> Iterator[Glance]:
        """As `entries`, of each only what a walk over the whole log needs; ten times faster."""
        for sequence in range(start, self.size):
            frame = self.frame(sequence)
            if isinstance(frame, records.Kept):
                yield glance(frame.content)

    def prove(self, sequence: int) -> bytes:
        """The offline proof of one entry in the head's tree (see `sayso.ledger.proof`).

        Raises:
            EntryUnknown: no such entry, or it was erased: a proof made before still verifies.
            LedgerTampered: not what was written.
        """
        head = self.head  # another thread may append meanwhile
        kept = self.kept(sequence)
        path = merkle.inclusion_proof(sequence, head.checkpoint.size, self.read_node)
        self._require_included(sequence, path, head.checkpoint)
        return proof.write(
            salt=kept.salt,
            content=kept.content,
            index=sequence,
            path=path,
            signed_checkpoint=head.note,
        )

    def _require_included(self, sequence: int, path: tuple[bytes, ...], head: Checkpoint) -> None:
        """Never hand out a proof that does not check."""
        leaf = merkle.leaf_hash(self.leaf(sequence)[0])
        try:
            merkle.verify_inclusion(
                index=sequence, size=head.size, leaf=leaf, path=path, root=head.root
            )
        except ProofInvalid as error:
            where = f"{TREE}, near entry {sequence}"
            raise _tampered(where, "the nodes that the head signs", "others") from error

    def prove_consistency(self, old: Checkpoint) -> tuple[bytes, ...]:
        """The RFC 9162 consistency path from an older checkpoint to the head.

        Raises:
            LedgerForked: the log does not continue that checkpoint.
        """
        self.require_continues(old)
        return merkle.consistency_proof(old.size, self.size, self.read_node)

    def require_continues(self, old: Checkpoint) -> None:
        """Refuse if this log is not a continuation of an older checkpoint of it.

        Raises:
            LedgerForked: another log, a shorter one, or one whose past was rewritten.
        """
        require_reach(self.head.checkpoint, old)
        try:
            merkle.verify_consistency(
                first=old.size,
                second=self.size,
                first_root=old.root,
                second_root=self.head.checkpoint.root,
                path=merkle.consistency_proof(old.size, self.size, self.read_node),
            )
        except ProofInvalid as error:  # never trust a stored node that the head does not vouch for
            raise forked(
                f"the root signed at {old.size} entries", "another root at that size"
            ) from error


def read_entry(sequence: int, content: bytes) -> Entry:
    """The entry in a frame's content.

    Raises:
        LedgerTampered: not an entry, or one with another number.
    """
    where = f"{CONTENTS}, entry {sequence}"
    try:
        entry = parse_entry(content)
    except EntryForbidden as error:
        raise _tampered(where, "an entry", "something else") from error
    if entry.sequence != sequence:
        raise _tampered(where, "entries in order", f"entry {entry.sequence}")
    return entry


def require_committed(sequence: int, frame: records.Kept, leaf: bytes) -> None:
    """Refuse content that its leaf does not commit to.

    Raises:
        LedgerTampered: content, salt or commitment was changed.
    """
    if commitment(frame.salt, frame.content) != leaf:
        raise _tampered(
            f"{CONTENTS} or {TREE}, entry {sequence}", "the content committed to", "another"
        )


def _open(folder: Folder, name: str, *, writable: bool) -> File:
    try:
        return folder.open(name, writable=writable)
    except FileNotFoundError as error:
        raise _tampered(name, "the file", "it removed") from error


def _require_length(name: str, found: int, expected: int) -> None:
    if found < expected:
        raise _tampered(name, f"{expected} bytes", f"{found}: its end was cut off")


def _tampered(where: str, expected: str, found: str) -> LedgerTampered:
    return LedgerTampered(where=where, expected=expected, found=found, remedy=REMEDY)


def _unknown(expected: str, found: str) -> EntryUnknown:
    return EntryUnknown(
        expected=expected,
        found=found,
        remedy="List the entries to see which there are; a proof made before still verifies.",
    )
