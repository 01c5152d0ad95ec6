import base64
import threading
import weakref

import numpy as np
import pytest
import sqlalchemy as sa

from sayso.domain.face import Face
from sayso.domain.matching import GallerySize
from sayso.domain.photo import Recognition
from sayso.errors import CollectionUnknown
from sayso.services.scan import ScanResult
from sayso.store.photographs import Seen
from sayso.store.tables import sightings
from sayso.vision.decode import Picture

from .drawing import ADA, BEN, LEFT, NOBODY, RIGHT, STRANGERS, Head, faint, picture, vector
from .world import FakeSource, World


def seen(world: World, name: str = "club") -> dict[str, list[tuple[str, str]]]:
    """For each path whom its faces are linked to, by name."""
    links = world.links(name)
    with world.repository.reading() as unit:
        names = {person.id: person.name for person in unit.people.all()}
    return {
        path: sorted(
            (names[sighting.person], sighting.link.value)
            for face in photograph.faces
            for sighting in links.get(face.id, ())
        )
        for photograph in world.photographs(name)
        for path in photograph.paths
    }


def counts(result: ScanResult) -> tuple[int, int, int, int, int]:
    return (result.photos, result.faces, result.repeated, result.caught_up, result.vanished)


def fill(source: FakeSource, number: int = 6) -> None:
    """Photographs of Ada beside somebody else, each with its own content."""
    for n in range(number):
        other = STRANGERS[n % len(STRANGERS)]
        source.put(f"{n:03d}.png", picture(Head(ADA, x=LEFT), Head(other, x=RIGHT), number=n))


def test_a_scan_says_what_it_found_and_a_second_one_that_nothing_is_new(world: World) -> None:
    source = world.collection()
    fill(source)
    assert counts(world.scan("club")) == (6, 12, 0, 0, 0)
    reads = len(source.reads)
    assert counts(world.scan("club")) == (0, 0, 0, 0, 0)
    assert len(source.reads) == reads


def test_an_unknown_collection_is_none(world: World) -> None:
    with pytest.raises(CollectionUnknown):
        world.scan("club")


