"""Who is asked about: rules that hold for any links of a face."""

from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.doubt import Answer, disputed, in_doubt, shown_as
from sayso.domain.face import FaceId
from sayso.domain.person import PersonId
from sayso.domain.sighting import Link, Sighting

people = st.sampled_from([PersonId(name) for name in "abcd"])
links = st.lists(
    st.builds(Sighting, st.just(FaceId("1")), people, st.sampled_from(Link), st.floats(0.2, 0.9)),
    max_size=8,
    unique_by=lambda one: (one.person, one.link in {Link.MATCH, Link.REVIEW}),
)
COMPARED = {Link.MATCH, Link.REVIEW}


@given(links, st.frozensets(people))
def test_nobody_is_asked_about_who_may_not_be_told_or_was_spoken_of(
    found: list[Sighting], tellable: frozenset[PersonId]
) -> None:
    asked = [one.person for one in in_doubt(found, tellable)]
    said = {one.person for one in found if one.link not in COMPARED}
    assert len(set(asked)) == len(asked)
    assert set(asked) <= tellable - said
    if any(one.link is Link.MARKED for one in found):
        assert asked == []


@given(links, st.frozensets(people))
def test_a_face_that_matches_somebody_untold_looks_like_a_strangers(
    found: list[Sighting], tellable: frozenset[PersonId]
) -> None:
    if any(one.link is Link.MATCH and one.person not in tellable for one in found):
        assert in_doubt(found, tellable) == ()


@given(links, st.sampled_from(Answer))
def test_an_answer_about_whoever_is_asked_about_takes_them_off(
    found: list[Sighting], answer: Answer
) -> None:
    everybody = frozenset(PersonId(name) for name in "abcd")
    asked = in_doubt(found, everybody)
    for one in asked:
        after = in_doubt([*found, Sighting(one.face, one.person, answer.link, None)], everybody)
        assert one.person not in {left.person for left in after}
        if answer is Answer.SAME:
            assert after == ()


@given(links)
def test_the_most_alike_is_asked_about_first(found: list[Sighting]) -> None:
    everybody = frozenset(PersonId(name) for name in "abcd")
    alike = [one.similarity or 0 for one in in_doubt(found, everybody)]
    assert alike == sorted(alike, reverse=True)


@given(links, people)
def test_a_face_is_shown_as_nobody_of_whom_it_cannot_be_told(
    found: list[Sighting], person: PersonId
) -> None:
    said = [one for one in found if one.person != person or one.link in COMPARED]
    assert shown_as([*said, Sighting(FaceId("1"), person, Link.UNSURE, None)]) != person


@given(links, people, people)
def test_whom_a_word_that_waits_speaks_against_a_face_is_not_shown_as(
    found: list[Sighting], denied: PersonId, marked: PersonId
) -> None:
    shown = shown_as(found)
    left = disputed(tuple(found), {denied}, set())
    assert shown_as(left) == (None if shown == denied else shown)
    left = disputed(tuple(found), set(), {marked})
    assert shown_as(left) == (shown if shown == marked else None)
