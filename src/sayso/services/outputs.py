"""What an erased person leaves in folders of publications that are still ours."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sayso.services.output import MANIFEST, REPORT
from sayso.store.readback import search
from sayso.store.takedowns import Place
from sayso.store.traces import Trace


def clear_outputs(places: Iterable[Place], traces: Sequence[Trace]) -> None:
    """Remove the copies that show the person, and reports that tell of them.

    A copy that was changed or written again since is somebody's else's now, and stays; so does
    what cannot be reached. The take-down list names every place in any case.
    """
    by_folder: dict[str, list[Place]] = {}
    for place in places:
        by_folder.setdefault(place.folder, []).append(place)
    for folder, within in by_folder.items():
        with suppress(OSError):
            _clear(Path(folder), within, traces)


def _clear(folder: Path, places: Sequence[Place], traces: Sequence[Trace]) -> None:
    if not folder.is_dir():
        return
    gone = {place.path for place in places if _remove_copy(folder / place.path, place.sha256)}
    _strike(folder / MANIFEST, gone)
    report = folder / REPORT
    if gone or search([report], traces).hits:
        report.unlink(missing_ok=True)  # it tells who was shown; publish again for a new one


def _remove_copy(copy: Path, sha256: str) -> bool:
    if not copy.is_file():
        return True
    if hashlib.sha256(copy.read_bytes()).hexdigest() != sha256:
        return False
    copy.unlink()
    return True


def _strike(manifest: Path, gone: set[str]) -> None:
    """Take copies out of a manifest, if it is one that we can read."""
    try:
        facts = json.loads(manifest.read_bytes())
        facts["published"] = [one for one in facts["published"] if one["copy"] not in gone]
    except (OSError, ValueError, TypeError, KeyError):
        return
    part = manifest.with_name(f".{uuid.uuid4().hex}.part")
    part.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    part.replace(manifest)
