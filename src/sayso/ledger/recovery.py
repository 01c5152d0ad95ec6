"""What opening a ledger for writing does first: settle what a crash left behind.

An append makes its data durable, then its checkpoint, in the older of the two slots. So a crash
leaves one of two states, and each has one safe answer:

- both slots valid, bytes beyond the head: the append was never acknowledged; they are cut.
- one slot damaged, and beyond the head whole entries: the data was durable and the slot was being
  written, so the append may have been acknowledged; they are kept and signed again.

A damaged slot without whole entries behind the head is no crash: that is reported, not repaired.
"""

from dataclasses import dataclass

from sayso.errors import LedgerTampered
from sayso.ledger import merkle, records
from sayso.ledger.checkpoint import Checkpoint, SigningKey, sign_checkpoint
from sayso.ledger.disk import Folder
from sayso.ledger.heads import REMEDY, Head, write_slot
from sayso.ledger.reader import CONTENTS, TREE, Reader, require_committed


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found and done on opening; all zero after an orderly end.

    Attributes:
        cut_bytes: of an append that was never acknowledged.
        kept_entries: whole entries whose checkpoint had been damaged in writing.
        erased_entries: of an erasure that had been interrupted and is now finished.
    """

    cut_bytes: int = 0
    kept_entries: int = 0
    erased_entries: int = 0


def recover(folder: Folder, reader: Reader, key: SigningKey) -> Recovery:
    """Bring files and head together; the reader's head is the new one.

    Raises:
        LedgerTampered: a state that no crash leaves behind.
    """
    if reader.heads.damaged:
        return Recovery(kept_entries=_keep_tail(folder, reader, key))
    return Recovery(cut_bytes=_cut_tail(reader))


def _cut_tail(reader: Reader) -> int:
    beyond = 0
    ends = (reader.contents_end(), records.leaf_offset(reader.size))
    for file, end in zip((reader.contents, reader.tree), ends, strict=True):
        extra = file.size() - end
        if extra > 0:
            file.cut(end)
            file.sync()
            beyond += extra
    return beyond


def _keep_tail(folder: Folder, reader: Reader, key: SigningKey) -> int:
    (slot,) = reader.heads.damaged
    size = _whole_size(reader, slot)
    tree = reader.range.copy()
    end = reader.contents_end()
    for sequence in range(reader.size, size):
        end = _require_whole(reader, sequence, end, tree)
    if end != reader.contents.size():
        raise _not_a_crash(slot)
    old_size = reader.size
    checkpoint = Checkpoint(key.name, size, tree.root())
    note = sign_checkpoint(checkpoint, key)
    write_slot(folder, slot, note)
    reader.head, reader.range = Head(checkpoint, note, slot), tree
    return size - old_size


def _whole_size(reader: Reader, slot: str) -> int:
    size = reader.size
    while records.leaf_offset(size) < reader.tree.size():
        size += 1
    if size == reader.size or records.leaf_offset(size) != reader.tree.size():
        raise _not_a_crash(slot)
    return size


def _require_whole(reader: Reader, sequence: int, begin: int, tree: merkle.CompactRange) -> int:
    """Check one entry beyond the head, add it to the tree, and say where its frame ends."""
    leaf, end = reader.leaf(sequence)
    frame = records.read_frame(sequence, reader.contents.read(begin, max(end - begin, 0)))
    if isinstance(frame, records.Kept):
        require_committed(sequence, frame, leaf)
    completed = b"".join(tree.append(merkle.leaf_hash(leaf)))
    offset = records.leaf_offset(sequence) + records.LEAF_BYTES
    if reader.tree.read(offset, len(completed)) != completed:
        raise LedgerTampered(
            where=f"{TREE}, entry {sequence}",
            expected="the nodes that its leaves give",
            found="others",
            remedy=REMEDY,
        )
    return end


def _not_a_crash(slot: str) -> LedgerTampered:
    return LedgerTampered(
        where=f"{slot}, {CONTENTS} or {TREE}",
        expected="a signed checkpoint, or the whole append that it was written for",
        found="neither, which no interruption leaves behind",
        remedy=REMEDY,
    )
