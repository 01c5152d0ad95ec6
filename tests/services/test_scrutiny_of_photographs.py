"""Real photographs, with the real detector: what only the thorough look finds is covered."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sayso.domain.screening import CoverStyle
from sayso.vision.decode import DecodeLimits, decode
from sayso.vision.detect import Detector
from sayso.vision.encode import encode
from sayso.vision.models import YUNET, load
from sayso.vision.runtime import OpenVinoNetwork

from .drawing import FILL
from .world import WEBSITE, World

Pixels = NDArray[np.uint8]
GROUP = "lin_20.jpg"
_LIMITS = DecodeLimits(10_000_000, 10_000_000)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    folder = tmp_path_factory.mktemp("models")
    network = OpenVinoNetwork(lambda: load(YUNET, folder), threads=2)
    return Detector(network, score_threshold=0.5)


@pytest.fixture(scope="module")
def group(photos: Path) -> tuple[Pixels, NDArray[np.float64]]:
    """A photograph of a group and its marked faces, x1, y1, x2, y2."""
    with (photos / "groups" / "boxes.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["image"] == GROUP and r["label"] == "face"]
    boxes = np.array([[float(row[key]) for key in ("x1", "y1", "x2", "y2")] for row in rows])
    return decode((photos / "groups" / GROUP).read_bytes(), _LIMITS).pixels, boxes


def on_its_side(pixels: Pixels) -> Pixels:
    return np.rot90(pixels)


def upside_down(pixels: Pixels) -> Pixels:
    return np.rot90(pixels, 2)


def in_the_dark(pixels: Pixels) -> Pixels:
    dark = np.asarray(pixels * 0.1, np.uint8)
    dark[:, : pixels.shape[1] // 40] = 235  # a window: the picture as a whole is not faint
    return dark


def grey(pixels: Pixels) -> Pixels:
    return np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("kind", [on_its_side, upside_down, in_the_dark, grey])
def test_every_face_is_covered_in_what_is_published(
    tmp_path: Path,
    world: World,
    detector: Detector,
    group: tuple[Pixels, NDArray[np.float64]],
    kind: Callable[[Pixels], Pixels],
) -> None:
    pixels, boxes = group
    seeing = World(world.folder, world.key, world.clock, world.sources, detector=detector)
    seeing.collection().put("a.png", encode(np.ascontiguousarray(kind(pixels)), "PNG"))
    seeing.scan("club")
    (glanced,) = seeing.photographs("club")
    if kind is on_its_side:
        assert len(glanced.faces) < len(boxes)  # a glance would let some through
    seeing.publishing("club", tmp_path / "out", WEBSITE, CoverStyle.FILL)
    copy = np.asarray(Image.open(tmp_path / "out" / "photographs" / "a.png").convert("RGB"))
    turns = 3 if kind is on_its_side else 2 if kind is upside_down else 0
    covered = np.rot90((copy == FILL).all(axis=2), turns)
    for x1, y1, x2, y2 in boxes:
        assert covered[int(y1) : int(y2), int(x1) : int(x2)].mean() > 0.75
    seeing.close()
