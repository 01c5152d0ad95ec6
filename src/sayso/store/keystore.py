"""The key store: what erasing destroys, and what must outlive a restored backup.

A small SQLite file beside the database, never part of a backup: wrapped data keys; the wrapped
key of the tokens; which workspace key opens them; erasures (those under way by the person's id,
those done by a keyed hash alone); and refusals, so that a restored backup cannot forget them.
Every call is a transaction of its own, synced to disk before it returns.

A rollback journal rather than a write-ahead log, and one that stays: a journal holds the pages as
they were, and one that is removed leaves them in the disk's free blocks. After something was
destroyed the journal is overwritten in place.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sayso.store.faults import KEY_STORE, translated

NAME = "keys.sqlite"
_BUSY_TIMEOUT_S = 30.0
_SWEEP = "sweep"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS data_keys (person_id TEXT PRIMARY KEY, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS erasures (
    token TEXT PRIMARY KEY, person_id TEXT, traces BLOB, begun_at TEXT NOT NULL, done_at TEXT
);
CREATE TABLE IF NOT EXISTS refusals (
    kind TEXT NOT NULL, about TEXT NOT NULL, detail TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (kind, about, detail)
);
CREATE TABLE IF NOT EXISTS copies (place TEXT PRIMARY KEY, at TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """An erasure that was begun and not finished; ``traces`` sealed, for its read-back."""

    token: str
    person: str
    traces: bytes
    begun_at: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal that a restored backup must not forget.

    Attributes:
        kind: ``withdrawal`` or ``objection``.
        about: a keyed hash of the person, or the photograph's SHA-256.
        detail: the purpose, or the objection as JSON.
    """

    kind: str
    about: str
    detail: str
    at: str


