"""``enrol --csv``: each bad row is told by its line, and the rest go on."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sayso.services.scene import Scene

from .program import Desk, NewDesk

HEADER = ("name", "images", "grants", "evidence", "fields")
Enrol = Callable[[bytes], Any]


@pytest.fixture
def enrol(new_desk: NewDesk, tmp_path: Path) -> Enrol:
    """Enrols a table given as bytes; gives what was printed."""
    desk = new_desk()

    def run(table: bytes) -> dict[str, Any]:
        (tmp_path / "table.csv").write_bytes(table)
        told = desk("enrol", "--csv", tmp_path / "table.csv")
        assert {"enrolled", "refused"} <= set(told)
        assert all({"line", "code", "reason"} == set(row) for row in told["refused"])
        told["names"] = [one["name"] for one in desk("people")["people"]]
        return dict(told)

    return run


def table(*rows: Sequence[str], header: Sequence[str] = HEADER, end: str = "\n") -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator=end).writerows([header, *rows])
    return stream.getvalue()


def person(name: str, *, fields: str = "", grants: str = "publish:website;name:staff") -> list[str]:
    return [name, "", grants, "", fields]


def test_rows_are_enrolled_and_bad_ones_told_by_their_line(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    (tmp_path / "hopper.jpg").write_bytes(scene.hopper.read_bytes())
    (tmp_path / "form.txt").write_text("signed")
    rows = [
        ["Ann One", "hopper.jpg; hopper.jpg", "recognise ; find", "form.txt", ""],
        ["Bo Two", "hopper.jpg", "recognise", "", ""],
        ["Cy\nThree", "", "publish:website", "", ""],
        ["Di Four", "nowhere.jpg", "recognise", "form.txt", ""],
        ["Ed Five", "", "everything", "", ""],
        ["", "", "find", "", ""],
        person("Flo Six", fields="phone=1@staff;room=2@staff"),
    ]
    (tmp_path / "people.csv").write_text(table(*rows))
    told = desk("enrol", "--csv", tmp_path / "people.csv")
    assert told["enrolled"] == 3
    assert [(row["line"], row["code"]) for row in told["refused"]] == [
        (3, "evidence_required"),
        (6, "file_missing"),
        (7, "grant_unknown"),
        (8, "grant_unknown"),
    ]
    again = desk("enrol", "--csv", tmp_path / "people.csv")
    assert (again["enrolled"], len(again["refused"])) == (0, 4)
    strict = desk.program("enrol", "--csv", tmp_path / "people.csv", "--strict", "--json",
                          "--workspace", desk.workspace)  # fmt: skip
    assert strict.status == 1


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + table(person("Ann"), person("Bo")),
        table(person("Ann"), person("Bo"), end="\r\n"),
        table(person("Ann"), person("Bo"), end="\r"),
        table(person("Ann"), person("Bo")) + "\n\n",
        table(["find", "Ann"], ["find", "Bo"], header=("grants", "name")),
    ],
    ids=["BOM", "CRLF", "CR", "empty lines", "other order"],
)
def test_tables_as_other_programs_write_them(enrol: Enrol, text: str) -> None:
    told = enrol(text.encode())
    assert (told["enrolled"], told["refused"], told["names"]) == (2, [], ["Ann", "Bo"])


def test_a_hostile_row_harms_no_other(enrol: Enrol) -> None:
    rows = [
        person("=HYPERLINK(1)"),
        person("<b>Bo</b> [red]x[/red]"),
        person("x" * 100_000),
        ["Cy", "too", "many", "cells", "in", "this", "row"],
        ["Di", "few"],
        person("Ed", grants=";;;"),
        person("Flo", fields="phone"),
        person("Gus\x00"),
        person("Hy"),
    ]
    told = enrol(table(*rows).encode() + b"I\xffv,,find,,\n" + b"Zo,,find,,\n")
    assert {"=HYPERLINK(1)", "<b>Bo</b> [red]x[/red]", "Hy", "Zo"} <= set(told["names"])
    assert not {"Cy", "Di", "Ed", "Flo"} & set(told["names"])
    lines = {row["line"]: row["code"] for row in told["refused"]}
    assert {5: "table_malformed", 6: "table_malformed", 7: "grant_unknown"}.items() <= lines.items()
    assert lines[8] == "setting_malformed"
    assert lines[11] == "table_malformed"


@pytest.mark.parametrize(
    "rest",
    [b'"Bo"x,,find,,\n', b'"Bo,,find,,\nCy,,find,,\n', b"x" * 200_000 + b",,find,,\n"],
    ids=["bad quoting", "a quote that never ends", "a huge cell"],
)
def test_what_cannot_be_read_as_a_row_is_told_and_what_came_before_is_kept(
    enrol: Enrol, rest: bytes
) -> None:
    told = enrol(table(person("Ann")).encode() + rest)
    assert "Ann" in told["names"]
    assert {row["code"] for row in told["refused"]} == {"table_malformed"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table_malformed"),
        (b"\n", "table_malformed"),
        (b"name\nAnn\n", "table_malformed"),
        (b"name,grants,shoe size\nAnn,find,38\n", "table_malformed"),
        (b"name,grants,name\nAnn,find,Bo\n", "table_malformed"),
        (b"name;grants\nAnn;find\n", "table_malformed"),
        (bytes(range(256)) * 40, "table_malformed"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, "table_malformed"),
        ("name,grants\nAnn,find\n".encode("utf-16"), "table_malformed"),
        (b'"name', "table_malformed"),
        (b"x" * 200_000, "table_malformed"),
        (None, "file_missing"),
    ],
    ids=["empty", "a line end", "no grants", "another column", "a column twice", "semicolons",
         "binary", "PNG", "UTF-16", "a quote that never ends", "huge", "no file"],
)  # fmt: skip
def test_a_file_that_is_no_such_table_enrols_nobody(
    story: Desk, tmp_path: Path, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / "table.csv").write_bytes(content)
    assert story.refused("enrol", "--csv", tmp_path / "table.csv") == code
