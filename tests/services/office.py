"""A workspace as `sayso init` makes it, with the drawn world's services over it."""

from datetime import UTC, datetime
from pathlib import Path

from sayso.domain.key import KeyPlace
from sayso.store import safekeeping
from sayso.wiring import Workspace, create_workspace, open_workspace

from .drawing import ADA, BEN, LEFT, RIGHT, Head, picture
from .world import FakeSource, HandClock, World

ALL = "recognise find name:staff publish:website"
ADA_NAME, BEN_NAME = "Zoë Unusualname", "Ben Othername"
PHONE, STREET = "0155-501-9933", "Löwengasse 7 <Hof>"


class RunningClock(HandClock):
    """A clock that goes by itself, as the workspace's own does; ``forward`` sets it ahead."""

    def __call__(self) -> datetime:
        return datetime.now(UTC) + (self.now - _BEGAN)


_BEGAN = HandClock().now


def environment(folder: Path) -> dict[str, str]:
    return {"SAYSO_CACHE": str(folder.parent / "cache")}


def opened(folder: Path, clock: HandClock | None = None) -> Workspace:
    if clock is None:
        return open_workspace(folder, environment(folder))
    return open_workspace(folder, environment(folder), clock=clock)


def office(folder: Path, sources: dict[str, FakeSource] | None = None) -> World:
    """A new workspace, or another look at one that is there."""
    if not folder.exists():
        create_workspace(folder, KeyPlace.FILE, environment(folder))
    key = safekeeping.get(
        KeyPlace.FILE, file=folder / "workspace.key", workspace_id="", variable=None
    )
    return World(folder, key, RunningClock(), {} if sources is None else sources)


def lived_in(folder: Path) -> World:
    """Two people, found, marked and published together."""
    world = office(folder)
    source = world.collection()
    world.enrol(ADA_NAME, ADA, ALL, fields=f"phone={PHONE}@staff")
    world.enrol(BEN_NAME, BEN, ALL)
    source.put("a.png", picture(Head(ADA, x=LEFT), number=1))
    source.put("b.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), number=2))
    source.put("c.png", picture(Head(BEN, x=LEFT), number=3))
    world.scan("club")
    world.judge.mark("a.png", world.face("a.png"), ADA_NAME)
    world.publish(folder.parent / "out")
    return world
