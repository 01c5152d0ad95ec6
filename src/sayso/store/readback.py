"""Reading back: every byte of every file, searched for traces of somebody who was erased."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sayso.store.traces import SHORTEST, Trace

_BLOCK = 1 << 24
_ANCHORED = 64
"""The six bytes are chosen among so many."""
_LONGEST = 4096
"""Patterns are cut to so many bytes, which is enough to know one again."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A trace that was found, and where."""

    file: Path
    offset: int
    trace: Trace


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search looked at and found; ``unread`` could not be opened."""

    files: int
    bytes: int
    hits: tuple[Hit, ...]
    unread: tuple[Path, ...]


class Sieve:
    """Finds many patterns at once.

    Six bytes of each pattern, where it is most varied (zeros and padding are everywhere), are
    looked up two by two in tables of 65,536 entries, which leaves a handful of places to compare
    byte by byte.
    """

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._by_anchor: dict[bytes, list[tuple[int, Trace]]] = {}
        for trace in traces:
            pattern = trace.pattern[:_LONGEST]
            if len(pattern) >= SHORTEST:
                at = _most_varied(pattern)
                self._by_anchor.setdefault(pattern[at : at + SHORTEST], []).append(
                    (at, Trace(trace.kind, pattern, word=trace.word))
                )
        starts = np.array([list(anchor) for anchor in self._by_anchor], np.uint16).reshape(-1, 6)
        self._tables = [np.zeros(1 << 16, np.bool_) for _ in range(3)]
        for at, table in enumerate(self._tables):
            table[starts[:, 2 * at] | (starts[:, 2 * at + 1] << 8)] = True
        self._keys = np.sort(_six(starts.astype(np.uint64), np.zeros(len(starts), np.intp)[:0]))

    def search(self, data: bytes) -> Iterator[tuple[int, Trace]]:
        """Every place of a pattern."""
        if len(data) < SHORTEST or not self._by_anchor:
            return
        block = np.frombuffer(data, np.uint8)
        pairs = block[:-1].astype(np.uint16)
        pairs |= block[1:].astype(np.uint16) << 8
        places = np.flatnonzero(self._tables[0][pairs[: len(block) - SHORTEST + 1]])
        for at in (1, 2):
            places = places[self._tables[at][pairs[places + 2 * at]]]
        places = places[np.isin(_six(block, places), self._keys)]
        for place in places.tolist():
            for at, trace in self._by_anchor.get(data[place : place + SHORTEST], ()):
                if place >= at and data.startswith(trace.pattern, place - at):
                    yield place - at, trace


def search(files: Iterable[Path], traces: Sequence[Trace]) -> Searched:
    """Search files for traces, whole and over the edges of blocks.

    Each trace is told once for each file. A file that vanishes meanwhile holds nothing; one that
    may not be read is told.
    """
    sieve = Sieve(traces)
    hits: dict[tuple[Path, bytes], Hit] = {}
    read = seen = 0
    unread: list[Path] = []
    for file in files:
        try:
            size = 0
            for offset, data in _blocks(file):
                size = offset + len(data)
                for place, trace in sieve.search(data):
                    hits.setdefault((file, trace.pattern), Hit(file, offset + place, trace))
            seen, read = seen + 1, read + size
        except FileNotFoundError:
            continue
        except OSError:
            unread.append(file)
    return Searched(seen, read, tuple(hits.values()), tuple(unread))


def files_of(places: Iterable[Path]) -> Iterator[Path]:
    """Every file at or below some places, links not followed, each once."""
    for place in dict.fromkeys(places):
        if place.is_file() and not place.is_symlink():
            yield place
        elif place.is_dir():
            yield from sorted(
                file for file in place.rglob("*") if file.is_file() and not file.is_symlink()
            )


def files_beside(database: Path) -> list[Path]:
    """A SQLite file with its log, index of the log, and journal."""
    return [database.with_name(database.name + end) for end in ("", "-wal", "-shm", "-journal")]


def _most_varied(pattern: bytes) -> int:
    """Where the six bytes begin that hold the most different ones."""
    places = range(min(len(pattern), _ANCHORED) - SHORTEST + 1)
    return max(places, key=lambda at: len(set(pattern[at : at + SHORTEST])))


def _blocks(file: Path) -> Iterator[tuple[int, bytes]]:
    offset, tail = 0, b""
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            data = tail + block
            yield offset, data
            tail = data[-_LONGEST:]
            offset += len(data) - len(tail)


def _six(block: npt.NDArray[np.generic], places: npt.NDArray[np.intp]) -> npt.NDArray[np.uint64]:
    """Six bytes as one number: of each row of a table, or at some places of a block."""
    if block.ndim > 1:
        columns = [np.asarray(block[:, at], np.uint64) for at in range(SHORTEST)]
    else:
        columns = [np.asarray(block[places + at], np.uint64) for at in range(SHORTEST)]
    total = np.zeros(len(columns[0]), np.uint64)
    for at, column in enumerate(columns):
        total |= column << np.uint64(8 * at)
    return total
