"""Every byte of a ledger changed in turn, each time verified from the first entry to the fault.

Verifying 3 million damaged copies from the beginning would take days, nearly all of it spent on
what comes before the damage. So one verification is run, the one that `sayso audit verify` runs,
over a folder that splits the process each time a byte is read for the first time. The child sees
that byte changed, now and in every later read, and goes on to its verdict; the parent sees it
whole. As no earlier read held the byte, the child is exactly a verification that had the changed
byte from the start: nothing is resumed, cached or left out.

Run as a program, in an interpreter that holds little and so forks fast::

    python flipping.py FOLDER VKEY [STRIDE OFFSET]

It changes the bytes whose place in their file is OFFSET modulo STRIDE, and prints how many were
changed in each file, which bytes were never read, and which changes were not found.
"""

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sayso.errors import LedgerError
from sayso.ledger.checkpoint import VerifierKey
from sayso.ledger.disk import File, PosixFolder
from sayso.ledger.verification import verify_folder

FOUND, UNSEEN, WRONG = 0, 1, 2


class Bent:
    """What is bent in this process: nothing in the parent, one byte in a child."""

    def __init__(self, stride: int, offset: int) -> None:
        self.stride = stride
        self.offset = offset
        self.here: tuple[str, int] | None = None
        self.read: dict[str, bytearray] = {}
        self.changed: Counter[str] = Counter()
        self.unseen: list[tuple[str, int, int]] = []

    def first_read(self, name: str, begin: int, end: int) -> Iterator[int]:
        """The places in a range that nothing has read so far, from now on read."""
        marks = self.read[name]
        for place in range(begin, end):
            if not marks[place]:
                marks[place] = 1
                yield place

    def split(self, name: str, place: int) -> bool:
        """Fork; whether this is the child. The parent waits for its verdict."""
        child = os.fork()
        if child == 0:
            self.here = (name, place)
            return True
        _, status = os.waitpid(child, 0)
        self.changed[name] += 1
        verdict = os.waitstatus_to_exitcode(status)
        if verdict != FOUND:
            self.unseen.append((name, place, verdict))
        return False


class BentFile:
    """A file of which one byte may read as another."""

    def __init__(self, name: str, file: File, bent: Bent) -> None:
        self._name, self._file, self._bent = name, file, bent
        self.size, self.close = file.size, file.close
        self.write, self.cut, self.sync = file.write, file.cut, file.sync
        bent.read.setdefault(name, bytearray(file.size()))

    def read(self, offset: int, length: int) -> bytes:
        data = self._file.read(offset, length)
        bent = self._bent
        if bent.here is None:
            for place in bent.first_read(self._name, offset, offset + len(data)):
                if place % bent.stride == bent.offset and bent.split(self._name, place):
                    break
        if bent.here is not None and bent.here[0] == self._name:
            place = bent.here[1] - offset
            if 0 <= place < len(data):
                bits = 1 << bent.here[1] % 8
                return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]
        return data


class BentFolder(PosixFolder):
    """A ledger's folder whose files may read as others."""

    def __init__(self, path: Path, bent: Bent) -> None:
        super().__init__(path)
        self._bent = bent

    def open(self, name: str, *, writable: bool) -> BentFile:  # type: ignore[override]
        return BentFile(name, super().open(name, writable=writable), self._bent)


def flip(path: Path, key: VerifierKey, stride: int = 1, offset: int = 0) -> dict[str, object]:
    """Change bytes in turn; returns in the parent only."""
    bent = Bent(stride, offset)
    verdict = UNSEEN
    try:
        verify_folder(BentFolder(path, bent), key)
    except LedgerError:
        verdict = FOUND
    except BaseException:  # noqa: BLE001 - a child must not run on as its parent
        verdict = WRONG
    if bent.here is not None:
        os._exit(verdict)
    return {
        "whole": verdict == UNSEEN,
        "changed": dict(bent.changed),
        "never_read": {name: marks.count(0) for name, marks in bent.read.items()},
        "unseen": bent.unseen,
    }


if __name__ == "__main__":
    gc.disable()  # a collection would copy the parent's pages in every child
    numbers = [int(text) for text in sys.argv[3:]]
    told = flip(Path(sys.argv[1]), VerifierKey.parse(sys.argv[2]), *numbers)
    print(json.dumps(told))  # noqa: T201 - the answer
