"""Beginning anew with another key, the old one being lost; finished on the next start if need be.

The order, of which each step can be done again:

1. the new key is put beside the place of the old one;
2. the key store is told of it, in one transaction with what is still to be done: from here on the
   workspace is the new key's, and every start goes on with steps 3 to 6;
3. the new key takes its place;
4. the ledger so far is laid aside, with its public key: nobody can sign in it any more;
5. a new ledger is begun, whose first entry says so, and where the old one ended;
6. the database is told of the new ledger, and the key store that nothing is left to do.
"""

import os
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sayso.domain.key import KeyPlace
from sayso.errors import LedgerError, SaysoError, WorkspaceError
from sayso.ledger import erasure
from sayso.ledger.admission import Json
from sayso.ledger.aside import PUBLIC_KEY
from sayso.ledger.checkpoint import Checkpoint, VerifierKey
from sayso.ledger.disk import PosixFolder, sync_folder
from sayso.ledger.heads import read_heads
from sayso.ledger.reader import Reader
from sayso.services.custody import Custody
from sayso.services.ports import Clock
from sayso.settings import Settings
from sayso.store.database import Database, read_fact
from sayso.store.repository import Repository
from sayso.store.sealing import WorkspaceKey
from sayso.wiring.layout import (
    DATABASE,
    LEDGER,
    actor,
    begin_ledger,
    given_key,
    key_file,
    require_workspace,
    utc_now,
)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What beginning anew left behind.

    Attributes:
        templates: how many went.
        old_ledger: where the ledger so far lies, with its public key; None: there was none.
    """

    templates: int
    old_ledger: Path | None


def renew_key(
    folder: Path, environment: Mapping[str, str] | None = None, *, clock: Clock = utc_now
) -> Renewed:
    """Begin anew with a new key after the old one was lost.

    The old key signed the ledger: it is laid aside with its public key, to be read and verified,
    and a new one is begun. If that was interrupted, it is gone on with.

    Raises:
        WorkspaceMissing, WorkspaceNewer, WorkspaceDamaged: no workspace that can be read.
        KeyMissing: the key was to come from the environment and is not there.
    """
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    require_workspace(folder)
    settings = Settings.read(folder, environment)
    with closing(Database(folder / DATABASE)) as database:
        database.check_schema()
        if not database.keys.exists():
            with database.reading() as connection:
                workspace_id = read_fact(connection, "workspace_id") or ""
            database.keys.set_facts({"workspace_id": workspace_id})
        custody = Custody(database.keys, key_file(folder, settings), environment)
        if not _begun(custody):
            place = custody.place
            if place is KeyPlace.ENVIRONMENT:
                key = given_key(place, custody.file, "", environment)
            else:
                key = WorkspaceKey.generate()
            custody.renew(Repository(database, key), key, place, _free_name(folder))
        return finish_renewal(folder, settings, database, custody, clock)


def _begun(custody: Custody) -> bool:
    """Whether there is a beginning anew to go on with, and the key that it was begun with."""
    if custody.renewing is None:
        return False
    try:
        custody.key()
    except SaysoError:
        return False  # lost as well: begin once more
    return True


def finish_renewal(
    folder: Path, settings: Settings, database: Database, custody: Custody, clock: Clock
) -> Renewed:
    """Steps 3 to 6.

    Raises:
        KeyMissing, KeyExposed, KeyWrong: the new key is not as it should be.
        LedgerUnwritable, DiskFull: the new ledger cannot be written; call it again.
    """
    noted = custody.renewing or {}
    repository = Repository(database, custody.key())
    repository.settle()
    laid_aside = None if noted.get("aside") is None else folder / noted["aside"]
    old = _lay_ledger_aside(repository, folder, laid_aside)
    details: dict[str, Json] = {
        "change": "renewed",
        "place": custody.place.value,
        "key": repository.vault.key_id,
        "templates_lost": noted.get("templates", 0),
        "previous_size": None if old is None else old.size,
        "previous_root": None if old is None else old.root.hex(),
    }
    begin_ledger(
        repository, folder, custody.workspace_id, clock, actor=actor(settings), details=details
    )
    custody.renewed()
    database.forget()
    return Renewed(noted.get("templates", 0), laid_aside)


def _free_name(folder: Path) -> str | None:
    """What the ledger is to be called when it is laid aside; None: there is none."""
    if not (folder / LEDGER).exists():
        return None
    number = 1
    while (folder / f"{LEDGER}-{number}").exists():
        number += 1
    return f"{LEDGER}-{number}"


def _lay_ledger_aside(
    repository: Repository, folder: Path, target: Path | None
) -> Checkpoint | None:
    """Step 4; gives where the old ledger ended, if its public key can tell.

    An erasure that was interrupted in it is finished: nobody can open it for writing afterwards.
    """
    if target is None:
        return None
    lying = PosixFolder(target if target.exists() else folder / LEDGER)
    with repository.reading() as unit:
        public = unit.entries.public_key()
    end = None if public is None else _end(lying, public)
    if lying.path != target:
        if end is not None:
            lying.replace(PUBLIC_KEY, f"{public}\n".encode())
        lying.path.rename(target)
        sync_folder(folder)
    return end


def _end(ledger: PosixFolder, public: str) -> Checkpoint | None:
    with suppress(LedgerError, WorkspaceError, OSError):  # damaged: laid aside as it lies
        key = VerifierKey.parse(public)
        end = read_heads(ledger, key).newest.checkpoint
        with suppress(LedgerError), closing(Reader(ledger, key, writable=True)) as reader:
            erasure.finish(ledger, reader)
        return end
    return None
