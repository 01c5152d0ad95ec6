"""Pages that lie open while somebody is asked about faces: they have names, and go when that ends.

Each lies in a folder of its own, below one in the workspace, with a lock that its process holds.
The kernel gives the lock back however a process ends: what is not locked was left by one that was
killed, and goes with the next start of whatever verb. An erasure removes them all.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = "review"
"""Where they lie in a workspace."""
_PAGE, _LOCK = "review.html", "lock"


@dataclass(frozen=True, slots=True)
class OpenPages:
    """The pages of a workspace.

    Attributes:
        folder: in which they lie; not there until there is one.
    """

    folder: Path

    @contextmanager
    def shown(self, text: str) -> Iterator[Path]:
        """A page (HTML) to look at, for its owner only, until this ends."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with _locked(self.folder):  # nobody takes it for left behind before its own lock is held
            own = Path(tempfile.mkdtemp(dir=self.folder))
            lock = os.open(own / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            page = own / _PAGE
            page.write_text(text, encoding="utf-8")
            yield page
        finally:
            shutil.rmtree(own, ignore_errors=True)  # an erasure may have removed it already
            os.close(lock)

    def clear(self) -> None:
        """Remove what processes left that are no more."""
        if not self.folder.is_dir():
            return
        with _locked(self.folder):
            for one in filter(Path.is_dir, self.folder.iterdir()):
                if not _held(one / _LOCK):
                    shutil.rmtree(one, ignore_errors=True)

    def remove(self) -> None:
        """Remove all of them, also those that somebody looks at now."""
        if self.folder.is_dir():
            with _locked(self.folder):
                for one in self.folder.iterdir():
                    shutil.rmtree(one, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _held(lock: Path) -> bool:
    """Whether a process that lives holds a lock."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # it was killed before it had one
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
