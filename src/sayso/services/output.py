"""The folder that a publication writes to: claimed, written whole or not at all, kept current."""

import errno
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.domain.grant import Channel
from sayso.domain.photo import CollectionId
from sayso.errors import DiskFull, OutputRefused, SaysoError
from sayso.store.publications import Earlier

COPIES = "photographs"
"""The copies lie in this folder of the output; it alone is for others' eyes."""
MANIFEST = "manifest.json"
REPORT = "report.html"
_PART = re.compile(r"\.[0-9a-f]{32}\.part")
"""A copy that was being written when a publication was killed."""
_DROPPED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in each folder that somebody looks at."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a publication is made of and for: only its like may take its place.

    Attributes:
        names: of all collections, by their ids, for messages.
    """

    collection: CollectionId
    channel: Channel
    names: Mapping[CollectionId, str]

    def told(self, collection: str, channel: str) -> str:
        """A publication, in words."""
        name = self.names.get(CollectionId(collection))
        return f"a publication of {name or 'another collection'} for {channel}"


class Output:
    """An output folder.

    Args:
        folder: an empty one, a new one, or one that an earlier publication made, of the same
            collection and for the same channel.
        keep_out_of: the collections' folders; copies must not lie among originals.
    """

    def __init__(self, folder: Path, *, made: Made, keep_out_of: Sequence[Path]) -> None:
        self.folder = folder.resolve()
        self._made = made
        self._keep_out_of = [original.resolve() for original in keep_out_of]

    @contextmanager
    def open(self, earlier: Earlier | None) -> Iterator[None]:
        """Claim the folder, without earlier copies; turn what the disk says into our errors.

        Earlier copies go first: one that is no longer permitted must not outlast an
        interruption.

        Args:
            earlier: the newest publication there that the workspace knows of.

        Raises:
            OutputRefused: it may not be written, or is no place for copies.
            DiskFull: no room.
        """
        with self._translating():
            self._require_apart()
            self._require_replaceable(earlier)
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

    def _require_apart(self) -> None:
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

    def _require_replaceable(self, earlier: Earlier | None) -> None:
        """What lies there is an earlier publication of the same kind, or nothing."""
        if not (self.folder.is_dir() and any(self.folder.iterdir())):
            return
        there = _read_manifest(self.folder / MANIFEST)
        if there is None:
            raise OutputRefused(
                expected="an empty folder, or one that an earlier publication made",
                found=f"other files in {self.folder}",
                remedy="Choose an empty folder.",
            )
        self._require_same(there, earlier)
        written = earlier.copies if earlier else frozenset()
        self._require_no_others(written.union(there["copies"]))

    def _require_same(self, there: Mapping[str, Any], earlier: Earlier | None) -> None:
        """The web site's copies must not vanish because somebody published for print."""
        collection, channel = there.get("collection"), there.get("channel")
        if earlier is not None:  # a manifest may be older than what manifests tell
            collection, channel = collection or earlier.collection, channel or earlier.channel
        if (collection, channel) == (self._made.collection, self._made.channel):
            return
        raise OutputRefused(
            expected="an empty folder, or one with an earlier publication of the same collection "
            "for the same channel",
            found=f"{self._made.told(str(collection), channel or 'another channel')} "
            f"in {self.folder}",
            remedy="Nothing there was touched. Choose another folder: each collection and each "
            "channel needs its own.",
        )

    def _require_no_others(self, copies: frozenset[str]) -> None:
        """All copies are removed with the folder that holds them: nothing else may lie in it."""
        for place in sorted((self.folder / COPIES).rglob("*")):
            if place.is_dir() and not place.is_symlink():
                continue
            if _PART.fullmatch(place.name) or place.name in _DROPPED:
                continue
            if place.relative_to(self.folder).as_posix() not in copies:
                raise OutputRefused(
                    expected=f"nothing in {self.folder / COPIES} but copies that Sayso wrote",
                    found=f"{place}, which no publication wrote",
                    remedy="Nothing there was touched. Move that file elsewhere, or publish into "
                    "another folder.",
                )

    def _claim(self) -> None:
        if (self.folder / COPIES).is_dir():
            shutil.rmtree(self.folder / COPIES)
        (self.folder / COPIES).mkdir(parents=True)
        made = {"collection": self._made.collection, "channel": self._made.channel}
        under_way = json.dumps({"sayso": "under way", **made})
        self._replace(self.folder / MANIFEST, f"{under_way}\n".encode())
        (self.folder / REPORT).unlink(missing_ok=True)  # it speaks of copies that are gone

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


def _read_manifest(place: Path) -> Mapping[str, Any] | None:
    """What a publication's manifest says, and ``copies``, their paths; None: it is none."""
    try:
        facts = json.loads(place.read_bytes())
        copies = [str(one["copy"]) for one in facts.get("published", ())]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return {**facts, "copies": copies} if "sayso" in facts else None


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
