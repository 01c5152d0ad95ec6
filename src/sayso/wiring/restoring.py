"""Putting a backup back."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sayso.errors import FileMissing, NotConfirmed, WorkspaceDamaged, WorkspaceMissing
from sayso.ledger.disk import PosixFolder, sync_folder
from sayso.ledger.heads import SLOTS
from sayso.services.book import Book
from sayso.services.custody import Custody
from sayso.services.ports import Clock
from sayso.services.refusals import Refusals, read_list
from sayso.services.restore import Restored, check_same, prepare, require_continued
from sayso.services.since_backup import Since, since_backup
from sayso.settings import FILE, Settings
from sayso.store.backup import UNPACKED, Unpacked, close_log, put_in_place, unpack
from sayso.store.database import Database
from sayso.store.keystore import NAME as KEYS
from sayso.store.keystore import KeyStore
from sayso.store.repository import Repository
from sayso.wiring.layout import (
    ADDED,
    DATABASE,
    LEDGER,
    actor,
    key_file,
    require_workspace,
    signing_key,
    utc_now,
)
from sayso.wiring.renewing import finish_renewal


def restore_workspace(  # noqa: PLR0913 - the facts of a restore
    backup: Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    yes: bool = False,
    refusals: Path | None = None,
    keys: Path | None = None,
    clock: Clock = utc_now,
) -> Restored:
    """Restore a backup into an empty folder or, with ``yes``, over the workspace it was made of.

    A ledger that is there is kept: it is newer than the backup's, or the backup is refused.

    Args:
        backup: the file.
        folder: of the workspace; the key must be where the workspace had it.
        environment: settings and key variables; None: this process's own.
        yes: put it in the place of a workspace that is there.
        refusals: a list that `sayso refusals` wrote, of a workspace that is not here any more.
        keys: a copy of the key store that `sayso key copy` wrote.
        clock: gives the present instant.

    Raises:
        NotConfirmed: there is a workspace and ``yes`` was not said.
        BackupDamaged, BackupForeign, WorkspaceNewer, ListMalformed: nothing was changed.
        LedgerNewer: the ledger that is there does not continue the backup's.
        WorkspaceBusy: another process has the workspace open.
        KeyMissing, KeyExposed, KeyWrong: the key is not as it should be.
    """
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    if (folder / DATABASE).exists() and not yes:
        raise NotConfirmed(
            expected="a yes to replacing the workspace that is there",
            found=f"one at {folder}",
            remedy="Pass --yes if you are sure; nothing was changed.",
        )
    more = Refusals({}, ()) if refusals is None else read_list(refusals)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder, prefix=UNPACKED) as name:
        unpacked = unpack(backup, Path(name))
        live = KeyStore(folder / KEYS)
        there = live.exists()
        if not there and keys is not None:
            _copy_in(keys, unpacked.folder / KEYS)
        store = live if there else KeyStore(unpacked.folder / KEYS)
        with closing(Database(unpacked.folder / DATABASE, store)) as database:
            check_same(unpacked, store.fact("workspace_id"))
            database.check_schema()
            settings = Settings.read(folder, environment)
            custody = Custody(store, key_file(folder, settings), environment)
            if there and custody.renewing is not None:
                _renew(folder, settings, database, custody, clock)
            key = custody.key()
            repository = Repository(database, key, in_force=False)
            book = _book(repository, folder, unpacked, settings, clock)
            if (folder / DATABASE).exists():
                close_log(folder / DATABASE)  # busy is told before anything is entered
            done = prepare(
                book,
                unpacked,
                more,
                _since(book, unpacked),
                folder,
                clock(),
                operators=settings.review_operators,
            )
        _put_in_place(unpacked, folder, keys_too=not there)
    with closing(Database(folder / DATABASE)) as served:
        Repository(served, key).settle()  # keys of whom the backup does not know
    return done


def _renew(
    folder: Path, settings: Settings, backup: Database, custody: Custody, clock: Clock
) -> None:
    """Finish a beginning anew that was interrupted, so that there is one key and one ledger.

    The workspace's database is told of the new ledger or, where it cannot be read, which is why a
    backup is restored, the backup's: that takes its place.
    """
    with closing(Database(folder / DATABASE, custody.store)) as live:
        try:
            require_workspace(folder)
            live.check_schema()
            finish_renewal(folder, settings, live, custody, clock)
        except (WorkspaceMissing, WorkspaceDamaged):
            finish_renewal(folder, settings, backup, custody, clock)


def _book(
    repository: Repository, folder: Path, unpacked: Unpacked, settings: Settings, clock: Clock
) -> Book:
    """The unpacked database with the ledger that will be in force."""
    signing = signing_key(unpacked.workspace_id, repository.vault.ledger_seed)
    ledger = unpacked.folder / LEDGER
    if _is_ledger(folder / LEDGER):
        require_continued(folder / LEDGER, ledger, signing.verifier)
        ledger = folder / LEDGER
    kept = Path(settings.checkpoint_copy) if settings.checkpoint_copy else None
    return Book(repository, ledger, signing, actor(settings), clock, kept=kept)


def _since(book: Book, unpacked: Unpacked) -> Since:
    """What the ledger that is there tells of; nothing where it is the backup's."""
    theirs = unpacked.folder / LEDGER
    return Since() if book.folder == theirs else since_backup(book.folder, theirs, book.verifier)


def _put_in_place(unpacked: Unpacked, folder: Path, *, keys_too: bool) -> None:
    """The database last: before it is there nothing is served."""
    close_log(unpacked.folder / DATABASE)
    if keys_too:
        put_in_place(unpacked.folder / KEYS, folder / KEYS)
    if not _is_ledger(folder / LEDGER):
        earlier = PosixFolder(unpacked.folder / LEDGER).laid_aside()
        for ledger in (*(one.path for one in earlier), unpacked.folder / LEDGER):
            shutil.rmtree(folder / ledger.name, ignore_errors=True)
            ledger.rename(folder / ledger.name)
    if FILE in unpacked.extra and not (folder / FILE).exists():
        (unpacked.folder / FILE).replace(folder / FILE)
    for model in sorted((unpacked.folder / ADDED).glob("*.onnx")):
        (folder / ADDED).mkdir(mode=0o700, exist_ok=True)
        model.replace(folder / ADDED / model.name)  # verified by its SHA-256 when it is used
    sync_folder(folder)
    put_in_place(unpacked.folder / DATABASE, folder / DATABASE)


def _is_ledger(path: Path) -> bool:
    return any((path / slot).is_file() for slot in SLOTS)


def _copy_in(keys: Path, target: Path) -> None:
    """Take over a copy of a key store, which itself is not touched."""
    try:
        shutil.copyfile(keys, target)
    except OSError as error:
        raise FileMissing(
            expected=f"a copy of the key store at {keys}",
            found=error.strerror or "an error",
            remedy="Check its name; `sayso key copy` wrote it.",
        ) from error
