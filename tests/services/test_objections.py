import pytest

from sayso.domain.objection import Wish
from sayso.domain.screening import Outcome, Verdict
from sayso.errors import FaceUnknown, ObjectionUnknown, PhotographUnknown, SettingMalformed
from sayso.services.objections import Object, face_or_whole
from sayso.services.verdicts import ScreenedPhotograph

from .drawing import ADA, BEN, LEFT, RIGHT, Head, picture
from .world import WEBSITE, FakeSource, World

ALL = "recognise find name:staff publish:website"


@pytest.fixture
def source(world: World) -> FakeSource:
    """Ada and Ben, both with a yes, in one photograph, and Ada in another."""
    made = world.collection()
    world.enrol("Ada", ADA, ALL)
    world.enrol("Ben", BEN, ALL)
    made.put("both.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT)))
    made.put("one.png", picture(Head(ADA, x=LEFT), number=1))
    world.scan("club")
    return made


def screened(world: World, path: str) -> ScreenedPhotograph:
    return dict(world.screen("club", WEBSITE).files())[path]


def outcomes(world: World, path: str) -> list[tuple[Outcome, str]]:
    faces = sorted(screened(world, path).faces, key=lambda face: face.stored.face.box.x)
    return [(face.outcome.outcome, face.outcome.reason) for face in faces]


def test_a_face_that_somebody_objected_to_is_covered_whatever_else_is_said(
    world: World, source: FakeSource
) -> None:
    objecting = Object(world.repository, world.book, world.clock)
    assert outcomes(world, "both.png")[0][0] is Outcome.SHOW
    objecting.add("both.png", world.face("both.png"), Wish.COVER)
    world.judge.mark("both.png", world.face("both.png"), "Ada")
    expected = [(Outcome.COVER, "objection"), (Outcome.SHOW, "consent")]
    assert outcomes(world, "both.png") == expected
    assert outcomes(world, "one.png") == [(Outcome.SHOW, "consent")]
    source.put("moved.png", source.take("both.png"))
    world.scan("club", again=True)
    assert outcomes(world, "moved.png") == expected


def test_a_photograph_that_is_to_be_removed_gets_no_copy(world: World, source: FakeSource) -> None:
    Object(world.repository, world.book, world.clock).add(
        "both.png", None, Wish.REMOVE, "asked by telephone"
    )
    assert screened(world, "both.png").verdict is Verdict.WITHHOLD
    done = world.publish(world.folder.parent / "out")
    assert [(one.path, one.code) for one in done.withheld] == [("both.png", "objection")]
    assert [one.path for one in done.published] == ["one.png"]
    assert source.reads.count("both.png") == 1


def test_where_no_face_was_found_the_box_is_covered_all_the_same(
    world: World, source: FakeSource
) -> None:
    del source
    objecting = Object(world.repository, world.book, world.clock)
    objecting.add("one.png", "0.7,0.6,0.1,0.2", Wish.COVER)
    assert outcomes(world, "one.png") == [
        (Outcome.SHOW, "consent"),
        (Outcome.COVER, "objection"),
    ]
    assert screened(world, "one.png").verdict is Verdict.COVER
    done = world.publish(world.folder.parent / "out")
    assert {one.path for one in done.published} == {"both.png", "one.png"}


def test_an_objection_during_a_publication_keeps_the_photograph_out(
    world: World, source: FakeSource
) -> None:
    other = world.beside()

    def object_now(path: str) -> None:
        if path == "both.png":
            Object(other.repository, other.book, other.clock).add("both.png", None, Wish.COVER)

    world.look()  # so that the next read is to cover
    source.on_read = object_now
    done = world.publish(world.folder.parent / "out")
    assert [one.code for one in done.withheld] == ["consent_changed"]
    other.close()


def test_an_objection_can_be_listed_and_lifted(world: World, source: FakeSource) -> None:
    del source
    objecting = Object(world.repository, world.book, world.clock)
    added = objecting.add("both.png", None, Wish.COVER)
    assert objecting.add("both.png", None, Wish.COVER).objection.id == added.objection.id
    [listed] = objecting.all()
    assert listed.paths == ("club/both.png",)
    assert {face.outcome.reason for face in screened(world, "both.png").faces} == {"objection"}
    objecting.lift(added.objection.id)
    assert objecting.all() == []
    assert world.database.keys.refusals() == []
    assert screened(world, "both.png").verdict is Verdict.CLEAR
    with pytest.raises(ObjectionUnknown):
        objecting.lift(added.objection.id)


def test_bad_input_is_refused(world: World, source: FakeSource) -> None:
    del source
    objecting = Object(world.repository, world.book, world.clock)
    with pytest.raises(PhotographUnknown):
        objecting.add("nothing.png", None, Wish.COVER)
    with pytest.raises(FaceUnknown):
        objecting.add("one.png", "12345", Wish.COVER)
    for box in ("1.2,0,0.1,0.1", "0,0,0", "0,0,0,0"):
        with pytest.raises(SettingMalformed):
            objecting.add("one.png", box, Wish.COVER)
    for face, whole in ((None, False), ("1", True)):
        with pytest.raises(FaceUnknown):
            face_or_whole(face, whole=whole)
    assert objecting.all() == []
