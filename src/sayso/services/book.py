"""The book: an action whose entry cannot be written does not happen.

Steps of a change:

1. everything that can fail is done inside the database transaction;
2. as its last statement the entry is appended to the ledger, durably, and its number is kept in
   the same transaction;
3. the transaction commits.

If 2 fails nothing happened. If 3 fails, or the machine stops between 2 and 3, the number is not in
the database, and the next start (or this process, at once) follows the entry with an ``aborted``
one. The ledger is opened for the moment of the append alone, so that several processes can write
in turn: the database's write lock puts them in a row.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sayso.domain.person import PersonId
from sayso.errors import LedgerTampered, LedgerUnwritable, SaysoError
from sayso.ledger import aside
from sayso.ledger.admission import Json
from sayso.ledger.checkpoint import SigningKey, open_checkpoint, sign_note
from sayso.ledger.disk import PosixFolder
from sayso.ledger.entry import Action, Draft, Stage
from sayso.ledger.journal import Journal, Receipt
from sayso.ledger.reader import Reader
from sayso.services.ports import Clock
from sayso.store.repository import Repository, Unit


@dataclass(slots=True)
class Page:
    """One transaction with the entries that go with it.

    Attributes:
        receipts: of the entries, in their order, once the transaction has committed.
    """

    unit: Unit
    actor: str
    receipts: tuple[Receipt, ...] = ()
    _drafts: list[Draft] = field(default_factory=list)

    def enter(
        self,
        action: Action,
        *,
        subjects: Iterable[PersonId] = (),
        details: Mapping[str, Json] | None = None,
    ) -> None:
        """Say what this transaction does; refused at once if it says too much.

        Raises:
            EntryForbidden: a name, free text, features, or what could be one of them.
        """
        people = tuple(sorted(set(subjects)))
        self._drafts.append(Draft(action, self.actor, people, details or {}, stage=Stage.INTENT))

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """What was entered so far."""
        return tuple(self._drafts)


class Book:
    """Writes to database and ledger together. Safe to share between threads.

    Args:
        repository: what is kept.
        folder: the ledger's.
        key: the ledger's signing key.
        actor: the operator's id.
        clock: gives the present instant.
        kept: a file that gets the newest checkpoint after each entry; None: none.
    """

    def __init__(  # noqa: PLR0913 - what it writes to, and who writes
        self,
        repository: Repository,
        folder: Path,
        key: SigningKey,
        actor: str,
        clock: Clock,
        *,
        kept: Path | None = None,
    ) -> None:
        self.repository = repository
        self.folder = folder
        self._key = key
        self._actor = actor
        self._clock = clock
        self.verifier = key.verifier
        self.kept = kept

    @contextmanager
    def writing(self) -> Iterator[Page]:
        """A transaction; what is entered on its page is recorded, or nothing of it happens.

        Raises:
            LedgerBusy, LedgerUnwritable, DiskFull, ClockBackwards: the entry could not be
                written; the transaction was taken back.
            LedgerForked, CheckpointInvalid: the checkpoint copy is of another history, or none
                of this log's; it is not overwritten, and the transaction was taken back.
        """
        appended = False
        try:
            with self.repository.writing() as unit:
                page = Page(unit, self._actor)
                yield page
                if page.drafts:
                    with self._journal() as journal:  # step 2
                        self._require_continued(journal.reader)
                        receipts = journal.append_all(page.drafts)
                    appended = True
                    for receipt, draft in zip(receipts, page.drafts, strict=True):
                        people = [PersonId(subject) for subject in draft.subjects]
                        unit.entries.carry_out(receipt.sequence, people)
                    unit.entries.keep_head(receipts[-1].note)
                    page.receipts = receipts
                    self._keep_elsewhere(receipts[-1].note)
        except BaseException as error:
            if appended:
                self._abort_at_once(error)
            raise

    def _abort_at_once(self, error: BaseException) -> None:
        try:
            self.settle()
        except SaysoError as second:  # the next start does it; the first error is the one to tell
            error.add_note(f"No aborted entry could be written yet: {second}")

    def needs_settling(self) -> bool:
        """Whether the ledger holds entries of which it is not known that they were carried out.

        Raises:
            LedgerForked: this is not the ledger that the database was written with, or an older
                state of it.
        """
        with self.repository.reading() as unit:
            settled, head = unit.entries.settled(), unit.entries.head()
        with Reader.open(self.folder, self._key.verifier) as reader:
            if head is not None:
                reader.require_continues(open_checkpoint(head, self.verifier))
            return reader.size != settled

    def settle(self) -> tuple[int, ...]:
        """Follow entries whose action did not happen with ``aborted`` ones; gives their numbers.

        Raises:
            SaysoError: the ledger cannot be read or written.
        """
        with self.repository.writing() as unit, self._journal() as journal:
            aborted = journal.settle(unit.entries.was_carried_out, since=unit.entries.settled())
            unit.entries.settle(journal.reader.size)
            unit.entries.keep_head(journal.reader.head.note)
            return aborted

    def set_clock(self) -> Receipt:
        """Say that the clock had been ahead when the last entries were written, and is right now.

        Raises:
            EntryForbidden: it is not behind the last entry.
        """
        with self.writing() as page:
            page.enter(Action.CLOCK)
        return page.receipts[0]

    def astray(self) -> bool:
        """Whether a ledger that was laid aside is not here, so that no erasure reaches it."""
        try:
            with Reader.open(self.folder, self.verifier) as reader:
                list(aside.chain(PosixFolder(self.folder), reader))
        except LedgerTampered:
            return True
        return False

    def tells_of(self, unit: Unit, person: PersonId) -> bool:
        """Whether this ledger, or one that was laid aside, holds anything about a person."""
        about = unit.entries.about(person)
        return bool(about or aside.naming(PosixFolder(self.folder), person))

    def erase(self, unit: Unit, person: PersonId, details: Mapping[str, Json]) -> Receipt:
        """Erase the contents and salts of all entries about a person; proofs made before hold.

        So they are in ledgers that were laid aside, which this ledger's entry vouches for.

        Raises:
            LedgerUnwritable: the bytes could not be overwritten; the next start tries again.
        """
        sequences = unit.entries.about(person)
        with self._journal() as journal:
            self._require_continued(journal.reader)
            self._keep_elsewhere(journal.reader.head.note)  # if it fails, then before anything goes
            receipt = journal.erase(
                sequences, actor=self._actor, details=dict(details), subject=person
            )
        unit.entries.forget(person)
        unit.entries.keep_head(receipt.note)
        self._keep_elsewhere(receipt.note)
        return receipt

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the ledger lies, and those that were laid aside before it."""
        earlier = PosixFolder(self.folder).laid_aside()
        return (self.folder, *(one.path for one in earlier))

    def adopt(self, unit: Unit) -> None:
        """Take this ledger for a restored database's; what that knew of it is older.

        What is in the ledger and not in the database was done, and undone by the restore: it is
        not followed by ``aborted`` entries.
        """
        with self._journal() as journal:
            reader = journal.reader
            about = [
                (entry.sequence, [PersonId(subject) for subject in entry.draft.subjects])
                for entry in reader.entries()
            ]
            unit.entries.adopt(about, reader.size, reader.head.note)
            unit.entries.keep_public_key(self.verifier.encode())

    def sign(self, text: bytes) -> str:
        """A C2SP signed note by the ledger's key, over a text that ends in a newline."""
        return sign_note(text.decode(), self._key).decode()

    def prove(self, sequence: int) -> bytes:
        """An offline proof of one entry.

        Raises:
            EntryUnknown: there is none of this number, or it was erased.
        """
        with Reader.open(self.folder, self._key.verifier) as reader:
            return reader.prove(sequence)

    def _require_continued(self, reader: Reader) -> None:
        """A copy of a history that was rewritten since is evidence: nothing goes over it."""
        if self.kept is None or not self.kept.exists():
            return
        try:
            note = self.kept.read_bytes()
        except OSError as error:
            raise self._no_copy(error) from error
        aside.require_continued(PosixFolder(self.folder), reader, note)

    def _keep_elsewhere(self, note: bytes) -> None:
        """Copy the checkpoint; a copy that cannot be written stops the action as well."""
        if self.kept is None:
            return
        part = self.kept.with_name(f"{self.kept.name}.new")
        try:
            part.unlink(missing_ok=True)  # of a write that was cut off, or somebody else's link
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            with os.fdopen(descriptor, "wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())  # an empty copy after a power cut would look forged
            part.replace(self.kept)
        except OSError as error:
            raise self._no_copy(error) from error

    def _no_copy(self, error: OSError) -> LedgerUnwritable:
        return LedgerUnwritable(
            expected=f"a checkpoint copy at {self.kept}",
            found=error.strerror or "an error",
            remedy="Connect the place, or take checkpoint_copy out of the settings.",
        )

    def _journal(self) -> Journal:
        return Journal.open(self.folder, self._key, self._clock)
