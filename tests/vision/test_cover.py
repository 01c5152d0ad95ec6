import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sayso.domain.face import Box, Face, Landmarks, Point
from sayso.domain.screening import CoverStyle
from sayso.vision.cover import cover, regions

STYLES = list(CoverStyle)


def scene(height: int = 120, width: int = 160, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def face(box: Box, tilt: float = 0.0, *, width: int = 160, height: int = 120) -> Face:
    """A face whose landmarks are tilted by an angle in radians, clockwise."""
    middle = (box.x + box.width / 2) * width, (box.y + box.height / 2) * height
    step = box.width * width / 4

    def at(across: float, down: float) -> Point:
        x = middle[0] + step * (across * math.cos(tilt) - down * math.sin(tilt))
        y = middle[1] + step * (across * math.sin(tilt) + down * math.cos(tilt))
        return Point(x / width, y / height)

    points = (at(-1, -1), at(1, -1), at(0, 0), at(-1, 1), at(1, 1))
    return Face(box, Landmarks(*points), 0.9, box.height * height)


boxes = st.builds(
    Box, st.floats(-0.2, 1), st.floats(-0.2, 1), st.floats(0.01, 0.6), st.floats(0.01, 0.6)
)


@given(box=boxes, tilt=st.floats(-4, 4), style=st.sampled_from(STYLES), bare=st.booleans())
def test_the_whole_box_is_covered_and_nothing_outside_of_the_region_changes(
    box: Box, tilt: float, style: CoverStyle, *, bare: bool
) -> None:
    pixels = scene()
    before = pixels.copy()
    meant = Face(box, None, 1.0, 50.0) if bare else face(box, tilt)
    covered = cover(pixels, [meant], style)
    assert np.array_equal(pixels, before)
    (region,) = regions(120, 160, [meant])
    mask = region.mask(120, 160)
    assert np.array_equal(covered[~mask], pixels[~mask])
    top, bottom = max(box.y * 120, 0), min(max((box.y + box.height) * 120, 0), 120)
    left, right = max(box.x * 160, 0), min(max((box.x + box.width) * 160, 0), 160)
    assert mask[math.floor(top) : math.ceil(bottom), math.floor(left) : math.ceil(right)].all()


@given(box=boxes, tilt=st.floats(-4, 4), style=st.sampled_from(STYLES))
def test_a_fill_tells_nothing_and_cells_tell_only_their_means(
    box: Box, tilt: float, style: CoverStyle
) -> None:
    meant = face(box, tilt)
    (region,) = regions(120, 160, [meant])
    mask = region.mask(120, 160)
    pixels = scene()
    other = pixels.copy()
    if style is CoverStyle.FILL:
        other[mask] = scene(seed=2)[mask]
        assert np.array_equal(cover(pixels, [meant], style), cover(other, [meant], style))
    else:
        other[~mask] = scene(seed=3)[~mask]
        inside = cover(pixels, [meant], style)[mask]
        assert np.array_equal(inside, cover(other, [meant], style)[mask])


def test_the_region_turns_with_the_head() -> None:
    box = Box(0.375, 0.25, 0.25, 0.5)
    upright, tilted = regions(120, 160, [face(box), face(box, math.pi / 2)])
    wide, tall = np.ptp(upright.outline_px, axis=0), np.ptp(tilted.outline_px, axis=0)
    # Lying on its side, the head reaches further across and less far down.
    assert wide[1] > wide[0]
    assert tall[0] > tall[1]
    # Clockwise by a quarter, the hair is on the right.
    assert tilted.outline_px[:, 0].max() - 80 > 80 - tilted.outline_px[:, 0].min()


def test_hair_ears_and_chin_are_covered() -> None:
    (region,) = regions(400, 400, [face(Box(0.4, 0.4, 0.2, 0.2), width=400, height=400)])
    mask = region.mask(400, 400)
    for x, y in ((200, 132), (140, 200), (260, 200), (200, 252)):
        assert mask[y, x]


def test_about_four_cells_lie_across_a_face() -> None:
    box = Box(0.3, 0.3, 0.4, 0.4)
    covered = cover(scene(400, 400), [Face(box, None, 1.0, 160.0)], CoverStyle.PIXELATE)
    row = covered[200, 120:280]
    changes = int((np.abs(np.diff(row.astype(int), axis=0)).sum(axis=1) > 0).sum())
    assert changes <= 5


def test_a_tiny_face_keeps_no_detail() -> None:
    box = Box(0.5, 0.5, 0.05, 0.08)
    covered = cover(scene(), [Face(box, None, 1.0, 10.0)], CoverStyle.PIXELATE)
    part = covered[60:70, 80:88].reshape(-1, 3)
    assert len(np.unique(part, axis=0)) <= 9


@pytest.mark.parametrize("style", STYLES)
def test_no_faces_leave_a_copy(style: CoverStyle) -> None:
    pixels = scene()
    covered = cover(pixels, [], style)
    assert np.array_equal(covered, pixels)
    assert covered is not pixels


@pytest.mark.parametrize("style", STYLES)
def test_overlapping_faces_are_both_covered(style: CoverStyle) -> None:
    two = [face(Box(0.2, 0.3, 0.3, 0.4)), face(Box(0.4, 0.3, 0.3, 0.4))]
    pixels = scene()
    covered = cover(pixels, two, style)
    for region in regions(120, 160, two):
        mask = region.mask(120, 160)
        assert (covered[mask] != pixels[mask]).any(axis=1).mean() > 0.95
