"""What only the thorough look finds is covered; what is perhaps a face waits or is covered."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.domain.face import Said
from sayso.domain.screening import CoverStyle, Outcome, Perhaps, Verdict
from sayso.errors import FaceUnknown
from sayso.services.judge import Judge
from sayso.services.publication import Publication
from sayso.services.publish import Publish
from sayso.store.photographs import Photograph

from .drawing import ADA, FILL, LEFT, NOBODY, RIGHT, Head, picture
from .world import WEBSITE, World

ALL = "recognise find name:staff publish:website"
UNSEEN = Head(NOBODY, x=RIGHT, seen="thoroughly")
DOUBTED = Head(NOBODY, x=RIGHT, seen="perhaps")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def asking(world: World) -> Publish:
    """Publication by an operator who wants to be asked."""
    screen = replace(world.screen, perhaps=Perhaps.REVIEW)
    return replace(world.publishing, screen=screen)


def published(publish: Publish, out: Path) -> Publication:
    return publish("club", out, WEBSITE, CoverStyle.FILL)[0]


def is_covered(out: Path, head: Head, name: str = "a.png") -> bool:
    copy = np.asarray(Image.open(out / "photographs" / name).convert("RGB"))
    return bool((copy[head.y : head.y + head.side, head.x : head.x + head.side] == FILL).all())


def only(world: World) -> Photograph:
    (photograph,) = world.photographs("club")
    return photograph


def perhaps(world: World) -> str:
    (doubtful,) = [stored for stored in only(world).faces if stored.doubtful]
    return doubtful.id


def test_what_a_glance_misses_publication_covers_and_screening_tells(
    world: World, out: Path
) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA, x=LEFT), UNSEEN))
    world.scan("club")
    (before,) = world.screen("club", WEBSITE).photographs
    assert (len(before.faces), before.verdict) == (1, Verdict.CLEAR)
    assert not before.photograph.scrutinised
    world.publish(out)
    assert is_covered(out, UNSEEN)
    assert not is_covered(out, Head(ADA, x=LEFT))
    (after,) = world.screen("club", WEBSITE).photographs
    assert (len(after.faces), after.verdict) == (2, Verdict.COVER)
    assert after.photograph.scrutinised


def test_it_is_looked_at_once_and_again_after_a_scan_of_all(world: World, out: Path) -> None:
    source = world.collection()
    source.put("a.png", picture(UNSEEN))
    world.scan("club")
    first = world.look()
    assert (first.photographs, first.faces) == (1, 1)
    assert world.look().photographs == 0
    world.scan("club", again=True)
    assert not only(world).scrutinised
    world.publish(out)
    assert is_covered(out, UNSEEN)
    assert len(only(world).faces) == 1


def test_the_next_scan_compares_what_it_found(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    hers = Head(ADA, x=LEFT, seen="thoroughly")
    source.put("a.png", picture(hers))
    world.scan("club")
    world.publish(out)
    assert is_covered(out, hers)  # found, and compared with nobody yet
    world.scan("club")
    world.publish(out)
    assert not is_covered(out, hers)


def test_what_is_perhaps_a_face_is_never_compared(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    hers = Head(ADA, x=LEFT, seen="perhaps")
    source.put("a.png", picture(hers))
    world.scan("club")
    world.publish(out)
    computed = world.embedder.computed
    world.scan("club")
    assert world.embedder.computed == computed
    world.publish(out)
    assert is_covered(out, hers)


def test_nobody_need_look_where_perhaps_is_covered(world: World, out: Path) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    publication = world.publish(out)
    assert [one.copy for one in publication.published] == ["a.png"]
    assert is_covered(out, DOUBTED)


def test_where_a_human_is_asked_the_photograph_waits_for_the_answer(
    world: World, out: Path
) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    first = published(asking(world), out)
    assert [(one.path, one.code) for one in first.withheld] == [("a.png", "review")]
    assert first.withheld[0].screened.faces[0].outcome.outcome is Outcome.REVIEW
    assert not (out / "photographs" / "a.png").exists()
    world.judge.is_face("a.png", perhaps(world))
    published(asking(world), out)
    assert is_covered(out, DOUBTED)


@pytest.mark.parametrize("again", [False, True])
def test_no_face_is_not_covered_and_not_asked_again(
    world: World, out: Path, *, again: bool
) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    published(asking(world), out)
    world.judge.is_no_face("a.png", perhaps(world))
    world.scan("club", again=again)
    publication = published(asking(world), out)
    assert [one.copy for one in publication.published] == ["a.png"]
    assert not is_covered(out, DOUBTED)
    (stored,) = only(world).faces
    assert stored.said is Said.NO_FACE
    world.judge.take_back_face("a.png", stored.id)
    assert published(asking(world), out).withheld[0].code == "review"


def test_nobody_can_say_that_a_face_is_none(world: World, out: Path) -> None:
    world.collection().put("a.png", picture(UNSEEN))
    world.scan("club")
    world.publish(out)
    (stored,) = only(world).faces
    assert world.judge.is_no_face("a.png", stored.id) is None
    world.publish(out)
    assert is_covered(out, UNSEEN)
    with pytest.raises(FaceUnknown):
        world.judge.take_back_face("a.png", stored.id)


def test_where_the_rule_is_two_one_alone_does_not_say_that_there_is_no_face(
    world: World, out: Path
) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    world.publish(out)
    second = world.beside(operator="bob")
    mine, other = (Judge(one.book, one.clock, one.standard, 2) for one in (world, second))
    for _ in range(2):
        first = mine.is_no_face("a.png", perhaps(world))
        assert first is not None
        assert not first.holds
    world.scan("club", again=True)  # what was said so far outlives it
    world.publish(out)
    assert is_covered(out, DOUBTED)
    mine.take_back_face("a.png", perhaps(world))
    theirs = other.is_no_face("a.png", perhaps(world))
    assert theirs is not None
    assert not theirs.holds
    agreed = mine.is_no_face("a.png", perhaps(world))
    assert agreed is not None
    assert agreed.holds
    world.publish(out)
    assert not is_covered(out, DOUBTED)
    second.close()


@pytest.mark.parametrize("looks", [{"thoroughly"}, {"thoroughly", "at a glance"}])
def test_that_there_is_no_face_holds_only_until_one_is_surely_found(
    world: World, out: Path, looks: set[str]
) -> None:
    world.collection().put("a.png", picture(DOUBTED))
    world.scan("club")
    world.publish(out)
    world.judge.is_no_face("a.png", perhaps(world))
    world.detector.surer = looks  # as a lower detection_score or another version would
    world.scan("club", again=True)
    world.publish(out)
    assert is_covered(out, DOUBTED)
    (stored,) = only(world).faces
    assert world.judge.is_no_face("a.png", stored.id) is None


def test_a_place_that_became_a_face_is_compared_like_any_other(world: World, out: Path) -> None:
    world.enrol("Ada", ADA, ALL)
    hers = Head(ADA, x=RIGHT, seen="perhaps")
    world.collection().put("a.png", picture(hers))
    world.scan("club")
    world.publish(out)
    world.judge.is_no_face("a.png", perhaps(world))
    world.detector.surer = {"thoroughly"}
    world.scan("club", again=True)
    world.publish(out)
    assert is_covered(out, hers)
    world.scan("club")
    world.publish(out)
    assert not is_covered(out, hers)


def test_a_large_box_that_a_human_drew_hides_nobody_in_it_from_the_thorough_look(
    world: World, out: Path
) -> None:
    world.enrol("Ada", ADA, "publish:website", images=(), evidence=None)
    held = Head(NOBODY, x=RIGHT, y=180, side=48, seen="perhaps")
    world.collection().put("a.png", picture(held))
    world.scan("club")
    world.judge.mark("a.png", "0.5,0.1,0.45,0.85", "Ada")  # the whole of her, and whom she holds
    world.publish(out)
    assert is_covered(out, held)


def test_a_box_that_a_human_drew_around_two_is_neither_of_them(world: World, out: Path) -> None:
    world.enrol("Ada", ADA, "publish:website", images=(), evidence=None)
    two = [Head(ADA, x=120, seen="thoroughly"), Head(NOBODY, x=220, seen="thoroughly")]
    world.collection().put("a.png", picture(*two))
    world.scan("club")
    world.judge.mark("a.png", f"{120 / 480},{80 / 320},{196 / 480},{96 / 320}", "Ada")
    world.publish(out)
    assert all(is_covered(out, head) for head in two)


def test_a_box_that_a_human_drew_lets_no_neighbour_pass_when_the_copy_is_read(
    world: World, out: Path
) -> None:
    world.enrol("Ada", ADA, "publish:website", images=(), evidence=None)
    beside = Head(NOBODY, x=220, late=True)
    world.collection().put("a.png", picture(Head(NOBODY, x=10, side=60), beside))
    world.scan("club")
    world.judge.mark("a.png", f"{120 / 480},{80 / 320},{196 / 480},{96 / 320}", "Ada")
    world.publish(out)
    assert is_covered(out, beside)


def test_a_box_that_a_human_drew_stays_covered_through_scans(world: World, out: Path) -> None:
    world.collection().put("a.png", picture())
    world.scan("club")
    world.judge.is_face("a.png", "0.2,0.2,0.2,0.3")
    world.scan("club", again=True)
    world.publish(out)
    assert is_covered(out, Head(NOBODY, x=96, y=64, side=96))


def test_an_interrupted_publication_does_not_look_again(world: World, out: Path) -> None:
    source = world.collection()
    for n in range(40):
        source.put(f"{n:02d}.png", picture(UNSEEN, number=n))
    world.scan("club")

    def interrupt(path: str) -> None:
        if path == "36.png":
            raise KeyboardInterrupt

    source.on_read = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.publish(out)
    looked = {one.paths[0] for one in world.photographs() if one.scrutinised}
    assert {f"{n:02d}.png" for n in range(32)} <= looked
    assert "36.png" not in looked
    source.on_read = lambda _path: None
    world.detector.looks.clear()
    assert len(world.publish(out).published) == 40
    assert world.detector.looks.count("thoroughly") == 40 - len(looked)
    assert all(is_covered(out, UNSEEN, f"{n:02d}.png") for n in range(40))


def test_what_could_not_be_looked_at_is_not_published(world: World, out: Path) -> None:
    source = world.collection()
    source.put("a.png", picture(UNSEEN))
    source.put("b.png", picture(UNSEEN, number=1))
    world.scan("club")
    source.vanishing.add("a.png")
    publication = world.publish(out)
    assert [(one.path, one.code) for one in publication.withheld] == [
        ("a.png", "photograph_vanished")
    ]
    (ended,) = [
        one.draft.details
        for one in world.entries()
        if one.draft.details.get("step") == "scrutiny_ended"
    ]
    assert (ended["photographs"], ended["unreadable"]) == (1, 1)
    source.vanishing.clear()
    assert [one.path for one in world.publish(out).published] == ["a.png", "b.png"]
