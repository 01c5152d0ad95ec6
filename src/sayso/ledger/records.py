"""The bytes of the ledger's two data files: ``contents`` and ``tree``. Pure.

``contents`` holds a frame per entry, in order: a 16-byte header, then salt (32 bytes) and
canonical JSON, zero-padded to a multiple of 64. An erased frame keeps its place and its length in
blocks; everything behind the header is zero. The header's CRC-32 covers the entry's number, so a
frame moved elsewhere does not read as valid::

    "SL" | state "K" kept or "X" erased | 0 | blocks: u32 | content length: u32 | CRC-32: u32

``tree`` holds, per entry, its commitment (32 bytes) and the offset at which its frame ends in
``contents`` (u64), then the inner nodes which this leaf completed, lowest first, 32 bytes each.
Every node is at a place that follows from its numbers, so proofs read O(log n) records. All
integers are big-endian.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sayso.errors import LedgerTampered
from sayso.ledger.entry import SALT_BYTES
from sayso.ledger.merkle import HASH_BYTES

BLOCK_BYTES = 64
HEADER_BYTES = 16
LEAF_BYTES = HASH_BYTES + 8

_HEADER = struct.Struct(">2scxII")
_CHECK = struct.Struct(">I")
_OFFSET = struct.Struct(">Q")
_MAGIC = b"SL"
_KEPT = b"K"
_ERASED = b"X"
_BEGINNINGS = (b"SLK\0", b"SLX\0")
_REMEDY = "Keep the folder as evidence, and restore the ledger from a backup."


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame with its content: salt (32 bytes) and canonical JSON."""

    salt: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Erased:
    """A frame whose salt and content were erased."""


def kept_frame(sequence: int, salt: bytes, content: bytes) -> bytes:
    """The frame of an entry."""
    blocks = -(-(HEADER_BYTES + SALT_BYTES + len(content)) // BLOCK_BYTES)
    frame = _header(sequence, _KEPT, blocks, len(content)) + salt + content
    return frame.ljust(blocks * BLOCK_BYTES, b"\0")


def erased_frame(sequence: int, length: int) -> bytes:
    """The frame, ``length`` bytes long, that replaces an entry's.

    Of the content's length only the number of 64-byte blocks remains.
    """
    blocks = length // BLOCK_BYTES
    return _header(sequence, _ERASED, blocks, 0).ljust(length, b"\0")


def read_frame(sequence: int, frame: bytes) -> Kept | Erased:
    """What a frame holds; every byte of it is checked, but for the content's own commitment.

    Raises:
        LedgerTampered: a header, length or padding that was not written so.
    """
    header = frame[:HEADER_BYTES]
    try:
        _, state, blocks, length = _HEADER.unpack(header[:-4])
    except struct.error as error:
        raise _tampered(sequence, "a whole frame", "its beginning only") from error
    if header != _header(sequence, state, blocks, length) or state not in (_KEPT, _ERASED):
        raise _tampered(sequence, "the header of this entry", "another header")
    if len(frame) != blocks * BLOCK_BYTES or len(frame) < HEADER_BYTES + SALT_BYTES + length:
        raise _tampered(sequence, f"{blocks} blocks", f"{len(frame)} bytes")
    used = HEADER_BYTES if state == _ERASED else HEADER_BYTES + SALT_BYTES + length
    if frame.count(0, used) != len(frame) - used:
        raise _tampered(sequence, "zeroes behind the content", "other bytes")
    if state == _ERASED:
        return Erased()
    payload = frame[HEADER_BYTES:used]
    return Kept(payload[:SALT_BYTES], payload[SALT_BYTES:])


def likely_frames(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Where frames seem to begin and end, for bytes that nothing vouches for.

    Frames are whole blocks, so each of them begins at one; what lies before the first is told as
    if it were one.
    """
    starts = [
        offset
        for offset in range(0, len(data), BLOCK_BYTES)
        if not offset or data[offset : offset + 4] in _BEGINNINGS
    ]
    yield from zip(starts, [*starts[1:], len(data)], strict=True)


def leaf_offset(sequence: int) -> int:
    """Where the record of a leaf begins in ``tree``; for the log's size, how long ``tree`` is.

    Appending leaf m completes one inner node per trailing one of m, so m leaves have
    m - popcount(m) of them.
    """
    return LEAF_BYTES * sequence + HASH_BYTES * (sequence - sequence.bit_count())


def node_offset(level: int, index: int) -> int:
    """Where the inner node (level >= 1) lies: behind the last leaf under it."""
    last_leaf = ((index + 1) << level) - 1
    return leaf_offset(last_leaf) + LEAF_BYTES + HASH_BYTES * (level - 1)


def leaf_record(commitment: bytes, end: int, completed: tuple[bytes, ...]) -> bytes:
    """The record of a leaf and of the inner nodes that it completes."""
    return b"".join((commitment, _OFFSET.pack(end), *completed))


def read_leaf(sequence: int, record: bytes) -> tuple[bytes, int]:
    """Commitment and end offset from a leaf record's first 40 bytes.

    Raises:
        LedgerTampered: the file ends here.
    """
    if len(record) < LEAF_BYTES:
        raise LedgerTampered(
            where=f"tree, entry {sequence}",
            expected="a leaf",
            found="the end of the file",
            remedy=_REMEDY,
        )
    return record[:HASH_BYTES], _OFFSET.unpack_from(record, HASH_BYTES)[0]


def _header(sequence: int, state: bytes, blocks: int, length: int) -> bytes:
    fields = _HEADER.pack(_MAGIC, state, blocks, length)
    return fields + _CHECK.pack(zlib.crc32(fields + _OFFSET.pack(sequence)))


def _tampered(sequence: int, expected: str, found: str) -> LedgerTampered:
    return LedgerTampered(
        where=f"contents, entry {sequence}", expected=expected, found=found, remedy=_REMEDY
    )
