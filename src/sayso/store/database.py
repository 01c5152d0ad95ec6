"""The database: opening, migrating, transactions, and what deletion leaves on disk."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from sayso.errors import WorkspaceBusy, WorkspaceNewer
from sayso.store.faults import DATABASE, damaged, translated
from sayso.store.keystore import NAME, KeyStore
from sayso.store.tables import facts

SCHEMA = "0002"
"""The newest migration; a workspace at any other unknown one was written by a newer Sayso."""

_BUSY_TIMEOUT_S = 30.0
_PATIENCE_S = 5.0
_TRY_FOR_MS, _TRY_AGAIN_S = 100, 0.05
_VERSION = "version"


class Database:
    """One SQLite file in WAL mode. Safe to share between threads.

    Every connection zeroes what it deletes (``secure_delete=ON``), enforces foreign keys, and
    syncs each commit to disk before it is acknowledged.

    Args:
        path: of the database.
        keys: the key store that goes with it; None: the one beside it.
        patience_s: how long `forget` waits for readers.
    """

    def __init__(
        self, path: Path, keys: KeyStore | None = None, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self.path = path
        self._patience_s = patience_s
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
        with (
            translated(DATABASE, self.path),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the one write lock from its start: all of it or nothing."""
        with translated(DATABASE, self.path), self._engine.connect() as connection:
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
        of. It is tried for ``patience_s``, whatever else a connection waits for.

        Raises:
            WorkspaceBusy: another process kept reading.
        """
        until = time.monotonic() + self._patience_s
        while not self._truncated():
            if time.monotonic() > until:
                raise WorkspaceBusy(
                    expected="nobody reading the workspace for a moment",
                    found=f"a reader that stayed for {self._patience_s:g} seconds",
                    remedy="What was to go is gone from the database; old pages of it are still in "
                    "the write-ahead log. End other sayso processes (and any program that has "
                    f"{self.path.name} open), then run any `sayso` verb: it finishes this first.",
                )
            time.sleep(_TRY_AGAIN_S)

    def _truncated(self) -> bool:
        """Try once to empty the write-ahead log."""
        with self._raw() as raw:
            raw.execute(f"PRAGMA busy_timeout={_TRY_FOR_MS}")
            try:
                return not raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    return False
                raise
            finally:
                raw.execute(f"PRAGMA busy_timeout={round(_BUSY_TIMEOUT_S * 1000)}")

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
        self.keys.close()

    def vacuum(self) -> None:
        """Write the database anew, so that no free page is left in it."""
        with self._raw() as raw:
            raw.execute("VACUUM")
        self.forget()

    @contextmanager
    def _raw(self) -> Iterator[sqlite3.Connection]:
        """A connection of the driver's own, outside of any transaction."""
        with translated(DATABASE, self.path), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is None:
                raise damaged(DATABASE, self.path, "no connection")
            yield raw

    def _revision(self) -> str | None:
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                raise damaged(DATABASE, self.path, "a database without Sayso's tables")
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
