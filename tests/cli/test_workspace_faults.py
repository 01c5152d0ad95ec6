"""Keys, versions, damage and disks: each with its own code, and nothing lost by it."""

import ctypes
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sayso.services.scene import Scene

from .program import Desk, NewDesk, Program, Ran

DATABASE, KEY = "sayso.sqlite", "workspace.key"
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


def test_no_workspace(program: Program, tmp_path: Path) -> None:
    desk = Desk(program, tmp_path)
    assert desk.refused("people") == "workspace_missing"
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_of_a_newer_version_is_left_alone(desk: Desk) -> None:
    with sqlite3.connect(desk.workspace / DATABASE) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    before = (desk.workspace / DATABASE).read_bytes()
    for arguments in (("people",), ("scan", "space"), ("erase", "Eileen Collins", "--yes")):
        assert desk.refused(*arguments) == "workspace_newer"
    assert (desk.workspace / DATABASE).read_bytes() == before


def test_a_missing_key_comes_back(desk: Desk) -> None:
    key = desk.workspace / KEY
    secret = key.read_bytes()
    key.unlink()
    assert desk.refused("find", "Eileen Collins") == "key_missing"
    assert desk.refused("init") == "workspace_exists"
    assert not key.exists()
    key.write_bytes(secret)
    key.chmod(0o600)
    assert desk("find", "Eileen Collins")["photos"]


@pytest.mark.parametrize("written", [None, b"nonsense", b"", b"\x00\xff"])
def test_a_wrong_key_opens_nothing(desk: Desk, new_desk: NewDesk, written: bytes | None) -> None:
    key = desk.workspace / KEY
    mine = key.read_bytes()
    other = (new_desk().workspace / KEY).read_bytes()
    key.write_bytes(other if written is None else written)
    ran = desk.program("people", "--json", "--workspace", desk.workspace)
    assert (ran.status, ran.code) in {(3, "key_wrong"), (1, "key_missing")}
    assert mine.decode().strip() not in ran.out + ran.err
    assert other.decode().strip() not in ran.out + ran.err
    key.write_bytes(mine)
    assert desk("people")["people"]


def test_a_key_that_others_may_read_is_refused(desk: Desk) -> None:
    (desk.workspace / KEY).chmod(0o640)
    assert desk.refused("people") == "key_exposed"


def test_a_key_in_the_environment(program: Program, tmp_path: Path, desk: Desk) -> None:
    secret = (desk.workspace / KEY).read_text().strip()
    folder = tmp_path / "environment"
    arguments = ("--workspace", folder, "--json")
    init = ("init", "--key", "environment", *arguments)
    assert program(*init).code == "key_missing"
    assert not folder.exists()
    assert program(*init, environment={"SAYSO_KEY": secret}).status == 0
    assert not (folder / KEY).exists()
    assert program("people", *arguments).code == "key_missing"
    assert program("people", *arguments, environment={"SAYSO_KEY": "x"}).status == 3
    assert program("people", *arguments, environment={"SAYSO_KEY": secret}).status == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"not a database at all, but long enough to be taken for one" * 100,
        lambda _: b"",
        lambda data: data[:100] + bytes(3000) + data[3100:],
        lambda data: data[: len(data) // 3],
        lambda data: data[:4096] + bytes(len(data) - 4096),
    ],
    ids=["words", "empty", "a hole", "cut short", "zeros"],
)
def test_a_damaged_database_is_told_and_not_written(
    desk: Desk, damage: Callable[[bytes], bytes]
) -> None:
    database = desk.workspace / DATABASE
    damaged = damage(database.read_bytes())
    database.write_bytes(damaged)
    assert desk.refused("people", status=3) == "workspace_damaged"
    assert database.read_bytes()[: len(damaged)] == damaged


