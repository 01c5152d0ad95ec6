"""Options before and after the verb, the workspace, usage, and who a PERSON is."""

from pathlib import Path

import pytest

from .program import Desk, Program


def test_options_stand_before_or_after_the_verb(story: Desk) -> None:
    program, folder = story.program, story.workspace
    after = program("people", "--workspace", folder, "--json")
    before = program("--workspace", folder, "--json", "people")
    within = program("--json", "collection", "list", "--workspace", folder)
    assert before.json == after.json
    assert [one["name"] for one in within.json["collections"]] == ["space"]


def test_the_environment_names_the_workspace_unless_an_option_does(
    story: Desk, tmp_path: Path
) -> None:
    program = story.program
    named = {"SAYSO_WORKSPACE": str(story.workspace)}
    assert len(program("people", "--json", environment=named).json["people"]) == 4
    nowhere = {"SAYSO_WORKSPACE": str(tmp_path / "nowhere")}
    assert program("people", "--json", environment=nowhere).code == "workspace_missing"
    ran = program("people", "--json", "--workspace", story.workspace, environment=nowhere)
    assert len(ran.json["people"]) == 4


def test_a_workspace_is_named_from_the_folder_one_is_in(story: Desk) -> None:
    ran = story.program("people", "--json", "--workspace", "../workspace", folder=story.workspace)
    assert len(ran.json["people"]) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["scan"],
        ["enrol"],
        ["scan", "space", "--no-such-option"],
        ["screen", "space"],
        ["publish", "space", "out", "--channel", "website", "--style", "blur"],
        ["collection", "add", "x", ".", "--purpose", "x", "--recognise", "everybody"],
        ["collection", "add", "x", ".", "--purpose", "x", "--recognise", "off",
         "--retain-days", "soon"],
        ["withdraw", "Eileen Collins", "--purpose", "everything"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_command_line_is_usage(story: Desk, arguments: list[str]) -> None:
    ran = story.program(*arguments, "--json", "--workspace", story.workspace)
    assert (ran.status, ran.out) == (2, "")
    assert "--help" in ran.err


@pytest.mark.parametrize("verb", ["enrol", "scan", "publish", "withdraw", "collection add"])
def test_every_verb_explains_itself(program: Program, verb: str) -> None:
    ran = program(*verb.split(), "--help")
    assert ran.status == 0
    assert "--workspace" in ran.out


def test_an_error_without_json_is_text_for_people(story: Desk) -> None:
    ran = story.program("find", "[red]Nobody[/red]", "--workspace", story.workspace)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("person_unknown: Expected ")
    assert "[red]Nobody[/red]" in ran.err


def test_a_person_is_an_id_or_a_name_however_it_is_written(story: Desk) -> None:
    by_name = story("find", "eileen  COLLINS")
    assert by_name["photos"]
    assert story("find", by_name["person"]) == by_name


def test_a_name_that_two_have_is_asked_back_and_nothing_happens(desk: Desk) -> None:
    ran = desk.program("erase", "Kim Lee", "--yes", "--json", "--workspace", desk.workspace)
    assert (ran.status, ran.code) == (1, "person_ambiguous")
    ids = [one["id"] for one in desk("people")["people"] if one["name"] == "Kim Lee"]
    assert len(ids) == 2
    assert all(one in ran.json["error"]["reason"] for one in ids)
    # An id settles it.
    assert desk("erase", ids[0], "--yes")["erased"] == ids[0]
    assert desk("withdraw", "Kim Lee")["person"] == ids[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["scan", "nowhere"], "collection_unknown"),
        (["screen", "nowhere", "--channel", "website"], "collection_unknown"),
        (["screen", "space", "--channel", "billboard"], "grant_unknown"),
        (["screen", "space", "--channel", "website", "--audience", "all"], "grant_unknown"),
        (["find", "Nobody"], "person_unknown"),
        (["find", ""], "person_unknown"),
        (["withdraw", "Nobody"], "person_unknown"),
        (["erase", "Nobody", "--yes"], "person_unknown"),
        (["mark", "nothing.jpg", "1", "Eileen Collins"], "photograph_unknown"),
        (["mark", "999", "1", "Eileen Collins"], "photograph_unknown"),
        (["mark", "9" * 30, "1", "Eileen Collins"], "photograph_unknown"),
        (["mark", "IMG_0001.jpg", "999", "Eileen Collins"], "face_unknown"),
        (["mark", "IMG_0001.jpg", "a,b,c,d", "Eileen Collins"], "setting_malformed"),
        (["mark", "IMG_0001.jpg", "0,0,nan,1", "Eileen Collins"], "setting_malformed"),
        (["mark", "IMG_0001.jpg", "0,0,0,0", "Eileen Collins"], "setting_malformed"),
        (["mark", "IMG_0001.jpg", "0,0,1", "Eileen Collins"], "setting_malformed"),
        (["mark", "IMG_0001.jpg", "[" * 5000 + ",", "Eileen Collins"], "setting_malformed"),
        (["reject", "IMG_0001.jpg", "0.9,0.9,0.01,0.01", "Eileen Collins"], "face_unknown"),
        (["unmark", "IMG_0001.jpg", "1", "Eileen Collins"], "face_unknown"),
        (["identify", "nothing.jpg", "--collection", "space"], "file_missing"),
        (["identify", "/", "--collection", "space"], "file_missing"),
        (["collection", "add", "space", ".", "--purpose", "x", "--recognise", "off"],
         "collection_exists"),
        (["collection", "add", "x", "nowhere", "--purpose", "x", "--recognise", "off"],
         "folder_missing"),
        (["collection", "add", "x", ".", "--purpose", " ", "--recognise", "off"],
         "collection_malformed"),
        (["collection", "add", "x", ".", "--purpose", "x", "--recognise", "off",
          "--retain-days", "0"], "collection_malformed"),
        (["collection", "add", "x", ".", "--purpose", "x", "--recognise", "off",
          "--retain-days", "99999999999"], "collection_malformed"),
        (["collection", "add", "x", ".", "--purpose", "x", "--recognise", "group"],
         "basis_required"),
        (["collection", "add", "x", ".", "--purpose", "x", "--recognise", "group",
          "--basis", "  "], "basis_required"),
        (["erase", "Eileen Collins"], "not_confirmed"),
        (["init"], "workspace_exists"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else value,
)  # fmt: skip
def test_each_wrong_word_has_its_own_code(story: Desk, arguments: list[str], code: str) -> None:
    story("collection", "list")  # each start settles what the verb before it entered
    before = (story.workspace / "sayso.sqlite").read_bytes()
    assert story.refused(*arguments) == code
    assert (story.workspace / "sayso.sqlite").read_bytes() == before
