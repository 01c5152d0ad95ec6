"""What SQLite's driver raises, as errors of ours: for the database and for the key store alike."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from sayso.errors import (
    DiskFull,
    SaysoError,
    WorkspaceBusy,
    WorkspaceDamaged,
    WorkspaceReadOnly,
)

_NO_ROOM = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"})
"""A disk without room; SQLite calls a used-up quota an input/output error."""
_OUR_MISTAKE = (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""No fault of the file's: raised on as it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file, as messages speak of it; ``mend`` says what to do if it is damaged."""

    name: str
    mend: str


DATABASE = Kind("database", "Restore the workspace from a backup; nothing was changed.")
KEY_STORE = Kind(
    "key store", "Put back a copy of it that `sayso key copy` made; nothing was changed."
)


@contextmanager
def translated(kind: Kind, path: Path) -> Iterator[None]:
    """Turn the driver's errors about a file into ours.

    Raises:
        DiskFull, WorkspaceBusy, WorkspaceReadOnly, WorkspaceDamaged: by what the driver said.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if cause is None or isinstance(cause, _OUR_MISTAKE):
            raise
        raise _translation(kind, path, cause) from error


def damaged(kind: Kind, path: Path, found: str) -> WorkspaceDamaged:
    """That a file is not what it was."""
    return WorkspaceDamaged(
        expected=f"Sayso's {kind.name} at {path}", found=found, remedy=kind.mend
    )


def _translation(kind: Kind, path: Path, cause: BaseException) -> SaysoError:
    message = str(cause)
    if getattr(cause, "sqlite_errorname", "") in _NO_ROOM:
        return DiskFull(
            expected=f"room on the disk of {path.parent}",
            found="none left, or a quota that is used up",
            remedy="Free some space and run this again; nothing half-written was kept.",
        )
    if "locked" in message:
        return WorkspaceBusy(
            expected=f"the {kind.name} free for writing",
            found="another process writing to it",
            remedy="Wait until it is done and run this again.",
        )
    if "readonly" in message or "unable to open" in message:
        return WorkspaceReadOnly(
            expected=f"a {kind.name} that may be written at {path}",
            found=message,
            remedy="Give this account the right to write there.",
        )
    return damaged(kind, path, message)
