from collections.abc import Mapping

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sayso.vision.decode import Picture
from sayso.vision.detect import Detector, look_sizes_px
from sayso.vision.finds import decode_outputs, merge
from sayso.vision.runtime import Batch

Raw = dict[str, NDArray[np.float32]]


class RedPatches:
    """A network that takes every red patch for a face, answering in YuNet's own form."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        self.shapes.append(batch.shape)
        blue, green, red = batch[0]
        height, width = red.shape
        raw = blank(height, width)
        mask = ((red > 140) & (green < 110) & (blue < 110)).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        for x, y, wide, tall, area in stats[1:]:
            if area >= 4:
                answer(raw, width, (float(x), float(y), float(wide), float(tall)))
        return raw


def blank(height: int, width: int) -> Raw:
    raw: Raw = {}
    for stride in (8, 16, 32):
        cells = (height // stride) * (width // stride)
        for name, depth in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            raw[f"{name}_{stride}"] = np.zeros((1, cells, depth), np.float32)
    return raw


def answer(raw: Raw, width: int, box: tuple[float, ...], stride: int = 8) -> None:
    """Write one face with score 0.9 into raw outputs, as the network's head would."""
    x, y, wide, tall = box
    centre = np.array([x + wide / 2, y + tall / 2])
    column, row = (centre // stride).astype(int)
    cell = row * (width // stride) + column
    anchor = np.array([column, row])
    raw[f"cls_{stride}"][0, cell] = 0.81
    raw[f"obj_{stride}"][0, cell] = 1.0
    raw[f"bbox_{stride}"][0, cell, :2] = centre / stride - anchor
    raw[f"bbox_{stride}"][0, cell, 2:] = np.log([wide / stride, tall / stride])
    points = centre + np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]]) * wide / 4
    raw[f"kps_{stride}"][0, cell] = (points / stride - anchor).ravel()


def picture(width: int, height: int, patches: list[tuple[int, int, int, int]]) -> Picture:
    pixels = np.zeros((height, width, 3), np.uint8)
    for x, y, wide, tall in patches:
        pixels[y : y + tall, x : x + wide] = (255, 0, 0)
    return Picture(pixels, width, height, "JPEG")


