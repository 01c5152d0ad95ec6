"""Newcomers meet what was scanned before; nothing is detected again or counted twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.domain.face import FaceId
from sayso.domain.photo import Recognition
from sayso.domain.sighting import Link
from sayso.errors import CollectionUnknown, Denied, FolderMissing
from sayso.services.enrolment import Image
from sayso.services.places import Unreadable
from sayso.store.sealing import WorkspaceKey

from .drawing import ADA, BEN, CAT, LEFT, NOBODY, RIGHT, STRANGERS, Head, picture, portrait
from .world import FakeSource, World, form

PROJECT = Path(__file__).resolve().parents[2]
KEY = WorkspaceKey(bytes(32))


class NoDetector:
    """Catching up knows where the faces are."""

    def detect(self, picture: object, *, smallest_px: float) -> tuple[()]:
        del picture, smallest_px
        pytest.fail("nothing is to be detected again")

    scrutinise = detect


def fill(source: FakeSource, number: int, *, first: int = 0) -> None:
    for n in range(first, first + number):
        heads = (Head(ADA, x=LEFT), Head(STRANGERS[n % len(STRANGERS)], x=RIGHT))
        source.put(f"{n:03d}.png", picture(*heads, number=n))


def names(world: World, collection: str = "club") -> dict[str, list[str]]:
    """For each path the names of those who were seen there."""
    links = world.links(collection)
    with world.repository.reading() as unit:
        people = {person.id: person.name for person in unit.people.all()}
    return {
        path: sorted(people[s.person] for face in one.faces for s in links.get(face.id, ()))
        for one in world.photographs(collection)
        for path in one.paths
    }


def did(world: World, *collections: str) -> tuple[int, int]:
    """Catch up; photographs and faces."""
    done = world.catch_up(collections)
    assert not any(one.failure or one.unreadable for one in done.collections)
    return (
        sum(one.photographs for one in done.collections),
        sum(one.faces for one in done.collections),
    )


def test_newcomers_meet_every_collection_and_nothing_is_detected(world: World) -> None:
    fill(world.collection(), 5)
    fill(world.collection("sports"), 3, first=10)
    for name in ("club", "sports"):
        world.scan(name)
    world.enrol("Ada", ADA, "recognise")
    blind = World(world.folder, world.key, world.clock, world.sources, detector=NoDetector())
    due = blind.catch_up.backlog()
    assert {(one.collection.name, one.photographs, one.people) for one in due} == {
        ("club", 5, 1),
        ("sports", 3, 1),
    }
    assert did(blind) == (8, 16)
    assert names(world) == {f"{n:03d}.png": ["Ada"] for n in range(5)}
    assert set(map(tuple, names(world, "sports").values())) == {("Ada",)}
    assert blind.catch_up.backlog() == ()
    assert did(blind) == (0, 0)
    blind.close()


def test_several_newcomers_are_met_in_one_pass(world: World) -> None:
    source = world.collection()
    world.enrol("Cat", CAT, "recognise")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT)))
    world.scan("club")
    computed = world.embedder.computed
    for name, who in (("Ada", ADA), ("Ben", BEN)):
        world.enrol(name, who, "recognise")
    assert world.catch_up.backlog()[0].people == 2
    assert did(world) == (1, 2)
    assert world.embedder.computed - computed == 4  # two references, two faces
    assert names(world) == {"a.png": ["Ada", "Ben"]}


def test_the_newest_collection_and_its_newest_photographs_come_first(world: World) -> None:
    old, new = world.collection(), None
    world.clock.forward(days=1)
    new = world.collection("sports")
    fill(old, 70)
    fill(new, 70, first=70)
    for name in ("club", "sports"):
        world.scan(name)
    world.enrol("Ada", ADA, "recognise")
    order: list[str] = []
    for source in (old, new):
        source.on_read = order.append
    assert did(world) == (140, 280)
    places = {path: place for place, path in enumerate(order)}
    assert max(places[f"{n:03d}.png"] for n in range(70, 140)) < places["069.png"]
    assert places["139.png"] < places["100.png"] < places["070.png"]
    assert places["069.png"] < places["000.png"]


def test_one_that_is_named_is_caught_up_alone(world: World) -> None:
    fill(world.collection(), 2)
    fill(world.collection("sports"), 2, first=10)
    for name in ("club", "sports"):
        world.scan(name)
    world.enrol("Ada", ADA, "recognise")
    assert did(world, "sports") == (2, 4)
    assert names(world) == {"000.png": [], "001.png": []}
    with pytest.raises(CollectionUnknown):
        world.catch_up(["nowhere"])


def test_collections_that_may_not_be_compared_are_passed_over_or_refused(world: World) -> None:
    fill(world.collection(recognition=Recognition.SELECTED), 2)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    loads = world.loads
    assert did(world) == (0, 0)
    assert world.loads == loads
    with pytest.raises(Denied):
        world.catch_up(["club"])


def test_photographs_without_a_face_to_compare_are_never_behind(world: World) -> None:
    source = world.collection()
    source.put("nobody.png", picture(number=1))
    source.put("ada.png", picture(Head(ADA), number=2))
    world.enrol("Sam", BEN, "publish:website")
    world.scan("club")
    world.judge.mark("nobody.png", "0.4,0.4,0.2,0.2", "Sam")  # drawn by hand: no landmarks
    world.enrol("Ada", ADA, "recognise")
    [due] = world.catch_up.backlog()
    assert due.photographs == 1
    reads = len(source.reads)
    assert did(world) == (1, 1)
    assert source.reads[reads:] == ["ada.png"]


def test_what_cannot_be_read_is_told_and_tried_again(world: World) -> None:
    source = world.collection()
    fill(source, 5)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    source.refusing.add("002.png")
    for _ in range(2):
        [done] = world.catch_up().collections
        assert [(bad.path, bad.code) for bad in done.unreadable] == [
            ("002.png", "photograph_unreadable")
        ]
    source.refusing.clear()
    assert did(world) == (1, 2)
    assert names(world)["002.png"] == ["Ada"]
    assert Unreadable("a", "b", "c").path == "a"


class Unplugged(FakeSource):
    def files(self) -> object:  # type: ignore[override] # it only raises
        raise FolderMissing(expected="a folder", found="none", remedy="Connect the drive.")


def test_a_drive_that_is_not_there_stops_no_other_collection(world: World) -> None:
    fill(world.collection(), 2)
    fill(world.collection("sports"), 2, first=10)
    for name in ("club", "sports"):
        world.scan(name)
    world.enrol("Ada", ADA, "recognise")
    world.sources["photographs-sports"] = Unplugged()
    done = {one.collection.name: one for one in world.catch_up().collections}
    assert (done["club"].photographs, done["club"].failure) == (2, None)
    failure = done["sports"].failure
    assert failure is not None
    assert failure[0] == "folder_missing"
    assert done["sports"].unreadable == ()


def test_somebody_who_withdraws_in_the_middle_gets_no_sighting_after_it(world: World) -> None:
    source = world.collection()
    fill(source, 60)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    other = world.beside()

    def withdraw(path: str) -> None:
        if path == "030.png":
            other.rights.withdraw("Ada")

    source.on_read = withdraw
    world.catch_up()
    assert world.count("sightings") == world.count("templates") == 0
    other.close()


def test_somebody_who_says_yes_in_the_middle_is_met_by_every_photograph(world: World) -> None:
    source = world.collection()
    fill(source, 60)
    world.scan("club")
    world.enrol("Ben", BEN, "recognise")
    other = world.beside()

    def join(path: str) -> None:
        if path == "030.png":
            source.on_read = lambda _path: None
            other.enrol("Ada", ADA, "recognise")

    source.on_read = join
    world.catch_up()
    assert set(map(tuple, names(world).values())) == {("Ada",)}
    assert world.catch_up.backlog() == ()
    other.close()


def test_interrupted_what_is_done_is_kept_and_it_goes_on_there(world: World) -> None:
    source = world.collection()
    fill(source, 60)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    told: list[tuple[int, int]] = []

    def stop(path: str) -> None:
        if path == "005.png":
            raise KeyboardInterrupt

    source.on_read = stop
    with pytest.raises(KeyboardInterrupt):
        world.catch_up(progress=lambda done, total: told.append((done, total)))
    source.on_read = lambda _path: None
    kept = told[-1][0]
    assert 0 < kept < 60
    assert told == [(0, 60), (kept, 60)]
    left = 60 - kept
    assert sum(one.photographs for one in world.catch_up.backlog()) == left
    assert did(world) == (left, 2 * left)
    assert world.count("sightings") == 60


def test_the_ledger_tells_of_it_and_of_nothing_else(world: World) -> None:
    fill(world.collection(), 2)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    size = world.count_entries()
    world.catch_up()
    assert world.count_entries() == size + 2
    world.catch_up()  # nothing to do, nothing to tell
    assert world.count_entries() == size + 2


def test_a_face_as_small_as_one_can_be_is_cut_out_of_the_full_size(world: World) -> None:
    """Decoded at the scale of the large face alone, the small one would be of another colour."""
    source = world.collection()
    heads = (Head(ADA, x=LEFT, side=200, y=20), Head(BEN, x=RIGHT, side=40))
    source.put("a.jpg", picture(*heads, kind="JPEG", quality=95, subsampling=0))
    source.put("b.jpg", picture(Head(NOBODY), kind="JPEG", quality=95, subsampling=0, number=1))
    world.scan("club")
    for name, who in (("Ada", ADA), ("Ben", BEN)):
        world.enrol(name, who, "recognise")
    assert did(world) == (2, 3)
    assert names(world) == {"a.jpg": ["Ada", "Ben"], "b.jpg": []}


CATCHER = """
import sys
import time
from pathlib import Path
from sayso.services.catchup import CatchUp
from sayso.sources.folder import Folder
from tests.services.test_catchup import KEY
from tests.services.world import HandClock, World

