import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sayso.domain.face import Box, Face, Landmarks, Point
from sayso.domain.screening import CoverStyle
from sayso.vision.cover import cover, is_intact, regions
from sayso.vision.decode import DecodeLimits, decode
from sayso.vision.encode import encode
from sayso.vision.headers import Format

STYLES = list(CoverStyle)
FILL = (0, 0, 160)


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


@given(
    two=st.lists(boxes, min_size=1, max_size=2),
    tilt=st.floats(-4, 4),
    style=st.sampled_from(STYLES),
)
def test_a_covered_picture_is_the_same_whatever_lay_under_the_covers(
    two: list[Box], tilt: float, style: CoverStyle
) -> None:
    faces = [face(box, tilt) for box in two]
    pixels = scene()
    other = pixels.copy()
    for region in regions(120, 160, faces):
        mask = region.mask(120, 160)
        other[mask] = scene(seed=2)[mask]
    assert np.array_equal(cover(pixels, faces, style), cover(other, faces, style))


@given(box=boxes, tilt=st.floats(-4, 4))
def test_a_fill_is_one_colour(box: Box, tilt: float) -> None:
    meant = face(box, tilt)
    (region,) = regions(120, 160, [meant])
    assert (cover(scene(), [meant], CoverStyle.FILL)[region.mask(120, 160)] == FILL).all()


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


def test_about_four_cells_of_the_tinted_colours_around_lie_across_a_face() -> None:
    box = Box(0.3, 0.3, 0.4, 0.4)
    pixels = np.full((400, 400, 3), (200, 120, 40), np.uint8)
    pixels[120:280, 120:280] = scene(160, 160)
    covered = cover(pixels, [Face(box, None, 1.0, 160.0)], CoverStyle.PIXELATE)
    shown = {tuple(colour) for colour in covered.reshape(-1, 3).tolist()}
    assert shown == {(200, 120, 40), (100, 60, 100), FILL}
    row = covered[200, 120:280]
    changes = int((np.abs(np.diff(row.astype(int), axis=0)).sum(axis=1) > 0).sum())
    assert 1 <= changes <= 5


def test_where_nothing_is_around_a_mosaic_is_a_fill() -> None:
    everywhere = Face(Box(0, 0, 1, 1), None, 1.0, 120.0)
    assert (cover(scene(), [everywhere], CoverStyle.PIXELATE) == FILL).all()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_cover_that_was_read_back_is_intact_and_one_with_a_face_in_it_is_not(
    style: CoverStyle, kind: Format, limits: DecodeLimits
) -> None:
    faces = [face(Box(0.1, 0.1, 0.3, 0.4), 0.3), face(Box(0.7, 0.6, 0.1, 0.15))]
    # The worst beside a cover: what no codec keeps, in full colour.
    pixels = scene()
    meant = cover(pixels, faces, style)
    assert is_intact(decode(encode(meant, kind), limits).pixels, meant, faces)
    one_short = cover(pixels, faces[:1], style)
    assert not is_intact(decode(encode(one_short, kind), limits).pixels, meant, faces)
    shining_through = np.rint(meant * 0.85 + pixels * 0.15).astype(np.uint8)
    assert not is_intact(decode(encode(shining_through, kind), limits).pixels, meant, faces)
    assert not is_intact(np.ascontiguousarray(meant[:, ::-1]), meant, faces)
    assert not is_intact(meant[:-1], meant, faces)


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
