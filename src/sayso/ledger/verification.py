"""Verifying a whole ledger: every byte of every file, against the signed head and old checkpoints.

Read-only: it repairs nothing, so that evidence stays. One pass, O(n) time, O(erased) memory. A
journal may append meanwhile, but not erase: hold it, or verify again where that could have been.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sayso.errors import EntryForbidden, LedgerTampered
from sayso.ledger import aside, merkle, records
from sayso.ledger.checkpoint import Checkpoint, VerifierKey, signed_by
from sayso.ledger.disk import Folder, PosixFolder
from sayso.ledger.entry import Action, glance
from sayso.ledger.heads import REMEDY, forked, read_heads, require_reach
from sayso.ledger.reader import (
    CONTENTS,
    ERASING,
    TREE,
    Reader,
    require_committed,
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was verified.

    Attributes:
        head: the signed tree head that everything was verified against.
        erased: how many entries were erased, each accounted for by an erasure entry.
        clock_set: entries at which the operator says that the clock had been ahead; the only ones
            that may be earlier than the one before.
        unfinished_bytes: of an append beyond the head, never acknowledged; opening cuts them.
        unfinished_erasure: whether an erasure was interrupted; opening finishes it.
    """

    head: Checkpoint
    erased: int
    clock_set: tuple[int, ...]
    unfinished_bytes: int
    unfinished_erasure: bool


@dataclass(slots=True)
class _Walk:
    """What is known of the entries so far."""

    tree: merkle.CompactRange = field(default_factory=merkle.CompactRange)
    end: int = 0
    last_at: str = ""
    clock_set: list[int] = field(default_factory=list)
    erased: set[int] = field(default_factory=set)
    accounted: set[int] = field(default_factory=set)


def verify(
    path: Path, key: VerifierKey, old_checkpoints: Sequence[Checkpoint] = ()
) -> Verification:
    """Verify the ledger in a folder; the first fault is raised, and says where it is.

    Args:
        path: the ledger's folder.
        key: the log's public key.
        old_checkpoints: heads that were kept elsewhere; only these can show that the whole log,
            signatures included, was cut back or rewritten by who holds the private key.

    Raises:
        WorkspaceMissing: there is no ledger.
        LedgerTampered: something was changed, removed, reordered or cut off.
        LedgerForked: an old checkpoint is not part of this history.
    """
    return verify_folder(PosixFolder(path), key, old_checkpoints)


def verify_earlier(
    path: Path, key: VerifierKey, notes: Sequence[bytes] = ()
) -> Iterator[tuple[str, Verification]]:
    """Verify the ledgers that were laid aside before one, newest first, each with its own key.

    The one in force is to be verified first: its erasure entries, and those of every ledger in
    between, vouch for what an earlier one has lost since it was laid aside.

    Args:
        path: the folder of the ledger in force.
        key: its public key.
        notes: signed checkpoints that were kept elsewhere; each is held against the ledger whose
            key signed it.

    Returns:
        The name of each one's folder, with what was verified.

    Raises:
        LedgerTampered, LedgerForked: as `verify`, the place with the name of the folder; or one of
            them is not here.
    """
    folder = PosixFolder(path)
    with ExitStack() as stack:
        later = [stack.enter_context(Reader(folder, key))]
        unfinished = folder.has(ERASING)
        for one in aside.chain(folder, later[0]):
            vouched = aside.vouched(later, read_heads(one.folder, one.key).newest.checkpoint)
            old = [head for note in notes if (head := signed_by(note, one.key)) is not None]
            try:
                done = verify_folder(
                    one.folder, one.key, old, vouched=vouched, unfinished=unfinished
                )
            except LedgerTampered as error:
                raise LedgerTampered(
                    where=f"{one.folder.name}/{error.where}",
                    expected=error.expected.removesuffix(f" in {error.where}"),
                    found=error.found,
                    remedy=error.remedy,
                ) from error
            yield one.folder.name, done
            later.append(stack.enter_context(Reader(one.folder, one.key)))


