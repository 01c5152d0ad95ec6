"""The rule of two: what uncovers a face, or could, needs two operators; covering needs one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sayso.domain.screening import Outcome
from sayso.errors import FaceUnknown
from sayso.ledger.entry import Action
from sayso.services.judge import Judge

from .drawing import ADA, BEN, NOBODY, Head, faint, picture
from .world import WEBSITE, World

ALL = "recognise find name:staff publish:website"


@pytest.fixture
def club(world: World) -> World:
    """Ada, whom a comparison finds in a.png, perhaps finds in b.png, and a stranger in c.png."""
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    for number, who in enumerate((ADA, faint(ADA), BEN)):
        source.put(f"{'abc'[number]}.png", picture(Head(who), number=number))
    world.scan("club")
    return world


@pytest.fixture
def judges(world: World) -> Iterator[tuple[Judge, Judge]]:
    """Two operators."""
    beside = world.beside(operator="bob")
    yield Judge(world.book, world.clock, 2), Judge(beside.book, beside.clock, 2)
    beside.close()


def outcome(world: World, path: str) -> Outcome:
    for one in world.screen.unread("club", WEBSITE).photographs:
        if path in one.photograph.paths:
            return one.faces[0].outcome.outcome
    raise AssertionError(path)


def test_one_who_says_no_has_a_shown_face_covered_until_another_has_spoken(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    face = club.face("a.png")
    assert outcome(club, "a.png") is Outcome.SHOW
    assert not judges[0].reject("a.png", face, "Ada").holds
    assert outcome(club, "a.png") is Outcome.COVER
    club.scan("club", again=True)
    assert outcome(club, "a.png") is Outcome.COVER
    assert judges[1].reject("a.png", face, "Ada").holds
    assert outcome(club, "a.png") is Outcome.COVER
    assert club.count("answers") == 0


def test_against_one_who_says_no_two_must_say_yes(club: World, judges: tuple[Judge, Judge]) -> None:
    face = club.face("a.png")
    judges[0].reject("a.png", face, "Ada")
    assert not judges[1].mark("a.png", face, "Ada").holds
    assert outcome(club, "a.png") is Outcome.COVER
    assert judges[0].mark("a.png", face, "Ada").holds
    assert outcome(club, "a.png") is Outcome.SHOW


@pytest.mark.parametrize("path", ["a.png", "b.png", "c.png"])
def test_to_take_back_a_no_needs_two(club: World, judges: tuple[Judge, Judge], path: str) -> None:
    face = club.face(path)
    before = outcome(club, path)
    for judge in judges:
        judge.reject(path, face, "Ada")
    assert outcome(club, path) is Outcome.COVER
    for _ in range(2):  # one operator twice is one
        assert not judges[0].take_back(path, face, "Ada").holds
        assert outcome(club, path) is Outcome.COVER
    assert judges[1].take_back(path, face, "Ada").holds
    assert outcome(club, path) is before


@pytest.mark.parametrize("path", ["a.png", "b.png", "c.png"])
def test_one_who_takes_back_a_mark_has_the_face_covered(
    club: World, judges: tuple[Judge, Judge], path: str
) -> None:
    face = club.face(path)
    before = outcome(club, path)
    for judge in judges:
        judge.mark(path, face, "Ada")
    assert outcome(club, path) is Outcome.SHOW
    assert not judges[0].take_back(path, face, "Ada").holds
    assert outcome(club, path) is Outcome.COVER
    assert judges[1].take_back(path, face, "Ada").holds
    assert outcome(club, path) is before


def test_a_mark_that_covers_is_not_taken_back_by_one(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    club.enrol("Kim", NOBODY, "find")  # who may not be shown
    face = club.face("a.png")
    for judge in judges:
        judge.mark("a.png", face, "Kim")
    assert outcome(club, "a.png") is Outcome.COVER
    assert not judges[0].take_back("a.png", face, "Kim").holds
    assert outcome(club, "a.png") is not Outcome.SHOW  # as Ada, whom a comparison finds there


def test_a_word_that_waits_is_taken_back_by_who_said_it(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    face = club.face("b.png")
    judges[0].mark("b.png", face, "Ada")
    with pytest.raises(FaceUnknown):
        judges[1].take_back("b.png", face, "Ada")
    judges[0].take_back("b.png", face, "Ada")
    assert not judges[1].mark("b.png", face, "Ada").holds
    assert outcome(club, "b.png") is Outcome.REVIEW


@pytest.fixture
def place(world: World, tmp_path: Path) -> str:
    """What is perhaps a face, in a.png."""
    world.collection().put("a.png", picture(Head(NOBODY, seen="perhaps")))
    world.scan("club")
    world.publish(tmp_path / "out")
    return world.face("a.png")


def is_covered(world: World) -> bool:
    (screened,) = world.screen.unread("club", WEBSITE).photographs
    return [one.outcome.outcome for one in screened.faces] == [Outcome.COVER]


def test_no_face_needs_two_and_holds_over_a_scan(
    world: World, place: str, judges: tuple[Judge, Judge], tmp_path: Path
) -> None:
    for _ in range(2):
        said = judges[0].is_no_face("a.png", place)
        assert said is not None
        assert not said.holds
        assert is_covered(world)
    world.scan("club", again=True)
    world.publish(tmp_path / "out")
    said = judges[1].is_no_face("a.png", place)
    assert said is not None
    assert said.holds
    assert not is_covered(world)
    told = [one.draft.details for one in world.entries() if one.draft.action is Action.REVIEW]
    assert [(one["said"], one["operators"]) for one in told] == [
        ("no_face", 1),
        ("no_face", 1),
        ("no_face", 2),
    ]


@pytest.mark.parametrize("say", [Judge.is_face, Judge.take_back_face])
def test_one_who_says_that_there_is_a_face_has_it_covered(
    world: World, place: str, judges: tuple[Judge, Judge], say: Callable[[Judge, str, str], object]
) -> None:
    for judge in judges:
        judge.is_no_face("a.png", place)
    assert not is_covered(world)
    say(judges[0], "a.png", place)
    assert is_covered(world)
    judges[1].is_no_face("a.png", place)  # it counts anew
    assert is_covered(world)


def test_no_face_that_waits_can_be_taken_back(
    world: World, place: str, judges: tuple[Judge, Judge]
) -> None:
    judges[0].is_no_face("a.png", place)
    judges[0].take_back_face("a.png", place)
    judges[1].is_no_face("a.png", place)
    assert is_covered(world)
    judges[0].take_back_face("a.png", place)
    with pytest.raises(FaceUnknown):
        judges[0].take_back_face("a.png", place)