class Slow(Folder):
    def read(self, path, *, max_bytes):
        time.sleep(float(sys.argv[2]))
        return super().read(path, max_bytes=max_bytes)


world = World(Path(sys.argv[1]), KEY, HandClock(), {})
catch_up = CatchUp(world.repository, world.book, world.eye.limits, world.load_recogniser,
                   lambda place: Slow(Path(place)), world.clock, 2)


def watch(done, total):
    print(done, flush=True)
    if done:
        sys.stdin.readline()  # who kills it does so now, in the middle


result = catch_up(progress=watch)
print("faces", sum(one.faces for one in result.collections), flush=True)
"""


def catching_up(world: World, *, slow_s: float) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", CATCHER, str(world.folder), str(slow_s)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_it_goes_on_at_its_place_and_counts_nothing_twice(tmp_path: Path) -> None:
    world = World.create(tmp_path / "workspace", KEY)
    source = world.collection()
    fill(source, 80)
    for file in source.files():
        data = source.read(file.path, max_bytes=file.size_bytes)
        (tmp_path / "photographs-club" / file.path).write_bytes(data)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    with catching_up(world, slow_s=0.15) as catching:
        assert catching.stdout is not None
        next(line for line in catching.stdout if int(line) > 0)
        catching.kill()
    with world.repository.reading() as unit:
        placed = unit.files.page(unit.collections.get("club").id, limit=1000)
        done = {
            one.id
            for one in unit.photographs.some(place.photo for place in placed).values()
            if (one.compared_through or 0) > 0
        }
    assert 0 < len(done) < 80
    assert world.count("sightings") == len(done)  # each with its finding, or neither
    again = catching_up(world, slow_s=0)
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert out.splitlines()[-1] == f"faces {2 * (80 - len(done))}"
    assert world.count("sightings") == 80
    assert world.catch_up.backlog() == ()
    world.close()


def more_references(world: World) -> None:
    """Ada, whose only reference so far looks like Cat, gives good ones."""
    with world.repository.reading() as unit:
        ada = unit.people.get("Ada").id
    images = tuple(Image(f"{n}.png", portrait(ADA, n)) for n in range(5))
    evidence = form("Ada again")
    world.enrol("Ada", ADA, "recognise", person=ada, images=images, evidence=evidence, vouched=True)


@pytest.mark.parametrize("again", [False, True])
def test_with_better_references_an_old_false_match_goes(world: World, *, again: bool) -> None:
    world.enrol("Ada", CAT, "recognise find")
    world.enrol("Ben", BEN, "recognise find")
    world.collection().put("a.png", picture(Head(CAT, x=LEFT), Head(ADA, x=RIGHT)))
    world.scan("club")
    stranger, hers = world.face("a.png"), world.face("a.png", 1)
    assert names(world)["a.png"] == ["Ada"]
    world.judge.reject("a.png", stranger, "Ben")  # so that the face is kept by a scan of all
    more_references(world)
    world.scan("club", again=again)
    matched = {face: one for face, found in world.links().items() for one in found}
    assert matched[FaceId(stranger)].link is Link.REJECTED
    assert matched[FaceId(world.face("a.png", 1))].link is Link.MATCH
    assert again or hers == world.face("a.png", 1)
    assert sum(map(len, world.links().values())) == 2


def test_what_the_thorough_look_finds_is_counted_until_it_was_compared(
    world: World, tmp_path: Path
) -> None:
    heads = Head(NOBODY, x=LEFT), Head(ADA, x=RIGHT, seen="thoroughly")
    for name, mode in (("club", Recognition.GROUP), ("quiet", Recognition.OFF)):
        world.collection(name, mode).put("a.png", picture(*heads))
    world.enrol("Ada", ADA, "recognise")
    for name in ("club", "quiet"):
        world.scan(name)
    club, quiet = (uncompared(world, tmp_path, name) for name in ("club", "quiet"))
    assert (club, quiet) == (1, 0)
    assert did(world)[0] == 1
    assert uncompared(world, tmp_path, "club") == 0


def uncompared(world: World, folder: Path, name: str) -> int:
    """How many photographs have such faces once they were published."""
    done = world.publish(folder / name, collection=name)
    return world.catch_up.uncompared(done.screening.collection)
