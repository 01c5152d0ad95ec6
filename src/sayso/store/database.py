"""The database: opening, migrating, transactions, and what deletion leaves on disk."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sayso.errors import (
    DiskFull,
    SaysoError,
    WorkspaceBusy,
    WorkspaceDamaged,
    WorkspaceNewer,
    WorkspaceReadOnly,
)
from sayso.store.keystore import NAME, KeyStore
from sayso.store.tables import facts

SCHEMA = "0001"
"""The newest migration; a workspace at any other unknown one was written by a newer Sayso."""

_BUSY_TIMEOUT_S = 30.0
_TRUNCATE_TIMEOUT_S = 10.0
_VERSION = "version"
_NO_ROOM = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"})
"""A disk without room; SQLite calls a used-up quota an input/output error."""


class Database:
    """One SQLite file in WAL mode. Safe to share between threads.

    Every connection zeroes what it deletes (``secure_delete=ON``), enforces foreign keys, and
    syncs each commit to disk before it is acknowledged.

    Args:
        path: of the database.
        keys: the key store that goes with it; None: the one beside it.
    """

    def __init__(self, path: Path, keys: KeyStore | None = None) -> None:
        self.path = path
        self.keys = KeyStore(path.with_name(NAME)) if keys is None else keys
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
        )
        sa.event.listen(self._engine, "connect", _prepare)
        sa.event.listen(self._engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent view; writes are not expected in it."""
        with _translated(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the one write lock from its start: all of it or nothing."""
        with _translated(self.path), self._engine.connect() as connection:
            writer = connection.execution_options(sayso_writes=True)
            with writer.begin():
                yield writer

    def create(self) -> None:
        """Make the schema."""
        self._migrate()

    def check_schema(self) -> None:
        """Bring an older workspace up to date.

        Raises:
            WorkspaceNewer: a newer Sayso wrote it.
            WorkspaceDamaged: it is not a database of ours.
        """
        revision = self._revision()
        if revision == SCHEMA:
            return
        if revision is None or revision > SCHEMA:
            raise WorkspaceNewer(
                expected=f"a workspace of schema {SCHEMA} or older",
                found=f"schema {revision}",
                remedy="Install the newer Sayso that wrote it; nothing was changed.",
            )
        self._migrate()
        self.forget()

    def forget(self) -> None:
        """Empty the write-ahead log, so that no deleted row is left in it.

        SQLite zeroes deleted rows in the file (``secure_delete``), but older copies of their
        pages stay in the log until a checkpoint truncates it, which no reader may be in the way
        of.

        Raises:
            WorkspaceBusy: another process kept reading.
        """
        until = time.monotonic() + _TRUNCATE_TIMEOUT_S
        while True:
            with _translated(self.path), self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                if raw is None:
                    raise _damaged(self.path, "no connection")
                busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return
            if time.monotonic() > until:
                raise WorkspaceBusy(
                    expected="nobody reading the workspace for a moment",
                    found="a reader that stays",
                    remedy="End other sayso processes and run this again to finish erasing.",
                )
            time.sleep(0.05)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
        self.keys.close()

    def vacuum(self) -> None:
        """Write the database anew, so that no free page is left in it."""
        with _translated(self.path), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is None:
                raise _damaged(self.path, "no connection")
            raw.execute("VACUUM")
        self.forget()

    def _revision(self) -> str | None:
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                raise _damaged(self.path, "a database without Sayso's tables")
            query = sa.text("SELECT version_num FROM alembic_version")
            return connection.execute(query).scalar_one_or_none()

    def _migrate(self) -> None:
        from alembic import command, config  # noqa: PLC0415 - slow to import, rarely needed

        settings = config.Config()
        settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        settings.set_main_option("path_separator", "os")
        with self.writing() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, SCHEMA)


def read_fact(connection: sa.Connection, name: str) -> str | None:
    """One fact of the workspace, or None if it was never set."""
    query = sa.select(facts.c.value).where(facts.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def write_fact(connection: sa.Connection, name: str, value: str) -> None:
    """Set one fact of the workspace."""
    connection.execute(sa.delete(facts).where(facts.c.name == name))
    connection.execute(sa.insert(facts).values(name=name, value=value))


def read_version(connection: sa.Connection) -> int:
    """A number that grows whenever people, consents, templates or judgements change."""
    return int(read_fact(connection, _VERSION) or 0)


def bump_version(connection: sa.Connection) -> None:
    """Say that what others have loaded of people and consents is stale."""
    write_fact(connection, _VERSION, str(read_version(connection) + 1))


def _prepare(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None  # transactions begin where _begin says, not where sqlite3 guesses
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("sayso_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise _translation(path, str(cause), cause) from error


def _translation(path: Path, message: str, cause: BaseException | None) -> SaysoError:
    if getattr(cause, "sqlite_errorname", "") in _NO_ROOM:
        return DiskFull(
            expected=f"room on the disk of {path.parent}",
            found="none left, or a quota that is used up",
            remedy="Free some space and run this again; nothing half-written was kept.",
        )
    if "locked" in message:
        return WorkspaceBusy(
            expected="the workspace free for writing",
            found="another process writing to it",
            remedy="Wait until it is done and run this again.",
        )
    if "readonly" in message or "unable to open" in message:
        return WorkspaceReadOnly(
            expected=f"a workspace that may be written at {path.parent}",
            found=message,
            remedy="Give this account the right to write there.",
        )
    if isinstance(cause, sqlite3.DatabaseError) and not isinstance(
        cause, (sqlite3.IntegrityError, sqlite3.ProgrammingError)
    ):
        return _damaged(path, message)
    raise cause or WorkspaceDamaged(expected="a cause", found=message, remedy="Report this.")


def _damaged(path: Path, found: str) -> WorkspaceDamaged:
    return WorkspaceDamaged(
        expected=f"Sayso's database at {path}",
        found=found,
        remedy="Restore the workspace from a backup; nothing was changed.",
    )
