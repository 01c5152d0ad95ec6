"""The folder that a publication writes to: claimed, written whole or not at all, kept current."""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sayso.errors import DiskFull, OutputRefused, SaysoError

COPIES = "photographs"
"""The copies lie in this folder of the output; it alone is for others' eyes."""
MANIFEST = "manifest.json"
REPORT = "report.html"


class Output:
    """An output folder.

    Args:
        folder: an empty one, a new one, or one that an earlier publication made.
        keep_out_of: the collections' folders; copies must not lie among originals.
    """

    def __init__(self, folder: Path, *, keep_out_of: Sequence[Path]) -> None:
        self.folder = folder.resolve()
        self._keep_out_of = [original.resolve() for original in keep_out_of]

    @contextmanager
    def open(self) -> Iterator[None]:
        """Claim the folder, without earlier copies; turn what the disk says into our errors.

        Earlier copies go first: one that is no longer permitted must not outlast an
        interruption.

        Raises:
            OutputRefused: it may not be written, or is no place for copies.
            DiskFull: no room.
        """
        with self._translating():
            self._claim()
            yield

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _translated(self.folder, error) from error

    def write(self, copy: str, data: bytes) -> None:
        """Write one copy: all of it under its name, or nothing."""
        self._replace(self.folder / COPIES / copy, data)

    def remove(self, copy: str) -> None:
        """Take one copy back."""
        (self.folder / COPIES / copy).unlink(missing_ok=True)

    def write_page(self, name: str, text: str) -> Path:
        """Write the manifest or the report; gives its path."""
        with self._translating():
            self._replace(self.folder / name, text.encode())
        return self.folder / name

    def _claim(self) -> None:
        for original in self._keep_out_of:
            if self.folder.is_relative_to(original) or original.is_relative_to(self.folder):
                raise OutputRefused(
                    expected="an output folder apart from every collection's",
                    found=f"{self.folder}, in or around {original}",
                    remedy="Choose a folder elsewhere, so that copies and originals never mix.",
                )
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputRefused(
                expected="a folder", found=f"a file at {self.folder}", remedy="Choose another."
            )
        if self.folder.is_dir() and any(self.folder.iterdir()) and not self._is_ours():
            raise OutputRefused(
                expected="an empty folder, or one that an earlier publication made",
                found=f"other files in {self.folder}",
                remedy="Choose an empty folder.",
            )
        if (self.folder / COPIES).is_dir():
            shutil.rmtree(self.folder / COPIES)
        (self.folder / COPIES).mkdir(parents=True)
        self._replace(self.folder / MANIFEST, b'{"sayso": "under way"}\n')
        (self.folder / REPORT).unlink(missing_ok=True)  # it speaks of copies that are gone

    def _is_ours(self) -> bool:
        try:
            return "sayso" in json.loads((self.folder / MANIFEST).read_bytes())
        except (OSError, ValueError, TypeError):
            return False

    def _replace(self, place: Path, data: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with part.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(place)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _translated(folder: Path, error: OSError) -> SaysoError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFull(
            expected=f"room on the disk of {folder}",
            found=error.strerror or "none",
            remedy="Free some space and publish again; what was written so far is whole.",
        )
    return OutputRefused(
        expected=f"a folder that may be written at {folder}",
        found=error.strerror or str(error),
        remedy="Give this account the right to write there, or choose another folder.",
    )
