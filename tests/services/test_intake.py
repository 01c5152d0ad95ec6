from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sayso.errors import (
    ConsentMalformed,
    DiskFull,
    EvidenceRequired,
    FileMissing,
    GrantUnknown,
    SettingMalformed,
    TableMalformed,
)
from sayso.services.intake import EnrolledTable, Form, enrol_table, enrolment
from sayso.services.recognition import Recogniser

from .drawing import ADA, BEN, picture, portrait
from .world import World

HEADER = "name,images,grants,evidence"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ada.png").write_bytes(portrait(ADA))
    (tmp_path / "ada2.png").write_bytes(portrait(ADA, number=1))
    (tmp_path / "ben.png").write_bytes(portrait(BEN))
    (tmp_path / "empty.png").write_bytes(picture())
    (tmp_path / "form.txt").write_text("signed")
    return tmp_path


def table(
    world: World, folder: Path, lines: Sequence[str], encoding: str = "utf-8"
) -> EnrolledTable:
    (folder / "people.csv").write_bytes("\n".join(lines).encode(encoding))
    return enrol_table(world.enrolling, folder / "people.csv", jurisdiction="GB")


ADA_ROW = "Ada,ada.png; ada2.png,recognise;find,form.txt"
BEN_ROW = "Ben,ben.png,recognise,form.txt"


def test_a_table_enrols_everybody_in_it(world: World, folder: Path) -> None:
    done = table(world, folder, [HEADER, ADA_ROW, BEN_ROW])
    assert [one.person.name for one in done.enrolled] == ["Ada", "Ben"]
    assert [len(one.templates) for one in done.enrolled] == [2, 1]
    assert done.refused == ()


def test_the_same_table_again_changes_nothing(world: World, folder: Path) -> None:
    table(world, folder, [HEADER, ADA_ROW, BEN_ROW])
    before = world.rows()
    world.clock.forward(days=1)
    done = table(world, folder, [HEADER, ADA_ROW, BEN_ROW])
    assert (done.unchanged, len(done.enrolled), done.refused) == (2, 2, ())
    assert world.rows() == before


def test_nobody_who_withdrew_or_was_erased_comes_back_with_the_table(
    world: World, folder: Path
) -> None:
    table(world, folder, [HEADER, ADA_ROW, BEN_ROW])
    world.clock.forward(days=1)
    world.rights.withdraw("Ada")
    world.rights.erase("Ben")
    world.clock.forward(days=1)
    before = world.rows()
    done = table(world, folder, [HEADER, ADA_ROW, BEN_ROW])
    assert [(row.line, row.code) for row in done.refused] == [
        (2, "evidence_withdrawn"), (3, "evidence_withdrawn")
    ]  # fmt: skip
    assert world.rows() == before


def test_a_bad_row_is_reported_by_its_line_and_the_rest_go_on(world: World, folder: Path) -> None:
    done = table(
        world,
        folder,
        [
            HEADER,
            "No grant,,,",
            '"Two\nlines",,fly,',
            "No file,missing.png,recognise,form.txt",
            "No face,empty.png,recognise,form.txt",
            "No evidence,ada.png,recognise,",
            "Too,many,cells,in,here",
            "Too few",
            '"Bad "quote,,find,',
            "",
            BEN_ROW,
        ],
    )
    assert [(row.line, row.code) for row in done.refused] == [
        (2, "grant_unknown"),
        (4, "grant_unknown"),
        (5, "file_missing"),
        (6, "no_face"),
        (7, "evidence_required"),
        (8, "table_malformed"),
        (9, "table_malformed"),
        (10, "table_malformed"),
    ]
    assert [one.person.name for one in done.enrolled] == ["Ben"]


def test_a_row_with_letters_that_are_not_utf_8_is_refused(world: World, folder: Path) -> None:
    done = table(world, folder, [HEADER, "Zoë,,find,", "Ann,,find,"], encoding="latin-1")
    assert [(row.line, row.code) for row in done.refused] == [(2, "table_malformed")]
    assert [one.person.name for one in done.enrolled] == ["Ann"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_tables_as_spreadsheets_write_them_are_read(
    world: World, folder: Path, encoding: str
) -> None:
    rows = ["name,grants,fields,born\r", '"Zoë","find ;name:staff"," phone=1@staff ",1990-01-31\r']
    done = table(world, folder, rows, encoding=encoding)
    assert done.refused == ()
    assert done.enrolled[0].person.name == "Zoë"
    assert str(done.enrolled[0].person.born) == "1990-01-31"


@pytest.mark.parametrize(
    "header", ["", "name", "grants,evidence", "name,grants,colour", "name,name,grants", '"name']
)
def test_a_table_with_another_header_enrols_nobody(world: World, folder: Path, header: str) -> None:
    with pytest.raises(TableMalformed):
        table(world, folder, [header, "Ada,find,x"])
    assert world.count("persons") == 0


def test_a_table_that_is_not_there_says_so(world: World, folder: Path) -> None:
    with pytest.raises(FileMissing):
        enrol_table(world.enrolling, folder / "none.csv", jurisdiction="GB")


def test_a_full_disk_is_no_fault_of_a_row(world: World, folder: Path) -> None:
    def load() -> Recogniser:
        raise DiskFull(expected="room", found="none", remedy="Free some space.")

    full = replace(world.enrolling, load_recogniser=load)
    (folder / "people.csv").write_text(f"{HEADER}\n{ADA_ROW}\n")
    with pytest.raises(DiskFull):
        enrol_table(full, folder / "people.csv", jurisdiction="GB")


def test_an_empty_form_is_no_evidence(folder: Path) -> None:
    (folder / "form.txt").write_bytes(b"")
    with pytest.raises(EvidenceRequired):
        enrolment(Form(name="Ada", evidence="form.txt"), jurisdiction="", folder=folder)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (Form(name="A", grants=["fly"]), GrantUnknown),
        (Form(name="A", grants=["name"]), GrantUnknown),
        (Form(name="A", grants=["publish:"]), GrantUnknown),
        (Form(name="A", fields=["phone"]), SettingMalformed),
        (Form(name="A", fields=["phone=1@everybody"]), GrantUnknown),
        (Form(name="A", expires="31.12.2030"), SettingMalformed),
        (Form(name="A", born="2010-02-30"), SettingMalformed),
        (Form(name="A", guardian="Mary"), ConsentMalformed),
        (Form(name="A", relation="mother"), ConsentMalformed),
        (Form(name="A", notice_version="2"), ConsentMalformed),
        (Form(name="A", notice="none.txt"), FileMissing),
        (Form(name="A", images=["none.png"]), FileMissing),
        (Form(name="A", evidence="."), FileMissing),
        (Form(name="A", evidence="nul\0"), FileMissing),
    ],
)
def test_what_cannot_be_understood_is_said(form: Form, error: type[Exception]) -> None:
    with pytest.raises(error):
        enrolment(form, jurisdiction="")


def test_a_consent_ends_with_the_beginning_of_the_day_named() -> None:
    wish = enrolment(Form(name="A", expires="2030-01-31"), jurisdiction="")
    assert wish.expires is not None
    assert wish.expires.isoformat() == "2030-01-31T00:00:00+00:00"
