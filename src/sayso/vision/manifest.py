"""A model's manifest as a file: read, checked, and as JSON for keeping.

TOML, or JSON with the same keys; ``file`` lies beside the manifest or below it. A bare ONNX file is
taken for an ArcFace-style model: aligned faces of 112 x 112, RGB, (value - 127.5) / 127.5.
"""

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sayso.domain.calibration import Calibration
from sayso.errors import FileMissing, ManifestMalformed
from sayso.vision.models import (
    BGR,
    NOT_KNOWN,
    RGB,
    EmbedderManifest,
    RecogniserManifest,
    require_same,
)

CROP_PX = 112
"""Side of the aligned faces; said here too, since `sayso.vision.align` takes long to import."""
LARGEST_BYTES = 1_500_000_000
"""Of a model's file; ONNX itself ends at two thousand million."""
_LARGEST_TEXT = 100_000
_MIDDLE = 127.5
_UNSTATED = "NOASSERTION"
"""What SPDX writes where no licence is stated."""
_NEEDED = ("name", "file", "sha256", "licence", "source", "colour_order", "dimension")
_WORDS = ("training", "rates", "limits")
_KNOWN = {*_NEEDED, *_WORDS, "input_px", "subtract", "divide", "calibration"}
_NUMBERS = tuple(one.name for one in fields(Calibration))


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that somebody wants to use: its manifest, and the bytes of its file, verified."""

    manifest: EmbedderManifest
    content: bytes


def read(path: Path) -> Offered:
    """Read a manifest with its model, or a model without one.

    Args:
        path: of a ``.toml`` or ``.json`` manifest, or of an ``.onnx`` file; of that the dimension
            is left at 0: its graph tells.

    Raises:
        FileMissing: one of the files cannot be read.
        ManifestMalformed: it says what cannot be, or names a file elsewhere.
        ModelAltered: the file does not have the SHA-256 that the manifest says.
    """
    if path.suffix.lower() == ".onnx":
        content = _read(path, LARGEST_BYTES)
        return Offered(_arcface(path, hashlib.sha256(content).hexdigest()), content)
    manifest = of_values(_parsed(path))
    content = _read(_inside(path.parent, manifest.file), LARGEST_BYTES)
    remedy = "Get the file again from its source; if it changed there, it is another model."
    require_same(content, manifest.sha256, manifest.file, remedy)
    return Offered(manifest, content)


def dumped(manifest: RecogniserManifest) -> str:
    """A manifest as JSON, for keeping."""
    values: dict[str, Any] = {
        **{key: getattr(manifest, key) for key in (*_NEEDED, *_WORDS, "subtract", "divide")},
        "calibration": {**asdict(manifest.calibration), "provenance": manifest.provenance},
    }
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def loaded(text: str) -> RecogniserManifest:
    """What `dumped` wrote.

    Raises:
        ManifestMalformed: something else.
    """
    try:
        manifest = of_values(json.loads(text))
    except ValueError as error:
        raise _malformed("a manifest that Sayso kept", "other text") from error
    if not isinstance(manifest, RecogniserManifest):
        raise _malformed("a manifest with its calibration", "one without")
    return manifest


def of_values(values: Mapping[str, Any]) -> EmbedderManifest:
    """A manifest of what its file says; a `RecogniserManifest` where that has a calibration.

    Raises:
        ManifestMalformed: a key that is missing or unknown, or a value that cannot be.
    """
    if not isinstance(values, dict):
        raise _malformed("keys and values", type(values).__name__)
    for key in _NEEDED:
        if key not in values:
            raise _malformed(f"the key {key}", "none")
    for key in values:
        if key not in _KNOWN:
            raise _malformed(f"one of the keys {', '.join(sorted(_KNOWN))}", repr(key))
    size = values.get("input_px", [CROP_PX, CROP_PX])
    if size != [CROP_PX, CROP_PX]:
        raise _malformed(f"input_px = [{CROP_PX}, {CROP_PX}], as faces are cut", repr(size))
    manifest = EmbedderManifest(
        name=_text(values, "name", 80),
        distribution="",
        file=_text(values, "file", 200),
        sha256=_one_of(values, "sha256", r"[0-9a-f]{64}", "64 hex digits in small letters"),
        licence=_text(values, "licence", 80),
        source=_text(values, "source", 400),
        colour_order=_one_of(values, "colour_order", f"{RGB}|{BGR}", f"{RGB} or {BGR}"),
        input_height_px=CROP_PX,
        input_width_px=CROP_PX,
        dimension=_dimension(values["dimension"]),
        subtract=_number(values, "subtract", 0.0),
        divide=_above_0(_number(values, "divide", 1.0)),
        **{word: _text(values, word, 4000) if word in values else NOT_KNOWN for word in _WORDS},
    )
    if "calibration" not in values:
        return manifest
    found = values["calibration"]
    if not isinstance(found, dict) or set(found) != {*_NUMBERS, "provenance"}:
        raise _malformed(f"calibration with {', '.join(_NUMBERS)} and provenance", "other keys")
    numbers = {name: _number(found, name, math.nan) for name in _NUMBERS}
    said = _text(found, "provenance", 4000)
    return manifest.calibrated(Calibration(**numbers), said, manifest.rates)


def _arcface(path: Path, sha256: str) -> EmbedderManifest:
    return EmbedderManifest(
        name=path.stem,
        distribution="",
        file=path.name,
        sha256=sha256,
        licence=_UNSTATED,
        source=_UNSTATED,
        colour_order=RGB,
        input_height_px=CROP_PX,
        input_width_px=CROP_PX,
        dimension=0,
        subtract=_MIDDLE,
        divide=_MIDDLE,
    )


def _parsed(path: Path) -> Mapping[str, Any]:
    data = _read(path, _LARGEST_TEXT)
    try:
        text = data.decode()
        given: Mapping[str, Any] = (
            json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        )
    except (ValueError, RecursionError) as error:
        raise _malformed(f"TOML or JSON in {path}", "something else") from error
    return given


def _inside(folder: Path, file: str) -> Path:
    """A file in a folder or below it, links followed: a manifest opens nothing else."""
    home = folder.resolve()
    path = (home / file).resolve()
    if not path.is_relative_to(home):
        raise _malformed("a file beside the manifest or below it", file)
    return path


def _read(path: Path, most: int) -> bytes:
    try:
        if path.is_file() and path.stat().st_size > most:
            raise _malformed(f"a file of at most {most:,} bytes at {path}", "a larger one")
        return path.read_bytes()
    except OSError as error:
        raise FileMissing(
            expected=f"a file that can be read at {path}",
            found=error.strerror or "an error",
            remedy="Check the name.",
        ) from error


def _text(values: Mapping[str, Any], key: str, most: int) -> str:
    value = values[key]
    if not isinstance(value, str) or not 0 < len(value.strip()) <= most:
        raise _malformed(f"a text of 1 to {most} letters for {key}", repr(value)[:80])
    return value.strip()


def _one_of(values: Mapping[str, Any], key: str, pattern: str, words: str) -> str:
    value = values[key]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise _malformed(f"{words} for {key}", repr(value)[:80])
    return value


def _number(values: Mapping[str, Any], key: str, default: float) -> float:
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _malformed(f"a finite number for {key}", repr(value)[:80])
    return float(value)


def _above_0(value: float) -> float:
    if not value > 0:
        raise _malformed("a number above 0 for divide", repr(value))
    return value


def _dimension(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 < value <= 1 << 14:
        raise _malformed("a dimension from 2 to 16,384", repr(value)[:80])
    return value


def _malformed(expected: str, found: str) -> ManifestMalformed:
    return ManifestMalformed(
        expected=expected,
        found=found,
        remedy="Mend the manifest; docs/reference/models.md says what belongs in it.",
    )
