"""Faces in doubt on the command line, and people whom the program cannot tell apart."""

from pathlib import Path

from sayso.services.scene import Scene

from .program import Desk


def test_a_look_alike_is_told_and_what_is_in_doubt_is_settled(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    assert desk("review") == {"questions": [], "faces": 0, "waiting": 0, "words": []}
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


def test_a_promise_made_stricter_holds_without_a_scan(desk: Desk, tmp_path: Path) -> None:
    def shown() -> set[str]:
        photographs = desk("screen", "space", "--channel", "website")["photos"]
        return {f["id"] for one in photographs for f in one["faces"] if f["outcome"] == "show"}

    before, found = shown(), desk("find", "Eileen Collins")
    assert before
    settings = desk.workspace / "sayso.toml"
    settings.write_text("false_names = 1e-200\n", encoding="utf-8")  # nobody is so alike
    assert shown() == set()
    assert desk("find", "Eileen Collins")["photos"] == []
    assert before <= {one["face"] for one in desk("review")["questions"]}
    told = desk("publish", "space", tmp_path / "strict", "--channel", "website")
    assert "review" in {one["code"] for one in told["withheld"]}
    settings.unlink()
    assert shown() >= before
    assert desk("find", "Eileen Collins") == found


def test_words_that_wait_for_another_operator_are_listed(desk: Desk) -> None:
    (desk.workspace / "sayso.toml").write_text("review_operators = 2\n", encoding="utf-8")

    def says(operator: str, *arguments: str) -> bool:
        ran = desk.program(*arguments, "--json", "--workspace", desk.workspace,
                           environment={"SAYSO_OPERATOR": operator})  # fmt: skip
        assert ran.status == 0, ran
        return bool(ran.json["holds"])

    photographs = desk("screen", "space", "--channel", "website")["photos"]
    photo, face = next(
        (one["path"], found["id"])
        for one in photographs
        for found in one["faces"]
        if found["outcome"] == "show"
    )
    assert not says("alice", "reject", photo, face, "Eileen Collins")
    assert not says("alice", "mark", photo, face, "Grace Hopper")  # whom staff may not be told of
    words = desk("review", "space")["words"]
    told = [(w["face"], w["photo"], w["said"], w["operator"], w["person"]) for w in words]
    [about] = [one["person"] for one in words if one["person"]]
    assert about["name"] == "Eileen Collins"
    assert sorted(told, key=str) == sorted(
        [(face, photo, "rejected", "alice", about), (face, photo, "marked", "alice", None)], key=str
    )
    ran = desk.program("review", "--workspace", desk.workspace)
    assert "alice: it is not Eileen Collins, once another operator says the same" in ran.out
    assert "alice: it is somebody whose name may not be told" in ran.out
    assert "Grace Hopper" not in ran.out
    assert says("bob", "reject", photo, face, "Eileen Collins")
    assert says("bob", "mark", photo, face, "Grace Hopper")
    assert not says("bob", "unmark", photo, face, "Eileen Collins")
    [word] = desk("review", "--limit", "1")["words"]
    assert (word["said"], word["operator"]) == ("taken_back", "bob")
    assert says("alice", "unmark", photo, face, "Eileen Collins")
    assert desk("review")["words"] == []


def test_a_doubt_without_a_name_is_settled_and_never_named(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    desk("withdraw", "Eileen Collins", "--purpose", "name")
    desk("enrol", "Ann Other", scene.collins, "--grant", "recognise", "--grant", "publish:website",
         "--evidence", scene.form)  # fmt: skip
    photographs = desk("screen", "space", "--channel", "website")["photos"]
    in_doubt = {
        face["id"]: one["path"]
        for one in photographs
        for face in one["faces"]
        if face["outcome"] == "review"
    }
    found = desk("review", "space", "--sheet", tmp_path / "sheet.html")
    assert {one["face"] for one in found["questions"]} <= in_doubt.keys()
    assert found["faces"] == len(in_doubt)
    assert [one["person"] for one in found["questions"]] == [None] * len(found["questions"])
    first, second, third, *_ = [one["face"] for one in found["questions"]]
    listed = desk.program("review", "--workspace", desk.workspace)
    assert "somebody whose name may not be told?" in listed.out
    assert desk.refused("review", "--answer", f"{first}=same") == "face_unknown"
    said = ("review", "--answer", f"{first}=not-the-same", "--answer", f"{second}=cannot-tell")
    answered = desk.program(*said, "--workspace", desk.workspace)
    assert f"Face {first} is not whom it was taken for, somebody whose name may not" in answered.out
    assert f"Face {second} is left covered: nobody can tell." in answered.out
    rejected = desk("reject", in_doubt[third], third)
    assert (rejected["person"], rejected["holds"]) == (None, True)
    assert desk("review")["faces"] <= len(in_doubt) - 3
    for text in (listed.out, answered.out, (tmp_path / "sheet.html").read_text()):
        assert "Ann Other" not in text
        assert "Eileen Collins" not in text
    named = desk.program("unmark", in_doubt[third], third, "Ann Other", "--workspace",
                         desk.workspace)  # fmt: skip
    assert named.status == 1
    back = desk.program("unmark", in_doubt[third], third, "--workspace", desk.workspace)
    assert "not to be, somebody whose name may not be told." in back.out
    assert third in {one["face"] for one in desk("review")["questions"]}
    told = desk("publish", "space", tmp_path / "out", "--channel", "website")
    assert "review" in {one["code"] for one in told["withheld"]}
    page = Path(told["report"]).read_text("utf-8")
    assert "<code>sayso reject</code>" in page
    assert "`" not in page


def test_what_waits_for_another_who_cannot_tell_is_said_so(desk: Desk, scene: Scene) -> None:
    (desk.workspace / "sayso.toml").write_text("review_operators = 2\n", encoding="utf-8")
    desk("enrol", "Ann Other", scene.collins, "--grant", "recognise", "--grant", "name:staff",
         "--evidence", scene.form)  # fmt: skip
    face = desk("review")["questions"][0]["face"]
    ran = desk.program("review", "--answer", f"{face}=cannot-tell", "--workspace", desk.workspace)
    assert (
        f"Face {face} is settled, and left covered, once another operator cannot tell either."
        in ran.out
    )
