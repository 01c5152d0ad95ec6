"""The only assembler: builds the services of a workspace from its settings."""

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sayso import __version__
from sayso.domain.person import Person
from sayso.errors import (
    DiskFull,
    FileMissing,
    KeyStoreMissing,
    NotConfirmed,
    OutputRefused,
    SaysoError,
    WorkspaceExists,
    WorkspaceMissing,
    WorkspaceReadOnly,
)
from sayso.services.custody import Custody
from sayso.services.declare import Declare
from sayso.services.enrol import Enrol
from sayso.services.eye import Eye
from sayso.services.find import FindPhotographs
from sayso.services.identify import Identify, Verify
from sayso.services.judge import Judge
from sayso.services.objections import Object
from sayso.services.ports import Clock
from sayso.services.publish import Publish
from sayso.services.recognition import Recogniser
from sayso.services.refusals import Refusals, read_list, standing, write_list
from sayso.services.restore import Restored, check_same, prepare
from sayso.services.retention import Retention
from sayso.services.rights import Rights
from sayso.services.roll import Roll
from sayso.services.scan import Scan
from sayso.services.screen import Screen
from sayso.services.takedowns import TakeDowns
from sayso.settings import FILE, Settings
from sayso.sources.folder import Folder
from sayso.store import backup as backups
from sayso.store import safekeeping
from sayso.store.backup import UNPACKED, Written, clear_unpacked, unpack
from sayso.store.database import Database, read_fact, write_fact
from sayso.store.keystore import NAME as KEYS
from sayso.store.keystore import KeyStore
from sayso.store.repository import Repository
from sayso.store.safekeeping import KeyPlace
from sayso.store.sealing import WorkspaceKey
from sayso.store.vault import Vault
from sayso.vision.decode import DecodeLimits
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.models import SFACE, YUNET, load
from sayso.vision.runtime import OpenVinoNetwork

__all__ = [
    "KeyPlace",
    "Workspace",
    "create_workspace",
    "open_workspace",
    "renew_key",
    "restore_workspace",
    "utc_now",
]

DATABASE = "sayso.sqlite"
KEY = "workspace.key"


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def create_workspace(folder: Path, place: KeyPlace, environment: Mapping[str, str]) -> Path:
    """Make a workspace: its database and its key. Gives the folder's full path.

    Raises:
        WorkspaceExists: there is one already; it is not touched.
        WorkspaceReadOnly, DiskFull: the folder cannot take it; nothing is left behind.
        KeyMissing: the key was to come from the environment and is not there.
    """
    folder = folder.absolute()
    settings = Settings.read(folder, environment)
    file = _key_file(folder, settings)
    if any((folder / name).exists() for name in (DATABASE, KEYS)) or (
        place is KeyPlace.FILE and file.exists()
    ):
        raise WorkspaceExists(
            expected="a folder without a workspace",
            found=f"one at {folder}",
            remedy="Use it as it is, or name another folder with --workspace.",
        )
    workspace_id = uuid.uuid4().hex
    if place is KeyPlace.ENVIRONMENT:
        key = _key(place, file, workspace_id, environment)
    else:
        key = WorkspaceKey.generate()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(folder / DATABASE)
        database.create()
        with database.writing() as connection:
            write_fact(connection, "workspace_id", workspace_id)
        Vault(key, database.keys).claim(place, workspace_id)
        database.close()
        (folder / DATABASE).chmod(0o600)
        safekeeping.put(place, key, file=file, workspace_id=workspace_id)
    except BaseException as error:
        _take_back(folder, file if place is KeyPlace.FILE else None)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    return folder


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


def open_workspace(
    folder: Path, environment: Mapping[str, str] | None = None, *, clock: Clock = utc_now
) -> "Workspace":
    """Open a workspace.

    Args:
        folder: where `create_workspace` made it.
        environment: settings and key variables; None: this process's own.
        clock: gives the present instant.

    Raises:
        WorkspaceMissing, WorkspaceNewer, WorkspaceDamaged: no workspace that can be read.
        KeyMissing, KeyExposed, KeyWrong: the key is not as it should be.
        SettingMalformed: a setting that does not fit.
    """
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    _require_workspace(folder)
    settings = Settings.read(folder, environment)
    database = Database(folder / DATABASE)
    database.check_schema()
    if not database.keys.exists():
        raise _no_key_store(database.keys.path)
    custody = Custody(database.keys, _key_file(folder, settings), environment)
    repository = Repository(database, custody.key())
    workspace = Workspace(folder, settings, database, repository, clock, custody)
    return replace(workspace, notes=workspace.recover())


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
        database = Database(unpacked.folder / DATABASE, store)
        try:
            check_same(unpacked, store.fact("workspace_id"))
            database.check_schema()
            settings = Settings.read(folder, environment)
            key = Custody(store, _key_file(folder, settings), environment).key()
            done = prepare(Repository(database, key), unpacked, more, folder, clock())
        finally:
            database.close()
        backups.close_log(unpacked.folder / DATABASE)
        if not there:
            backups.put_in_place(unpacked.folder / KEYS, folder / KEYS)
        for extra in unpacked.extra:
            if not (folder / extra).exists():
                (folder / extra).parent.mkdir(parents=True, exist_ok=True)
                (unpacked.folder / extra).replace(folder / extra)
        backups.put_in_place(unpacked.folder / DATABASE, folder / DATABASE)
    return done


