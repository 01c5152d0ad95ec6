"""Overwriting entries' contents in place, whoever vouches for it."""

from collections.abc import Iterable

from sayso.errors import LedgerUnwritable
from sayso.ledger import records
from sayso.ledger.admission import Span
from sayso.ledger.reader import Reader


def wipe(reader: Reader, targets: Iterable[Span]) -> int:
    """Overwrite frames in place, make that durable, and read it back; how many were not yet.

    Raises:
        LedgerUnwritable: other bytes were read back.
    """
    places = []
    for first, last in targets:
        for sequence in range(first, last + 1):
            offset, length = reader.place(sequence)
            empty = records.erased_frame(sequence, length)
            if reader.contents.read(offset, length) != empty:
                reader.contents.write(offset, empty)
                places.append((offset, empty))
    reader.contents.sync()
    for offset, empty in places:
        if reader.contents.read(offset, len(empty)) != empty:
            raise LedgerUnwritable(
                expected="to read back what was written over an erased entry",
                found="other bytes",
                remedy="Check the disk, then open the ledger again to finish the erasure.",
            )
    return len(places)
