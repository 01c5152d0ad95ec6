"""A labelled set of photographs, for measuring: folders by identity, or tables beside them."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sayso.errors import FolderMissing, TableMalformed
from sayso.sources.folder import Folder

LABELS = "labels.csv"
BOXES = "boxes.csv"
_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".bmp", ".gif"}
)


class Role(StrEnum):
    """What a photograph is for in a search of a gallery."""

    REFERENCE = "reference"
    PROBE = "probe"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Sample:
    """A photograph of one person.

    Attributes:
        path: relative to the dataset.
        identity: who it shows, by whatever name the dataset has.
        role: None where the dataset does not say.
        group: for comparing groups; empty: of none.
    """

    path: str
    identity: str
    role: Role | None
    group: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked face: left, top, width and height, pixels, or shares of the picture if relative."""

    box: tuple[float, float, float, float]
    relative: bool
    ignored: bool


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is to be measured with.

    Attributes:
        folder: where its photographs are.
        samples: photographs with an identity; may be empty.
        marks: photographs with marked faces, by path; may be empty.
    """

    folder: Path
    samples: tuple[Sample, ...]
    marks: Mapping[str, tuple[Mark, ...]]


def read_dataset(folder: Path, *, labels: Path | None = None, boxes: Path | None = None) -> Dataset:
    """A dataset: by its tables, or one folder for each identity.

    Args:
        folder: the dataset. Its `LABELS` and `BOXES` are used where they are there; where there
            is no table at all, each folder in it holds the photographs of one identity.
        labels: another table of identities: ``path, identity`` and optionally ``role``
            (reference, probe or stranger) and ``group``.
        boxes: another table of faces: ``image, x1, y1, x2, y2`` and optionally ``label`` (face,
            or ignore for what need not be found), in pixels or as shares of the picture.

    Raises:
        FolderMissing: there is no such folder.
        TableMalformed: a table cannot be understood, or there is nothing to measure with.
    """
    if not folder.is_dir():
        raise FolderMissing(
            expected=f"a folder of labelled photographs at {folder}",
            found="none",
            remedy="Name the folder that holds one folder for each person.",
        )
    labels = labels or _if_there(folder / LABELS)
    boxes = boxes or _if_there(folder / BOXES)
    marks = _marks(boxes) if boxes else {}
    by_folder = () if boxes else _by_folder(folder)
    samples = tuple(_labelled(labels) if labels else by_folder)
    if not samples and not marks:
        raise TableMalformed(
            expected=f"one folder for each person in {folder}, or {LABELS} or {BOXES} in it",
            found="neither",
            remedy="See the documentation of `sayso evaluate` for the forms of a dataset.",
        )
    return Dataset(folder, samples, marks)


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _by_folder(folder: Path) -> Iterator[Sample]:
    for file in Folder(folder).files():
        identity, _, name = file.path.rpartition("/")
        if identity and Path(name).suffix.lower() in _ENDINGS:
            yield Sample(file.path, identity, None, "")


def _labelled(table: Path) -> Iterator[Sample]:
    seen: set[str] = set()
    for line, row in _rows(table, {"path", "identity"}, {"role", "group"}):
        try:
            role = Role(row["role"]) if row.get("role") else None
        except ValueError:
            raise _malformed(
                table, "the role reference, probe or stranger", f"{row['role']} in line {line}"
            ) from None
        # A stranger without an identity is somebody who is in this photograph alone.
        identity = row["identity"] or (row["path"] if role is Role.STRANGER else "")
        if not row["path"] or not identity:
            raise _malformed(table, "a path and an identity in each row", f"none in line {line}")
        if row["path"] in seen:
            raise _malformed(table, "each path once", f"{row['path']} again in line {line}")
        seen.add(row["path"])
        yield Sample(row["path"], identity, role, row.get("group", ""))


def _marks(table: Path) -> dict[str, tuple[Mark, ...]]:
    rows: dict[str, list[tuple[tuple[float, float, float, float], bool]]] = {}
    for line, row in _rows(table, {"image", "x1", "y1", "x2", "y2"}, {"label"}):
        try:
            left, top, right, bottom = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
        except ValueError:
            raise _malformed(table, "corners in numbers", f"others in line {line}") from None
        box = (left, top, right - left, bottom - top)
        if not (left < right and top < bottom and math.isfinite(box[2] * box[3])):
            raise _malformed(table, "x1 < x2 and y1 < y2, all finite", f"otherwise in line {line}")
        if row.get("label", "") not in {"", "face", "ignore"}:
            found = f"{row['label']} in line {line}"
            raise _malformed(table, "the label face or ignore", found)
        rows.setdefault(row["image"], []).append((box, row.get("label") == "ignore"))
    # One table has one unit: nothing in pixels lies whole within the first pixel.
    relative = all(max(b[0] + b[2], b[1] + b[3]) <= 1.5 for each in rows.values() for b, _ in each)  # noqa: PLR2004
    return {
        image: tuple(Mark(box, relative, ignored) for box, ignored in each)
        for image, each in rows.items()
    }


def _rows(
    table: Path, required: set[str], optional: set[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            names = set(reader.fieldnames or ())
            if not required <= names or names - required - optional:
                raise _malformed(
                    table,
                    f"the columns {', '.join(sorted(required))} and at most "
                    f"{', '.join(sorted(optional))}",
                    ", ".join(str(name) for name in reader.fieldnames or ()) or "none",
                )
            for row in reader:
                if None in row or None in row.values():
                    raise _malformed(
                        table, "as many fields as columns", f"others in line {reader.line_num}"
                    )
                yield reader.line_num, {name: value.strip() for name, value in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _malformed(table, "a readable CSV file in UTF-8", str(error)) from error


def _malformed(table: Path, expected: str, found: str) -> TableMalformed:
    return TableMalformed(
        expected=f"{expected}, in {table.name}",
        found=found,
        remedy="Mend the table and run it again; nothing was kept.",
    )
