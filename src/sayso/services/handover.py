"""A file that is handed to somebody: written whole or not at all, for its owner's eyes."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sayso.errors import DiskFull, OutputRefused, SaysoError


@contextmanager
def whole_file(out: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A stream; what is written to it lies at ``out`` only once the body has ended well.

    Args:
        out: where to; its folder must be there.
        overwrite: whether a file that lies there may be replaced.

    Raises:
        OutputRefused: a file or folder lies there, or none may be written.
        DiskFull: no room; nothing is left behind.
    """
    _require_free(out, overwrite=overwrite)
    part = out.with_name(f".{uuid.uuid4().hex}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _require_free(out, overwrite=overwrite)
        part.replace(out)
    except OSError as error:
        raise _translated(out, error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _require_free(out: Path, *, overwrite: bool) -> None:
    if out.is_dir() or (out.exists() and not overwrite):
        raise OutputRefused(
            expected=f"no file yet at {out}",
            found="a folder" if out.is_dir() else "one",
            remedy="Choose another name, or pass --yes to replace the file.",
        )


def _translated(out: Path, error: OSError) -> SaysoError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFull(
            expected=f"room on the disk of {out}",
            found=error.strerror or "none",
            remedy="Free some space and run this again; nothing was left behind.",
        )
    return OutputRefused(
        expected=f"a file that can be written at {out}",
        found=error.strerror or str(error),
        remedy="Name a file in a folder that is there and that this account may write to.",
    )