def test_people_who_said_yes_are_matched_and_strangers_are_not(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    source.put("b.png", picture(Head(faint(ADA))))
    world.scan("club")
    assert seen(world) == {"a.png": [("Ada", "match")], "b.png": [("Ada", "review")]}


def test_a_face_too_small_to_decide_is_a_doubt(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    source.put("a.png", picture(Head(ADA, side=30)))
    world.scan("club")
    assert seen(world) == {"a.png": [("Ada", "review")]}


def test_a_face_that_is_as_alike_to_two_people_is_a_doubt_about_both(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    world.enrol("Ben", BEN, "recognise")
    source.put("a.png", picture(Head(ADA, also=BEN)))
    world.scan("club")
    assert seen(world) == {"a.png": [("Ada", "review"), ("Ben", "review")]}


def test_changed_moved_copied_vanished_and_returned_files(world: World) -> None:
    source = world.collection()
    fill(source, 3)
    world.scan("club")
    source.put("000.png", picture(Head(BEN), number=100))
    assert counts(world.scan("club")) == (1, 1, 0, 0, 0)
    moved = source.take("001.png")
    source.put("moved/001.png", moved)
    assert counts(world.scan("club")) == (0, 0, 1, 0, 1)
    source.put("copy.png", moved)
    assert counts(world.scan("club")) == (0, 0, 1, 0, 0)
    for path in ("copy.png", "moved/001.png"):
        source.take(path)
    assert counts(world.scan("club")) == (0, 0, 0, 0, 2)
    assert set(seen(world)) == {"000.png", "002.png"}
    source.put("back.png", moved)
    assert counts(world.scan("club")) == (0, 0, 1, 0, 0)


def test_equal_files_are_looked_at_once_whichever_is_first_in_hand(world: World) -> None:
    source = world.collection()
    data = picture(Head(ADA))
    for name in ("a.png", "b.png", "c.png"):
        source.put(name, data)
    second = threading.Event()

    def hold_the_first(path: str) -> None:
        if path == "a.png":
            second.wait(10)
        elif path == "c.png":  # read by the worker that is done with b.png
            second.set()

    source.on_read = hold_the_first
    assert counts(world.scan("club")) == (1, 1, 2, 0, 0)
    assert set(seen(world)) == {"a.png", "b.png", "c.png"}
    assert counts(world.scan("club")) == (0, 0, 0, 0, 0)


def test_equal_files_that_cannot_be_read_are_each_reported(world: World) -> None:
    source = world.collection()
    for name in ("a.png", "b.png", "c.png"):
        source.put(name, b"no photograph")
    result = world.scan("club")
    assert [bad.path for bad in result.unreadable] == ["a.png", "b.png", "c.png"]


def test_unreadable_files_are_reported_each_time_and_lose_nothing(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "publish:website")
    fill(source, 3)
    source.put("bad.txt", b"no photograph")
    source.put("cut.png", picture(Head(ADA))[:300])
    assert world.scan("club").photos == 3
    world.judge.mark("001.png", world.face("001.png"), "Ada")
    before = world.rows()
    source.refusing.add("000.png")
    source.vanishing.add("001.png")
    for path in ("000.png", "001.png"):
        source.put(path, source.take(path))
    for _ in range(2):
        result = world.scan("club")
        assert [(bad.path, bad.code) for bad in result.unreadable] == [
            ("000.png", "photograph_unreadable"),
            ("001.png", "photograph_vanished"),
            ("bad.txt", "not_a_photograph"),
            ("cut.png", "photograph_truncated"),
        ]
        assert counts(result)[:4] == (0, 0, 0, 0)
    source.refusing.clear()
    source.vanishing.clear()
    assert world.scan("club").repeated == 2
    for table in ("photos", "faces", "judgements"):
        assert world.rows()[table] == before[table]


def test_a_file_name_that_is_not_utf_8_is_reported_and_the_rest_goes_on(world: World) -> None:
    source = world.collection()
    source.put("caf\udce9.png", picture(Head(ADA)))
    source.put("z.png", picture(Head(BEN)))
    result = world.scan("club")
    assert result.photos == 1
    assert [bad.code for bad in result.unreadable] == ["photograph_unreadable"]
    assert result.unreadable[0].path.isascii()


@pytest.mark.parametrize("mode", [Recognition.OFF, Recognition.SELECTED])
def test_without_group_recognition_no_recogniser_is_loaded(world: World, mode: Recognition) -> None:
    source = world.collection(recognition=mode)
    world.enrol("Ada", ADA, "recognise find publish:website")
    loads, computed = world.loads, world.embedder.computed
    fill(source)
    world.scan("club")
    world.scan("club", again=True)
    assert (world.loads, world.embedder.computed) == (loads, computed)
    assert seen(world) == {f"{n:03d}.png": [] for n in range(6)}


def test_with_nobody_enrolled_no_features_are_computed(world: World) -> None:
    fill(world.collection())
    world.scan("club")
    assert world.embedder.computed == 0


def test_newcomers_are_caught_up_and_faces_are_compared_with_them_alone(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT)))
    world.scan("club")
    with world.database.writing() as connection:  # were Ada met again, this would come back
        connection.execute(sa.delete(sightings))
    world.enrol("Ben", BEN, "recognise")
    assert counts(world.scan("club")) == (0, 0, 0, 1, 0)
    assert seen(world) == {"a.png": [("Ben", "match")]}
    computed = world.embedder.computed
    assert counts(world.scan("club")) == (0, 0, 0, 0, 0)
    assert world.embedder.computed == computed


def test_somebody_who_said_yes_for_other_collections_meets_nobody_here(world: World) -> None:
    source = world.collection()
    world.collection("sports")
    fill(source, 2)
    world.enrol("Ada", ADA, "recognise", collections=("sports",))
    world.scan("club")
    assert seen(world) == {"000.png": [], "001.png": []}
    assert world.embedder.computed == 1  # the enrolment image


def test_a_changed_photograph_is_not_compared_by_its_old_boxes(world: World) -> None:
    source = world.collection()
    source.put("a.png", picture(Head(BEN)))
    world.scan("club")
    world.enrol("Ben", BEN, "recognise")

    def change(path: str) -> None:
        source.on_read = lambda _path: None
        source.overwrite(path, picture(Head(NOBODY), number=9))

    source.on_read = change
    result = world.scan("club")
    assert [bad.code for bad in result.unreadable] == ["photograph_vanished"]
    assert result.caught_up == 0


def test_a_copy_elsewhere_stands_in_for_a_file_that_is_gone(world: World) -> None:
    source = world.collection()
    data = picture(Head(BEN))
    source.put("a.png", data)
    source.put("b.png", data)
    world.scan("club")
    world.enrol("Ben", BEN, "recognise")
    source.vanishing.add("a.png")
    assert world.scan("club").caught_up == 1
    assert seen(world)["b.png"] == [("Ben", "match")]


def test_what_humans_said_survives_every_scan(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise publish:website")
    world.enrol("Ben", BEN, "publish:website")
    fill(source, 2)
    world.scan("club")
    world.judge.reject("000.png", world.face("000.png"), "Ada")
    world.judge.mark("001.png", world.face("001.png", 1), "Ben")
    world.judge.mark("001.png", "0.45,0.05,0.1,0.1", "Ben")  # a face that nothing finds
    said = world.rows()["judgements"]
    assert len(said) == 3
    world.scan("club", again=True)
    assert world.rows()["judgements"] == said
    world.enrol("Cat", NOBODY, "recognise")
    world.scan("club")
    assert world.rows()["judgements"] == said


def test_scanning_again_does_not_double_anything(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise publish:website")
    fill(source, 3)
    world.scan("club")
    world.judge.mark("000.png", world.face("000.png"), "Ada")
    before = {name: len(rows) for name, rows in world.rows().items()}
    result = world.scan("club", again=True)
    assert (result.photos, result.faces) == (3, 6)
    assert {name: len(rows) for name, rows in world.rows().items()} == before


def test_somebody_who_withdraws_in_the_middle_gets_no_sighting_after_it(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    fill(source, 40)
    other = world.beside()
    withdrawn = threading.Lock()

    def withdraw(path: str) -> None:
        if path == "010.png" and withdrawn.acquire(blocking=False):
            other.rights.withdraw("Ada")

    source.on_read = withdraw
    world.scan("club")
    assert world.count("sightings") == 0
    assert world.count("templates") == 0
    other.close()


def test_somebody_erased_in_the_middle_stops_nothing(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    fill(source, 40)
    other = world.beside()

    def erase(path: str) -> None:
        if path == "010.png":
            other.rights.erase("Ada")

    source.on_read = erase
    assert world.scan("club").photos == 40
    assert world.count("persons") == world.count("sightings") == 0
    other.close()


def test_faces_that_another_scan_replaced_meanwhile_are_left_to_it(world: World) -> None:
    source = world.collection()
    fill(source, 3)
    world.scan("club")
    world.enrol("Ada", ADA, "recognise")
    other = world.beside()

    def look_again(_path: str) -> None:
        source.on_read = lambda _path: None
        other.scan("club", again=True)

    source.on_read = look_again
    world.scan("club")
    source.on_read = lambda _path: None
    world.scan("club")
    assert seen(world) == {f"{n:03d}.png": [("Ada", "match")] for n in range(3)}
    other.close()


def test_somebody_who_says_yes_in_the_middle_is_met_by_every_photograph(world: World) -> None:
    source = world.collection()
    world.enrol("Ben", BEN, "recognise")
    fill(source, 40)
    other = world.beside()

    def join(path: str) -> None:
        if path == "010.png":
            other.enrol("Ada", ADA, "recognise")

    source.on_read = join
    world.scan("club")
    assert seen(world) == {f"{n:03d}.png": [("Ada", "match")] for n in range(40)}
    other.close()


def test_a_consent_that_ends_between_scans_takes_the_template_with_it(world: World) -> None:
    source = world.collection()
    ends = world.clock.now.replace(year=2027)
    world.enrol("Ada", ADA, "recognise", expires=ends)
    fill(source, 2)
    world.scan("club")
    assert world.count("sightings") == 2
    world.clock.now = ends
    world.scan("club")
    assert world.count("templates") == world.count("data_keys") == world.count("sightings") == 0


def test_no_features_of_anybody_unmatched_reach_the_disk(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    fill(source, len(STRANGERS))
    source.put("doubt.png", picture(Head(faint(ADA))))
    world.scan("club")
    world.identify(picture(Head(STRANGERS[0])))
    kept = world.on_disk()
    for who in (*STRANGERS, faint(ADA), ADA):
        for trace in traces(who):
            assert trace not in kept
    planted = vector(STRANGERS[0]).tobytes().hex()
    with world.repository.writing() as unit:  # the search itself finds what is there
        unit.photographs.add(
            unit.collections.get("club").id,
            Seen(planted, 1, 1, "PNG", ()),
            compared_through=0,
            now=world.clock.now,
        )
    assert any(trace in world.on_disk() for trace in traces(STRANGERS[0]))


def traces(who: int) -> list[bytes]:
    """The first features of a vector in whatever form somebody might have kept them."""
    exact = vector(who)
    plain = [exact[:8].astype(kind).tobytes() for kind in ("<f4", "<f2", "<f8", ">f4", ">f8")]
    scaled = np.clip(np.rint(exact * 127), -128, 127).astype(np.int8).tobytes()
    written = [base64.b64encode(exact.tobytes())[:40], exact.tobytes().hex()[:64].encode()]
    return [*plain, scaled, *written, str(float(exact[0])).encode(), f"{exact[0]:.6f}".encode()]


def test_only_so_many_photographs_are_in_memory_at_once(world: World) -> None:
    source = world.collection()
    fill(source, 60)
    alive = Alive()
    look = world.detector.detect

    class Watching:
        def detect(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
            alive.watch(picture)
            return look(picture, smallest_px=smallest_px)

        scrutinise = detect

    watched = World(world.folder, world.key, world.clock, world.sources, detector=Watching())
    assert watched.scan("club").photos == 60
    assert alive.most <= 3
    watched.close()


def test_faces_of_several_photographs_are_compared_together(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise")
    fill(source, 32)  # two faces each
    source.put("nobody.png", picture())
    world.embedder.batches.clear()
    world.scan("club")
    assert world.embedder.computed == 1 + 64
    assert min(world.embedder.batches) >= 16
    assert max(world.embedder.batches) <= 32
    expected: dict[str, list[tuple[str, str]]] = {
        f"{n:03d}.png": [("Ada", "match")] for n in range(32)
    }
    assert seen(world) == {**expected, "nobody.png": []}


class Alive:
    """Counts decoded pictures that still exist."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    def watch(self, picture: Picture) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        weakref.finalize(picture.pixels, self._gone)

    def _gone(self) -> None:
        self._now -= 1


def test_a_gallery_that_grew_holds_earlier_matches_to_its_higher_thresholds(world: World) -> None:
    """The promise is of the gallery as it is now, not as it was on the day of the scan."""
    source = world.collection()
    world.enrol("Ada", ADA, "recognise publish:website")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    limits = world.load_recogniser().limits(GallerySize(1, 1))
    with world.database.writing() as connection:  # as if she had been only just alike enough
        connection.execute(sa.update(sightings).values(similarity=limits.match + 1e-6))
    assert seen(world) == {"a.png": [("Ada", "match")]}
    world.enrol("Ben", BEN, "recognise")
    world.scan("club")
    assert seen(world) == {"a.png": [("Ada", "review")]}
