"""Prepared copies of models in a folder: whole ones are used, damaged ones are made again.

A copy is checked against damage, not against its owner: the folder must be as trusted as the
program itself.
"""

import hashlib
import os
import tempfile
from pathlib import Path


def is_whole(target: Path, content: bytes | memoryview) -> bool:
    """Whether a copy is what was written there.

    Args:
        target: the copy's file.
        content: what was read from it.
    """
    try:
        expected = _digest_path(target).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    return hashlib.sha256(content).hexdigest() == expected


def write(target: Path, content: bytes | memoryview) -> None:
    """Keep a copy, so that an interrupted writing leaves none.

    Raises:
        OSError: the folder cannot be made or written.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The digest goes last: a crash in between leaves a copy that is made again, not trusted.
    _digest_path(target).unlink(missing_ok=True)
    _write_atomically(target, content)
    _write_atomically(_digest_path(target), hashlib.sha256(content).hexdigest().encode("ascii"))


def _digest_path(target: Path) -> Path:
    return target.with_suffix(".sha256")


def _write_atomically(target: Path, content: bytes | memoryview) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
