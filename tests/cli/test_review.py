"""Faces in doubt on the command line, and people whom the program cannot tell apart."""

from pathlib import Path

from sayso.services.scene import Scene

from .program import Desk


def test_a_look_alike_is_told_and_what_is_in_doubt_is_settled(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    assert desk("review") == {"questions": [], "faces": 0, "waiting": 0}
    assert {tuple(one["alike"]) for one in desk("people")["people"]} == {()}
    arguments = ("enrol", "Ann Other", scene.collins, "--grant", "recognise", "--grant",
                 "name:staff", "--evidence", scene.form)  # fmt: skip
    ran = desk.program(*arguments, "--json", "--workspace", desk.workspace)
    [alike] = ran.json["alike"]
    assert alike["collection"] == "space"
    assert "Eileen Collins" in ran.err
    listed = {one["name"]: one["alike"] for one in desk("people")["people"]}
    assert len(listed["Ann Other"]) == len(listed["Eileen Collins"]) == 1
    sheet = tmp_path / "sheet.html"
    found = desk("review", "space", "--sheet", sheet)
    first = found["questions"][0]
    assert (found["faces"], first["kind"]) == (len(found["questions"]), "person")
    assert sheet.stat().st_mode & 0o777 == 0o600
    assert first["person"]["name"] in sheet.read_text()
    [settled] = desk("review", "--answer", f"{first['face']}=cannot-tell")["answers"]
    assert settled["holds"]
    left = desk("review")["questions"]
    assert first["face"] not in {one["face"] for one in left}
    assert desk.refused("review", "--answer", f"{first['face']}=same") == "face_unknown"


def test_an_answer_that_is_none_is_usage(desk: Desk) -> None:
    for wrong in ("31=perhaps", "31", "=same"):
        ran = desk.program("review", "--answer", wrong, "--workspace", desk.workspace)
        assert ran.status in {1, 2}
    assert desk.program("review", "--ask", "--workspace", desk.workspace).status == 2
