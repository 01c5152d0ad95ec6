"""The networks, compiled once, and readers of the labelled photographs."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from sayso.vision import models
from sayso.vision.decode import DecodeLimits
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.runtime import OpenVinoNetwork


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def limits() -> DecodeLimits:
    return DecodeLimits(max_bytes=100_000_000, max_pixels=100_000_000)


@pytest.fixture(scope="session")
def yunet(cache: Path) -> OpenVinoNetwork:
    return OpenVinoNetwork(lambda: models.load(models.YUNET, cache), threads=2)


@pytest.fixture(scope="session")
def sface(cache: Path) -> OpenVinoNetwork:
    return OpenVinoNetwork(lambda: models.load(models.SFACE, cache), threads=2)


@pytest.fixture(scope="session")
def detector(yunet: OpenVinoNetwork) -> Detector:
    return Detector(yunet, score_threshold=0.6)


@pytest.fixture(scope="session")
def embedder(sface: OpenVinoNetwork) -> Embedder:
    return Embedder(sface)


@pytest.fixture(scope="session")
def labels(photos: Path) -> list[dict[str, str]]:
    with (photos / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def group_boxes(photos: Path) -> dict[str, list[tuple[tuple[float, ...], str]]]:
    """Per photograph of a group its boxes (x1, y1, x2, y2 in pixels) and labels."""
    boxes = defaultdict(list)
    with (photos / "groups" / "boxes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            corners = tuple(float(row[key]) for key in ("x1", "y1", "x2", "y2"))
            boxes[row["image"]].append((corners, row["label"]))
    return dict(boxes)
