import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso.errors import FolderMissing
from sayso.services.ports import Progress
from sayso.sources.source import SourceFile
from sayso.store.sealing import WorkspaceKey

from .drawing import ADA, LEFT, RIGHT, STRANGERS, Head, picture
from .world import FakeSource, World

PROJECT = Path(__file__).resolve().parents[2]
KEY = WorkspaceKey(bytes(32))


def pictures(number: int) -> dict[str, bytes]:
    return {
        f"{n:03d}.png": picture(
            Head(ADA, x=LEFT), Head(STRANGERS[n % len(STRANGERS)], x=RIGHT), number=n
        )
        for n in range(number)
    }


def fill(source: FakeSource, number: int) -> None:
    for path, data in pictures(number).items():
        source.put(path, data)


def twins(tmp_path: Path) -> list[World]:
    """Two worlds that differ in nothing."""
    worlds = []
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        worlds.append(World.create(tmp_path / name / "workspace", KEY))
    return worlds


def found(world: World) -> set[tuple[object, ...]]:
    """What is known of each content, without ids and times, which differ between workspaces."""
    links = world.links()
    return {
        (
            photograph.sha256,
            photograph.paths,
            tuple(
                (face.face, tuple((s.link, s.similarity) for s in links.get(face.id, ())))
                for face in photograph.faces
            ),
        )
        for photograph in world.photographs()
    }


def interrupt_after(photographs: int) -> Progress:
    def watch(done: int, _total: int) -> None:
        if done >= photographs:
            raise KeyboardInterrupt

    return watch


def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole, parts = twins(tmp_path)
    for world in (whole, parts):
        world.enrol("Ada", ADA, "recognise")
        fill(world.collection(), 50)
    assert whole.scan("club").photos == 50
    with pytest.raises(KeyboardInterrupt):
        parts.scan("club", progress=interrupt_after(1))
    kept = parts.count("photos")
    assert 0 < kept < 50
    result = parts.scan("club")
    assert (result.photos, result.repeated) == (50 - kept, 0)
    assert found(parts) == found(whole)
    for table in ("photos", "files", "faces", "sightings"):
        assert parts.count(table) == whole.count(table)
    whole.close()
    parts.close()


def test_what_is_in_hand_when_interrupted_is_kept(world: World) -> None:
    source = world.collection()
    fill(source, 20)

    def stop(path: str) -> None:
        if path == "015.png":
            raise KeyboardInterrupt

    source.on_read = stop
    with pytest.raises(KeyboardInterrupt):
        world.scan("club")
    source.on_read = lambda _path: None
    assert world.count("photos") == 15
    assert world.scan("club").photos == 5


class Unplugged(FakeSource):
    """A drive that is not connected."""

    def files(self) -> Iterator[SourceFile]:
        raise FolderMissing(expected="a folder", found="none", remedy="Connect the drive.")


def test_a_folder_that_is_unplugged_loses_nothing(world: World) -> None:
    fill(world.collection(), 3)
    world.scan("club")
    before = world.rows()
    world.sources.update(dict.fromkeys(world.sources, Unplugged()))
    with pytest.raises(FolderMissing):
        world.scan("club")
    assert world.rows() == before


SCANNER = """
import sys
from pathlib import Path
from sayso.services.scan import Scan
from sayso.sources.folder import Folder
from tests.services.test_scan_interrupted import KEY
from tests.services.world import HandClock, World

world = World(Path(sys.argv[1]), KEY, HandClock(), {})
scan = Scan(world.repository, world.book, world.eye, world.load_recogniser,
            lambda place: Folder(Path(place)), world.clock, 2)


def watch(done, total):
    print(done, flush=True)
    if done:
        sys.stdin.readline()  # who kills it does so now, in the middle


scan("club", progress=watch)
"""


def scanning(world: World) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", SCANNER, str(world.folder)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_scan_that_is_killed_goes_on_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole, killed = twins(tmp_path)
    for world in (whole, killed):
        world.enrol("Ada", ADA, "recognise")
        world.collection()
        for path, data in pictures(50).items():
            (world.folder.parent / "photographs-club" / path).write_bytes(data)
    with scanning(killed) as scan:
        assert scan.stdout is not None
        next(line for line in scan.stdout if int(line) > 0)
        scan.kill()
    assert 0 < killed.count("photos") < 50
    for world in (whole, killed):
        scan = scanning(world)
        scan.communicate(timeout=60)
        assert scan.returncode == 0
    assert len(found(whole)) == 50
    assert found(killed) == found(whole)
    for table in ("photos", "files", "faces", "sightings"):
        assert killed.count(table) == whole.count(table)
    for world in (whole, killed):
        world.close()


def test_two_scans_of_one_collection_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    world, _ = twins(tmp_path)
    world.enrol("Ada", ADA, "recognise")
    world.collection()
    for path, data in pictures(40).items():
        (world.folder.parent / "photographs-club" / path).write_bytes(data)
    scans = [scanning(world), scanning(world)]
    for scan in scans:
        scan.communicate(timeout=60)
    assert [scan.returncode for scan in scans] == [0, 0]
    assert world.count("photos") == world.count("files") == world.count("sightings") == 40
    assert world.count("faces") == 80
    world.close()