def renew_key(folder: Path, environment: Mapping[str, str] | None = None) -> int:
    """Begin anew with a new key after the old one was lost; gives how many templates went.

    Raises:
        WorkspaceMissing, WorkspaceNewer, WorkspaceDamaged: no workspace that can be read.
    """
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    _require_workspace(folder)
    settings = Settings.read(folder, environment)
    database = Database(folder / DATABASE)
    try:
        database.check_schema()
        if not database.keys.exists():
            with database.reading() as connection:
                workspace_id = read_fact(connection, "workspace_id") or ""
            database.keys.set_facts({"workspace_id": workspace_id})
        file = _key_file(folder, settings)
        custody = Custody(database.keys, file, environment)
        place = custody.place
        if place is KeyPlace.ENVIRONMENT:
            key = _key(place, file, "", environment)
        else:
            key = WorkspaceKey.generate()
        count = custody.renew(Repository(database, key), key, place)
        database.forget()
        return count
    finally:
        database.close()


@dataclass(frozen=True)
class Workspace:
    """An open workspace: every service, each built when first asked for."""

    folder: Path
    settings: Settings
    database: Database
    repository: Repository
    clock: Clock
    custody: Custody
    notes: tuple[str, ...] = ()

    def recover(self) -> tuple[str, ...]:
        """Finish what a crash interrupted, before anything else; gives what there is to tell.

        Raises:
            ErasureIncomplete, WorkspaceBusy: an erasure still cannot be finished.
        """
        clear_unpacked(self.folder)
        finished = self.rights.erasing.finish()
        closed = self.repository.settle()
        notes = [f"An erasure that was interrupted is finished: {one.person}." for one in finished]
        if closed:
            self.repository.forget()
            notes.append(
                f"Templates of {len(closed)} people could not be opened any more, their data keys "
                f"being gone, and were removed: {', '.join(sorted(closed))}. Enrol them again."
            )
        return tuple(notes)

    @cached_property
    def declare(self) -> Declare:
        """Declares collections."""
        return Declare(self.repository, self.clock)

    @cached_property
    def enrol(self) -> Enrol:
        """Enrols people."""
        return Enrol(self.repository, self.eye, self._load_recogniser, self.clock)

    @cached_property
    def scan(self) -> Scan:
        """Scans collections."""
        return Scan(
            self.repository,
            self.eye,
            self._load_recogniser,
            self._open_source,
            self.clock,
            self.settings.cores,
            self.settings.retain_templates_days,
            self.settings.takedown_days,
        )

    @cached_property
    def retention(self) -> Retention:
        """Lets go of what may be kept no longer."""
        return Retention(
            self.repository,
            self.clock,
            self.settings.retain_templates_days,
            self.settings.takedown_days,
        )

    @cached_property
    def takedowns(self) -> TakeDowns:
        """Keeps the take-down list."""
        return TakeDowns(self.repository, self.clock, self.settings.takedown_days)

    @cached_property
    def objections(self) -> Object:
        """Records objections."""
        return Object(self.repository, self.clock)

    def write_refusals(self, out: Path) -> Refusals:
        """Write the list of erasures and refusals, for a restore on another machine."""
        listed = standing(self.repository.vault)
        with _writable_file(out):
            out.write_text(write_list(listed), encoding="utf-8")
        return listed

    def copy_keys(self, out: Path) -> None:
        """Write a copy of the key store, which erasures and changes of key write anew."""
        with _writable_file(out):
            self.custody.copy(self.repository, out.absolute(), self.clock())

    def backup(self, out: Path) -> Written:
        """Write a backup: one new file, without any data key.

        Raises:
            OutputRefused, DiskFull: the file cannot be written; nothing is left behind.
        """
        named = {FILE: self.folder / FILE}
        extra = {name: path for name, path in named.items() if path.is_file()}
        return backups.write_backup(
            self.database, out.absolute(), extra=extra, version=__version__, now=self.clock()
        )

    @cached_property
    def identify(self) -> Identify:
        """Tells who is in a picture."""
        return Identify(self.repository, self.eye, self._load_recogniser, self.clock)

    @cached_property
    def verify(self) -> Verify:
        """Compares one face with one person."""
        return Verify(
            self.repository, self.eye, self._load_recogniser, self._open_source, self.clock
        )

    @cached_property
    def find(self) -> FindPhotographs:
        """Finds a person's photographs."""
        return FindPhotographs(self.repository, self.clock)

    @cached_property
    def screen(self) -> Screen:
        """Says what may be published."""
        return Screen(self.repository, self.clock)

    @cached_property
    def publish(self) -> Publish:
        """Writes covered copies."""
        return Publish(
            self.repository,
            self.eye,
            self.screen,
            self._open_source,
            self.clock,
            self.settings.cores,
            __version__,
        )

    @cached_property
    def people(self) -> Roll:
        """Lists everybody who was asked."""
        return Roll(self.repository, self.clock)

    def person(self, id_or_name: str) -> Person:
        """One person, by id or by a name that only one has.

        Raises:
            PersonUnknown, PersonAmbiguous: not one person.
        """
        return self.people.one(id_or_name)

    @cached_property
    def judge(self) -> Judge:
        """Takes a human's word."""
        return Judge(self.repository, self.clock)

    @cached_property
    def rights(self) -> Rights:
        """Withdraws and erases."""
        # Looked up, not prepared: erasing needs no model.
        return Rights(self.repository, self.clock, (self._cache,), self.settings.takedown_days)

    @cached_property
    def eye(self) -> Eye:
        """Decodes photographs and finds faces."""
        settings = self.settings
        network = self._network(load(YUNET, self._cache))
        return Eye(
            Detector(network, score_threshold=settings.detection_score),
            DecodeLimits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels),
            settings.smallest_face_px,
        )

    @cached_property
    def _recogniser(self) -> Recogniser:
        network = self._network(load(SFACE, self._cache))
        dimension = SFACE.dimension or 0
        return Recogniser(
            Embedder(network, dimension=dimension),
            SFACE.sha256,
            dimension,
            SFACE.operating_points,
            self.settings.promise,
        )

    def _load_recogniser(self) -> Recogniser:
        return self._recogniser

    def _network(self, model: bytes) -> OpenVinoNetwork:
        # One stream for each worker: photographs are worked on side by side, not one by all.
        cores = self.settings.cores
        return OpenVinoNetwork(
            model, threads=cores, streams=cores, cache=_writable(self._cache / "compiled")
        )

    def _open_source(self, folder: str) -> Folder:
        return Folder(Path(folder), leaving_out=self.folder)

    @cached_property
    def _cache(self) -> Path:
        import platformdirs  # noqa: PLC0415 - only commands with pictures need it

        return Path(self.settings.cache or platformdirs.user_cache_dir("sayso"))

    def close(self) -> None:
        """Give back what is held."""
        self.database.close()


