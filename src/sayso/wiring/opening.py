"""Making and opening workspaces."""

import errno
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from sayso.domain.key import KeyPlace
from sayso.errors import (
    DiskFull,
    KeyStoreMissing,
    LedgerError,
    LedgerTampered,
    SaysoError,
    WorkspaceError,
    WorkspaceExists,
    WorkspaceReadOnly,
)
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.heads import SLOTS
from sayso.services.audit import Audit
from sayso.services.book import Book
from sayso.services.custody import Custody
from sayso.services.ports import Clock
from sayso.settings import Settings
from sayso.store import safekeeping
from sayso.store.database import Database, write_fact
from sayso.store.keystore import NAME as KEYS
from sayso.store.repository import Repository
from sayso.store.sealing import WorkspaceKey
from sayso.store.vault import Vault
from sayso.wiring.layout import (
    DATABASE,
    LEDGER,
    actor,
    begin_ledger,
    given_key,
    key_file,
    require_workspace,
    signing_key,
    utc_now,
)
from sayso.wiring.renewing import finish_renewal
from sayso.wiring.workspace import Workspace


def create_workspace(folder: Path, place: KeyPlace, environment: Mapping[str, str]) -> Path:
    """Make a workspace: its database, its key and its ledger. Gives the folder's full path.

    Raises:
        WorkspaceExists: there is one already; it is not touched.
        WorkspaceReadOnly, DiskFull: the folder cannot take it; nothing is left behind.
        KeyMissing: the key was to come from the environment and is not there.
    """
    folder = folder.absolute()
    settings = Settings.read(folder, environment)
    file = key_file(folder, settings)
    if any((folder / name).exists() for name in (DATABASE, KEYS, LEDGER)) or (
        place is KeyPlace.FILE and file.exists()
    ):
        raise WorkspaceExists(
            expected="a folder without a workspace",
            found=f"one at {folder}",
            remedy="Use it as it is, or name another folder with --workspace.",
        )
    workspace_id = uuid.uuid4().hex
    if place is KeyPlace.ENVIRONMENT:
        key = given_key(place, file, workspace_id, environment)
    else:
        key = WorkspaceKey.generate()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(folder / DATABASE)
        database.create()
        with database.writing() as connection:
            write_fact(connection, "workspace_id", workspace_id)
        vault = Vault(key, database.keys)
        vault.claim(place, workspace_id)
        begin_ledger(
            Repository(database, key),
            folder,
            workspace_id,
            utc_now,
            actor=actor(settings),
            details={"change": "made", "place": place.value, "key": key.key_id},
        )
        database.close()
        (folder / DATABASE).chmod(0o600)
        safekeeping.put(place, key, file=file, workspace_id=workspace_id)
    except BaseException as error:
        _take_back(folder, file if place is KeyPlace.FILE else None)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    return folder


def open_workspace(
    folder: Path, environment: Mapping[str, str] | None = None, *, clock: Clock = utc_now
) -> Workspace:
    """Open a workspace; what a crash interrupted is finished first.

    Args:
        folder: where `create_workspace` made it.
        environment: settings and key variables; None: this process's own.
        clock: gives the present instant.

    Raises:
        WorkspaceMissing, WorkspaceNewer, WorkspaceDamaged: no workspace that can be read.
        KeyMissing, KeyExposed, KeyWrong, KeyStoreMissing: the key is not as it should be.
        SettingMalformed: a setting that does not fit.
        LedgerTampered, LedgerForked: the ledger is not the one that was written with it.
    """
    opened = _open(folder, environment)
    repository, book = opened.repository, opened.book(clock)
    if book.needs_settling():
        book.settle()
    workspace = Workspace(
        opened.folder, opened.settings, opened.database, repository, book, clock, opened.custody
    )
    return replace(workspace, notes=workspace.recover())


def open_audit(folder: Path, environment: Mapping[str, str] | None = None) -> Audit:
    """The audit of a workspace, also of one whose ledger is too damaged to work with.

    What an interruption left is settled, as on every start; what is not of that kind stays as it
    lies, for the audit to name.

    Raises:
        As `open_workspace` does, but for faults inside the ledger.
    """
    opened = _open(folder, environment)
    with suppress(LedgerError, WorkspaceError):
        book = opened.book(utc_now)
        if book.needs_settling():
            book.settle()
    with opened.repository.reading() as unit:
        remembered = unit.entries.head()
    opened.database.close()
    return Audit(opened.folder / LEDGER, opened.signing.verifier, opened.kept, remembered)


@dataclass(frozen=True)
class _Opened:
    """What every way of opening a workspace needs."""

    folder: Path
    settings: Settings
    database: Database
    custody: Custody

    @cached_property
    def repository(self) -> Repository:
        """What is kept."""
        return Repository(self.database, self.custody.key())

    @cached_property
    def signing(self) -> SigningKey:
        """What the ledger is signed with."""
        return signing_key(self.custody.workspace_id, self.repository.vault.ledger_seed)

    def book(self, clock: Clock) -> Book:
        """Database and ledger, written together."""
        ledger, who = self.folder / LEDGER, actor(self.settings)
        return Book(self.repository, ledger, self.signing, who, clock, kept=self.kept)

    @property
    def kept(self) -> Path | None:
        """The file for the copy of the newest checkpoint."""
        copy = self.settings.checkpoint_copy
        return Path(copy) if copy else None


def _open(folder: Path, environment: Mapping[str, str] | None) -> _Opened:
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    require_workspace(folder)
    settings = Settings.read(folder, environment)
    database = Database(folder / DATABASE)
    database.check_schema()
    if not database.keys.exists():
        raise _no_key_store(database.keys.path)
    custody = Custody(database.keys, key_file(folder, settings), environment)
    if custody.renewing is not None:
        finish_renewal(folder, settings, database, custody, utc_now)
    opened = _Opened(folder, settings, database, custody)
    _ = opened.repository  # a wrong key is told before anything of the ledger is
    if not any((folder / LEDGER / slot).is_file() for slot in SLOTS):
        raise LedgerTampered(
            where=LEDGER,
            expected="the ledger of this workspace",
            found="it removed",
            remedy="Restore the ledger from a backup, together with the database.",
        )
    return opened


def _unwritable(folder: Path, error: OSError) -> SaysoError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFull(
            expected=f"room on the disk of {folder}",
            found=error.strerror or "none",
            remedy="Free some space and run this again; nothing half-written was kept.",
        )
    return WorkspaceReadOnly(
        expected=f"a folder that may be written at {folder}",
        found=error.strerror or str(error),
        remedy="Choose another folder, or give this account the right to write there.",
    )


def _no_key_store(path: Path) -> KeyStoreMissing:
    return KeyStoreMissing(
        expected=f"the workspace's data keys at {path}",
        found="no such file",
        remedy="Put back a copy that `sayso key copy` made. Without one templates cannot be "
        "recovered: run `sayso key renew`, which keeps people, consents, marks and publications, "
        "and enrol again those who want to be recognised.",
    )


def _take_back(folder: Path, key: Path | None) -> None:
    """Remove what `create_workspace` made; none of it was there when it began."""
    made = [folder / f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm")]
    made += [folder / KEYS, folder / f"{KEYS}-journal"]
    for path in made if key is None else [*made, key]:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    for ledger in (LEDGER, f"{LEDGER}.new"):
        shutil.rmtree(folder / ledger, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()
