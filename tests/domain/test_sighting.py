"""What a comparison found is held to the thresholds of now."""

from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.face import FaceId
from sayso.domain.matching import Likeness, Thresholds, classify
from sayso.domain.person import PersonId
from sayso.domain.sighting import Link, Sighting, held_to

_ALIKE = st.floats(-1, 1)
_LIMITS = st.tuples(_ALIKE, _ALIKE).map(lambda pair: Thresholds(max(pair), min(pair)))
_LINKS = {Likeness.MATCH: Link.MATCH, Likeness.REVIEW: Link.REVIEW}
_HEIGHTS = st.sampled_from([20.0, 200.0])


def _found(link: Link, alike: float | None) -> Sighting:
    return Sighting(FaceId("1"), PersonId("ada"), link, alike)


@given(_ALIKE, _HEIGHTS, _LIMITS, _LIMITS)
def test_by_thresholds_that_rose_it_is_what_it_would_have_been(
    alike: float, height_px: float, one: Thresholds, other: Thresholds
) -> None:
    risen = Thresholds(max(one.match, other.match), max(one.review, other.review))
    before = classify(alike, height_px, one)
    after = classify(alike, height_px, risen)
    if before is not Likeness.NEITHER:
        held = held_to(_found(_LINKS[before], alike), risen)
        assert (None if held is None else held.link) == _LINKS.get(after)
        assert held is None or held.similarity == alike


@given(_ALIKE, _LIMITS)
def test_nothing_becomes_more_than_it_was(alike: float, limits: Thresholds) -> None:
    assert held_to(_found(Link.REVIEW, alike), limits) in {None, _found(Link.REVIEW, alike)}


@given(_LIMITS)
def test_without_a_similarity_or_a_model_nothing_holds(limits: Thresholds) -> None:
    assert held_to(_found(Link.MATCH, None), limits) is None
    assert held_to(_found(Link.MATCH, float("nan")), limits) is None
    assert held_to(_found(Link.MATCH, 1.0), None) is None
