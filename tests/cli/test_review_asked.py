"""`sayso review --ask` at a terminal: one face after the other, and what was said holds."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from sayso.services.scene import Scene

from .program import Desk, Ran, Terminal

INTERRUPT, END = "interrupt", "end"


@pytest.fixture
def doubtful(desk: Desk, scene: Scene) -> Desk:
    """A workspace with somebody enrolled twice, so that each of their faces is in doubt."""
    desk("enrol", "Ann Other", scene.collins, "--grant", "recognise", "--grant", "name:staff",
         "--evidence", scene.form)  # fmt: skip
    return desk


def questions(desk: Desk) -> list[str]:
    """Faces that are asked about, in their order."""
    return [one["face"] for one in desk("review")["questions"]]


def outcomes(desk: Desk) -> dict[str, str]:
    photographs: list[dict[str, Any]] = desk("screen", "space", "--channel", "website")["photos"]
    return {face["id"]: face["outcome"] for one in photographs for face in one["faces"]}


def asked(terminal: Terminal, face: str, *keys: str) -> None:
    """Answer once a face is asked about."""
    for number, key in enumerate(keys, 1):
        terminal.until(rf"face {face} (?s:.*?\[l\]:){{{number}}}").type(key)


def review(desk: Desk, answers: dict[str, str]) -> Ran:
    """Answer about faces in turn, each with a line; or interrupt, or end the input."""
    command = ("review", "space", "--ask", "--json", "--workspace", desk.workspace)
    with desk.program.on_a_terminal(*command) as terminal:
        for face, key in answers.items():
            asked(terminal, face, {INTERRUPT: "", END: "\x04"}.get(key, f"{key}\n"))
            if key == INTERRUPT:
                os.kill(terminal.process.pid, signal.SIGINT)
        return terminal.ended()


def pages(shown: str) -> list[Path]:
    """The pages to look at that were told of."""
    return [Path(found) for found in re.findall(r"file://(\S+review\.html)", shown)]


def test_each_answer_holds_and_what_was_left_is_asked_another_time(doubtful: Desk) -> None:
    before = outcomes(doubtful)
    same, other, unclear, later, quit_at, *never = questions(doubtful)
    assert {before[face] for face in (same, other, unclear, later)} == {"review"}
    ran = review(doubtful, {same: "s", other: "N", unclear: "c", later: "", quit_at: "q"})
    assert (ran.status, ran.json["settled"]) == (0, sorted([same, other, unclear]))
    assert f"Face {same} is Eileen Collins." in ran.err
    assert f"Face {other} is not Eileen Collins." in ran.err
    assert f"Face {unclear} is left covered: nobody can tell." in ran.err
    after = outcomes(doubtful)
    assert [after[face] for face in (same, unclear, later)] == ["show", "cover", "review"]
    assert after[other] != "show"
    left = [later, quit_at, *never]
    assert [face for face in questions(doubtful) if face in left] == left
    again = review(doubtful, {later: "s", quit_at: "q"})
    assert again.json["settled"] == [later]
    assert outcomes(doubtful)[later] == "show"


def test_the_page_is_there_while_it_is_asked_and_then_gone(doubtful: Desk) -> None:
    command = ("review", "--ask", "--workspace", doubtful.workspace)
    with doubtful.program.on_a_terminal(*command) as terminal:
        terminal.until(r"\[l\]:")
        (page,) = pages(terminal.shown)
        assert "Eileen Collins" in page.read_text("utf-8")
        assert page.parent.stat().st_mode & 0o077 == 0
        terminal.type("q\n")
        ran = terminal.ended()
    assert (ran.status, ran.out.strip()) == (0, "0 faces settled.")
    assert not page.parent.exists()


def test_the_page_of_one_that_was_killed_goes_with_the_next_start(doubtful: Desk) -> None:
    command = ("review", "--ask", "--workspace", doubtful.workspace)
    with doubtful.program.on_a_terminal(*command) as killed:
        (left,) = pages(killed.until(r"\[l\]:").shown)
        killed.process.kill()
        killed.process.wait(timeout=60)
    assert "Eileen Collins" in left.read_text("utf-8")
    with doubtful.program.on_a_terminal(*command) as terminal:
        (page,) = pages(terminal.until(r"\[l\]:").shown)
        assert not left.parent.exists()
        doubtful("review")
        assert "Eileen Collins" in page.read_text("utf-8")  # somebody looks at it
        terminal.type("q\n")
        assert terminal.ended().status == 0
    assert list(page.parent.parent.iterdir()) == []


def test_an_erasure_removes_pages_that_lie_open(doubtful: Desk) -> None:
    command = ("review", "--ask", "--workspace", doubtful.workspace)
    with doubtful.program.on_a_terminal(*command) as terminal:
        (page,) = pages(terminal.until(r"\[l\]:").shown)
        assert "Eileen Collins" in page.read_text("utf-8")
        doubtful("erase", "Eileen Collins", "--yes")
        assert not page.parent.exists()
        terminal.type("q\n")
        assert terminal.ended().status == 0


@pytest.mark.parametrize("key", [INTERRUPT, END])
def test_who_is_interrupted_keeps_what_they_said(doubtful: Desk, key: str) -> None:
    first, second, *_ = questions(doubtful)
    ran = review(doubtful, {first: "s", second: key})
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert [page.exists() for page in pages(ran.err)] == [False]
    assert outcomes(doubtful)[first] == "show"
    assert first not in questions(doubtful)
    assert second in questions(doubtful)


def test_a_word_that_only_begins_like_an_answer_is_none(doubtful: Desk) -> None:
    first, *_ = questions(doubtful)
    command = ("review", "--ask", "--json", "--workspace", doubtful.workspace)
    with doubtful.program.on_a_terminal(*command) as terminal:
        asked(terminal, first, "skip\n", "q\n")
        assert terminal.ended().json["settled"] == []
    assert outcomes(doubtful)[first] == "review"


def test_where_two_must_agree_the_first_is_told_so_and_not_asked_again(doubtful: Desk) -> None:
    (doubtful.workspace / "sayso.toml").write_text("review_operators = 2\n", encoding="utf-8")
    first, second, *rest = questions(doubtful)
    ran = review(doubtful, {first: "s", second: "q"})
    assert f"Face {first} is Eileen Collins once another operator says the same." in ran.err
    assert ran.json["settled"] == []
    assert outcomes(doubtful)[first] == "review"
    found = doubtful("review")
    assert (found["waiting"], first in {one["face"] for one in found["questions"]}) == (1, False)
    assert len(found["questions"]) == 1 + len(rest)
    environment = {"SAYSO_OPERATOR": "bob"}
    said = ("review", "--answer", f"{first}=same", "--json", "--workspace", doubtful.workspace)
    [answered] = doubtful.program(*said, environment=environment).json["answers"]
    assert answered["holds"]
    assert outcomes(doubtful)[first] == "show"
    [photo] = [
        one["path"]
        for one in doubtful("screen", "space", "--channel", "website")["photos"]
        if first in {face["id"] for face in one["faces"]}
    ]
    back = doubtful("unmark", photo, first, "Eileen Collins")
    assert (back["holds"], outcomes(doubtful)[first]) == (False, "cover")
