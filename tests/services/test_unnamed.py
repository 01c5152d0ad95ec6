"""Doubts about somebody who may be shown but not named to staff: settled, and never told of."""

from collections.abc import Iterator

import pytest

from sayso.domain.doubt import Answer
from sayso.domain.objection import Wish
from sayso.domain.screening import Outcome
from sayso.errors import FaceUnknown
from sayso.ledger.entry import Action
from sayso.services.judge import Judge
from sayso.services.objections import Object
from sayso.services.review import Questions, Review
from sayso.services.review_page import review_page
from sayso.services.waiting import WaitingWords

from .drawing import ADA, BEN, CAT, NOBODY, Head, faint, picture
from .world import WEBSITE, World

UNNAMED = "recognise find publish:website"
NAMED = f"{UNNAMED} name:staff"


@pytest.fixture
def club(world: World) -> World:
    """A face that may be Ada's, who may be shown but not named; and Ben, who is not in it."""
    source = world.collection()
    world.enrol("Ada", ADA, UNNAMED)
    world.enrol("Ben", BEN, UNNAMED)
    source.put("a.png", picture(Head(faint(ADA))))
    world.scan("club")
    return world


@pytest.fixture
def second(club: World) -> Iterator[World]:
    """The same workspace in the hands of another operator."""
    beside = club.beside(operator="bob")
    yield beside
    beside.close()


def judge(world: World, operators: int = 1) -> Judge:
    return Judge(world.book, world.clock, world.standard, operators)


def review(world: World, operators: int = 1) -> Review:
    return Review(world.book, judge(world, operators), world.clock, world.standard)


def questions(world: World, operators: int = 1) -> Questions:
    return review(world, operators).questions("club", limit=9)


def outcome(world: World, face: str) -> Outcome:
    for one in world.screen.unread("club", WEBSITE).photographs:
        for screened in one.faces:
            if screened.stored.id == face:
                return screened.outcome.outcome
    raise AssertionError(face)


def test_a_doubt_is_listed_without_a_name_and_nobody_is_told_of(club: World) -> None:
    entries = club.count_entries()
    found = questions(club)
    [question] = found.asked
    assert (question.face.id, question.person, question.similarity, question.others) == (
        club.face("a.png"), None, None, 0,
    )  # fmt: skip
    assert club.count_entries() == entries
    page = review_page(club.repository, found, club.clock, club.standard)
    assert "somebody whose name may not be told?" in page
    assert "Ada" not in page


@pytest.mark.parametrize("answer", [Answer.NOT_THE_SAME, Answer.CANNOT_TELL])
def test_an_answer_settles_it_and_is_taken_back_without_a_name(club: World, answer: Answer) -> None:
    face = club.face("a.png")
    answered = review(club).answer(face, answer)
    assert [(one.face.id, one.person) for one in answered.judgements] == [(face, None)]
    assert answered.holds
    assert questions(club).faces == 0
    club.scan("club", again=True)
    assert outcome(club, face) is Outcome.COVER
    taken_back = club.judge.take_back_unnamed("a.png", face)
    assert taken_back is not None
    assert outcome(club, face) is Outcome.REVIEW
    assert club.judge.take_back_unnamed("a.png", face) is None


def test_a_rejection_without_a_person_settles_it_and_may_be_said_again(club: World) -> None:
    face = club.face("a.png")
    for _ in range(2):
        assert club.judge.reject_all("a.png", face).holds
        assert outcome(club, face) is Outcome.COVER


def test_a_face_that_is_shown_without_a_name_can_be_rejected(club: World) -> None:
    club.sources["photographs-club"].put("b.png", picture(Head(ADA), number=1))
    club.scan("club")
    face = club.face("b.png")
    assert outcome(club, face) is Outcome.SHOW
    club.judge.reject_all("b.png", face)
    assert outcome(club, face) is Outcome.COVER


def test_the_ledger_does_not_tell_whom_it_was_said_of(club: World) -> None:
    face = club.face("a.png")
    club.judge.reject_all("a.png", face)
    entry = club.entries()[-1].draft
    assert (entry.action, entry.subjects) == (Action.REVIEW, ())
    assert entry.details == {"said": "rejected", "face": face, "operators": 1}