def _require_workspace(folder: Path) -> None:
    if not (folder / DATABASE).is_file():
        raise WorkspaceMissing(
            expected=f"a workspace at {folder}",
            found="none",
            remedy="Make one with `sayso init`, or name the right folder with --workspace.",
        )


def _no_key_store(path: Path) -> KeyStoreMissing:
    return KeyStoreMissing(
        expected=f"the workspace's data keys at {path}",
        found="no such file",
        remedy="Put back a copy that `sayso key copy` made. Without one templates cannot be "
        "recovered: run `sayso key renew`, which keeps people, consents, marks and publications, "
        "and enrol again those who want to be recognised.",
    )


@contextmanager
def _writable_file(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputRefused(
            expected=f"a file that can be written at {out}",
            found=error.strerror or str(error),
            remedy="Name another, or give this account the right to write there.",
        ) from error


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


def _key_file(folder: Path, settings: Settings) -> Path:
    return Path(settings.key_file) if settings.key_file else folder / KEY


def _key(
    place: KeyPlace, file: Path, workspace_id: str, environment: Mapping[str, str]
) -> WorkspaceKey:
    variable = environment.get(safekeeping.VARIABLE)
    return safekeeping.get(place, file=file, workspace_id=workspace_id, variable=variable)


def _writable(folder: Path) -> Path | None:
    """The folder if it can be written, else None: a cache is a convenience."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return None


def _take_back(folder: Path, key: Path | None) -> None:
    """Remove what `create_workspace` made; none of it was there when it began."""
    made = [folder / f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm")]
    made.append(folder / KEYS)
    for path in made if key is None else [*made, key]:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
