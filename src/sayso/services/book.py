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

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sayso.domain.person import PersonId
from sayso.errors import LedgerUnwritable
from sayso.ledger.admission import Json
from sayso.ledger.checkpoint import SigningKey
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
        self._repository = repository
        self._folder = folder
        self._key = key
        self._actor = actor
        self._clock = clock
        self.verifier = key.verifier
        self.kept = kept

    @contextmanager
    def writing(self) -> Iterator[Page]:
        """A transaction; what is entered on its page is recorded, or nothing of it happens.

        Raises:
            LedgerUnwritable, DiskFull, ClockBackwards: the entry could not be written; the
                transaction was taken back.
        """
        appended = False
        try:
            with self._repository.writing() as unit:
                page = Page(unit, self._actor)
                yield page
                if page.drafts:
                    with self._journal() as journal:  # step 2
                        receipts = journal.append_all(page.drafts)
                    appended = True
                    for receipt, draft in zip(receipts, page.drafts, strict=True):
                        people = [PersonId(subject) for subject in draft.subjects]
                        unit.entries.carry_out(receipt.sequence, people)
                    page.receipts = receipts
                    self._keep_elsewhere(receipts[-1].note)
        except BaseException:
            if appended:
                self.settle()
            raise

    def needs_settling(self) -> bool:
        """Whether the ledger holds entries of which it is not known that they were carried out."""
        with self._repository.reading() as unit:
            settled = unit.entries.settled()
        with Reader.open(self._folder, self._key.verifier) as reader:
            return reader.size != settled

    def settle(self) -> tuple[int, ...]:
        """Follow entries whose action did not happen with ``aborted`` ones; gives their numbers.

        Raises:
            SaysoError: the ledger cannot be read or written.
        """
        with self._repository.writing() as unit, self._journal() as journal:
            aborted = journal.settle(unit.entries.was_carried_out, since=unit.entries.settled())
            unit.entries.settle(journal.reader.size)
            return aborted

    def erase(self, unit: Unit, person: PersonId, details: Mapping[str, Json]) -> Receipt:
        """Erase the contents and salts of all entries about a person; proofs made before hold.

        Raises:
            LedgerUnwritable: the bytes could not be overwritten; the next start tries again.
        """
        sequences = unit.entries.about(person)
        with self._journal() as journal:
            receipt = journal.erase(sequences, actor=self._actor, details=dict(details))
        unit.entries.forget(person)
        return receipt

    def prove(self, sequence: int) -> bytes:
        """An offline proof of one entry.

        Raises:
            EntryUnknown: there is none of this number, or it was erased.
        """
        with Reader.open(self._folder, self._key.verifier) as reader:
            return reader.prove(sequence)

    def _keep_elsewhere(self, note: bytes) -> None:
        """Copy the checkpoint; a copy that cannot be written stops the action as well."""
        if self.kept is None:
            return
        part = self.kept.with_name(f"{self.kept.name}.new")
        try:
            part.write_bytes(note)
            part.replace(self.kept)
        except OSError as error:
            raise LedgerUnwritable(
                expected=f"a checkpoint copy at {self.kept}",
                found=error.strerror or "an error",
                remedy="Connect the place, or take checkpoint_copy out of the settings.",
            ) from error

    def _journal(self) -> Journal:
        return Journal.open(self._folder, self._key, self._clock)
