"""Erasing entries' contents: announced, recorded, overwritten, read back.

The ``erasing`` file holds the number of the erasure entry that is about to be recorded. It is
durable before the entry is, and goes when every byte is gone, so that a crash at any moment
leaves either no entry and nothing to do, or an entry and a file that says to finish it.
"""

from collections.abc import Sequence

from sayso.errors import EntryForbidden, LedgerTampered
from sayso.ledger import aside, records
from sayso.ledger.disk import Folder
from sayso.ledger.entry import LASTING, Action
from sayso.ledger.heads import REMEDY
from sayso.ledger.reader import ERASING, Reader, read_entry
from sayso.ledger.wiping import wipe


def require_erasable(reader: Reader, sequences: Sequence[int]) -> list[int]:
    """Those entries, in order, that still have content.

    Raises:
        EntryUnknown: no such entry.
        EntryForbidden: one that accounts for others.
    """
    wanted = []
    for sequence in sorted(set(sequences)):
        frame = reader.frame(sequence)
        if isinstance(frame, records.Erased):
            continue
        action = read_entry(sequence, frame.content).draft.action
        if action in LASTING:
            raise EntryForbidden(
                expected="entries about a person",
                found=f"entry {sequence}, an {action} entry, which accounts for others",
                remedy="Leave this entry out; it holds numbers only.",
            )
        wanted.append(sequence)
    return wanted


def announce(folder: Folder, sequence: int) -> None:
    """Say durably that the entry of this number will be an erasure to be finished."""
    folder.replace(ERASING, f"{sequence}\n".encode("ascii"))


def finish(folder: Folder, reader: Reader) -> int:
    """Finish what was announced, if its entry was recorded; how many entries were erased."""
    if not folder.has(ERASING):
        return 0
    file = folder.open(ERASING, writable=False)
    try:
        announced = _parse_announcement(file.read(0, 32))
    finally:
        file.close()
    erased = 0
    if announced < reader.size:
        entry = reader.entry(announced)
        if entry.draft.action is Action.ERASURE:
            erased = wipe(reader, entry.draft.targets)
            erased += aside.carry_out(folder, entry.draft.aside)
    folder.remove(ERASING)
    return erased


def _parse_announcement(text: bytes) -> int:
    digits = text.removesuffix(b"\n")
    if not digits.isdigit() or len(text) != len(digits) + 1:
        raise LedgerTampered(
            where=ERASING,
            expected="the number of an erasure entry",
            found="something else",
            remedy=REMEDY,
        )
    return int(digits)


def replay(reader: Reader) -> int:
    """Erase again what any erasure entry of the log names; for contents from a backup."""
    return sum(
        wipe(reader, entry.draft.targets)
        for entry in reader.entries()
        if entry.draft.action is Action.ERASURE
    )
