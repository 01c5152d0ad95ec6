"""The only assembler: builds the services of a workspace from its settings."""

import errno
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sayso import __version__
from sayso.domain.person import Person
from sayso.errors import (
    DiskFull,
    LedgerError,
    LedgerTampered,
    SaysoError,
    WorkspaceError,
    WorkspaceExists,
    WorkspaceMissing,
    WorkspaceReadOnly,
)
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.heads import SLOTS
from sayso.ledger.journal import Journal
from sayso.services.audit import Audit
from sayso.services.book import Book
from sayso.services.declare import Declare
from sayso.services.enrol import Enrol
from sayso.services.eye import Eye
from sayso.services.find import FindPhotographs
from sayso.services.identify import Identify, Verify
from sayso.services.judge import Judge
from sayso.services.ports import Clock
from sayso.services.publish import Publish
from sayso.services.recognition import Recogniser
from sayso.services.rights import Rights
from sayso.services.roll import Roll
from sayso.services.scan import Scan
from sayso.services.screen import Screen
from sayso.settings import Settings
from sayso.sources.folder import Folder
from sayso.store import safekeeping
from sayso.store.database import Database, read_fact, write_fact
from sayso.store.repository import Repository
from sayso.store.safekeeping import KeyPlace
from sayso.store.sealing import WorkspaceKey
from sayso.vision.decode import DecodeLimits
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.models import SFACE, YUNET, load
from sayso.vision.runtime import OpenVinoNetwork

__all__ = ["KeyPlace", "Workspace", "create_workspace", "open_workspace", "utc_now"]

DATABASE = "sayso.sqlite"
KEY = "workspace.key"
LEDGER = "ledger"
_SEED = "ledger_seed"
_SEED_BYTES = 32


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
    if (folder / DATABASE).exists() or (place is KeyPlace.FILE and file.exists()):
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
            write_fact(connection, "key_place", place)
            write_fact(connection, "key_check", key.check())
            seed = os.urandom(_SEED_BYTES)
            write_fact(connection, _SEED, key.wrap(_SEED, seed).hex())
        Journal.create(folder / LEDGER, _signing_key(workspace_id, seed), utc_now).close()
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
        LedgerTampered, LedgerForked: the ledger is not the one that was written with it.
    """
    opened = _open(folder, environment)
    repository, book = opened.repository, opened.book(clock)
    if book.needs_settling():
        book.settle()
    return Workspace(opened.folder, opened.settings, opened.database, repository, book, clock)


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
    key: WorkspaceKey
    signing: SigningKey

    @cached_property
    def repository(self) -> Repository:
        """What is kept."""
        return Repository(self.database, self.key)

    def book(self, clock: Clock) -> Book:
        """Database and ledger, written together."""
        actor = self.settings.operator or f"account-{os.getuid()}"
        ledger = self.folder / LEDGER
        return Book(self.repository, ledger, self.signing, actor, clock, kept=self.kept)

    @property
    def kept(self) -> Path | None:
        """The file for the copy of the newest checkpoint."""
        copy = self.settings.checkpoint_copy
        return Path(copy) if copy else None


def _open(folder: Path, environment: Mapping[str, str] | None) -> _Opened:
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    if not (folder / DATABASE).is_file():
        raise WorkspaceMissing(
            expected=f"a workspace at {folder}",
            found="none",
            remedy="Make one with `sayso init`, or name the right folder with --workspace.",
        )
    settings = Settings.read(folder, environment)
    database = Database(folder / DATABASE)
    database.check_schema()
    with database.reading() as connection:
        workspace_id = read_fact(connection, "workspace_id") or ""
        place = KeyPlace(read_fact(connection, "key_place") or KeyPlace.FILE)
        check = read_fact(connection, "key_check") or ""
        sealed_seed = bytes.fromhex(read_fact(connection, _SEED) or "")
    key = _key(place, _key_file(folder, settings), workspace_id, environment)
    key.verify(check)
    if not any((folder / LEDGER / slot).is_file() for slot in SLOTS):
        raise LedgerTampered(
            where=LEDGER,
            expected="the ledger of this workspace",
            found="it removed",
            remedy="Restore the ledger from a backup, together with the database.",
        )
    signing = _signing_key(workspace_id, key.unwrap(_SEED, sealed_seed))
    return _Opened(folder, settings, database, key, signing)


@dataclass(frozen=True)
class Workspace:
    """An open workspace: every service, each built when first asked for."""

    folder: Path
    settings: Settings
    database: Database
    repository: Repository
    book: Book
    clock: Clock

    @cached_property
    def declare(self) -> Declare:
        """Declares collections."""
        return Declare(self.repository, self.book, self.clock)

    @cached_property
    def enrol(self) -> Enrol:
        """Enrols people."""
        return Enrol(self.repository, self.book, self.eye, self._load_recogniser, self.clock)

    @cached_property
    def scan(self) -> Scan:
        """Scans collections."""
        return Scan(
            self.repository,
            self.book,
            self.eye,
            self._load_recogniser,
            self._open_source,
            self.clock,
            self.settings.cores,
        )

    @cached_property
    def identify(self) -> Identify:
        """Tells who is in a picture."""
        return Identify(self.repository, self.book, self.eye, self._load_recogniser, self.clock)

    @cached_property
    def verify(self) -> Verify:
        """Compares one face with one person."""
        return Verify(
            self.repository,
            self.book,
            self.eye,
            self._load_recogniser,
            self._open_source,
            self.clock,
        )

    @cached_property
    def find(self) -> FindPhotographs:
        """Finds a person's photographs."""
        return FindPhotographs(self.book, self.clock)

    @cached_property
    def screen(self) -> Screen:
        """Says what may be published."""
        return Screen(self.repository, self.clock)

    @cached_property
    def publish(self) -> Publish:
        """Writes covered copies."""
        return Publish(
            self.repository,
            self.book,
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
        return Judge(self.book, self.clock)

    @cached_property
    def rights(self) -> Rights:
        """Withdraws and erases."""
        return Rights(self.repository, self.book, self.clock)

    @property
    def audit(self) -> Audit:
        """Checks the ledger and proves what it says."""
        with self.repository.reading() as unit:
            head = unit.entries.head()
        return Audit(self.folder / LEDGER, self.book.verifier, self.book.kept, head)

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


def _signing_key(workspace_id: str, seed: bytes) -> SigningKey:
    return SigningKey.from_seed(f"sayso/{workspace_id}", seed)


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
    for path in made if key is None else [*made, key]:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    for ledger in (LEDGER, f"{LEDGER}.new"):
        shutil.rmtree(folder / ledger, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()
