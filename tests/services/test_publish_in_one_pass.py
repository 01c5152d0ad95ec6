"""Looked at and covered in one pass: what happens in between, and what is left if it breaks off."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.domain.face import Said
from sayso.domain.objection import Wish
from sayso.domain.screening import CoverStyle, Perhaps
from sayso.services.objections import Object
from sayso.services.publication import Publication
from sayso.store.sealing import WorkspaceKey

from .drawing import ADA, FILL, LEFT, NOBODY, RIGHT, Head, picture
from .world import WEBSITE, World

PROJECT = Path(__file__).resolve().parents[2]
KEY = WorkspaceKey(bytes(32))
ALL = "recognise find name:staff publish:website"
HERS = Head(ADA, x=LEFT)
UNSEEN = Head(NOBODY, x=RIGHT, seen="thoroughly")
DOUBTED = Head(NOBODY, x=RIGHT, seen="perhaps")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def copies(out: Path) -> list[str]:
    root = out / "photographs"
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def is_covered(out: Path, head: Head, name: str = "a.png") -> bool:
    copy = np.asarray(Image.open(out / "photographs" / name).convert("RGB"))
    return bool((copy[head.y : head.y + head.side, head.x : head.x + head.side] == FILL).all())


def withheld(publication: Publication) -> list[tuple[str, str]]:
    return [(one.path, one.code) for one in publication.withheld]


def once(world: World, how: str, act: Callable[[], object]) -> None:
    """Do something after the first look of a kind that follows a thorough one."""

    def watch(look: str) -> None:
        if look == how and "thoroughly" in world.detector.looks:
            world.detector.on_look = lambda _how: None
            act()

    world.detector.looks.clear()
    world.detector.on_look = watch


def shown(world: World) -> None:
    """A photograph that shows Ada, who said yes, and somebody whom a glance misses."""
    world.enrol("Ada", ADA, ALL)
    world.collection().put("a.png", picture(HERS, UNSEEN))
    world.scan("club")


def test_a_photograph_is_read_once_wherever_it_lies(world: World, out: Path) -> None:
    source = world.collection()
    for path in ("a.png", "again/a.png", "z.png"):
        source.put(path, picture(UNSEEN))
    source.put("b.png", picture(UNSEEN, number=1))
    world.scan("club")
    source.reads.clear()
    world.detector.looks.clear()
    told: list[tuple[int, int]] = []
    publication, _ = world.publishing(
        "club", out, WEBSITE, CoverStyle.FILL, progress=lambda *done: told.append(done)
    )
    assert sorted(source.reads) == ["a.png", "b.png"]
    assert world.detector.looks.count("thoroughly") == 2
    assert [one.path for one in publication.published] == ["a.png", "again/a.png", "b.png", "z.png"]
    assert copies(out) == ["a.png", "again/a.png", "b.png", "z.png"]
    assert all(is_covered(out, UNSEEN, name) for name in copies(out))
    assert (told[0], told[-1]) == ((0, 4), (4, 4))
    assert world.count("copies") == 4


def test_a_yes_withdrawn_between_the_look_and_the_writing_withholds(
    world: World, out: Path
) -> None:
    shown(world)
    other = world.beside()
    once(world, "at a glance", lambda: other.rights.withdraw("Ada"))  # the copy is looked at
    assert withheld(world.publish(out)) == [("a.png", "consent_changed")]
    assert copies(out) == []
    assert world.count("copies") == world.count("shown") == 0
    other.close()


def test_a_yes_withdrawn_during_the_look_is_gone_when_it_is_over(world: World, out: Path) -> None:
    shown(world)
    other = world.beside()
    once(world, "thoroughly", lambda: other.rights.withdraw("Ada"))
    assert [one.copy for one in world.publish(out).published] == ["a.png"]
    assert is_covered(out, HERS)
    assert is_covered(out, UNSEEN)
    assert world.count("shown") == 0
    other.close()


@pytest.mark.parametrize("how", ["thoroughly", "at a glance"])
def test_an_objection_after_the_look_keeps_it_out(world: World, out: Path, how: str) -> None:
    shown(world)
    other = world.beside()
    objecting = Object(other.repository, other.book, other.clock)
    once(world, how, lambda: objecting.add("a.png", None, Wish.REMOVE))
    (left,) = world.publish(out).withheld
    assert left.code in {"objection", "consent_changed"}
    assert copies(out) == []
    other.close()


def test_a_photograph_that_changes_after_the_look_is_published_as_it_was_looked_at(
    world: World, out: Path
) -> None:
    source = world.collection()
    source.put("a.png", picture(UNSEEN))
    world.scan("club")
    once(world, "thoroughly", lambda: source.overwrite("a.png", picture(Head(ADA, x=LEFT))))
    world.publish(out)
    assert is_covered(out, UNSEEN)
    copy = np.asarray(Image.open(out / "photographs" / "a.png"))
    assert (copy[HERS.y : HERS.y + HERS.side, HERS.x : HERS.x + HERS.side] == 255).all()


def test_one_that_changed_before_it_is_neither_looked_at_nor_published(
    world: World, out: Path
) -> None:
    source = world.collection()
    source.put("a.png", picture(UNSEEN))
    world.scan("club")
    source.overwrite("a.png", picture(Head(ADA, x=LEFT)))
    assert withheld(world.publish(out)) == [("a.png", "photograph_vanished")]
    assert not world.photographs()[0].scrutinised


def test_what_is_perhaps_a_face_is_not_even_drafted_where_a_human_is_asked(
    world: World, out: Path
) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    world.detector.looks.clear()
    asking = replace(world.publishing, screen=replace(world.screen, perhaps=Perhaps.REVIEW))
    publication, _ = asking("club", out, WEBSITE, CoverStyle.FILL)
    assert withheld(publication) == [("a.png", "review")]
    assert publication.withheld[0].screened.photograph.scrutinised
    assert world.detector.looks == ["thoroughly"]  # a draft would have been looked at too
    assert copies(out) == []


def test_a_word_on_what_the_look_found_withholds_until_it_is_drafted_with_it(
    world: World, out: Path
) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    other = world.beside()

    def no_face() -> None:
        (stored,) = other.photographs()[0].faces
        other.judge.is_no_face("a.png", stored.id)

    once(world, "at a glance", no_face)
    assert withheld(world.publish(out)) == [("a.png", "consent_changed")]
    assert world.photographs()[0].faces[0].said is Said.NO_FACE
    other.close()


def test_what_retention_takes_out_during_the_look_is_not_published(world: World, out: Path) -> None:
    source = world.collection()
    source.put("a.png", picture(UNSEEN))
    world.scan("club")
    other = world.beside()

    def let_go() -> None:
        with other.repository.writing() as unit:
            unit.collections.empty(unit.collections.get("club").id)

    once(world, "thoroughly", let_go)
    assert withheld(world.publish(out)) == [("a.png", "photograph_vanished")]
    assert copies(out) == []
    assert world.count("faces") == 0
    other.close()


def test_nobody_looks_on_when_a_publication_broke_off(world: World, out: Path) -> None:
    source = world.collection()
    for n in range(30):
        source.put(f"{n:02d}.png", picture(UNSEEN, number=n))
    world.scan("club")

    def interrupt(path: str) -> None:
        if path == "02.png":
            raise KeyboardInterrupt

    source.on_read = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.publish(out)
    looks, left = len(world.detector.looks), copies(out)
    time.sleep(0.5)
    assert (len(world.detector.looks), copies(out)) == (looks, left)


def test_a_name_that_may_be_told_no_more_when_all_is_written_is_taken_back(
    world: World, out: Path
) -> None:
    source = world.collection()
    world.enrol("Ada Lovelace", ADA, "name:public", evidence=None, images=())
    source.put("Ada Lovelace.png", picture(UNSEEN))
    source.put("b.png", picture(UNSEEN, number=1))
    world.scan("club")
    other = world.beside()
    once(world, "at a glance", lambda: other.rights.withdraw("Ada Lovelace"))
    publication = world.publish(out)
    assert withheld(publication) == [("Ada Lovelace.png", "consent_changed")]
    assert copies(out) == ["b.png"]
    assert "Lovelace" not in (out / "manifest.json").read_text()
    other.close()


PUBLISHER = """
import sys
from pathlib import Path
from dataclasses import replace
from sayso.sources.folder import Folder
from tests.services.test_publish_in_one_pass import KEY
from tests.services.world import WEBSITE, HandClock, World

