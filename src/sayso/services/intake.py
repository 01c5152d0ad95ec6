"""From words and file names, as typed or out of a table, to an enrolment."""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sayso.domain.event import Evidence, Notice
from sayso.domain.grant import Grant, audience
from sayso.domain.person import Guardian, PersonId, ProfileField
from sayso.errors import (
    ConsentMalformed,
    EvidenceRequired,
    FileMissing,
    IntegrityError,
    SaysoError,
    SettingMalformed,
    TableMalformed,
    WorkspaceError,
)
from sayso.services.enrol import Enrol, Enrolled
from sayso.services.enrolment import Enrolment, Image
from sayso.services.ports import Progress, unwatched

LISTS = frozenset({"images", "grants", "fields", "collections"})
"""Columns whose cells hold several values with ``;`` between them."""
COLUMNS = (
    "name", "images", "grants", "evidence", "fields", "collections", "expires", "guardian",
    "relation", "verified_by", "born", "jurisdiction", "notice", "notice_version",
    "notice_language", "person", "vouch",
)  # fmt: skip
"""The columns that a table may have; ``name`` and ``grants`` it must have."""
_LONGEST_FOUND = 200
"""Letters of a header that is none, in the message about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An enrolment as it was written down: texts and file names, nothing understood yet."""

    name: str
    images: Sequence[str] = ()
    grants: Sequence[str] = ()
    evidence: str = ""
    fields: Sequence[str] = ()
    collections: Sequence[str] = ()
    expires: str = ""
    guardian: str = ""
    relation: str = ""
    verified_by: str = ""
    born: str = ""
    jurisdiction: str = ""
    notice: str = ""
    notice_version: str = ""
    notice_language: str = ""
    person: str = ""
    vouch: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not enrolled: its line in the file, from 1, and why."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class EnrolledTable:
    """What became of the rows of a table."""

    enrolled: tuple[Enrolled, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]


def enrolment(form: Form, *, jurisdiction: str, folder: Path | None = None) -> Enrolment:
    """Understand a form and read its files.

    Args:
        form: as written down.
        jurisdiction: whose age of majority holds if the form does not say.
        folder: where relative file names begin, before the current folder; None: only there.

    Raises:
        ConsentError, InputError: something in it cannot be understood or read.
    """
    guardian = None
    if form.guardian or form.relation or form.verified_by:
        guardian = Guardian(form.guardian, form.relation, form.verified_by)
    return Enrolment(
        name=form.name,
        images=tuple(Image(path, _read(path, folder)) for path in form.images),
        grants=tuple(dict.fromkeys(Grant.parse(text) for text in form.grants)),
        fields=tuple(_field(text) for text in form.fields),
        collections=tuple(form.collections),
        expires=_expiry(form.expires),
        guardian=guardian,
        born=_date(form.born, "--born") if form.born else None,
        jurisdiction=form.jurisdiction or jurisdiction,
        notice=_notice(form, folder),
        evidence=_evidence(form.evidence, folder),
        person=PersonId(form.person) if form.person else None,
        vouched=_vouched(form.vouch),
    )


def enrol_table(
    enrol: Enrol, table: Path, *, jurisdiction: str, progress: Progress = unwatched
) -> EnrolledTable:
    """Enrol everybody in a CSV file; a bad row is reported by its line and the rest go on.

    Raises:
        FileMissing: the file cannot be read.
        TableMalformed: it has no header, or columns that are not known.
    """
    rows = list(_rows(table))
    enrolled: list[Enrolled] = []
    refused: list[RefusedRow] = []
    progress(0, len(rows))
    for done, (line, row) in enumerate(rows, 1):
        try:
            form = row if isinstance(row, Form) else _raise(row)
            wish = enrolment(form, jurisdiction=jurisdiction, folder=table.parent)
            enrolled.append(enrol(wish))
        except (WorkspaceError, IntegrityError):
            raise  # a wrong key or a full disk is no fault of the row
        except SaysoError as error:
            refused.append(RefusedRow(line, error.reason_code, error.reason))
        progress(done, len(rows))
    unchanged = sum(one.unchanged for one in enrolled)
    return EnrolledTable(tuple(enrolled), unchanged, tuple(refused))


