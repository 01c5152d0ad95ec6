"""Detection rates on boxes whose answer is known."""

import numpy as np

from sayso.rates.detection import Marks, as_boxes, detection

NONE = as_boxes([])


def test_a_find_counts_for_one_face_alone() -> None:
    face = (0.0, 0.0, 20.0, 20.0)
    found = detection([Marks(as_boxes([face]), NONE, as_boxes([face, (1, 1, 20, 20)]))])
    assert found.recall.value == 1.0
    assert found.precision.value == 0.5
    assert found.false_finds == 1.0


def test_what_need_not_be_found_is_neither_missed_nor_a_mistake() -> None:
    crowd = (0.0, 0.0, 100.0, 100.0)
    marks = Marks(as_boxes([(200, 0, 20, 20)]), as_boxes([crowd]), as_boxes([(10, 10, 15, 15)]))
    found = detection([marks])
    assert (found.marked, found.recall.value, found.false_finds) == (1, 0.0, 0.0)


def test_recall_is_told_by_height() -> None:
    small, tall = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 70.0, 70.0)
    found = detection([Marks(as_boxes([small, tall]), NONE, as_boxes([tall]))])
    by_height = {one.from_px: one for one in found.by_height if one.marked}
    assert by_height[8].recall.value == 0.0
    assert by_height[64].recall.value == 1.0
    assert sum(one.marked for one in found.by_height) == found.marked == 2


def test_photographs_without_any_face_count_for_false_finds() -> None:
    empty = Marks(NONE, NONE, NONE)
    found = detection([empty, Marks(NONE, NONE, as_boxes([(0, 0, 9, 9)]))])
    assert found.photographs == 2
    assert found.false_finds == 0.5
    assert np.isclose(found.precision.value, 0.0)
