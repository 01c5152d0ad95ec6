"""One program, and one workspace in which the story's first half has happened."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso.services.scene import Scene, set_up

from .program import Desk, NewDesk, Program

ALL_GRANTS = ("recognise", "find", "name:staff", "publish:website")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    one = Program(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("cache"))
    yield one
    one.close()


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Photographs of two people, out of packages that ship them."""
    return set_up(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def story(program: Program, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Two enrolled, two namesakes who were not compared, one collection, scanned. Read only."""
    desk = Desk(program, tmp_path_factory.mktemp("story") / "workspace")
    desk("init")
    grants = [part for grant in ALL_GRANTS for part in ("--grant", grant)]
    desk("enrol", "Eileen Collins", scene.collins, *grants, "--evidence", scene.form,
         "--field", "phone=0123@staff")  # fmt: skip
    desk("enrol", "Grace Hopper", scene.hopper, "--grant", "recognise", "--grant", "find",
         "--evidence", scene.form)  # fmt: skip
    for number in ("1", "2"):
        desk("enrol", "Kim Lee", "--grant", "publish:website", "--grant", "name:staff",
             "--field", f"class={number}@staff")  # fmt: skip
    desk("collection", "add", "space", scene.photographs, "--purpose", "newsletter",
         "--recognise", "group", "--basis", "DPIA 1")  # fmt: skip
    desk("scan", "space")
    return desk


@pytest.fixture
def desk(story: Desk, tmp_path: Path) -> Desk:
    """The story's workspace, to do with as a test likes."""
    copy = tmp_path / "workspace"
    shutil.copytree(story.workspace, copy)
    return Desk(story.program, copy)


@pytest.fixture
def new_desk(program: Program, tmp_path: Path) -> NewDesk:
    """Empty workspaces."""

    def make() -> Desk:
        number = len(list(tmp_path.glob("new-*")))
        made = Desk(program, tmp_path / f"new-{number}")
        made("init")
        return made

    return make