world = World(Path(sys.argv[1]), KEY, HandClock(), {})
publish = replace(world.publishing, open_source=lambda place: Folder(Path(place)))


def watch(done, total):
    print(done, flush=True)
    if done:
        sys.stdin.readline()  # who kills it does so now, in the middle


publish("club", Path(sys.argv[2]), WEBSITE, "fill", progress=watch)
"""


def publishing(world: World, out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", PUBLISHER, str(world.folder), str(out)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_publication_that_is_killed_leaves_whole_recorded_copies_and_goes_on(
    tmp_path: Path, out: Path
) -> None:
    world = World.create(tmp_path / "workspace", KEY)
    world.enrol("Ada", ADA, ALL)
    source = world.collection()
    for n in range(60):
        data = picture(HERS, UNSEEN, number=n)
        source.put(f"{n:02d}.png", data)
        (world.folder.parent / "photographs-club" / f"{n:02d}.png").write_bytes(data)
    world.scan("club")
    with publishing(world, out) as publication:
        assert publication.stdout is not None
        next(line for line in publication.stdout if int(line) > 0)
        publication.kill()
    lying = [name for name in copies(out) if name.endswith(".png")]
    assert 0 < len(lying) < 60
    for name in lying:
        assert is_covered(out, UNSEEN, name)
        assert not is_covered(out, HERS, name)
    looked = [one for one in world.photographs() if one.scrutinised]
    assert len(lying) <= len(looked) < 60
    assert all(len(one.faces) == 2 for one in looked)
    listed = {one.path for one in world.beside().rights.withdraw("Ada").published}
    assert {f"{out.resolve()}/photographs/{name}" for name in lying} <= listed
    publication = publishing(world, out)
    publication.communicate("\n" * 100, timeout=120)
    assert publication.returncode == 0
    assert len(copies(out)) == 60
    assert all(is_covered(out, HERS, name) for name in copies(out))  # she took her yes back
    assert all(len(one.faces) == 2 for one in world.photographs())
    world.close()