def test_a_template_that_was_tampered_with_does_not_open(desk: Desk, scene: Scene) -> None:
    with sqlite3.connect(desk.workspace / DATABASE) as database:
        database.execute("UPDATE templates SET sealed = zeroblob(length(sealed))")
    database.close()
    refused = desk.refused("identify", scene.together, "--collection", "space", status=3)
    assert refused == "seal_broken"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAYSO_WORKERS", "many"),
        ("SAYSO_WORKERS", "-1"),
        ("SAYSO_FALSE_NAMES", "2"),
        ("SAYSO_DETECTION_SCORE", "nan"),
        ("SAYSO_MAX_PIXELS", "0"),
        ("SAYSO_SMALLEST_FACE_PX", "inf"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told(story: Desk, name: str, value: str) -> None:
    arguments = ("people", "--json", "--workspace", story.workspace)
    ran = story.program(*arguments, environment={name: value})
    assert (ran.status, ran.code) == (1, "setting_malformed")


def test_a_setting_that_is_none_is_told(desk: Desk) -> None:
    for text in ("no_such_setting = 1\n", "not TOML", "max_pixels = true\n", "\x00"):
        (desk.workspace / "sayso.toml").write_text(text)
        assert desk.refused("people") == "setting_malformed", text


def end_of_disk(limit: int) -> Callable[[], None]:
    """No file may grow beyond this: what a full disk does, without filling one."""

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return limit_files


def as_an_ordinary_account() -> None:
    """Also where tests run as root, read-only folders are to be read-only."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def run(program: Program, *arguments: str | Path, preparing: Callable[[], None]) -> Ran:
    process = program.process(
        *arguments,
        "--json",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=preparing,
    )
    out, err = process.communicate()
    ran = Ran(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in ran.err, ran.err
    return ran


def test_a_disk_that_fills_while_copies_are_written(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    sizes = sorted(file.stat().st_size for file in scene.photographs.iterdir())
    out = tmp_path / "out"
    ran = run(
        desk.program, "publish", "space", out, "--channel", "website",
        "--workspace", desk.workspace, preparing=end_of_disk(sizes[-1] // 2),
    )  # fmt: skip
    assert (ran.status, ran.code) == (1, "disk_full")
    assert not list(out.rglob("*.part"))
    # With room again, the same command finishes.
    assert desk("publish", "space", out, "--channel", "website")["published"] == 9


def test_a_disk_that_fills_while_somebody_is_enrolled(desk: Desk, scene: Scene) -> None:
    people = desk("people")
    size = (desk.workspace / DATABASE).stat().st_size
    ran = run(
        desk.program, "enrol", "Ann Other", "--grant", "publish:website",
        "--workspace", desk.workspace, preparing=end_of_disk(4096),
    )  # fmt: skip
    assert ran.status == 1, ran
    assert ran.code == "disk_full"
    assert desk("people") == people
    assert (desk.workspace / DATABASE).stat().st_size >= size
    assert desk("identify", scene.together, "--collection", "space")["faces"]


def test_a_workspace_on_a_full_disk_leaves_nothing_behind(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    ran = run(program, "init", "--workspace", folder, preparing=end_of_disk(8192))
    assert (ran.status, ran.code) == (1, "disk_full")
    assert not folder.exists()


def test_folders_that_may_not_be_written(desk: Desk, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    for folder in (locked, locked / "new"):
        ran = run(
            desk.program, "publish", "space", folder, "--channel", "website",
            "--workspace", desk.workspace, preparing=as_an_ordinary_account,
        )  # fmt: skip
        assert (ran.status, ran.code) == (1, "output_refused")
    ran = run(desk.program, "init", "--workspace", locked / "w", preparing=as_an_ordinary_account)
    assert (ran.status, ran.code) == (1, "workspace_read_only")
    assert list(locked.iterdir()) == []


@pytest.mark.parametrize("where", ["file", "not empty", "inside", "around", "the collection"])
def test_an_output_folder_that_is_no_place_for_copies(
    desk: Desk, scene: Scene, tmp_path: Path, where: str
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    out = {
        "file": file,
        "not empty": tmp_path,
        "inside": scene.photographs / "copies",
        "around": scene.photographs.parent,
        "the collection": scene.photographs / ".." / scene.photographs.name,
    }[where]
    before = sorted(scene.photographs.parent.rglob("*"))
    assert desk.refused("publish", "space", out, "--channel", "website") == "output_refused"
    assert sorted(scene.photographs.parent.rglob("*")) == before
    assert file.read_text() == "mine"