def verify_folder(
    folder: Folder,
    key: VerifierKey,
    old_checkpoints: Sequence[Checkpoint] = (),
    *,
    vouched: Iterable[int] = (),
    unfinished: bool | None = None,
) -> Verification:
    """As `verify`, through the disk port.

    Args:
        folder: the ledger's.
        key: its public key.
        old_checkpoints: as for `verify`.
        vouched: entries whose erasure a later ledger accounts for.
        unfinished: whether an erasure was interrupted; None: as the folder says. Of a ledger that
            was laid aside only the one in force can say it.
    """
    reader = Reader(folder, key, checked=False)
    try:
        if reader.heads.damaged:
            raise _tampered(reader.heads.damaged[0], "a signed checkpoint", "something else")
        for old in old_checkpoints:
            require_reach(reader.head.checkpoint, old)
        roots = _roots([*old_checkpoints, *(head.checkpoint for head in reader.heads.others)])
        walk = _walk(reader, roots)
        if walk.tree.root() != reader.head.checkpoint.root:
            raise _tampered(TREE, "leaves that give the signed root", "others")
        walk.accounted.update(vouched)
        unfinished_erasure = folder.has(ERASING) if unfinished is None else unfinished
        _require_accounted(walk, unfinished=unfinished_erasure)
        beyond = reader.tree.size() - records.leaf_offset(reader.size)
        beyond += reader.contents.size() - walk.end
        return Verification(
            reader.head.checkpoint,
            len(walk.erased),
            tuple(walk.clock_set),
            beyond,
            unfinished_erasure,
        )
    finally:
        reader.close()


def _roots(checkpoints: Sequence[Checkpoint]) -> dict[int, bytes]:
    roots: dict[int, bytes] = {}
    for checkpoint in checkpoints:
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise forked(
                f"one root at {checkpoint.size} entries", "two, each in a signed checkpoint"
            )
    return roots


def _walk(reader: Reader, roots: dict[int, bytes]) -> _Walk:
    walk = _Walk()
    _require_root(walk, roots)
    for sequence in range(reader.size):
        _step(reader, sequence, walk)
        _require_root(walk, roots)
    return walk


def _step(reader: Reader, sequence: int, walk: _Walk) -> None:
    inner = (~sequence & (sequence + 1)).bit_length() - 1  # trailing ones: nodes completed here
    record = reader.tree.read(
        records.leaf_offset(sequence), records.LEAF_BYTES + inner * merkle.HASH_BYTES
    )
    leaf, end = records.read_leaf(sequence, record)
    if not walk.end < end <= reader.contents.size():
        raise _tampered(
            f"{CONTENTS} or {TREE}, entry {sequence}", "a frame inside the file", "its end"
        )
    frame = records.read_frame(sequence, reader.contents.read(walk.end, end - walk.end))
    if isinstance(frame, records.Erased):
        walk.erased.add(sequence)
    else:
        require_committed(sequence, frame, leaf)
        _follow(sequence, frame.content, walk)
    completed = walk.tree.append(merkle.leaf_hash(leaf))
    if record[records.LEAF_BYTES :] != b"".join(completed):
        raise _tampered(
            f"{TREE}, entry {sequence}", "the nodes that the leaves up to here give", "others"
        )
    walk.end = end


def _follow(sequence: int, content: bytes, walk: _Walk) -> None:
    where = f"{CONTENTS}, entry {sequence}"
    try:
        entry = glance(content)
    except EntryForbidden as error:
        raise _tampered(where, "an entry", "something else") from error
    if entry.sequence != sequence:
        raise _tampered(where, "entries in order", f"entry {entry.sequence}")
    if entry.action == Action.CLOCK:
        walk.clock_set.append(sequence)
    elif entry.at < walk.last_at:
        raise _tampered(where, "times that do not decrease", "an earlier one")
    walk.last_at = entry.at
    if entry.action == Action.ERASURE:
        for first, last in entry.targets:
            walk.accounted.update(range(first, min(last, sequence - 1) + 1))


def _require_root(walk: _Walk, roots: dict[int, bytes]) -> None:
    expected = roots.get(walk.tree.size)
    if expected is not None and walk.tree.root() != expected:
        raise forked(
            f"the root signed at {walk.tree.size} entries",
            f"another root there: one of the entries 0 to {walk.tree.size - 1} was rewritten",
        )


def _require_accounted(walk: _Walk, *, unfinished: bool) -> None:
    missing = walk.erased - walk.accounted
    if missing:
        raise _tampered(
            f"{CONTENTS}, entry {min(missing)}", "its content", "it removed, by no erasure entry"
        )
    left = walk.accounted - walk.erased
    if left and not unfinished:
        raise _tampered(f"{CONTENTS}, entry {min(left)}", "it erased, as recorded", "its content")


def _tampered(where: str, expected: str, found: str) -> LedgerTampered:
    return LedgerTampered(where=where, expected=expected, found=found, remedy=REMEDY)