def _rows(table: Path) -> Iterator[tuple[int, Form | TableMalformed]]:
    """Each row with the line on which it ends; a row of the wrong width as its error."""
    text = _read(str(table), None).decode("utf-8-sig", errors="replace")
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    header = _header(reader)
    columns = set(header)
    if not {"name", "grants"} <= columns <= set(COLUMNS) or len(columns) < len(header):
        raise _malformed_header(", ".join(header) or "no header")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the next row begins with the next line
            yield reader.reader.line_num, _malformed_row(str(error))
        else:
            yield reader.line_num, _form(row)


def _header(reader: "csv.DictReader[str]") -> Sequence[str]:
    try:
        return reader.fieldnames or ()
    except csv.Error as error:
        raise _malformed_header(str(error)) from error


def _malformed_header(found: str) -> TableMalformed:
    return TableMalformed(
        expected="a header with name and grants, and of these others: " + ", ".join(COLUMNS),
        found=found if len(found) <= _LONGEST_FOUND else found[:_LONGEST_FOUND] + "...",
        remedy="Mend the first line of the file.",
    )


def _form(row: Mapping[str | None, str | list[str] | None]) -> Form | TableMalformed:
    if None in row or None in row.values():
        return _malformed_row("another number of cells than the header has")
    cells = {str(column): str(cell).strip() for column, cell in row.items()}
    if "\ufffd" in "".join(cells.values()):
        return _malformed_row("letters that are not UTF-8")
    lists = {name: _split(cells.pop(name)) for name in LISTS & cells.keys()}
    return Form(**cells, **lists)  # type: ignore[arg-type] # the header was checked by name


def _split(cell: str) -> Sequence[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _malformed_row(found: str) -> TableMalformed:
    return TableMalformed(
        expected="a row with one cell for each column, in UTF-8",
        found=found,
        remedy="Mend the row; quote cells that hold commas.",
    )


def _raise(error: TableMalformed) -> Form:
    raise error


def _field(text: str) -> ProfileField:
    name, equals, rest = text.partition("=")
    value, at, to = rest.rpartition("@")
    if not (equals and at and name.strip() and value.strip()):
        raise SettingMalformed(
            expected="a field as NAME=VALUE@AUDIENCE",
            found=repr(text),
            remedy="For example --field phone=0123@staff.",
        )
    return ProfileField(name.strip(), value.strip(), audience(to.strip()))


def _vouched(text: str) -> bool:
    if text not in {"", "yes"}:
        raise SettingMalformed(
            expected="yes, or nothing, for vouch",
            found=repr(text),
            remedy="Write yes where you know that the images show this person.",
        )
    return bool(text)


def _expiry(text: str) -> datetime | None:
    """The beginning of the day named, UTC: from then on the consent no longer holds."""
    if not text:
        return None
    day = _date(text, "--expires")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _date(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise SettingMalformed(
            expected=f"a date as YYYY-MM-DD for {option}",
            found=repr(text),
            remedy="Write the year first, for example 2031-06-30.",
        ) from None


def _evidence(path: str, folder: Path | None) -> Evidence | None:
    if not path:
        return None
    data = _read(path, folder)
    if not data:
        raise EvidenceRequired(
            expected="a signed form",
            found=f"an empty file at {path}",
            remedy="Scan or photograph the signed form and name that file.",
        )
    return Evidence(hashlib.sha256(data).hexdigest(), "signed form")


def _notice(form: Form, folder: Path | None) -> Notice | None:
    if not form.notice:
        if form.notice_version or form.notice_language:
            raise ConsentMalformed(
                expected="the notice itself with its version and language",
                found="no notice",
                remedy="Name the file that the person was shown with --notice.",
            )
        return None
    sha256 = hashlib.sha256(_read(form.notice, folder)).hexdigest()
    return Notice(sha256, form.notice_version or "1", form.notice_language or "und")


def _read(path: str, folder: Path | None) -> bytes:
    place = Path(path)
    if folder is not None and (folder / place).exists():
        place = folder / place
    try:
        return place.read_bytes()
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        raise FileMissing(
            expected=f"a file that can be read at {path}",
            found=getattr(error, "strerror", None) or str(error),
            remedy="Check the name; relative names begin at the table or the current folder.",
        ) from error
