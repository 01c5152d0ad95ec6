"""Putting entries on the disk: data first, then the head that signs for it.

The order of flushes is the whole of the crash safety: frames and leaf records are durable before
the checkpoint that covers them is written, into the older of the two slots. `sayso.ledger.recovery`
says what each interruption leaves behind.
"""

import errno
import secrets
from collections.abc import Sequence
from datetime import datetime

from sayso.errors import DiskFull, LedgerUnwritable
from sayso.ledger import merkle, records
from sayso.ledger.checkpoint import Checkpoint, SigningKey, sign_checkpoint
from sayso.ledger.disk import Folder
from sayso.ledger.entry import SALT_BYTES, Draft, Entry, commitment
from sayso.ledger.heads import SLOTS, Head, other_slot, write_slot
from sayso.ledger.reader import CONTENTS, TREE, Reader

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Writer:
    """Appends to an open ledger; the caller sees to it that there is one at a time.

    Args:
        folder: the ledger's files.
        key: the log's private key.
        reader: opened writable and recovered; its head moves with every append.
    """

    def __init__(self, folder: Folder, key: SigningKey, reader: Reader) -> None:
        self._folder = folder
        self._key = key
        self._reader = reader
        self.usable = True

    def write(self, drafts: Sequence[Draft], at: datetime) -> tuple[Entry, ...]:
        """Make entries durable and signed for, all or none.

        Raises:
            DiskFull: no room; nothing was written.
            LedgerUnwritable: the disk failed, now or before; the ledger must be opened again.
        """
        self._require_usable()
        size, end = self._reader.size, self._reader.contents_end()
        entries = tuple(Entry(size + place, at, draft) for place, draft in enumerate(drafts))
        tree = self._reader.range.copy()
        frames, leaves = _encode(entries, end, tree)
        self._write_data(end, frames, leaves)
        self._write_head(Checkpoint(self._key.name, tree.size, tree.root()))
        self._reader.range = tree
        return entries

    def _write_data(self, end: int, frames: bytes, leaves: bytes) -> None:
        contents, tree = self._reader.contents, self._reader.tree
        offset = records.leaf_offset(self._reader.size)
        try:
            contents.write(end, frames)
            tree.write(offset, leaves)
            contents.sync()
            tree.sync()
        except OSError as error:
            self.usable = error.errno in _NO_ROOM  # after any other error, memory may lie
            try:
                contents.cut(end)
                tree.cut(offset)
            except OSError:
                self.usable = False
            raise unwritable(error) from error

    def _write_head(self, checkpoint: Checkpoint) -> None:
        note = sign_checkpoint(checkpoint, self._key)
        slot = other_slot(self._reader.head.slot)
        try:
            write_slot(self._folder, slot, note)
        except OSError as error:
            self.usable = False  # the data is whole: reopening keeps it or cuts it, and says so
            raise unwritable(error) from error
        self._reader.head = Head(checkpoint, note, slot)

    def _require_usable(self) -> None:
        if not self.usable:
            raise LedgerUnwritable(
                expected="an open ledger whose last write succeeded",
                found="one that is closed or failed to write",
                remedy="Open the ledger again; what was interrupted is settled then.",
            )


def make_files(folder: Folder, key: SigningKey) -> None:
    """Write the files of an empty ledger."""
    folder.replace(CONTENTS, b"")
    folder.replace(TREE, b"")
    note = sign_checkpoint(Checkpoint(key.name, 0, merkle.EMPTY_ROOT), key)
    for slot in SLOTS:
        folder.replace(slot, note)


def _encode(entries: Sequence[Entry], end: int, tree: merkle.CompactRange) -> tuple[bytes, bytes]:
    """Frames and leaf records of new entries; the tree grows by their leaves."""
    frames, leaves = [], []
    for entry in entries:
        salt, content = secrets.token_bytes(SALT_BYTES), entry.canonical()
        leaf = commitment(salt, content)
        frame = records.kept_frame(entry.sequence, salt, content)
        end += len(frame)
        frames.append(frame)
        leaves.append(records.leaf_record(leaf, end, tree.append(merkle.leaf_hash(leaf))))
    return b"".join(frames), b"".join(leaves)


def unwritable(error: OSError) -> DiskFull | LedgerUnwritable:
    """The error that an OSError while writing stands for."""
    if error.errno in _NO_ROOM:
        return DiskFull(
            expected="room on the disk for the ledger",
            found="none",
            remedy="Make room and try again; the action was not done.",
        )
    return LedgerUnwritable(
        expected="to write the ledger",
        found=f"the error {errno.errorcode.get(error.errno or 0, 'of the disk')}",
        remedy="Check the disk, then open the ledger again; what was interrupted is settled then.",
    )
