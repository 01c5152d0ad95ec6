"""Restoring a backup: what was refused since it was made is refused again before it is served."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sayso.domain.person import PersonId
from sayso.errors import BackupForeign, LedgerForked, LedgerNewer
from sayso.ledger.checkpoint import VerifierKey
from sayso.ledger.entry import Action
from sayso.ledger.reader import Reader
from sayso.services.book import Book
from sayso.services.refusals import Refusals, replay, standing
from sayso.services.takedowns import DEFAULT_DAYS
from sayso.store.backup import Unpacked


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back, and what it did not.

    Attributes:
        made_at: when the backup was made.
        erased: people of the backup who were erased since, and now again.
        refused: withdrawals and objections since, recorded again.
        closed: people whose templates cannot be opened any more: they must be enrolled again.
    """

    folder: Path
    made_at: datetime
    erased: int
    refused: int
    closed: tuple[PersonId, ...]


def prepare(book: Book, unpacked: Unpacked, more: Refusals, home: Path, now: datetime) -> Restored:
    """Make an unpacked backup fit to be served, before it is put in place.

    Args:
        book: over the unpacked database, with the key store and the ledger that will be in force.
        unpacked: the backup.
        more: refusals from elsewhere, beside those of the key store.
        home: the folder of the workspace, for the result.
        now: for what has to be taken down.
    """
    repository, vault = book.repository, book.repository.vault
    refusals = standing(vault).joined(more)
    for token, at in refusals.erased.items():
        vault.store.finish_erasure(token, at)
    vault.store.refuse(refusals.others)
    pending = {one.token for one in vault.store.pending_erasures()}
    with repository.writing() as unit:
        book.adopt(unit)
    with book.writing() as page:
        unit = page.unit
        people = {vault.erasure_token(person.id): person.id for person in unit.people.all()}
        again = [people[token] for token in people if token in {*refusals.erased, *pending}]
        for person in again:
            places = unit.takedowns.places(person)
            due = now + timedelta(days=DEFAULT_DAYS)
            unit.takedowns.add(places, reason="erased", due_at=due)
            if unit.entries.about(person):
                book.erase(unit, person, {"references": 0})
            unit.people.erase(person)
        refused = replay(unit, vault, refusals)
        counts = {"erased_again": len(again), "refused_again": refused}
        made = unpacked.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        page.enter(Action.RESTORE, details={"made_at": made, **counts})
    closed = repository.drop_closed()
    repository.database.vacuum()
    return Restored(home, unpacked.made_at, len(again), refused, tuple(sorted(closed)))


def require_continued(live: Path, backup: Path, key: VerifierKey) -> None:
    """Refuse a backup that tells of things of which the ledger that is there does not.

    Raises:
        LedgerNewer: the ledger that is there does not continue the backup's.
    """
    with Reader.open(backup, key) as old:
        head = old.head.checkpoint
    with Reader.open(live, key) as reader:
        try:
            reader.require_continues(head)
        except LedgerForked as error:
            raise LedgerNewer(
                expected=f"a ledger that continues the backup's, of {head.size} entries",
                found=f"another history, of {reader.size} entries",
                remedy="Keep both as evidence, and restore this backup into an empty folder; "
                "nothing was changed.",
            ) from error


def check_same(unpacked: Unpacked, workspace_id: str | None) -> None:
    """Refuse to put one workspace's backup over another workspace.

    Raises:
        BackupForeign: they are not of the same.
    """
    if workspace_id and workspace_id != unpacked.workspace_id:
        raise BackupForeign(
            expected="a backup of this very workspace",
            found="another one's",
            remedy="Restore it into an empty folder instead; nothing was changed.",
        )
