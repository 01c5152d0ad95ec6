from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.face import Box, Face
from sayso.domain.objection import Objection, Wish
from sayso.domain.screening import Outcome, Verdict, screen_face_objected, unmet, verdict

NUMBERS = st.floats(0.01, 0.9)
BOXES = st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
FACES = st.builds(Face, BOXES, st.none(), st.just(1.0), st.just(100.0))
OBJECTIONS = st.builds(
    Objection,
    st.integers(1),
    st.just("ab" * 32),
    st.none() | BOXES,
    st.sampled_from(Wish),
    st.text(),
    st.just(datetime(2026, 6, 1, tzinfo=UTC)),
)


@given(FACES, st.lists(OBJECTIONS, max_size=4))
def test_a_face_that_any_objection_means_is_covered_and_no_other(
    face: Face, objections: list[Objection]
) -> None:
    answer = screen_face_objected(face, objections)
    assert (answer is not None) == any(one.means(face) for one in objections)
    if answer is not None:
        assert (answer.outcome, answer.reason) == (Outcome.COVER, "objection")
        assert answer.person is None


@given(FACES, st.lists(OBJECTIONS, max_size=3), OBJECTIONS)
def test_one_more_objection_never_shows_more(
    face: Face, objections: list[Objection], more: Objection
) -> None:
    if screen_face_objected(face, objections) is not None:
        assert screen_face_objected(face, [*objections, more]) is not None
    if verdict([], objections) is Verdict.WITHHOLD:
        assert verdict([], [*objections, more]) is Verdict.WITHHOLD


@given(st.lists(st.sampled_from(Outcome)), st.lists(OBJECTIONS, max_size=4))
def test_a_photograph_that_is_to_be_removed_is_withheld_whatever_its_faces(
    outcomes: list[Outcome], objections: list[Objection]
) -> None:
    withheld = verdict(outcomes, objections) is Verdict.WITHHOLD
    assert withheld == any(one.wish is Wish.REMOVE for one in objections)
    if not withheld:
        assert verdict(outcomes, objections) is verdict(outcomes)


@given(st.lists(FACES, max_size=4), st.lists(OBJECTIONS, max_size=4))
def test_every_objection_to_a_box_covers_a_face_or_the_box_itself(
    faces: list[Face], objections: list[Objection]
) -> None:
    boxes = {one.id for one in unmet(objections, faces)}
    for one in objections:
        if one.box is not None:
            assert any(map(one.means, faces)) or one.id in boxes


@given(BOXES)
def test_the_face_at_the_very_box_is_meant(box: Box) -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert Objection(1, "ab" * 32, box, Wish.COVER, "", at).means(Face(box, None, 1.0, 9.0))
