import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.calibration import Calibration
from sayso.domain.matching import (
    SMALLEST_DECISIVE_HEIGHT_PX,
    GallerySize,
    Likeness,
    Promise,
    Thresholds,
    classify,
    thresholds,
)
from sayso.errors import SettingMalformed

CALIBRATION = Calibration(mean=0.09, deviation=0.09, probe_deviation=0.02, bend=0.0)
_ORDER = {Likeness.NEITHER: 0, Likeness.REVIEW: 1, Likeness.MATCH: 2}
_RATES = st.floats(1e-6, 0.9)
_PROMISES = st.tuples(_RATES, _RATES).map(lambda pair: Promise(min(pair), max(pair)))
_SIZES = st.integers(0, 10**7)
_LIMITS = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(
    lambda pair: Thresholds(match=max(pair), review=min(pair))
)
_SIMILARITIES = st.floats(-1.01, 1.01)
_HEIGHTS = st.floats(0, 5000)


def _limits(references: int, promise: Promise) -> Thresholds:
    return thresholds(CALIBRATION, size=GallerySize(references, references), promise=promise)


@given(st.integers(1, 10**6), _PROMISES)
def test_a_promise_is_kept_by_what_the_calibration_knows(references: int, promise: Promise) -> None:
    limits = _limits(references, promise)
    for threshold, promised in (
        (limits.match, promise.false_names),
        (limits.review, promise.false_reviews),
    ):
        rate = CALIBRATION.false_positive_rate(threshold, references=references)
        assert 0.5 * promised < rate < promised


@given(_SIZES, _SIZES, _PROMISES)
def test_a_larger_gallery_never_lowers_a_threshold(one: int, other: int, promise: Promise) -> None:
    small, large = _limits(min(one, other), promise), _limits(max(one, other), promise)
    assert large.match >= small.match - 1e-12
    assert large.review >= small.review - 1e-12


@given(_SIZES, _PROMISES, _PROMISES)
def test_a_stricter_promise_never_lowers_a_threshold(
    references: int, one: Promise, other: Promise
) -> None:
    strict = Promise(
        min(one.false_names, other.false_names), min(one.false_reviews, other.false_reviews)
    )
    for loose in (one, other):
        assert _limits(references, strict).match >= _limits(references, loose).match - 1e-12
        assert _limits(references, strict).review >= _limits(references, loose).review - 1e-12


@given(_SIZES, _PROMISES)
def test_a_doubt_never_needs_more_likeness_than_a_match(references: int, promise: Promise) -> None:
    limits = _limits(references, promise)
    assert limits.review <= limits.match <= 1.0


@given(_SIMILARITIES, _SIMILARITIES, _HEIGHTS, _LIMITS)
def test_more_alike_is_never_less_of_a_match(
    one: float, other: float, height_px: float, limits: Thresholds
) -> None:
    less = classify(min(one, other), height_px, limits)
    more = classify(max(one, other), height_px, limits)
    assert _ORDER[less] <= _ORDER[more]


@given(_SIMILARITIES, st.floats(0, SMALLEST_DECISIVE_HEIGHT_PX, exclude_max=True), _LIMITS)
def test_a_tiny_face_is_never_decided_by_likeness_alone(
    similarity: float, height_px: float, limits: Thresholds
) -> None:
    assert classify(similarity, height_px, limits) is not Likeness.MATCH


def test_the_thresholds_themselves_belong_to_the_graver_side() -> None:
    limits = Thresholds(match=0.5, review=0.4)
    assert classify(0.5, 32.0, limits) is Likeness.MATCH
    assert classify(math.nextafter(0.5, 0), 32.0, limits) is Likeness.REVIEW
    assert classify(0.4, 32.0, limits) is Likeness.REVIEW
    assert classify(math.nextafter(0.4, 0), 32.0, limits) is Likeness.NEITHER


def test_a_similarity_or_height_that_is_no_number_decides_nothing() -> None:
    limits = Thresholds(match=0.5, review=0.4)
    assert classify(math.nan, 100.0, limits) is Likeness.NEITHER
    assert classify(0.9, math.nan, limits) is Likeness.REVIEW


@pytest.mark.parametrize(
    ("names", "reviews"),
    [(0.0, 0.1), (0.2, 0.1), (0.1, 1.0), (-0.1, 0.1), (math.nan, 0.1), (0.1, math.nan)],
)
def test_a_promise_is_two_shares_in_order(names: float, reviews: float) -> None:
    with pytest.raises(SettingMalformed):
        Promise(names, reviews)


@pytest.mark.parametrize(("match", "review"), [(0.4, 0.5), (math.nan, 0.4), (0.5, math.nan)])
def test_thresholds_out_of_order_are_refused(match: float, review: float) -> None:
    with pytest.raises(SettingMalformed):
        Thresholds(match=match, review=review)
