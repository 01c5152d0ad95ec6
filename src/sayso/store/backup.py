"""Backups: one file, written whole or not at all, without any data key.

A zip of the database as SQLite's online backup sees it, the key store emptied of its data keys,
and a manifest of hashes. Biometrics are in it only sealed, under keys that are not.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sayso.errors import BackupDamaged, DiskFull, OutputRefused, WorkspaceBusy, WorkspaceNewer
from sayso.store.database import SCHEMA, Database
from sayso.store.keystore import NAME as KEYS

DATABASE = "sayso.sqlite"
MANIFEST = "backup.json"
UNPACKED = ".restore-"
"""Folders in a workspace that begin so hold a backup that is being restored."""
_FORMAT = 1
_NO_ROOM = 28


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was written."""

    path: Path
    bytes: int
    at: datetime
    schema: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup's parts in a folder, each checked against its hash."""

    folder: Path
    workspace_id: str
    made_at: datetime
    schema: str
    extra: tuple[str, ...]


def write_backup(
    database: Database, out: Path, *, extra: Mapping[str, Path], version: str, now: datetime
) -> Written:
    """Write a backup of a workspace that may be in use.

    Args:
        database: of the workspace.
        out: a new file.
        extra: further files of the workspace, by their path in it.
        version: of this program.
        now: for the manifest.

    Raises:
        OutputRefused: the file is there already, or cannot be written.
        DiskFull: no room; nothing is left behind.
    """
    if out.exists():
        raise OutputRefused(
            expected="a file that is not there yet",
            found=f"one at {out}",
            remedy="Name another file; backups are never written over.",
        )
    part = out.with_name(f".{out.name}.part")
    folder = out.with_name(f".{out.name}.parts")
    try:
        shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
        folder.mkdir(mode=0o700)
        try:
            parts = _parts(database, folder, extra)
            manifest = {
                "sayso": version,
                "format": _FORMAT,
                "schema": SCHEMA,
                "workspace_id": database.keys.fact("workspace_id") or "",
                "made_at": now.isoformat(),
                "data_keys": "none",
                "files": {name: _described(path) for name, path in parts.items()},
            }
            _zip(part, parts, json.dumps(manifest, indent=2))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        part.replace(out)
    except OSError as error:
        raise _refused(out, error) from error
    finally:
        part.unlink(missing_ok=True)
    return Written(out, out.stat().st_size, now, SCHEMA)


def unpack(backup: Path, folder: Path) -> Unpacked:
    """Check a backup, and put its parts into an empty folder.

    Raises:
        BackupDamaged: it is not one, or not what it was.
        WorkspaceNewer: a newer Sayso wrote it.
        DiskFull, OutputRefused: the folder cannot take it.
    """
    try:
        with zipfile.ZipFile(backup) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            _check_version(manifest)
            names = tuple(manifest["files"])
            for name in names:
                _extract(archive, name, manifest["files"][name], folder)
            if DATABASE not in names or KEYS not in names:
                raise _damaged(backup, "parts that are missing")
            return Unpacked(
                folder,
                manifest["workspace_id"],
                datetime.fromisoformat(manifest["made_at"]),
                manifest["schema"],
                tuple(name for name in names if name not in {DATABASE, KEYS}),
            )
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise _damaged(backup, str(error) or "something else") from error
    except OSError as error:
        raise _refused(folder if backup.exists() else backup, error) from error


def clear_unpacked(home: Path) -> None:
    """Remove what a restore that was killed had unpacked: nothing in it was served yet."""
    for folder in home.glob(f"{UNPACKED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(prepared: Path, live: Path) -> None:
    """Put a prepared database where a live one is, or none: the old one holds until the new does.

    Raises:
        WorkspaceBusy: another process has the live one open.
    """
    _sync(prepared)
    if live.exists():
        close_log(live)
    for suffix in ("-wal", "-shm", "-journal"):
        live.with_name(live.name + suffix).unlink(missing_ok=True)
    prepared.replace(live)
    live.chmod(0o600)
    _sync_folder(live.parent)


def close_log(database: Path) -> None:
    """Fold a write-ahead log into its database, which is whole without it then.

    Raises:
        WorkspaceBusy: another process has it open.
    """
    try:
        raw = sqlite3.connect(database, timeout=5.0)
        try:
            mode = raw.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        finally:
            raw.close()
    except sqlite3.OperationalError as error:
        raise WorkspaceBusy(
            expected="a workspace that nobody else has open",
            found=str(error),
            remedy="End other sayso processes and run this again; nothing was changed.",
        ) from error
    except sqlite3.DatabaseError:
        return  # damaged, which is why it is being replaced
    if mode != "delete":
        raise WorkspaceBusy(
            expected="a workspace that nobody else has open",
            found="another process reading it",
            remedy="End other sayso processes and run this again; nothing was changed.",
        )


def _parts(database: Database, folder: Path, extra: Mapping[str, Path]) -> dict[str, Path]:
    copy = folder / DATABASE
    source = sqlite3.connect(database.path)
    target = sqlite3.connect(copy)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()
    database.keys.copy_to(folder / KEYS, keys=False)
    return {DATABASE: copy, KEYS: folder / KEYS, **extra}


def _zip(part: Path, parts: Mapping[str, Path], manifest: str) -> None:
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w+b") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(MANIFEST, manifest)
            for name, path in parts.items():
                archive.write(path, name)
        stream.flush()
        os.fsync(stream.fileno())


def _described(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _extract(
    archive: zipfile.ZipFile, name: str, described: Mapping[str, Any], folder: Path
) -> None:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        raise _damaged(Path(archive.filename or ""), f"a part called {name!r}")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out)
    target.chmod(0o600)
    if _described(target) != dict(described):
        raise _damaged(Path(archive.filename or ""), f"{name} changed since it was written")


def _check_version(manifest: Mapping[str, Any]) -> None:
    if manifest["format"] > _FORMAT or manifest["schema"] > SCHEMA:
        raise WorkspaceNewer(
            expected=f"a backup of schema {SCHEMA} or older",
            found=f"schema {manifest['schema']}",
            remedy="Install the newer Sayso that wrote it; nothing was changed.",
        )


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _damaged(backup: Path, found: str) -> BackupDamaged:
    return BackupDamaged(
        expected=f"a backup that `sayso backup` wrote at {backup}",
        found=found,
        remedy="Use another backup; nothing was changed.",
    )


def _refused(place: Path, error: OSError) -> DiskFull | OutputRefused:
    if error.errno == _NO_ROOM:
        return DiskFull(
            expected=f"room on the disk of {place}",
            found="none left",
            remedy="Free some space and run this again; nothing half-written was kept.",
        )
    return OutputRefused(
        expected=f"a file or folder that can be used at {place}",
        found=error.strerror or str(error),
        remedy="Name another, or give this account the right to it.",
    )
