"""The ledger written: durable appends, intents, erasure.

The promise is that *an action whose entry cannot be written does not happen*. `Journal.append`
returns only when entry and checkpoint are durable, and raises otherwise, so:

- **Something only shown or sent** (a disclosure, an access, a login): append first, then do it. A
  crash between leaves an entry for something that did not happen, never the reverse.
- **A change in a database**: prepare the transaction, append, commit, in this order::

      with database.begin() as transaction:            # 1. everything that can fail
          ...
          with journal.intent(draft) as receipt:       # 2. durable, or raises: rolled back
              store.mark_done(receipt.sequence)        # in the same transaction
              transaction.commit()                     # 3. the last statement of the body

  If the body raises, an ``aborted`` entry follows at once. After a crash between 2 and 3 the entry
  is there and its ``mark_done`` row is not, which `Journal.settle` finds on the next start. The
  reverse order (commit, then append) could leave a change that no entry tells of: never use it.

Appending costs O(log n) hashes and three flushes of the disk, whatever the size of the log, and
`append_all` shares them between many entries. One journal writes at a time (a file lock); it may
be used from several threads.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sayso.errors import (
    ClockBackwards,
    EntryForbidden,
    SaysoError,
    WorkspaceExists,
)
from sayso.ledger import aside, erasure, recovery
from sayso.ledger.admission import Json
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.disk import Folder, PosixFolder, WriterLock, sync_folder
from sayso.ledger.entry import Action, Draft, Entry, Stage, format_time, spans
from sayso.ledger.reader import ERASING, Reader
from sayso.ledger.writer import Writer, make_files, unwritable

Clock = Callable[[], datetime]

_NEVER_REFUSED = frozenset(
    {
        Action.WITHDRAWAL,
        Action.OBJECTION,
        Action.TAKEDOWN,
        Action.ERASURE,
        Action.ABORTED,
    }
)
"""A person's no with what follows from it, and what did not happen: no clock may stand in the way.

Retention is not among them: it ends what the clock says is over, so the clock must be right.
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an append returns, when the entry is durable.

    Attributes:
        entry: as recorded.
        note: the signed checkpoint of the first tree that holds it.
    """

    entry: Entry
    note: bytes

    @property
    def sequence(self) -> int:
        """The entry's place in the log."""
        return self.entry.sequence


