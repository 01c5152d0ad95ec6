"""A folder on this machine, with all folders below it."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sayso.errors import (
    FolderMissing,
    PhotographTooLarge,
    PhotographUnreadable,
    PhotographVanished,
)
from sayso.sources.source import SourceFile


class Folder:
    """The photographs below one folder.

    Hidden files and folders are left out, and so are folders behind links: a scan stays inside.
    Whatever else lies there is listed, so that nothing is skipped in silence.

    Args:
        root: the folder.
        leaving_out: a folder below it to pass over (the workspace, say); None: none.
    """

    def __init__(self, root: Path, *, leaving_out: Path | None = None) -> None:
        self._root = root
        self._leaving_out = leaving_out

    def files(self) -> Iterator[SourceFile]:
        """Every file, folder by folder, in the order of their names; see `Source`."""
        if not (self._root.is_dir() and os.access(self._root, os.R_OK | os.X_OK)):
            raise FolderMissing(
                expected=f"the folder {self._root}",
                found="none that can be entered",
                remedy="Connect the drive that it is on, or declare the collection again.",
            )
        passed_over = self._passed_over()
        folders = [self._entries(self._root)]
        while folders:  # a stack of our own: folders may lie deeper than Python recurses
            entry = next(folders[-1], None)
            if entry is None:
                folders.pop()
            elif isinstance(entry, SourceFile):
                yield entry
            elif entry != passed_over:
                folders.append(self._entries(entry))

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """The bytes of one file; see `Source`."""
        place = self._root / path
        try:
            if not place.resolve().is_relative_to(self._root.resolve()):
                raise _unreadable(path, "a link that leads out of it")
            # Without O_NONBLOCK a named pipe would stop the scan until somebody writes to it.
            descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as stream:
                facts = os.fstat(stream.fileno())
                if not stat.S_ISREG(facts.st_mode):
                    raise _unreadable(path, "something that is no plain file")
                if facts.st_size > max_bytes:
                    raise PhotographTooLarge(
                        expected=f"at most {max_bytes:,} bytes",
                        found=f"{facts.st_size:,}",
                        remedy="Shrink it, or raise the setting max_bytes.",
                    )
                return stream.read(max_bytes + 1)
        except OSError as error:
            raise _translated(path, error) from error
        except ValueError as error:
            raise _unreadable(ascii(path), "a name that no file has") from error
        except RuntimeError as error:  # how Python before 3.13 says it
            raise _unreadable(path, "links that lead in a ring") from error

    def _passed_over(self) -> Path | None:
        """The folder to leave out, as it is met on the way down from the root."""
        if self._leaving_out is None:
            return None
        root, place = self._root.resolve(), self._leaving_out.resolve()
        return self._root / place.relative_to(root) if place.is_relative_to(root) else None

    def _entries(self, folder: Path) -> Iterator[SourceFile | Path]:
        """What lies in one folder, by name: files, and folders to enter.

        A folder that cannot be entered is listed like a file, so that `read` says why.
        """
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            yield SourceFile(folder.relative_to(self._root).as_posix(), 0, 0)
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)
            elif not Path(entry.path).is_dir():  # unlike the entry's own, this bears links in rings
                yield self._listed(entry)

    def _listed(self, entry: os.DirEntry[str]) -> SourceFile:
        path = Path(entry.path).relative_to(self._root).as_posix()
        try:
            facts = entry.stat()
        except OSError:
            return SourceFile(path, 0, 0)  # read() will say what is wrong with it
        return SourceFile(path, facts.st_size, facts.st_mtime_ns)


def _translated(path: str, error: OSError) -> PhotographVanished | PhotographUnreadable:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return PhotographVanished(
            expected=f"{path}, which was there a moment ago",
            found="nothing",
            remedy="Scan again once the folder is at rest.",
        )
    return _unreadable(path, error.strerror or "an error")


def _unreadable(path: str, found: str) -> PhotographUnreadable:
    return PhotographUnreadable(
        expected=f"a readable file of the collection at {path}",
        found=found,
        remedy="Give this account the right to read it, or take it out of the folder.",
    )