def test_same_needs_the_operator_to_name_the_person(club: World) -> None:
    face = club.face("a.png")
    with pytest.raises(FaceUnknown, match="sayso mark"):
        review(club).answer(face, Answer.SAME)
    for name in ("Ada", "Ben"):  # no answer tells which of them it may be
        for answer in Answer:
            with pytest.raises(FaceUnknown, match="that is in doubt"):
                review(club).answer(face, answer, name)
    assert outcome(club, face) is Outcome.REVIEW
    club.judge.mark("a.png", face, "Ada")
    assert outcome(club, face) is Outcome.SHOW


@pytest.mark.parametrize("operators", [1, 2])
def test_taking_back_by_name_does_not_tell_who_it_is(club: World, operators: int) -> None:
    face = club.face("a.png")
    judge(club, operators).reject_all("a.png", face)
    told = set()
    for name in ("Ada", "Ben"):
        with pytest.raises(FaceUnknown) as caught:
            judge(club, operators).take_back("a.png", face, name)
        told.add(caught.value.reason)
    assert len(told) == 1


def test_it_takes_two_where_the_rule_is_two(club: World, second: World) -> None:
    face = club.face("a.png")
    assert not judge(club, 2).reject_all("a.png", face).holds
    assert outcome(club, face) is Outcome.REVIEW
    assert (questions(club, 2).asked, questions(club, 2).waiting) == ((), 1)
    [question] = questions(second, 2).asked
    [word] = WaitingWords(second.book, second.clock)("club", limit=9)
    assert (question.face.id, word.face.id, word.said, word.person) == (
        face, face, "rejected", None,
    )  # fmt: skip
    assert review(second, 2).answer(face, Answer.NOT_THE_SAME).holds
    assert outcome(club, face) is Outcome.COVER
    for world, holds in ((club, False), (second, True)):
        taken_back = judge(world, 2).take_back_unnamed("a.png", face)
        assert taken_back is not None
        assert taken_back.holds is holds
    assert outcome(club, face) is Outcome.REVIEW


def test_a_shown_face_is_covered_by_one_and_settled_by_two(club: World, second: World) -> None:
    club.sources["photographs-club"].put("b.png", picture(Head(ADA), number=1))
    club.scan("club")
    face = club.face("b.png")
    assert not judge(club, 2).reject_all("b.png", face).holds
    assert outcome(club, face) is Outcome.COVER
    assert judge(second, 2).reject_all("b.png", face).holds
    assert outcome(club, face) is Outcome.COVER


@pytest.mark.parametrize("name", ["Ada", "Ben"])
def test_one_operator_who_tries_names_is_told_the_same_of_each(club: World, name: str) -> None:
    face = club.face("a.png")
    assert not judge(club, 2).reject("a.png", face, name).holds
    assert (questions(club, 2).asked, questions(club, 2).waiting) == ((), 1)
    assert not judge(club, 2).reject_all("a.png", face).holds
    [word] = WaitingWords(club.book, club.clock)("club", limit=9)
    assert word.person is None


def test_those_with_a_name_are_asked_about_first_and_nobody_counts_the_others(
    world: World,
) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, UNNAMED)
    world.enrol("Cat", CAT, NAMED)
    source.put("a.png", picture(Head(ADA, also=CAT)))
    source.put("b.png", picture(Head(faint(ADA)), number=1))
    world.scan("club")
    face = world.face("a.png")
    first, last = questions(world).asked
    assert first.person is not None
    assert (first.face.id, first.person.name, first.others) == (face, "Cat", 0)
    assert last.person is None
    world.judge.reject_all("a.png", face)
    assert outcome(world, face) is Outcome.COVER
    assert [one.person for one in questions(world).asked] == [None]


def test_it_tells_no_more_than_screening(club: World) -> None:
    source = club.sources["photographs-club"]
    source.put("b.png", picture(Head(NOBODY), number=1))
    club.scan("club")
    with pytest.raises(FaceUnknown, match="of which nothing may be told"):
        club.judge.reject_all("b.png", club.face("b.png"))
    Object(club.repository, club.book, club.clock).add("a.png", None, Wish.COVER)
    assert outcome(club, club.face("a.png")) is Outcome.COVER
    assert questions(club).faces == 0
    with pytest.raises(FaceUnknown, match="of which nothing may be told"):
        club.judge.reject_all("a.png", club.face("a.png"))


def test_nothing_is_told_once_they_may_not_be_shown_any_more(club: World) -> None:
    club.rights.withdraw("Ada")
    assert questions(club).faces == 0
    with pytest.raises(FaceUnknown, match="of which nothing may be told"):
        club.judge.reject_all("a.png", club.face("a.png"))
