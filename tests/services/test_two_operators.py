"""The rule of two: what uncovers a face, or could, needs two operators; covering needs one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sayso.domain.screening import Outcome
from sayso.errors import FaceUnknown
from sayso.ledger.entry import Action
from sayso.services.judge import Judge
from sayso.services.waiting import WaitingWords

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
    mine, other = (Judge(one.book, one.clock, one.standard, 2) for one in (world, beside))
    yield mine, other
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


def test_a_no_that_waits_is_not_taken_back_by_who_said_it_alone(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    for path, before in (("a.png", Outcome.SHOW), ("b.png", Outcome.REVIEW)):
        face = club.face(path)
        judges[0].reject(path, face, "Ada")
        assert not judges[0].take_back(path, face, "Ada").holds
        assert not judges[0].mark(path, face, "Ada").holds
        assert not judges[0].take_back(path, face, "Ada").holds
        assert outcome(club, path) is not Outcome.SHOW
        assert judges[1].take_back(path, face, "Ada").holds
        assert outcome(club, path) is before
    assert club.count("answers") == 0


def test_a_no_that_waits_covers_though_the_doubt_becomes_a_match(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    face = club.face("b.png")
    judges[0].reject("b.png", face, "Ada")
    assert outcome(club, "b.png") is Outcome.REVIEW
    with club.database.writing() as connection:  # as with more references
        connection.exec_driver_sql("UPDATE sightings SET link = 'match', similarity = 0.9")
    assert outcome(club, "b.png") is Outcome.COVER
    shown = [one.path for one in club.find.page("Ada", limit=9).photographs]
    assert shown == ["a.png"]


def test_one_who_says_that_it_is_another_has_the_face_covered(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    club.enrol("Ben", BEN, "publish:website", images=(), evidence=None)
    face = club.face("a.png")
    for judge in judges:
        judge.mark("a.png", face, "Ada")
    assert not judges[0].mark("a.png", face, "Ben").holds
    assert outcome(club, "a.png") is Outcome.COVER
    assert judges[1].mark("a.png", face, "Ben").holds
    assert outcome(club, "a.png") is Outcome.SHOW


def test_who_marks_somebody_else_no_longer_says_what_they_said_before(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    club.enrol("Ben", BEN, "publish:website", images=(), evidence=None)
    face = club.face("c.png")
    judges[0].mark("c.png", face, "Ben")
    judges[0].mark("c.png", face, "Ada")
    assert not judges[1].mark("c.png", face, "Ben").holds
    assert judges[1].mark("c.png", face, "Ada").holds
    assert outcome(club, "c.png") is Outcome.SHOW
    assert club.count("answers") == 0


def test_what_is_answered_does_not_tell_whom_a_comparison_found(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    """Else trying names would tell whose face it is."""
    club.enrol("Kim", NOBODY, "find", images=(), evidence=None)
    for name in ("Ada", "Kim"):  # one of whom a.png matches
        face = club.face("a.png")
        assert not judges[0].reject("a.png", face, name).holds
        assert not judges[0].mark("a.png", face, name).holds
        assert not judges[1].take_back("a.png", face, name).holds
        assert judges[0].take_back("a.png", face, name).holds
        with pytest.raises(FaceUnknown):
            judges[1].take_back("a.png", face, name)


def test_who_says_again_what_holds_is_told_that_it_holds(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    face = club.face("a.png")
    for judge in judges:
        judge.reject("a.png", face, "Ada")
    assert not judges[0].take_back("a.png", face, "Ada").holds
    assert judges[0].reject("a.png", face, "Ada").holds
    assert not judges[1].take_back("a.png", face, "Ada").holds


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


def test_a_no_face_that_waits_is_listed_and_tells_of_nobody(
    world: World, place: str, judges: tuple[Judge, Judge]
) -> None:
    words = WaitingWords(world.book, world.clock)
    assert words(limit=9) == ()
    judges[0].is_no_face("a.png", place)
    entries = world.count_entries()
    [word] = words("club", limit=9)
    assert (word.face.id, word.said, word.person) == (place, "no_face", None)
    assert word.operator == "account-7"
    assert world.count_entries() == entries
    judges[1].is_no_face("a.png", place)
    assert words(limit=9) == ()


def test_of_whom_a_word_that_waits_tells_is_entered(
    club: World, judges: tuple[Judge, Judge]
) -> None:
    club.collection("other")
    judges[0].reject("a.png", club.face("a.png"), "Ada")
    judges[0].mark("c.png", club.face("c.png"), "Ada")
    words = WaitingWords(club.book, club.clock)
    assert words("other", limit=9) == ()
    assert [one.said for one in words("club", limit=1)] == ["rejected"]
    assert [one.said for one in words(limit=9)] == ["rejected", "marked"]
    entry = club.entries()[-1].draft
    assert (entry.action, entry.details["of"], len(entry.subjects)) == (
        Action.DISCLOSURE, "waiting", 1,
    )  # fmt: skip