@given(
    stride=st.sampled_from([8, 16, 32]),
    x=st.floats(0, 200),
    y=st.floats(0, 100),
    wide=st.floats(4, 50),
    tall=st.floats(4, 50),
)
def test_raw_outputs_give_back_the_box_that_they_were_made_of(
    stride: int, x: float, y: float, wide: float, tall: float
) -> None:
    raw = blank(160, 256)
    answer(raw, 256, (x, y, wide, tall), stride)
    (find,) = decode_outputs(raw, (160, 256), 0.5)
    np.testing.assert_allclose(find[:4], [x, y, wide, tall], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(find[8:10], [x + wide / 2, y + tall / 2], rtol=1e-3, atol=1e-3)
    assert find[14] == pytest.approx(0.9)
    assert len(decode_outputs(raw, (160, 256), 0.91)) == 0


@pytest.mark.parametrize("size", [(640, 480), (4000, 3000), (3001, 4207), (1281, 1283)])
def test_each_face_is_found_once_where_it_is_also_in_tiles(size: tuple[int, int]) -> None:
    width, height = size
    across, down = np.linspace(0, 1, 9), np.linspace(0, 1, 7)
    patches = [
        (round(a * (width - 40)), round(d * (height - 50)), 30, 40) for a in across for d in down
    ]
    found = Detector(RedPatches(), score_threshold=0.5).detect(
        picture(width, height, patches), smallest_px=8
    )
    assert len(found) == len(patches)
    places = sorted((round(f.box.x * width), round(f.box.y * height)) for f in found)
    for (x, y), (px, py, _, _) in zip(places, sorted(patches), strict=True):
        assert abs(x - px) <= 4
        assert abs(y - py) <= 4
    for face in found:
        assert face.height_px == pytest.approx(40, abs=5)
        assert face.landmarks is not None
        middle = face.box.x + face.box.width / 2
        assert face.landmarks.nose.x == pytest.approx(middle, abs=2 / width)
        assert face.landmarks.left_eye.x < middle < face.landmarks.right_eye.x


def test_faces_come_largest_first_and_those_that_fill_the_frame_too() -> None:
    patches = [(10, 10, 40, 50), (600, 200, 1500, 2000), (100, 2000, 300, 400)]
    found = Detector(RedPatches(), score_threshold=0.5).detect(
        picture(3000, 2400, patches), smallest_px=16
    )
    heights = [face.height_px for face in found]
    assert heights == sorted(heights, reverse=True)
    assert [round(height, -2) for height in heights] == [2000, 400, 0]


def test_heights_are_of_the_full_size_photograph() -> None:
    small = picture(500, 400, [(100, 100, 50, 60)])
    shrunk = Picture(small.pixels, 4000, 3200, "JPEG")
    (face,) = Detector(RedPatches(), score_threshold=0.5).detect(shrunk, smallest_px=16)
    assert face.height_px == pytest.approx(480, abs=16)
    assert face.box.x == pytest.approx(0.2, abs=0.01)


def test_the_network_meets_multiples_of_32_and_bounded_sizes() -> None:
    network = RedPatches()
    Detector(network, score_threshold=0.5).detect(picture(5001, 3333, []), smallest_px=12)
    assert all(size % 32 == 0 for shape in network.shapes for size in shape[2:])
    assert max(max(shape[2:]) for shape in network.shapes) <= 1312
    assert len(set(network.shapes)) <= 4


class BlurredGround:
    """A network that makes a face of the ground wherever it is shown much of it."""

    def __call__(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        height, width = batch.shape[2:]
        raw = blank(height, width)
        if max(height, width) > 640:
            answer(raw, width, (40, 40, 600, 600))
        return raw


def test_what_is_too_large_for_a_look_is_left_to_coarser_ones() -> None:
    detector = Detector(BlurredGround(), score_threshold=0.5)
    ground = picture(3000, 2400, [])
    assert detector.detect(ground, smallest_px=16) == ()
    assert detector.scrutinise(ground, smallest_px=16) == ()


def test_no_faces_are_no_error() -> None:
    found = Detector(RedPatches(), score_threshold=0.5).detect(picture(9, 300, []), smallest_px=16)
    assert found == ()


@pytest.mark.parametrize(
    ("size", "smallest", "expected"),
    [
        ((6000, 4000), 16.0, (320, 1280, 4500)),
        ((4000, 3000), 40.0, (320, 1280)),
        ((1024, 768), 16.0, (320, 1024)),
        ((640, 480), 16.0, (320, 960)),
        ((250, 250), 16.0, (320, 625)),
        ((90, 60), 16.0, (320,)),
    ],
)
def test_looks_suit_the_picture(
    size: tuple[int, int], smallest: float, expected: tuple[int, ...]
) -> None:
    assert look_sizes_px(picture(*size, []), smallest) == expected


def find(x: float, y: float, size: float, score: float) -> list[float]:
    return [x, y, size, size, *[x + size / 2, y + size / 2] * 5, score]


def finds(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 15)


def test_two_finds_of_one_face_become_one_in_between() -> None:
    (merged,) = merge(finds(find(100, 100, 50, 0.9), find(104, 100, 50, 0.9)))
    assert merged[0] == pytest.approx(102)
    assert merged[14] == pytest.approx(0.9)


def test_a_nose_inside_a_better_face_is_dropped_but_a_face_behind_is_not() -> None:
    face, nose = find(100, 100, 100, 0.9), find(140, 140, 20, 0.6)
    assert len(merge(finds(face, nose))) == 1
    badge = find(140, 140, 20, 0.75)  # a sure find is a face of its own: on a badge, a screen
    assert len(merge(finds(face, badge))) == 2
    behind = find(190, 60, 30, 0.6)
    assert len(merge(finds(face, behind))) == 2
    # A small but better find stays: of two doubtful ones, both get covered.
    assert len(merge(finds(find(100, 100, 100, 0.5), find(140, 140, 20, 0.8)))) == 2


@given(seed=st.integers(0, 2**31), count=st.integers(0, 30))
def test_merging_keeps_the_best_and_never_two_of_the_same(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    rows = [
        find(random.uniform(0, 200), random.uniform(0, 200), random.uniform(5, 80), random.random())
        for _ in range(count)
    ]
    merged = merge(finds(*rows))
    assert len(merged) == len(merge(finds(*reversed(rows))))
    if rows:
        assert merged[0, 14] == pytest.approx(max(row[14] for row in rows))
        assert (np.diff(merged[:, 14]) <= 0).all()


def test_finds_that_are_no_numbers_are_dropped() -> None:
    bad = find(1, 1, 10, 0.9)
    bad[2] = float("nan")
    assert len(merge(finds(bad, find(50, 50, 10, 0.8)))) == 1
