"""The ledger's only way to a disk: a port of two small protocols, and POSIX behind it.

The protocols exist so that tests can run out of room, or lose power, at any byte.
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sayso.errors import LedgerBusy

LOCK = "lock"
"""The file whose lock is held by whoever writes; nothing is in it."""


class File(Protocol):
    """One file, read and written at offsets in bytes; every method may raise OSError."""

    def size(self) -> int:
        """Its length in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from ``offset``; fewer where the file ends."""

    def write(self, offset: int, data: bytes) -> None:
        """Write all of the bytes at ``offset``."""

    def cut(self, size: int) -> None:
        """Drop what lies beyond ``size``."""

    def sync(self) -> None:
        """Return when everything written is durable."""

    def close(self) -> None:
        """Give the file back."""


class Folder(Protocol):
    """A folder of files."""

    @property
    def name(self) -> str:
        """What it is called, without the folders that it lies in."""

    def open(self, name: str, *, writable: bool) -> File:
        """A file of the folder; FileNotFoundError where there is none."""

    def replace(self, name: str, data: bytes) -> None:
        """Make a file of exactly these bytes, durably and all or nothing."""

    def remove(self, name: str) -> None:
        """Remove a file, durably; nothing where there is none."""

    def has(self, name: str) -> bool:
        """Whether the file is there."""

    def laid_aside(self) -> Sequence["Folder"]:
        """The ledgers that were laid aside beside the one in this folder, oldest first."""


class PosixFile:
    """A file descriptor as a `File`."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._descriptor = os.open(path, os.O_CLOEXEC | (os.O_RDWR if writable else os.O_RDONLY))

    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from ``offset``; fewer where the file ends."""
        data = os.pread(self._descriptor, length, offset)
        while data and len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def write(self, offset: int, data: bytes) -> None:
        """Write all of the bytes at ``offset``."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view = view[written:]
            offset += written

    def cut(self, size: int) -> None:
        """Drop what lies beyond ``size``."""
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Return when everything written is durable."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Give the file back; a second time does nothing, as its number may be another's by now."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class PosixFolder:
    """A folder on a POSIX file system as a `Folder`; its files are for their owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """What it is called, without the folders that it lies in."""
        return self.path.name

    def open(self, name: str, *, writable: bool) -> PosixFile:
        """A file of the folder; FileNotFoundError where there is none."""
        return PosixFile(self.path / name, writable=writable)

    def replace(self, name: str, data: bytes) -> None:
        """Make a file of exactly these bytes, durably and all or nothing."""
        draft = self.path / f"{name}.new"
        descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.path / name)
        sync_folder(self.path)

    def remove(self, name: str) -> None:
        """Remove a file, durably; nothing where there is none."""
        (self.path / name).unlink(missing_ok=True)
        sync_folder(self.path)

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.path / name).exists()

    def laid_aside(self) -> Sequence["PosixFolder"]:
        """The ledgers that were laid aside beside the one in this folder, oldest first.

        They are called as this one is, with a number: ``ledger-1``. Links are not followed.
        """
        begin = f"{self.path.name}-"
        numbers = sorted(
            int(number)
            for one in self.path.parent.glob(f"{begin}*")
            if (number := one.name.removeprefix(begin)).isdecimal()
            and one.is_dir()
            and not one.is_symlink()
        )
        return [PosixFolder(self.path.with_name(f"{begin}{number}")) for number in numbers]


class WriterLock:
    """The right to write in a folder, held by one open journal on this machine (flock).

    The kernel gives it back when the process ends, however it ends.

    Raises:
        LedgerBusy: another journal, in this process or another, holds it.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        self._descriptor = os.open(path / LOCK, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise LedgerBusy(
                expected="to be the only writer of the ledger",
                found="another process that holds it",
                remedy="Wait until the other command has ended, then try again.",
            ) from error

    def release(self) -> None:
        """Let another journal write."""
        os.close(self._descriptor)


def sync_folder(path: Path) -> None:
    """Make names in a folder durable (after a creation, renaming or removal)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
