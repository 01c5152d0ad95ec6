"""What opening a ledger for writing does first: settle what a crash left behind.

An append makes its data durable, then its checkpoint, in the older of the two slots. So whatever
lies beyond the head was never acknowledged, unless the newer slot was damaged in being written:

- beyond the head lie whole entries, and nothing else: they are kept and signed for. Their append
  may have been acknowledged, and if it was not, `Journal.settle` finds what did not happen.
- anything less than whole: it is cut, all of it, so that a batch is there entirely or not at all.

A damaged slot without whole entries behind the head is no crash: that is reported, not repaired.
Nor does a pair of old checkpoints put over the new ones (a careless restore) lose an entry.
"""

from dataclasses import dataclass

from sayso.errors import LedgerTampered
from sayso.ledger import merkle, records
from sayso.ledger.checkpoint import Checkpoint, SigningKey, sign_checkpoint
from sayso.ledger.disk import Folder
from sayso.ledger.heads import REMEDY, Head, other_slot, write_slot
from sayso.ledger.reader import CONTENTS, TREE, Reader, require_committed


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found and done on opening; all zero after an orderly end.

    Attributes:
        cut_bytes: of an append that was torn, and never acknowledged.
        kept_entries: whole entries that no checkpoint covered yet.
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
        (slot,) = reader.heads.damaged
        tree = _whole_tail(reader, slot)
    else:
        slot = other_slot(reader.head.slot)
        if not _beyond(reader):
            return Recovery()
        try:
            tree = _whole_tail(reader, slot)
        except LedgerTampered:
            return Recovery(cut_bytes=_cut_tail(reader))
    return Recovery(kept_entries=_keep_tail(folder, reader, key, slot, tree))


def _beyond(reader: Reader) -> int:
    """How many bytes lie beyond the head."""
    data = reader.contents.size() - reader.contents_end()
    return data + reader.tree.size() - records.leaf_offset(reader.size)


def _cut_tail(reader: Reader) -> int:
    beyond = _beyond(reader)
    ends = (reader.contents_end(), records.leaf_offset(reader.size))
    for file, end in zip((reader.contents, reader.tree), ends, strict=True):
        file.cut(end)
        file.sync()
    return beyond


def _keep_tail(
    folder: Folder, reader: Reader, key: SigningKey, slot: str, tree: merkle.CompactRange
) -> int:
    reader.contents.sync()  # it was whole to read, which is not yet durable
    reader.tree.sync()
    kept = tree.size - reader.size
    checkpoint = Checkpoint(key.name, tree.size, tree.root())
    note = sign_checkpoint(checkpoint, key)
    write_slot(folder, slot, note)
    reader.head, reader.range = Head(checkpoint, note, slot), tree
    return kept


def _whole_tail(reader: Reader, slot: str) -> merkle.CompactRange:
    """The tree with the whole entries beyond the head; LedgerTampered if not all are whole."""
    tree = reader.range.copy()
    end = reader.contents_end()
    for sequence in range(reader.size, _whole_size(reader, slot)):
        end = _require_whole(reader, sequence, end, tree)
    if end != reader.contents.size():
        raise _not_a_crash(slot)
    return tree


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
    if not begin < end <= reader.contents.size():  # before so much is read: it may be garbage
        raise _tampered(sequence, "a frame inside contents", "its end")
    frame = records.read_frame(sequence, reader.contents.read(begin, end - begin))
    if isinstance(frame, records.Kept):
        require_committed(sequence, frame, leaf)
    completed = b"".join(tree.append(merkle.leaf_hash(leaf)))
    offset = records.leaf_offset(sequence) + records.LEAF_BYTES
    if reader.tree.read(offset, len(completed)) != completed:
        raise _tampered(sequence, "the nodes that its leaves give", "others")
    return end


def _tampered(sequence: int, expected: str, found: str) -> LedgerTampered:
    where = f"{TREE}, entry {sequence}"
    return LedgerTampered(where=where, expected=expected, found=found, remedy=REMEDY)


def _not_a_crash(slot: str) -> LedgerTampered:
    return LedgerTampered(
        where=f"{slot}, {CONTENTS} or {TREE}",
        expected="a signed checkpoint, or the whole append that it was written for",
        found="neither, which no interruption leaves behind",
        remedy=REMEDY,
    )
