"""Each verb does what the contract's table says, and prints at least what it promises."""

import stat
from pathlib import Path
from typing import Any

from sayso.services.scene import Scene

from .program import Desk, Program


def faces_of(desk: Desk, path: str, *options: str) -> list[dict[str, Any]]:
    screened = desk("screen", "space", "--channel", "website", *options)
    [faces] = [photo["faces"] for photo in screened["photos"] if photo["path"] == path]
    return list(faces)


def as_text(box: list[float]) -> str:
    return ",".join(map(str, box))


def test_init_makes_a_workspace_and_a_key_for_its_owner_alone(
    program: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "workspace"
    ran = program("init", "--workspace", folder, "--json")
    assert ran.json == {"workspace": str(folder)}
    assert stat.S_IMODE((folder / "workspace.key").stat().st_mode) == 0o600
    assert {stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir() if f.is_file()} == {0o600}


def test_enrol_tells_person_template_and_quality(desk: Desk, scene: Scene) -> None:
    told = desk("enrol", "Ada Again", scene.collins, "--grant", "recognise",
                "--evidence", scene.form)  # fmt: skip
    assert {"person", "template", "quality"} <= set(told)
    assert told["template"]
    [quality] = told["quality"]
    assert quality["accepted"]
    assert quality["height_px"] >= 48


def test_publish_and_name_work_without_recognise(desk: Desk) -> None:
    told = desk("enrol", "Sam Poe", "--grant", "publish:website", "--grant", "name:staff")
    assert told["template"] is None
    assert told["quality"] == []


def test_collection_add_tells_id_name_and_mode(desk: Desk, tmp_path: Path) -> None:
    told = desk("collection", "add", "other", tmp_path, "--purpose", "x", "--recognise", "off",
                "--retain-days", "30")  # fmt: skip
    assert {"id", "name", "recognise"} <= set(told)
    assert (told["name"], told["recognise"]) == ("other", "off")
    listed = {one["name"]: one for one in desk("collection", "list")["collections"]}
    assert set(listed) == {"other", "space"}
    assert listed["space"]["files"] == 9


def test_scan_looks_at_each_content_once(desk: Desk, scene: Scene, tmp_path: Path) -> None:
    told = desk("scan", "space")
    assert {"photos", "faces", "unreadable", "seconds"} <= set(told)
    assert (told["photos"], told["faces"], told["unreadable"]) == (0, 0, [])
    # Somebody scans the same folder for the first time, with one file twice and one that is none.
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.jpg", "moved.jpg"):
        (folder / name).write_bytes((scene.photographs / "IMG_0001.jpg").read_bytes())
    (folder / "notes.txt").write_text("not a photograph")
    desk("collection", "add", "twice", folder, "--purpose", "x", "--recognise", "off")
    told = desk("scan", "twice")
    assert (told["photos"], told["faces"], told["repeated"]) == (1, 1, 1)
    [unreadable] = told["unreadable"]
    assert {"path", "code", "reason"} == set(unreadable)
    assert (unreadable["path"], unreadable["code"]) == ("notes.txt", "not_a_photograph")


def test_identify_names_who_said_yes_and_nobody_else(story: Desk, scene: Scene) -> None:
    told = story("identify", scene.together, "--collection", "space", "--audience", "staff")
    named = [face for face in told["faces"] if face["person"]]
    assert len(told["faces"]) == 2
    [face] = named
    assert set(face) == {"box", "person", "similarity"}
    assert set(face["person"]) == {"id", "name", "fields"}
    assert (face["person"]["name"], face["person"]["fields"]) == (
        "Eileen Collins",
        {"phone": "0123"},
    )
    assert 0.5 < face["similarity"] <= 1.0
    # Grace Hopper is recognised here but said nothing of her name: she looks like a stranger.
    [other] = [face for face in told["faces"] if not face["person"]]
    assert (other["person"], other["similarity"]) == (None, None)
    # To the public nobody said yes.
    told = story("identify", scene.together, "--collection", "space", "--audience", "public")
    assert [(f["person"], f["similarity"]) for f in told["faces"]] == [(None, None)] * 2


def test_find_gives_photographs_best_first(story: Desk) -> None:
    photos = story("find", "Eileen Collins")["photos"]
    assert all({"path", "box", "similarity"} <= set(photo) for photo in photos)
    similarities = [photo["similarity"] for photo in photos]
    assert similarities == sorted(similarities, reverse=True)
    assert {photo["path"] for photo in photos} == {
        "IMG_0001.jpg", "IMG_0003.jpg", "IMG_0004.jpg", "IMG_0006.jpg", "IMG_0007.jpg",
        "IMG_0008.jpg", "scan.png",
    }  # fmt: skip
    assert {p["path"] for p in story("find", "Grace Hopper")["photos"]} == {
        "IMG_0002.jpg", "IMG_0003.jpg", "IMG_0005.jpg", "IMG_0006.jpg", "IMG_0007.jpg",
    }  # fmt: skip


def test_screen_gives_a_verdict_for_each_photograph_and_a_reason_for_each_face(
    story: Desk,
) -> None:
    told = story("screen", "space", "--channel", "website")
    assert set(told["counts"]) == {"clear", "cover", "review", "withhold"}
    assert sum(told["counts"].values()) == len(told["photos"]) == 9
    for photo in told["photos"]:
        assert {"path", "verdict", "faces"} <= set(photo)
        for face in photo["faces"]:
            assert {"box", "outcome", "reason", "person"} <= set(face)
            assert (face["outcome"] == "show") == (face["person"] is not None)
    shown, covered = sorted(faces_of(story, "IMG_0003.jpg"), key=lambda f: f["outcome"])[::-1]
    assert (shown["outcome"], shown["person"]["name"]) == ("show", "Eileen Collins")
    assert (covered["outcome"], covered["person"]) == ("cover", None)
    # Nobody said yes to print.
    assert story("screen", "space", "--channel", "print")["counts"]["clear"] == 0


def test_screen_tells_the_id_alone_where_the_name_may_not_be_told(story: Desk) -> None:
    [face] = faces_of(story, "IMG_0001.jpg", "--audience", "public")
    assert set(face["person"]) == {"id"}


def test_publish_writes_copies_a_manifest_and_a_report(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = desk("publish", "space", out, "--channel", "website", "--style", "pixelate")
    assert {"published", "withheld", "manifest"} <= set(told)
    assert told["published"] == 9
    assert told["withheld"] == []
    assert Path(told["manifest"]) == out / "manifest.json"
    assert (out / "report.html").is_file()
    copies = {Path(copy["copy"]) for copy in told["copies"]}
    assert copies == {file for file in (out / "photographs").rglob("*") if file.is_file()}
    # No covered face is taken for anybody, and the shown one still is herself.
    seen = desk("identify", out / "photographs" / "IMG_0003.jpg", "--collection", "space")
    assert [face["person"]["name"] for face in seen["faces"] if face["person"]] == [
        "Eileen Collins"
    ]


def test_publish_again_replaces_what_it_made(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    desk("publish", "space", out, "--channel", "website")
    before = (out / "photographs" / "IMG_0001.jpg").read_bytes()
    desk("withdraw", "Eileen Collins", "--purpose", "publish")
    desk("publish", "space", out, "--channel", "website")
    assert (out / "photographs" / "IMG_0001.jpg").read_bytes() != before
    seen = desk("identify", out / "photographs" / "IMG_0001.jpg", "--collection", "space")
    assert not [face for face in seen["faces"] if face["person"]]


def test_a_human_marks_rejects_and_takes_back(desk: Desk) -> None:
    [face] = faces_of(desk, "IMG_0001.jpg")
    said = desk("reject", "IMG_0001.jpg", as_text(face["box"]), "Eileen Collins")
    assert (said["photo"], said["face"]) == ("IMG_0001.jpg", face["id"])
    desk("scan", "space", "--again")
    assert [f["outcome"] for f in faces_of(desk, "IMG_0001.jpg")] == ["cover"]
    desk("unmark", "IMG_0001.jpg", face["id"], "Eileen Collins")
    desk("scan", "space", "--again")
    assert [f["outcome"] for f in faces_of(desk, "IMG_0001.jpg")] == ["show"]


def test_a_marked_face_is_shown_without_any_comparison(desk: Desk, scene: Scene) -> None:
    desk("collection", "add", "plain", scene.photographs, "--purpose", "x", "--recognise", "off")
    desk("scan", "plain")
    assert desk("screen", "plain", "--channel", "website")["counts"]["clear"] == 0
    kim = next(one["id"] for one in desk("people")["people"] if one["name"] == "Kim Lee")
    # The same file lies in two collections; its id says which is meant.
    box = "[0.35, 0.19, 0.34, 0.36]"
    assert desk.refused("mark", scene.photographs / "IMG_0002.jpg", box, kim) == (
        "photograph_unknown"
    )
    [photo] = [
        photo["id"]
        for photo in desk("screen", "plain", "--channel", "website")["photos"]
        if photo["path"] == "IMG_0002.jpg"
    ]
    desk("mark", photo, box, kim)
    assert desk("screen", "plain", "--channel", "website")["counts"]["clear"] == 1
    assert desk("screen", "plain", "--channel", "print")["counts"]["clear"] == 0


def test_verify_compares_one_face_with_one_person(desk: Desk, scene: Scene) -> None:
    desk("collection", "add", "picked", scene.photographs, "--purpose", "x",
         "--recognise", "selected")  # fmt: skip
    desk("scan", "picked")
    assert desk.refused("identify", scene.together, "--collection", "picked") == (
        "recognition_selected"
    )


def test_withdraw_ends_the_consent_and_takes_the_template_with_it(desk: Desk) -> None:
    told = desk("withdraw", "Grace Hopper", "--purpose", "recognise")
    assert told["templates_destroyed"] == 1
    assert desk("find", "Grace Hopper")["photos"] == []
    told = desk("withdraw", "Eileen Collins")
    assert told["templates_destroyed"] == 1
    assert set(told["withdrawn"]) == {"recognise", "find", "name", "publish"}
    assert desk("screen", "space", "--channel", "website")["counts"]["cover"] == 9
    assert {one["templates"] for one in desk("people")["people"]} == {0}


def test_erase_leaves_nothing_of_a_person(desk: Desk) -> None:
    told = desk("erase", "Eileen Collins", "--yes")
    assert told["erased"]
    assert desk.refused("find", "Eileen Collins") == "person_unknown"
    files = [f for f in desk.workspace.rglob("*") if f.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        assert b"Collins" not in content, file
        assert told["erased"].encode() not in content, file


def test_the_demonstration_ends_with_a_report(program: Program, tmp_path: Path) -> None:
    ran = program("demo", "--out", tmp_path / "demo")
    assert ran.status == 0, ran
    [uri] = [word for word in ran.out.split() if word.startswith("file:")]
    report = Path(uri.removeprefix("file:" + "//"))
    assert "Eileen Collins" in report.read_text("utf-8")
    again = program("demo", "--out", tmp_path / "demo", "--json")
    assert (again.status, again.code) == (1, "output_refused")


def test_text_is_for_people(story: Desk) -> None:
    ran = story.program("find", "Eileen Collins", "--workspace", story.workspace)
    assert ran.status == 0
    assert ran.out.startswith("Eileen Collins is in 7 photographs.\n")
    assert ran.err == ""
