"""The ledger's head: the two slots that hold the latest checkpoints, in turn.

A new checkpoint goes into the older slot, so that the newest one acknowledged is never the one
being written.
"""

from dataclasses import dataclass

from sayso.errors import CheckpointInvalid, LedgerForked, LedgerTampered, WorkspaceMissing
from sayso.ledger.checkpoint import NOTE_BYTES, Checkpoint, VerifierKey, open_checkpoint
from sayso.ledger.disk import Folder

SLOTS = ("checkpoint.0", "checkpoint.1")
REMEDY = "Keep the folder as evidence, and restore the ledger from a backup."


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint as it lies in one of the two slots.

    Attributes:
        checkpoint: the verified tree head.
        note: its signed note, verbatim.
        slot: the file that holds it.
    """

    checkpoint: Checkpoint
    note: bytes
    slot: str


@dataclass(frozen=True, slots=True)
class Heads:
    """Both slots: the newest valid head, the other if it is valid, and the slots that are not."""

    newest: Head
    others: tuple[Head, ...]
    damaged: tuple[str, ...]


def read_heads(folder: Folder, key: VerifierKey) -> Heads:
    """Both checkpoint slots, verified.

    Raises:
        WorkspaceMissing: there is no ledger.
        LedgerTampered: neither slot is valid.
    """
    if not any(folder.has(slot) for slot in SLOTS):
        raise WorkspaceMissing(
            expected="a ledger with its checkpoints",
            found="none",
            remedy="Name the folder of the ledger, or restore it from a backup.",
        )
    valid: list[Head] = []
    damaged: list[str] = []
    for slot in SLOTS:
        try:
            note = _read_slot(folder, slot)
            valid.append(Head(open_checkpoint(note, key), note, slot))
        except (CheckpointInvalid, FileNotFoundError):
            damaged.append(slot)
    if not valid:
        raise LedgerTampered(
            where=" and ".join(SLOTS),
            expected=f"a checkpoint signed by {key.name}",
            found="none",
            remedy=REMEDY,
        )
    valid.sort(key=lambda head: head.checkpoint.size)
    return Heads(valid[-1], tuple(valid[:-1]), tuple(damaged))


def _read_slot(folder: Folder, slot: str) -> bytes:
    file = folder.open(slot, writable=False)
    try:
        return file.read(0, NOTE_BYTES + 1)
    finally:
        file.close()


def other_slot(slot: str) -> str:
    """The slot that the next checkpoint goes into."""
    return SLOTS[1 - SLOTS.index(slot)]


def write_slot(folder: Folder, slot: str, note: bytes) -> None:
    """Write a checkpoint over the older one, durably."""
    file = folder.open(slot, writable=True)
    try:
        file.write(0, note)
        file.cut(len(note))
        file.sync()
    finally:
        file.close()


def require_reach(head: Checkpoint, old: Checkpoint) -> None:
    """Refuse an old checkpoint of another log, or of more entries than there are.

    Raises:
        LedgerForked: either of these.
    """
    if old.origin != head.origin:
        raise forked(f"a checkpoint of {head.origin}", f"one of {old.origin}")
    if old.size > head.size:
        raise forked(f"at least {old.size} entries, which were signed", f"{head.size}: cut off")


def forked(expected: str, found: str) -> LedgerForked:
    """The error of a log that is not the continuation of what was signed."""
    return LedgerForked(
        expected=expected,
        found=found,
        remedy="Keep both checkpoint and folder: together they show that history was rewritten.",
    )
