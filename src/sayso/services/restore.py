"""Restoring a backup: what was refused since it was made is refused again before it is served."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sayso.domain.person import PersonId
from sayso.errors import (
    BackupForeign,
    CheckpointInvalid,
    LedgerForked,
    LedgerNewer,
    LedgerTampered,
)
from sayso.ledger import aside
from sayso.ledger.checkpoint import VerifierKey
from sayso.ledger.disk import PosixFolder
from sayso.ledger.entry import Action
from sayso.ledger.reader import Reader
from sayso.services.book import Book
from sayso.services.refusals import WITHDRAWAL, Refusals, replay, standing
from sayso.services.said_again import say_again
from sayso.services.since_backup import Since
from sayso.services.takedowns import DEFAULT_DAYS
from sayso.store.backup import Unpacked
from sayso.store.keystore import Refused
from sayso.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back, and what it did not.

    Attributes:
        made_at: when the backup was made.
        erased: people of the backup who were erased since, and now again.
        refused: withdrawals and objections since, recorded again.
        closed: people whose templates cannot be opened any more: they must be enrolled again.
        said: what humans said of faces since, said again.
        lost: what they said since of faces that the backup does not know.
    """

    folder: Path
    made_at: datetime
    erased: int
    refused: int
    closed: tuple[PersonId, ...]
    said: int = 0
    lost: int = 0


def prepare(  # noqa: PLR0913, PLR0917 - the facts of a restore
    book: Book,
    unpacked: Unpacked,
    more: Refusals,
    since: Since,
    home: Path,
    now: datetime,
    *,
    operators: int,
) -> Restored:
    """Make an unpacked backup fit to be served, before it is put in place.

    Args:
        book: over the unpacked database, with the key store and the ledger that will be in force.
        unpacked: the backup.
        more: refusals from elsewhere, beside those of the key store.
        since: what the ledgers that are there tell of the time since it was made.
        home: the folder of the workspace, for the result.
        now: for what has to be taken down.
        operators: how many must say the same of a face.
    """
    repository, vault = book.repository, book.repository.vault
    pending = {one.token for one in vault.store.pending_erasures()}
    refusals = _refusals(vault, since, pending, now).joined(standing(vault).joined(more))
    for token, at in refusals.erased.items():
        vault.store.finish_erasure(token, at)
    vault.store.refuse(refusals.others)
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
            if book.tells_of(unit, person):
                book.erase(unit, person, {"references": 0})
            unit.people.erase(person)
        refused = replay(unit, vault, refusals)
        said, lost = say_again(unit, since.words, operators)
        counts = {"erased_again": len(again), "refused_again": refused, "said_again": said}
        made = unpacked.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        page.enter(Action.RESTORE, details={"made_at": made, **counts})
    closed = repository.drop_closed()
    repository.database.vacuum()
    left = tuple(sorted(closed))
    return Restored(home, unpacked.made_at, len(again), refused, left, said, lost)


def _refusals(vault: Vault, since: Since, pending: Container[str], now: datetime) -> Refusals:
    """What the ledgers tell, as the key store keeps it, so that no later restore forgets it.

    An erasure that is still pending is left out: it is done once it has been read back.
    """
    erased = (vault.erasure_token(person) for person in sorted(since.erased))
    return Refusals(
        {token: now.isoformat() for token in erased if token not in pending},
        tuple(
            Refused(WITHDRAWAL, vault.erasure_token(person), purpose.value, at.isoformat())
            for person, purpose, at in since.withdrawn
        ),
    )


def require_continued(live: Path, backup: Path, key: VerifierKey) -> None:
    """Refuse a backup that tells of things of which the ledger that is there does not.

    A backup that was made before a key was lost has a ledger that was laid aside since.

    Raises:
        LedgerNewer: neither the ledger that is there nor one before it continues the backup's.
        LedgerTampered: the backup's ledger is none that their keys signed.
    """
    folder = PosixFolder(live)
    with Reader.open(live, key) as reader:
        size, note = _head(backup, [key, *aside.keys(folder)])
        try:
            aside.require_continued(folder, reader, note)
        except (LedgerForked, CheckpointInvalid) as error:
            raise LedgerNewer(
                expected=f"a ledger that continues the backup's, of {size} entries",
                found=f"another history, of {reader.size} entries",
                remedy="Keep both as evidence, and restore this backup into an empty folder; "
                "nothing was changed.",
            ) from error


def _head(ledger: Path, keys: Sequence[VerifierKey]) -> tuple[int, bytes]:
    """A backup's ledger: its size and signed head, by whichever of some keys signed it."""
    faults = []
    for key in keys:
        try:
            with Reader.open(ledger, key) as reader:
                return reader.size, reader.head.note
        except LedgerTampered as error:
            faults.append(error)
    raise faults[0]


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