class Journal:
    """The one writer of a ledger. Use `Journal.create` or `Journal.open`.

    Attributes:
        reader: the log as it stands: entries, proofs, checkpoint.
        recovery: what opening it found and did.
    """

    def __init__(self, folder: Folder, key: SigningKey, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._mutex = threading.RLock()
        self._release: Callable[[], None] = lambda: None
        self.reader = Reader(folder, key.verifier, writable=True)
        try:
            self.recovery = recovery.recover(folder, self.reader, key)
            finished = erasure.finish(folder, self.reader)
            self.recovery = replace(self.recovery, erased_entries=finished)
            self._last_at = self.reader.last_at()
            self._writer = Writer(folder, key, self.reader)
        except OSError as error:
            self.reader.close()
            raise unwritable(error) from error
        except BaseException:
            self.reader.close()
            raise

    @classmethod
    def create(cls, path: Path, key: SigningKey, clock: Clock) -> Self:
        """Make an empty ledger and open it.

        Raises:
            WorkspaceExists: something is there already.
            LedgerUnwritable: the folder cannot be made.
        """
        if path.exists():
            raise WorkspaceExists(
                expected="no ledger yet",
                found=f"{path}",
                remedy="Open the ledger that is there, or name another folder.",
            )
        draft = path.with_name(f"{path.name}.new")
        try:
            draft.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_files(PosixFolder(draft), key)
            draft.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            raise unwritable(error) from error
        return cls.open(path, key, clock)

    @classmethod
    def open(cls, path: Path, key: SigningKey, clock: Clock) -> Self:
        """Open a ledger for writing; what a crash left is settled first (see ``recovery``).

        Args:
            path: the ledger's folder.
            key: the log's private key.
            clock: the present time, with its zone.

        Raises:
            WorkspaceMissing: there is no ledger.
            LedgerBusy: another process writes.
            LedgerTampered: files and signed head do not belong together.
        """
        if not path.is_dir():
            return cls(PosixFolder(path), key, clock)  # raises WorkspaceMissing
        lock = WriterLock(path)
        try:
            journal = cls(PosixFolder(path), key, clock)
        except BaseException:
            lock.release()
            raise
        journal._release = lock.release
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another journal write. Nothing is buffered, so nothing can be lost."""
        with self._mutex:
            self._writer.usable = False
            self.reader.close()
            self._release()
            self._release = lambda: None

    def append(self, draft: Draft) -> Receipt:
        """Record one entry; when this returns, it is durable and signed for.

        Raises:
            ClockBackwards: the clock reads earlier than the last entry; nothing was written. A
                withdrawal, an objection and an erasure are never refused for that: they get the
                last entry's time, and say ``clock_behind``.
            DiskFull: no room; nothing was written.
            LedgerUnwritable: the disk failed; whether the entry is there shows on reopening.
            EntryForbidden: an erasure, which only `erase` records.
        """
        return self.append_all((draft,))[0]

    def append_all(self, drafts: Sequence[Draft]) -> tuple[Receipt, ...]:
        """Record several entries under one checkpoint, all or none; raises as `append` does."""
        if any(draft.action is Action.ERASURE for draft in drafts):
            raise EntryForbidden(
                expected="an entry other than an erasure",
                found="an erasure without the erasing",
                remedy="Call erase, which records the entry and removes the content.",
            )
        with self._mutex:  # one hold: or another thread's later second could come between
            return self._record(*self._dated(drafts))

    @contextmanager
    def intent(self, draft: Draft) -> Iterator[Receipt]:
        """Record an action that commits elsewhere, inside the body, as its last statement.

        If the body raises, an ``aborted`` entry follows and the error goes on. See this module's
        docstring for the order to keep. Raises as `append` does, before the body runs.
        """
        (receipt,) = self.append_all((replace(draft, stage=Stage.INTENT),))
        try:
            yield receipt
        except BaseException as error:
            try:
                self._abort([receipt.sequence])
            except SaysoError as second:  # the next start's settle records it instead
                error.add_note(f"No aborted entry could be written: {second}")
            raise

    def settle(self, completed: Callable[[int], bool], *, since: int = 0) -> tuple[int, ...]:
        """On start: follow each intent whose action did not happen with an ``aborted`` entry.

        Args:
            completed: whether the action of this sequence number committed.
            since: the first sequence number to look at; all below are known to be complete. The
                walk takes about 10 s per million entries.

        Returns:
            The sequence numbers that were aborted now.
        """
        with self._mutex:
            pending: set[int] = set()
            for entry in self.reader.glances(since):
                if entry.action == Action.ABORTED:
                    for first, last in entry.targets:
                        pending.difference_update(range(first, last + 1))
                elif entry.stage == Stage.INTENT and not completed(entry.sequence):
                    pending.add(entry.sequence)
            if pending:
                self._abort(sorted(pending))
            return tuple(sorted(pending))

    def erase(
        self,
        sequences: Sequence[int],
        *,
        actor: str,
        details: dict[str, Json] | None = None,
        subject: str | None = None,
    ) -> Receipt:
        """Erase salt and content of entries, leaving their commitments; proofs still verify.

        An ``erasure`` entry with their numbers is recorded first, so that what is missing is
        always accounted for; an interruption is finished when the ledger is next opened. The
        bytes are overwritten in place and read back. That reaches the file, and neither copies
        nor what a copy-on-write file system or a flash drive keeps below it.

        Args:
            sequences: which; those already erased are left out.
            actor: the operator's id.
            details: as in `Draft`.
            subject: an opaque id: what ledgers that were laid aside hold of it is erased too, and
                this entry vouches for that.

        Raises:
            EntryUnknown: no such entry.
            EntryForbidden: an erasure or aborted entry, which accounts for others.
            LedgerUnwritable: the bytes could not be overwritten; reopening tries again.
        """
        with self._mutex:
            wanted = erasure.require_erasable(self.reader, sequences)
            earlier = () if subject is None else aside.naming(self._folder, subject)
            receipt = self._announced(
                Draft(
                    Action.ERASURE,
                    actor,
                    details=details or {},
                    targets=spans(wanted),
                    aside=earlier,
                )
            )
            try:
                erasure.finish(self._folder, self.reader)
                if subject is not None:
                    aside.blank(self._folder, subject)
            except OSError as error:
                self._writer.usable = False
                raise unwritable(error) from error
            except SaysoError:
                self._writer.usable = False
                raise
            return receipt

    def _announced(self, draft: Draft) -> Receipt:
        """Record an erasure between its announcement and its execution."""
        drafts, now = self._dated((draft,))
        try:
            erasure.announce(self._folder, self.reader.size)
        except OSError as error:
            raise unwritable(error) from error
        try:
            return self._record(drafts, now)[0]
        except SaysoError:
            with suppress(OSError):  # a leftover announcement of nothing is dropped on opening
                self._folder.remove(ERASING)
            raise

    def _abort(self, sequences: Sequence[int]) -> None:
        draft = Draft(Action.ABORTED, "system", targets=spans(sequences))
        with self._mutex:
            self._record(*self._dated((draft,)))

    def _record(self, drafts: Sequence[Draft], at: datetime) -> tuple[Receipt, ...]:
        with self._mutex:
            if not drafts:
                return ()
            entries = self._writer.write(drafts, at)
            self._last_at = at
            return tuple(Receipt(entry, self.reader.head.note) for entry in entries)

    def _dated(self, drafts: Sequence[Draft]) -> tuple[Sequence[Draft], datetime]:
        """The drafts, and their time: the clock's, or the last entry's for a refusal behind it."""
        now = _whole_second(self._clock())
        if [draft.action for draft in drafts] == [Action.CLOCK]:
            return self._set_back(drafts[0], now), now
        if now >= self._last_at:
            return drafts, now
        if all(draft.action in _NEVER_REFUSED for draft in drafts):
            behind = [replace(one, details={**one.details, "clock_behind": True}) for one in drafts]
            return behind, self._last_at
        raise ClockBackwards(
            expected=f"a time from {self._last_at.isoformat()} on, the last entry's",
            found=now.isoformat(),
            remedy="Set the computer's clock right, then try again. If it is right and was ahead "
            "before, say so with `sayso audit clock`. Withdrawing and erasing work all the same.",
        )

    def _set_back(self, draft: Draft, now: datetime) -> Sequence[Draft]:
        if now >= self._last_at:
            raise EntryForbidden(
                expected=f"a clock that is behind the last entry's {self._last_at.isoformat()}",
                found=now.isoformat(),
                remedy="There is nothing to set right: the ledger takes every entry as it is.",
            )
        return [replace(draft, details={**draft.details, "before": format_time(self._last_at)})]


def _whole_second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
