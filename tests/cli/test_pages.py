"""Long lists come a page at a time, and catching up is a verb of its own."""

from pathlib import Path

from sayso.services.scene import Scene

from .program import Desk

SCREEN = ("screen", "space", "--channel", "website")


def test_screen_lists_a_page_and_says_how_to_go_on(story: Desk) -> None:
    whole = story(*SCREEN)
    assert (whole["files"], whole["next"]) == (9, None)
    first = story(*SCREEN, "--limit", "4")
    assert (len(first["photos"]), first["files"]) == (4, 9)
    second = story(*SCREEN, "--limit", "5", "--after", first["next"])
    assert second["next"] is None
    assert first["photos"] + second["photos"] == whole["photos"]
    ran = story.program(*SCREEN, "--limit", "4", "--workspace", story.workspace)
    assert "4 of 9 files" in ran.err
    assert f"--after {first['next']}" in ran.err
    whole_said = story.program(*SCREEN, "--workspace", story.workspace).err
    assert whole_said.startswith("9 of these were looked at quickly")
    assert whole_said.count("\n") == 1  # and nothing of pages


def test_find_lists_a_page_and_says_how_to_go_on(story: Desk) -> None:
    whole = story("find", "Eileen Collins")
    assert whole["next"] is None
    first = story("find", "Eileen Collins", "--limit", "2")
    rest = story("find", "Eileen Collins", "--after", first["next"])
    assert first["photos"] + rest["photos"] == whole["photos"]
    ran = story.program("find", "Eileen Collins", "--limit", "2", "--workspace", story.workspace)
    assert f"--after {first['next']}" in ran.err
    refused = story.refused("find", "Eileen Collins", "--after", "nothing")
    assert refused == "setting_malformed"


def test_a_page_of_nothing_is_usage(story: Desk) -> None:
    for verb in (SCREEN, ("find", "Eileen Collins")):
        ran = story.program(*verb, "--limit", "0", "--workspace", story.workspace)
        assert ran.status == 2


def test_catchup_says_what_is_to_do_and_does_it_once(desk: Desk, scene: Scene) -> None:
    assert desk("catchup", "--dry-run") == {"due": []}
    assert desk("catchup")["photos"] == 0
    desk("enrol", "Ada Again", scene.collins, "--grant", "recognise", "--grant", "find",
         "--evidence", scene.form)  # fmt: skip
    [due] = desk("catchup", "--dry-run")["due"]
    assert (due["collection"], due["people"]) == ("space", 1)
    ran = desk.program("catchup", "space", "--json", "--workspace", desk.workspace)
    assert f"space: {due['photos']} photographs with faces to compare." in ran.err
    done = ran.json
    assert done["photos"] == due["photos"] > 0
    assert done["faces"] >= done["photos"]
    assert done["collections"] == [
        {"collection": "space", "photos": done["photos"], "faces": done["faces"]}
    ]
    assert (done["unreadable"], done["unavailable"]) == ([], [])
    assert desk("catchup")["photos"] == desk("scan", "space")["caught_up"] == 0


def test_catchup_refuses_what_may_not_be_compared_and_tells_of_a_folder_that_went(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    desk("collection", "add", "other", tmp_path, "--purpose", "x", "--recognise", "off")
    assert desk.refused("catchup", "other") == "recognition_off"
    assert desk.refused("catchup", "nowhere") == "collection_unknown"
    desk("enrol", "Ada Again", scene.collins, "--grant", "recognise", "--evidence", scene.form)
    away = scene.photographs.with_name("away")
    scene.photographs.rename(away)
    try:
        [gone] = desk("catchup")["unavailable"]
        strict = desk.program("catchup", "--strict", "--workspace", desk.workspace)
    finally:
        away.rename(scene.photographs)
    assert (gone["collection"], gone["code"]) == ("space", "folder_missing")
    assert strict.status == 1
    assert desk("catchup")["photos"] > 0
