"""Doubts for a human: in what order, of whom, and what an answer does and outlives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso.domain.doubt import Answer
from sayso.domain.screening import Outcome
from sayso.domain.sighting import Link
from sayso.errors import FaceUnknown
from sayso.ledger.entry import Action
from sayso.services.judge import Judge
from sayso.services.review import Question, Review
from sayso.services.review_page import review_page
from sayso.wiring import restore_workspace

from .drawing import ADA, BEN, LEFT, RIGHT, Head, faint, picture
from .office import environment, office, opened
from .world import WEBSITE, World, form

ALL = "recognise find name:staff publish:website"


def review(world: World, operators: int = 1) -> Review:
    judge = Judge(world.book, world.clock, world.standard, operators)
    return Review(world.book, judge, world.clock, world.standard)


def asked(world: World, name: str | None = "club") -> list[Question]:
    return list(review(world).questions(name, limit=50).asked)


def named(question: Question) -> str | None:
    return None if question.person is None else question.person.name


def outcome(world: World, face: str) -> Outcome:
    for one in world.screen.unread("club", WEBSITE).photographs:
        for screened in one.faces:
            if screened.stored.id == face:
                return screened.outcome.outcome
    raise AssertionError(face)


@pytest.fixture
def doubtful(world: World) -> World:
    """A face that may be Ada's, in one photograph."""
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(faint(ADA))))
    world.scan("club")
    return world


@pytest.fixture
def second(world: World) -> Iterator[World]:
    """The same workspace in the hands of another operator."""
    beside = world.beside(operator="bob")
    yield beside
    beside.close()


def test_an_answer_settles_a_face_and_takes_it_off_the_list(doubtful: World) -> None:
    [question] = asked(doubtful)
    face = question.face.id
    assert (named(question), question.photograph.paths) == ("Ada", ("a.png",))
    assert outcome(doubtful, face) is Outcome.REVIEW
    for answer, becomes in (
        (Answer.SAME, Outcome.SHOW),
        (Answer.NOT_THE_SAME, Outcome.COVER),
        (Answer.CANNOT_TELL, Outcome.COVER),
    ):
        assert review(doubtful).answer(face, answer).holds
        assert asked(doubtful) == []
        assert outcome(doubtful, face) is becomes
        doubtful.judge.take_back("a.png", face, "Ada")
        assert [one.face.id for one in asked(doubtful)] == [face]


@pytest.mark.parametrize("answer", list(Answer))
def test_an_answer_outlives_scans_newer_models_and_newcomers(
    doubtful: World, answer: Answer
) -> None:
    [question] = asked(doubtful)
    review(doubtful).answer(question.face.id, answer)
    settled = outcome(doubtful, question.face.id)
    doubtful.scan("club", again=True)
    doubtful.model = "cd" * 32  # references of the other model are not compared any more
    doubtful.scan("club", again=True)
    assert outcome(doubtful, question.face.id) is settled
    assert question.person is not None
    doubtful.enrol("Ada", ADA, ALL, person=question.person.id, evidence=form("again"))
    doubtful.enrol("Ben", BEN, ALL)
    doubtful.scan("club")
    said = {Link.REVIEW, answer.link}
    assert {one.link for one in doubtful.links()[question.face.id]} == said  # still as alike
    assert asked(doubtful) == []
    assert outcome(doubtful, question.face.id) is settled


def test_answers_come_back_with_a_restore(tmp_path: Path) -> None:
    world = office(tmp_path / "workspace")
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    for n, answer in enumerate(Answer):
        source.put(f"{n}.png", picture(Head(faint(ADA)), number=n))
        world.scan("club")
        review(world).answer(world.face(f"{n}.png"), answer)
    covering = [row for row in world.rows()["judgements"] if row[2] != Link.MARKED]
    workspace = opened(world.folder)
    workspace.backup(tmp_path / "backup")
    workspace.close()
    for n in range(len(Answer)):
        world.judge.take_back(f"{n}.png", world.face(f"{n}.png"), "Ada")
    assert len(asked(world)) == len(Answer)
    world.close()
    restore_workspace(tmp_path / "backup", world.folder, environment(world.folder), yes=True)
    again = office(world.folder, world.sources)
    again.scan("club", again=True)
    assert again.rows()["judgements"] == covering  # a mark that was taken back shows nobody
    assert len(asked(again)) == 1
    again.close()


