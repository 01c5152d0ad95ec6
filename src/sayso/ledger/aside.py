"""Ledgers that were laid aside with a lost key: erased in, and verified, without one.

Nobody can sign in them any more. So what an erasure overwrites in one of them is vouched for by
the erasure entry of the ledger in force, which names the other by the root that it ended with. The
first entry of a ledger says where the one before it ended: that is the chain by which each is
found and none can be exchanged.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from sayso.errors import (
    EntryForbidden,
    EntryUnknown,
    LedgerError,
    LedgerTampered,
    LedgerUnwritable,
    WorkspaceError,
)
from sayso.ledger import records
from sayso.ledger.admission import Aside, Span
from sayso.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint, signed_by
from sayso.ledger.disk import File, Folder
from sayso.ledger.entry import LASTING, Action, glance, spans
from sayso.ledger.heads import REMEDY, read_heads
from sayso.ledger.reader import CONTENTS, Reader
from sayso.ledger.wiping import wipe

PUBLIC_KEY = "ledger_public_key"
"""The file that holds the public key of a ledger that was laid aside."""
_KEY_BYTES = 4096
_PIECE = 1 << 24


@dataclass(frozen=True, slots=True)
class Earlier:
    """A ledger that was laid aside and ends as the one after it says.

    Attributes:
        folder: where it lies.
        key: its public key.
    """

    folder: Folder
    key: VerifierKey


def opened(folder: Folder, *, writable: bool = False) -> Reader | None:
    """A laid-aside ledger as its own public key signs it; None: it is too damaged for that."""
    with suppress(LedgerError, WorkspaceError, OSError):
        key = public_key(folder)
        return None if key is None else Reader(folder, key, writable=writable)
    return None


def keys(folder: Folder) -> list[VerifierKey]:
    """The public keys of the ledgers that were laid aside, of those that can be read."""
    found = []
    for one in folder.laid_aside():
        with suppress(LedgerError, OSError):
            key = public_key(one)
            if key is not None:
                found.append(key)
    return found


def signer(folder: Folder, keys: Iterable[VerifierKey]) -> VerifierKey | None:
    """Which of some keys signed a ledger; None: none of them did, or it is too damaged to tell."""
    for key in keys:
        with suppress(LedgerError, WorkspaceError, OSError):
            read_heads(folder, key)
            return key
    return None


def public_key(folder: Folder) -> VerifierKey | None:
    """The public key that lies in a laid-aside ledger; None: there is none.

    Raises:
        CheckpointInvalid: it is none.
    """
    if not folder.has(PUBLIC_KEY):
        return None
    with closing(folder.open(PUBLIC_KEY, writable=False)) as file:
        return VerifierKey.parse(file.read(0, _KEY_BYTES).decode("utf-8", "replace").strip())


def chain(folder: Folder, reader: Reader) -> Iterator[Earlier]:
    """The ledgers before one, newest first, as far as first entries tell; nothing is verified.

    Args:
        folder: of the ledger in force.
        reader: the same, read.

    Raises:
        LedgerTampered: no ledger here ends as the one after it says.
    """
    lying = {}
    for one in folder.laid_aside():
        with suppress(LedgerError, WorkspaceError, OSError):
            key = public_key(one)
            if key is not None:
                lying[read_heads(one, key).newest.checkpoint] = Earlier(one, key)
    end = _previous(reader)
    while end is not None:
        if end not in lying:
            raise LedgerTampered(
                where=f"{folder.name}, entry 0",
                expected=f"the ledger of {end.size} entries that was laid aside, as it ended",
                found="none that ends so and is signed",
                remedy=REMEDY,
            )
        yield lying[end]
        before = opened(lying.pop(end).folder)
        end = None
        if before is not None:
            with closing(before):
                end = _previous(before)


def _previous(reader: Reader) -> Checkpoint | None:
    """Where the ledger before this one ended, as its first entry says; None: it says of none."""
    try:
        details = reader.entry(0).draft.details
    except (LedgerError, EntryUnknown):
        return None
    size, root = details.get("previous_size"), details.get("previous_root")
    if not isinstance(size, int) or not isinstance(root, str):
        return None
    return Checkpoint(reader.head.checkpoint.origin, size, bytes.fromhex(root))


def require_continued(folder: Folder, reader: Reader, note: bytes) -> None:
    """Refuse a checkpoint that neither a ledger nor one of those before it continues.

    Args:
        folder: of the ledger in force.
        reader: the same, read.
        note: the signed checkpoint.

    Raises:
        LedgerForked: the ledger whose key signed it does not continue it.
        CheckpointInvalid: none of their keys signed it.
    """
    if signed_by(note, reader.key) is None:
        for one in chain(folder, reader):
            head = signed_by(note, one.key)
            if head is not None:
                with closing(Reader(one.folder, one.key)) as earlier:
                    earlier.require_continues(head)
                return
    reader.require_continues(open_checkpoint(note, reader.key))


def naming(folder: Folder, subject: str) -> tuple[Aside, ...]:
    """The entries that hold an opaque id, in each ledger that was laid aside.

    What is damaged is passed over: reading back tells what is left.
    """
    found = []
    for one in folder.laid_aside():
        reader = opened(one)
        if reader is None:
            continue
        with closing(reader):
            targets = spans(list(_naming(reader, _mark(subject))))
            if targets:
                found.append((reader.head.checkpoint.root.hex(), targets))
    return tuple(found)


def _naming(reader: Reader, mark: bytes) -> Iterator[int]:
    if not _holds(reader.contents, mark):  # looking at every entry costs a hundred times more
        return
    for sequence in range(reader.size):
        with suppress(LedgerError, EntryUnknown, EntryForbidden):
            frame = reader.frame(sequence)
            if (
                isinstance(frame, records.Kept)
                and mark in frame.content
                and glance(frame.content).action not in LASTING
            ):
                yield sequence


def carry_out(folder: Folder, aside: Iterable[Aside]) -> int:
    """Overwrite what an erasure entry names in laid-aside ledgers; how many were not yet.

    Raises:
        LedgerUnwritable: other bytes were read back.
    """
    targets = dict(aside)
    erased = 0
    for one in folder.laid_aside() if targets else ():
        reader = opened(one, writable=True)
        if reader is not None:
            with closing(reader):
                erased += wipe(reader, targets.get(reader.head.checkpoint.root.hex(), ()))
    return erased


def blank(folder: Folder, subject: str) -> None:
    """Overwrite with zeros what holds an opaque id in laid-aside ledgers and no head signs for.

    That is the end of a torn append, and the whole of a ledger whose head cannot be read: no
    verification reaches either, so nobody has to vouch for it.

    Raises:
        LedgerUnwritable: other bytes were read back.
    """
    mark = _mark(subject)
    for one in folder.laid_aside():
        if not one.has(CONTENTS):
            continue
        reader = opened(one)
        start = 0
        if reader is not None:
            with closing(reader):
                start = reader.contents_end()
        with closing(one.open(CONTENTS, writable=True)) as file:
            _blank(file, start, mark)


def _blank(file: File, start: int, mark: bytes) -> None:
    if not _holds(file, mark, start):
        return
    data = bytearray(file.read(start, file.size() - start))
    for begin, end in records.likely_frames(data):
        if mark in data[begin:end]:
            data[begin:end] = bytes(end - begin)
    file.write(start, bytes(data))
    file.sync()
    if _holds(file, mark, start):
        raise LedgerUnwritable(
            expected="zeros where a ledger that was laid aside told of an erased person",
            found="other bytes",
            remedy="Check the disk, then erase again.",
        )


def vouched(readers: Iterable[Reader], end: Checkpoint) -> set[int]:
    """The entries of an earlier ledger that the erasure entries of later ones vouch for."""
    root = end.root.hex()
    return {
        sequence
        for reader in readers
        for entry in reader.glances()
        if entry.action == Action.ERASURE
        for named, targets in entry.aside
        if named == root
        for sequence in _below(targets, end.size)
    }


def _below(targets: Iterable[Span], size: int) -> Iterator[int]:
    for first, last in targets:
        yield from range(first, min(last, size - 1) + 1)


def _mark(subject: str) -> bytes:
    return f'"{subject}"'.encode("ascii", "replace")


def _holds(file: File, mark: bytes, start: int = 0) -> bool:
    """Whether a file holds a pattern from some byte on, also over the edges of pieces."""
    tail = b""
    for offset in range(start, file.size(), _PIECE):
        data = tail + file.read(offset, _PIECE)
        if mark in data:
            return True
        tail = data[-len(mark) :]
    return False
