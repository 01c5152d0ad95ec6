"""Files that are named on the command line."""

from pathlib import Path

from sayso.errors import FileMissing


def read_file(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        FileMissing: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable(path, error) from error


def write_file(path: Path, data: bytes) -> None:
    """Write a file.

    Raises:
        FileMissing: it cannot be written.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _unusable(path, error) from error


def require_writable(path: Path) -> None:
    """Refuse before anything is done what could not be written after it; no file is left behind.

    Raises:
        FileMissing: it cannot be written.
    """
    try:
        there = path.exists()
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> FileMissing:
    return FileMissing(
        expected=f"a file that can be read or written at {path}",
        found=error.strerror or "an error",
        remedy="Check the name and the rights.",
    )