def test_no_answer_becomes_a_reference(doubtful: World) -> None:
    before = doubtful.rows()["templates"]
    computed = doubtful.embedder.computed
    [question] = asked(doubtful)
    review(doubtful).answer(question.face.id, Answer.SAME)
    assert doubtful.rows()["templates"] == before
    assert doubtful.embedder.computed == computed


def test_somebody_who_may_not_be_shown_nor_named_is_never_asked_about(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find")
    source.put("a.png", picture(Head(faint(ADA))))
    world.scan("club")
    assert review(world).questions("club", limit=9).faces == 0
    for answer in Answer:
        with pytest.raises(FaceUnknown):
            review(world).answer(world.face("a.png"), answer)


def test_a_face_that_matches_somebody_untold_is_a_strangers_here_too(world: World) -> None:
    """Else a doubt about one would tell that the other is enrolled."""
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    world.enrol("Ben", BEN, "recognise find")
    source.put("a.png", picture(Head(ADA, also=BEN)))
    world.scan("club")
    face = world.face("a.png")
    with world.database.writing() as connection:  # as if Ben's had been a match alone
        connection.exec_driver_sql(
            "UPDATE sightings SET link = 'match' WHERE person_id IN "
            "(SELECT id FROM persons WHERE name = 'Ben')"
        )
    assert asked(world) == []
    with pytest.raises(FaceUnknown):
        review(world).answer(face, Answer.NOT_THE_SAME)


def test_cannot_tell_is_said_of_everybody_and_shows_nobody(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    world.enrol("Ben", BEN, ALL)
    source.put("a.png", picture(Head(ADA, also=BEN)))
    world.scan("club")
    [question] = asked(world)
    assert question.others == 1
    review(world).answer(question.face.id, Answer.CANNOT_TELL)
    assert asked(world) == []
    assert outcome(world, question.face.id) is Outcome.COVER
    assert world.find.page("Ada", limit=9).photographs == ()


def test_the_photograph_that_one_answer_frees_comes_first(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    world.enrol("Ben", BEN, ALL)
    source.put("a.png", picture(Head(faint(ADA), x=LEFT), Head(faint(ADA), x=RIGHT), number=1))
    for n, name in enumerate(("b.png", "c.png", "d.png")):
        source.put(name, picture(Head(faint(BEN)), number=2 + (n > 0)))  # two are one content
    world.scan("club")
    found = asked(world)
    assert [named(one) for one in found] == ["Ben", "Ben", "Ada", "Ada"]
    assert [one.settles for one in found] == [2, 1, 0.5, 0.5]


def test_the_same_content_elsewhere_is_settled_too(world: World) -> None:
    data = picture(Head(faint(ADA)))
    for name in ("club", "team"):
        world.collection(name).put("a.png", data)
    world.enrol("Ada", ADA, ALL)
    for name in ("club", "team"):
        world.scan(name)
    [question] = asked(world, None)
    assert question.settles == 2
    answered = review(world).answer(question.face.id, Answer.NOT_THE_SAME)
    assert len(answered.judgements) == 2
    assert asked(world, None) == []


def test_of_several_answers_all_are_taken_or_none(doubtful: World) -> None:
    [question] = asked(doubtful)
    face = question.face.id
    with pytest.raises(FaceUnknown):
        review(doubtful).answer_all([(face, Answer.SAME, None), ("999", Answer.SAME, None)])
    with pytest.raises(FaceUnknown):
        review(doubtful).answer_all([(face, Answer.SAME, None), (face, Answer.CANNOT_TELL, None)])
    assert doubtful.count("judgements") == 0
    assert [one.face.id for one in asked(doubtful)] == [face]
    [taken] = review(doubtful).answer_all([(face, Answer.SAME, None)])
    assert taken.holds


def test_two_operators_must_agree_where_the_rule_is_two(doubtful: World, second: World) -> None:
    [question] = asked(doubtful)
    face = question.face.id
    first = review(doubtful, 2)
    assert not first.answer(face, Answer.SAME).holds
    assert not first.answer(face, Answer.SAME).holds  # again, by the same operator
    assert outcome(doubtful, face) is Outcome.REVIEW
    assert first.questions("club", limit=9).waiting == 1
    other = review(second, 2)
    assert [one.face.id for one in other.questions("club", limit=9).asked] == [face]
    assert not other.answer(face, Answer.NOT_THE_SAME).holds  # they disagree: it stays open
    assert outcome(doubtful, face) is Outcome.REVIEW
    doubtful.scan("club", again=True)  # what was said so far outlives it
    assert other.answer(face, Answer.SAME).holds
    assert outcome(doubtful, face) is Outcome.SHOW
    assert doubtful.count("answers") == 0
    said = [one for one in doubtful.entries() if one.draft.action is Action.REVIEW]
    assert {one.draft.actor for one in said} == {"account-7", "bob"}


def test_the_rule_of_two_holds_for_mark_and_reject(doubtful: World) -> None:
    judge = Judge(doubtful.book, doubtful.clock, doubtful.standard, 2)
    face = doubtful.face("a.png")
    assert not judge.mark("a.png", face, "Ada").holds
    assert outcome(doubtful, face) is Outcome.REVIEW
    judge.take_back("a.png", face, "Ada")
    assert doubtful.count("answers") == 0


def test_what_two_said_one_alone_does_not_take_back(doubtful: World, second: World) -> None:
    mine, other = (Judge(one.book, one.clock, one.standard, 2) for one in (doubtful, second))
    face = doubtful.face("a.png")
    mine.reject("a.png", face, "Ada")
    assert other.reject("a.png", face, "Ada").holds
    assert outcome(doubtful, face) is Outcome.COVER
    for _ in range(2):
        assert not mine.take_back("a.png", face, "Ada").holds
        assert outcome(doubtful, face) is Outcome.COVER
    assert other.take_back("a.png", face, "Ada").holds
    assert outcome(doubtful, face) is Outcome.REVIEW
    assert doubtful.count("answers") == doubtful.count("judgements") == 0


def test_who_is_told_of_is_entered(doubtful: World) -> None:
    asked(doubtful)
    entry = doubtful.entries()[-1].draft
    assert (entry.action, entry.details["of"]) == (Action.DISCLOSURE, "review")
    assert len(entry.subjects) == 1


def test_the_page_shows_the_face_beside_what_humans_marked(doubtful: World) -> None:
    doubtful.sources["photographs-club"].put("b.png", picture(Head(ADA), number=1))
    doubtful.scan("club")
    questions = review(doubtful).questions("club", limit=9)
    page = review_page(doubtful.repository, questions, doubtful.clock, doubtful.standard)
    assert page.count("a.png") == 2
    assert page.count("b.png") == 1
    assert "Ada?" in page
    doubtful.rights.withdraw("Ada")
    again = review_page(
        doubtful.repository,
        review(doubtful).questions("club", limit=9),
        doubtful.clock,
        doubtful.standard,
    )
    assert "Ada" not in again


def test_an_answer_outlives_the_links_that_asked(doubtful: World) -> None:
    [question] = asked(doubtful)
    review(doubtful).answer(question.face.id, Answer.CANNOT_TELL)
    links = doubtful.links()[question.face.id]
    assert {one.link for one in links} == {Link.REVIEW, Link.UNSURE}