class KeyStore:
    """One file. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._raw: sqlite3.Connection | None = None

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()

    def fact(self, name: str) -> str | None:
        """One fact, or None if it was never set."""
        with self._open() as raw:
            row = raw.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def facts(self) -> Mapping[str, str]:
        """Every fact."""
        with self._open() as raw:
            return dict(raw.execute("SELECT name, value FROM facts").fetchall())

    def set_facts(self, values: Mapping[str, str | None]) -> None:
        """Set some facts at once; None takes one away."""
        with self._writing() as raw:
            _set(raw, values)

    def wrapped(self, person: str) -> bytes | None:
        """A person's wrapped data key, or None if they have none."""
        with self._open() as raw:
            query = "SELECT wrapped FROM data_keys WHERE person_id = ?"
            row = raw.execute(query, (person,)).fetchone()
        return None if row is None else bytes(row[0])

    def keep(self, person: str, wrapped: bytes) -> None:
        """Keep a new data key."""
        with self._writing() as raw:
            raw.execute("INSERT INTO data_keys VALUES (?, ?)", (person, wrapped))

    def holders(self) -> frozenset[str]:
        """Everybody who has a data key."""
        with self._open() as raw:
            return frozenset(row[0] for row in raw.execute("SELECT person_id FROM data_keys"))

    def destroy(self, people: Iterable[str]) -> None:
        """Destroy data keys: what they sealed can be opened by nobody."""
        with self._writing() as raw:
            raw.executemany("DELETE FROM data_keys WHERE person_id = ?", [(p,) for p in people])
            _set(raw, {_SWEEP: "due"})
        self._blank_journal()

    def sweep_is_due(self) -> bool:
        """Whether templates went since old pages of them were last removed."""
        return self.fact(_SWEEP) is not None

    def owe_sweep(self) -> None:
        """Say that rows went whose keys were gone before."""
        self.set_facts({_SWEEP: "due"})

    def sweep_is_done(self) -> None:
        """Say that they are removed."""
        self.set_facts({_SWEEP: None})

    def replace_keys(self, rewrapped: Mapping[str, bytes], facts: Mapping[str, str | None]) -> None:
        """Every data key wrapped anew, with the facts that go with it: all of it or nothing."""
        with self._writing() as raw:
            raw.executemany(
                "UPDATE data_keys SET wrapped = ? WHERE person_id = ?",
                [(wrapped, person) for person, wrapped in rewrapped.items()],
            )
            _set(raw, facts)
        self._blank_journal()

    def start_over(self, facts: Mapping[str, str | None], pending: Iterable[Pending]) -> None:
        """Destroy every data key, and say which key there is now and what it sealed anew.

        All of it or nothing: an erasure that was begun is never forgotten in between.
        """
        with self._writing() as raw:
            raw.execute("DELETE FROM data_keys")
            raw.execute("DELETE FROM erasures WHERE done_at IS NULL")
            _set(raw, {**facts, _SWEEP: "due"})
            raw.executemany(
                "INSERT INTO erasures VALUES (?, ?, ?, ?, NULL)",
                [(one.token, one.person, one.traces, one.begun_at) for one in pending],
            )
        self._blank_journal()

    def begin_erasure(self, pending: Pending) -> None:
        """Say that a person is being erased: from now on it is finished, come what may."""
        with self._writing() as raw:
            raw.execute(
                "INSERT OR REPLACE INTO erasures VALUES (?, ?, ?, ?, NULL)",
                (pending.token, pending.person, pending.traces, pending.begun_at),
            )

    def give_up_erasure(self, token: str) -> None:
        """Take a begun erasure back, of which nothing was done yet."""
        with self._writing() as raw:
            raw.execute("DELETE FROM erasures WHERE token = ? AND done_at IS NULL", (token,))

    def finish_erasure(self, token: str, at: str) -> None:
        """Say that an erasure is done: what stays is the keyed hash."""
        with self._writing() as raw:
            raw.execute("DELETE FROM refusals WHERE about = ?", (token,))
            raw.execute(
                "INSERT INTO erasures VALUES (?, NULL, NULL, ?, ?) ON CONFLICT (token) DO UPDATE "
                "SET person_id = NULL, traces = NULL, done_at = excluded.done_at",
                (token, at, at),
            )
        self._blank_journal()  # the note, sealed, held all that was searched for

    def pending_erasures(self) -> list[Pending]:
        """Erasures that were begun and not finished."""
        with self._open() as raw:
            query = (
                "SELECT token, person_id, traces, begun_at FROM erasures WHERE done_at IS NULL "
                "ORDER BY begun_at"
            )
            return [Pending(*row) for row in raw.execute(query)]

    def erased(self) -> Mapping[str, str]:
        """The keyed hash of everybody who was erased, and when."""
        with self._open() as raw:
            query = "SELECT token, done_at FROM erasures WHERE done_at IS NOT NULL"
            return dict(raw.execute(query).fetchall())

    def refuse(self, refusals: Iterable[Refused]) -> None:
        """Remember refusals beyond a restore; the newest of each stays."""
        with self._writing() as raw:
            raw.executemany(
                "INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?)",
                [(one.kind, one.about, one.detail, one.at) for one in refusals],
            )

    def relent(self, kind: str, about: str, detail: str) -> None:
        """Forget a refusal that was taken back."""
        with self._writing() as raw:
            raw.execute(
                "DELETE FROM refusals WHERE kind = ? AND about = ? AND detail = ?",
                (kind, about, detail),
            )

    def refusals(self) -> list[Refused]:
        """Every refusal."""
        with self._open() as raw:
            return [Refused(*row) for row in raw.execute("SELECT * FROM refusals ORDER BY at")]

    def copies(self) -> Mapping[str, str]:
        """Where copies of this key store were put, and when."""
        with self._open() as raw:
            return dict(raw.execute("SELECT place, at FROM copies").fetchall())

    def remember_copy(self, place: str, at: str) -> None:
        """Say that a copy of this key store lies somewhere."""
        with self._writing() as raw:
            raw.execute("INSERT OR REPLACE INTO copies VALUES (?, ?)", (place, at))

    def copy_to(self, place: Path, *, keys: bool) -> None:
        """Write a copy of the key store, with or without its data keys, under a new name.

        It is its owner's alone from its first byte on, and goes through no link.
        """
        with self._open() as raw:
            place.unlink(missing_ok=True)
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            copy = sqlite3.connect(place)
            try:
                raw.backup(copy)
                if not keys:
                    copy.execute("PRAGMA secure_delete=ON")
                    copy.execute("DELETE FROM data_keys")
                    copy.commit()
                    copy.execute("VACUUM")
            finally:
                copy.close()

    def vacuum(self) -> None:
        """Write the file anew, so that no free page is left in it, nor what was in its journal."""
        with self._open() as raw:
            raw.execute("VACUUM")
        self._blank_journal()

    def close(self) -> None:
        """Give back the file."""
        with self._lock:
            if self._raw is not None:
                self._raw.close()
                self._raw = None

    def _blank_journal(self) -> None:
        """Overwrite the journal, in place, while nobody else may use it."""
        journal = self.path.with_name(f"{self.path.name}-journal")
        with self._open() as raw:
            raw.execute("BEGIN EXCLUSIVE")
            try:
                with suppress(FileNotFoundError), journal.open("r+b") as stream:
                    stream.write(bytes(journal.stat().st_size))
                    stream.flush()
                    os.fsync(stream.fileno())
            finally:
                raw.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(KEY_STORE, self.path):
            if self._raw is None:
                self._raw = _connect(self.path)
            yield self._raw

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as raw:
            raw.execute("BEGIN IMMEDIATE")
            try:
                yield raw
                raw.execute("COMMIT")
            except BaseException:
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
                raise


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    raw = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
    )
    for pragma in ("journal_mode=PERSIST", "synchronous=EXTRA", "secure_delete=ON"):
        raw.execute(f"PRAGMA {pragma}")
    raw.executescript(_SCHEMA)
    return raw


def _set(raw: sqlite3.Connection, values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        raw.execute("DELETE FROM facts WHERE name = ?", (name,))
        if value is not None:
            raw.execute("INSERT INTO facts VALUES (?, ?)", (name, value))
