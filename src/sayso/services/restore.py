"""Restoring a backup: what was refused since it was made is refused again before it is served."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sayso.domain.person import PersonId
from sayso.errors import BackupForeign
from sayso.services.refusals import Refusals, replay, standing
from sayso.services.takedowns import DEFAULT_DAYS
from sayso.store.backup import Unpacked
from sayso.store.repository import Repository


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


def prepare(
    repository: Repository, unpacked: Unpacked, more: Refusals, home: Path, now: datetime
) -> Restored:
    """Make an unpacked backup fit to be served, before it is put in place.

    Args:
        repository: over the unpacked database, with the key store that will be in force.
        unpacked: the backup.
        more: refusals from elsewhere, beside those of the key store.
        home: the folder of the workspace, for the result.
        now: for what has to be taken down.
    """
    vault = repository.vault
    refusals = standing(vault).joined(more)
    for token, at in refusals.erased.items():
        vault.store.finish_erasure(token, at)
    vault.store.refuse(refusals.others)
    pending = {one.token for one in vault.store.pending_erasures()}
    with repository.writing() as unit:
        people = {vault.erasure_token(person.id): person.id for person in unit.people.all()}
        again = [people[token] for token in people if token in {*refusals.erased, *pending}]
        for person in again:
            places = unit.takedowns.places(person)
            due = now + timedelta(days=DEFAULT_DAYS)
            unit.takedowns.add(places, reason="erased", due_at=due)
            unit.people.erase(person)
        refused = replay(unit, vault, refusals)
    closed = repository.drop_closed()
    repository.database.vacuum()
    return Restored(home, unpacked.made_at, len(again), refused, tuple(sorted(closed)))


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
