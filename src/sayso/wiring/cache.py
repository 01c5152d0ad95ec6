"""The folder for prepared models: used only where nobody else can have put anything into it.

What lies there is executed, as good as: a folded network is checked against damage and not
against its owner, and OpenVINO reads its own compiled files as they are. So the folder must be as
trusted as the program itself, by the rule that OpenSSH has for keys (`StrictModes`): it and every
folder above belong to this account or to root, and nobody else may write in them.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def trusted(folder: Path) -> Path | None:
    """The folder, made with mode 0700 where there is none; None: it is not to be used.

    One of this account's own that others can only look into is closed to them.
    """
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if fault(folder) is None:
            if folder.stat().st_uid == os.getuid():
                folder.chmod(0o700)
            return folder
    return None


def fault(folder: Path) -> str | None:
    """Why a cache folder is not to be used, as a noun phrase; None: it may be, or is not there."""
    try:
        place = folder.resolve()
        if not place.exists():
            return None
        return next(_faults(place), None)
    except OSError as error:
        return f"{folder}, which cannot be looked into ({error.strerror})"


def _faults(place: Path) -> Iterator[str]:
    for one in (place, *place.parents):
        found = one.stat()
        held = one != place and found.st_mode & stat.S_ISVTX  # as /tmp: nobody renames another's
        if found.st_uid not in _ours():
            yield f"{one}, which belongs to another account"
        if found.st_mode & _OTHERS_WRITE and not held:
            yield f"{one}, in which others can write"
    for one in sorted([*place.glob("*"), *place.glob("*/*")]):  # models lie no deeper
        found = one.lstat()
        if found.st_uid not in _ours():
            yield f"{one}, which another account put there"
        if stat.S_ISLNK(found.st_mode):
            yield f"{one}, a link"
        elif found.st_mode & stat.S_IWOTH:
            yield f"{one}, which others can write"


def _ours() -> tuple[int, int]:
    return os.getuid(), 0
