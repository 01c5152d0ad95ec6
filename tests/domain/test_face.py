import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.face import Box
from sayso.errors import SettingMalformed

_PLACES = st.floats(-0.2, 1.0)
_SIZES = st.floats(0.001, 1.2)
_BOXES = st.builds(Box, _PLACES, _PLACES, _SIZES, _SIZES)


@pytest.mark.parametrize(
    "numbers",
    [(0.1, 0.1, 0.0, 0.2), (0.1, 0.1, 0.2, -0.1), (math.nan, 0, 0.1, 0.1), (0, 0, math.inf, 0.1)],
)
def test_a_box_without_an_area_is_refused(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(SettingMalformed):
        Box(*numbers)


def test_overlap_of_boxes_side_by_side_over_one_another_and_apart() -> None:
    left, middle = Box(0.0, 0.0, 0.2, 0.2), Box(0.1, 0.0, 0.2, 0.2)
    assert left.intersection_over_union(middle) == pytest.approx(1 / 3)
    assert left.share_inside(middle) == pytest.approx(1 / 2)
    assert left.intersection_over_union(Box(0.5, 0.5, 0.1, 0.1)) == 0.0


@given(_BOXES, _BOXES)
def test_overlap_is_mutual_and_a_share(one: Box, other: Box) -> None:
    overlap = one.intersection_over_union(other)
    assert overlap == pytest.approx(other.intersection_over_union(one))
    assert 0.0 <= overlap <= 1.0 + 1e-9
    assert -1e-9 <= one.share_inside(other) <= 1.0 + 1e-9


@given(_BOXES)
def test_a_box_overlaps_itself_wholly(box: Box) -> None:
    assert box.intersection_over_union(box) == pytest.approx(1.0)
    assert box.share_inside(box) == pytest.approx(1.0)
