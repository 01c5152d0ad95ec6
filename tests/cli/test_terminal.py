"""On a terminal, interrupted, killed, read by half: the program as people meet it."""

import io
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from sayso.services.scene import Scene

from .program import Desk, NewDesk

MANY = 120


@pytest.fixture
def long_work(new_desk: NewDesk, scene: Scene, tmp_path: Path) -> Desk:
    """A collection whose scan lasts some seconds: large photographs, each another content."""
    folder = tmp_path / "many"
    folder.mkdir()
    written = io.BytesIO()
    frame = Image.open(scene.photographs / "IMG_0007.jpg").resize((3000, 2000))
    frame.save(written, "JPEG", quality=80)
    data = written.getvalue()
    for number in range(MANY):
        comment = b"\xff\xfe\x00\x06%04d" % number
        (folder / f"{number:03d}.jpg").write_bytes(data[:2] + comment + data[2:])
    desk = new_desk()
    desk("collection", "add", "many", folder, "--purpose", "x", "--recognise", "off")
    return desk


def kept(desk: Desk) -> int:
    """How many files the workspace knows, asked while another process may be at work."""
    [collection] = desk("collection", "list")["collections"]
    return int(collection["files"])


def test_a_scan_shows_how_far_it_is_and_goes_on_after_an_interruption(long_work: Desk) -> None:
    scan = ("scan", "many", "--json", "--workspace", long_work.workspace)
    with long_work.program.on_a_terminal(*scan) as terminal:
        terminal.until(rf"Scanning.*[1-9]\d*/{MANY}")
        os.kill(terminal.process.pid, signal.SIGINT)
        ran = terminal.ended()
    assert ran.status == 1
    assert ran.json["error"]["code"] == "interrupted"
    assert "Traceback" not in ran.err
    before = kept(long_work)
    assert 0 < before < MANY
    told = long_work("scan", "many")
    assert told["photos"] == MANY - before
    assert kept(long_work) == MANY
    assert {
        len(p["faces"]) for p in long_work("screen", "many", "--channel", "print")["photos"]
    } == {2}


def test_a_scan_that_was_killed_goes_on(long_work: Desk) -> None:
    scan = ("scan", "many", "--workspace", long_work.workspace)
    with long_work.program.on_a_terminal(*scan) as terminal:
        terminal.until(rf"[1-9]\d*/{MANY}")
        terminal.process.kill()
        assert terminal.ended().status == -signal.SIGKILL
    before = kept(long_work)
    assert 0 < before < MANY
    assert long_work("scan", "many")["photos"] == MANY - before


def test_away_from_a_terminal_there_is_no_bar(story: Desk) -> None:
    ran = story.program("scan", "space", "--workspace", story.workspace)
    assert (ran.status, ran.err) == (0, "")
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1)])
def test_erase_asks_on_a_terminal(desk: Desk, answer: str, status: int) -> None:
    erase = ("erase", "Grace Hopper", "--json", "--workspace", desk.workspace)
    with desk.program.on_a_terminal(*erase) as terminal:
        terminal.until("Grace Hopper.*y/N").type(answer)
        ran = terminal.ended()
    assert ran.status == status, ran
    assert "Traceback" not in ran.err
    assert len(desk("people")["people"]) == (3 if status == 0 else 4)
    if status:
        assert ran.json["error"]["code"] in {"not_confirmed", "interrupted"}
    else:
        assert ran.json["erased"]


def test_elsewhere_erase_needs_a_yes(desk: Desk) -> None:
    assert desk.refused("erase", "Grace Hopper") == "not_confirmed"
    assert len(desk("people")["people"]) == 4
    assert desk("erase", "Grace Hopper", "--yes")["erased"]


@pytest.mark.parametrize("as_json", [True, False])
def test_whoever_reads_may_stop_reading(story: Desk, as_json: bool) -> None:  # noqa: FBT001 - a parameter
    json: list[str | Path] = ["--json"] if as_json else []
    screen = ("screen", "space", "--channel", "website", "--workspace", story.workspace)
    process = story.program.process(*screen, *json, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 1
    assert err == ""


def test_as_a_program_of_its_own_it_says_the_same(story: Desk) -> None:
    """The other tests share a loaded program; here is one that was started by itself."""
    arguments = ("find", "Eileen Collins", "--json", "--workspace", story.workspace)
    process = story.program.process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    ran = story.program(*arguments)
    assert (process.returncode, out.decode(), err.decode()) == (ran.status, ran.out, ran.err)


def test_two_at_once_share_a_workspace(desk: Desk, scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(scene.photographs, folder)
    desk("collection", "add", "copy", folder, "--purpose", "x", "--recognise", "off")
    scan = ("scan", "copy", "--json", "--workspace", desk.workspace)
    both = [
        desk.program.process(*scan, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        _, err = process.communicate()
        assert process.returncode == 0, err
    told = {c["name"]: (c["files"], c["faces"]) for c in desk("collection", "list")["collections"]}
    assert told["copy"] == told["space"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_page_with_names_goes_however_review_ends(
    desk: Desk, scene: Scene, ending: signal.Signals
) -> None:
    desk("enrol", "Ann Other", scene.collins, "--grant", "recognise", "--grant", "name:staff",
         "--evidence", scene.form)  # fmt: skip
    ask = ("review", "--ask", "--workspace", desk.workspace)
    with desk.program.on_a_terminal(*ask) as terminal:
        terminal.until(r"\[q\]uit")
        told = re.search(r"file://(\S+?/review\.html)", re.sub(r"\s", "", terminal.shown))
        assert told is not None
        page = Path(told[1])
        assert page.exists()
        os.kill(terminal.process.pid, ending)
        terminal.ended()
    assert not page.parent.exists()
