"""Backup, restore, keys, retention, take-downs, objections and erasure, as typed."""

from pathlib import Path

from sayso.services.scene import Scene

from .program import Desk, Program


def test_a_person_who_was_erased_is_not_in_a_restored_backup(desk: Desk, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    told = desk("backup", backup)
    assert {"backup", "bytes", "at", "schema"} == set(told)
    assert desk.refused("backup", backup) == "output_refused"
    gone = desk("erase", "Eileen Collins", "--yes")
    told = {"erased", "published", "certificate", "receipt", "signed_certificate"}
    assert told == set(gone)
    assert gone["certificate"]["read_back"]["found"] == 0
    assert desk.refused("restore", backup) == "not_confirmed"
    done = desk("restore", backup, "--yes")
    assert (done["erased_again"], done["templates_closed"]) == (1, [])
    assert {one["name"] for one in desk("people")["people"]} == {"Grace Hopper", "Kim Lee"}
    assert desk.refused("restore", tmp_path / "nothing", "--yes") == "output_refused"
    assert desk("refusals", tmp_path / "list")["erased"] == 1


def test_a_key_is_checked_changed_and_copied(desk: Desk, tmp_path: Path) -> None:
    before = desk("key", "check")
    assert (before["opens"], before["data_keys"], before["copies"]) == (True, 2, {})
    assert desk("key", "copy", tmp_path / "copy")["copy"] == str(tmp_path / "copy")
    assert desk("key", "rotate") == {"rewrapped": 2, "place": "file", "stale_copies": []}
    assert str(tmp_path / "copy") in desk("key", "check")["copies"]
    assert desk("find", "Eileen Collins")["photos"]
    (desk.workspace / "workspace.key").unlink()
    assert desk.refused("key", "check") == "key_missing"
    assert desk.refused("key", "renew") == "not_confirmed"
    renewed = desk("key", "renew", "--yes")
    assert renewed["templates_removed"] == 2
    assert (desk.workspace / "ledger-1").is_dir()  # what was written before can still be checked
    assert desk("key", "check")["data_keys"] == 0


def test_retention_and_takedowns_say_what_they_did(desk: Desk, tmp_path: Path) -> None:
    nothing = {"dry_run": True, "templates": [], "collections": [], "takedowns": 0}
    assert desk("retention", "run", "--dry-run") == nothing
    assert desk("retention", "run") == {**nothing, "dry_run": False}
    assert desk("takedowns") == {"takedowns": []}
    desk("publish", "space", tmp_path / "out", "--channel", "website")
    desk("withdraw", "Eileen Collins", "--purpose", "publish")
    listed = desk("takedowns", "--person", "Eileen Collins")["takedowns"]
    assert listed
    assert {one["reason"] for one in listed} == {"withdrawn"}
    done = desk("takedowns", "--done", str(listed[0]["id"]))["takedown"]
    assert done["done_at"]
    assert len(desk("takedowns")["takedowns"]) == len(listed) - 1
    assert len(desk("takedowns", "--all")["takedowns"]) == len(listed)
    assert desk.refused("takedowns", "--done", "999") == "takedown_unknown"


def test_an_objection_is_honoured_from_then_on(desk: Desk) -> None:
    added = desk("objection", "add", "IMG_0001.jpg", "--whole", "--request", "remove")
    assert added["photographs"] == ["space/IMG_0001.jpg"]
    counts = desk("screen", "space", "--channel", "website")["counts"]
    assert counts["withhold"] == 1
    assert desk("objection", "list")["objections"] == [added]
    assert desk.refused("objection", "add", "IMG_0001.jpg", "--request", "cover") == "face_unknown"
    assert desk("objection", "lift", str(added["id"])) == {"lifted": added["id"]}
    assert desk.refused("objection", "lift", str(added["id"])) == "objection_unknown"
    assert desk("screen", "space", "--channel", "website")["counts"]["withhold"] == 0


def test_for_people_it_is_said_in_sentences(
    desk: Desk, program: Program, scene: Scene, tmp_path: Path
) -> None:
    del scene
    for verb in (
        ("backup", tmp_path / "backup"),
        ("restore", tmp_path / "backup", "--yes"),
        ("key", "check"),
        ("key", "rotate"),
        ("retention", "run"),
        ("takedowns",),
        ("objection", "list"),
        ("refusals", tmp_path / "list"),
        ("erase", "Eileen Collins", "--yes"),
    ):
        ran = program(*verb, "--workspace", desk.workspace)
        assert (ran.status, ran.err) == (0, ""), (verb, ran)
        assert ran.out.strip()
