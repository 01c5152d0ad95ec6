"""Detection: which of the marked faces were found, by their height, and what was found besides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.rates.interval import Rate, of_trials

HEIGHTS_PX = (0, 8, 12, 16, 24, 32, 64, 128)
"""Where the classes of face height begin, pixels of the photograph as given."""
_SAME = 0.4
"""Intersection over union from which a find is the marked face. Marks differ in how much of
forehead and chin they take in, so less than the usual 0.5."""
_SWALLOWED = 0.5
"""A find with this share of its area in what need not be found is not counted at all."""


@dataclass(frozen=True, slots=True)
class Marks:
    """One photograph's marks and finds.

    Attributes:
        faces: (F, 4) x, y, width, height, pixels.
        ignored: (I, 4) what need not be found.
        found: (K, 4), best score first.
    """

    faces: NDArray[np.float64]
    ignored: NDArray[np.float64]
    found: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ByHeight:
    """Recall of marked faces of one class of height; ``to_px`` is None for the tallest."""

    from_px: int
    to_px: int | None
    marked: int
    recall: Rate


@dataclass(frozen=True, slots=True)
class Detection:
    """How well faces are found.

    Attributes:
        photographs: with marks.
        marked: faces that ought to be found.
        recall: share of them that were.
        precision: share of the finds that are marked faces.
        false_finds: finds that are no marked face, for each photograph. A face that nobody
            marked counts among them.
        by_height: recall by height.
    """

    photographs: int
    marked: int
    recall: Rate
    precision: Rate
    false_finds: float
    by_height: tuple[ByHeight, ...]


def detection(photographs: Iterable[Marks]) -> Detection:
    """The detection rates over photographs."""
    heights: list[float] = []
    hits: list[bool] = []
    finds: list[bool] = []
    photos = 0
    for marks in photographs:
        photos += 1
        found, true = _matched(marks)
        heights += list(marks.faces[:, 3])
        hits += found
        finds += true
    height, hit = np.array(heights), np.array(hits, bool)
    bounds = zip(HEIGHTS_PX, (*HEIGHTS_PX[1:], None), strict=True)
    return Detection(
        photographs=photos,
        marked=len(hit),
        recall=of_trials(int(hit.sum()), len(hit)),
        precision=of_trials(sum(finds), len(finds)),
        false_finds=(len(finds) - sum(finds)) / max(photos, 1),
        by_height=tuple(_of_height(height, hit, low, high) for low, high in bounds),
    )


def _of_height(
    height: NDArray[np.float64], hit: NDArray[np.bool_], low: int, high: int | None
) -> ByHeight:
    inside = (height >= low) & (height < (np.inf if high is None else high))
    return ByHeight(
        low, high, int(inside.sum()), of_trials(int(hit[inside].sum()), int(inside.sum()))
    )


def _matched(marks: Marks) -> tuple[list[bool], list[bool]]:
    """Which marked faces were found; of the finds that count, which are marked faces.

    The best find takes the mark that it overlaps most; each mark is taken once.
    """
    taken = np.zeros(len(marks.faces), bool)
    true = []
    for find in marks.found:
        overlap = np.where(taken, 0.0, _shared(marks.faces, find)[1])
        if len(overlap) and overlap.max() >= _SAME:
            taken[overlap.argmax()] = True
            true.append(True)
        elif not (_shared(marks.ignored, find)[0] >= _SWALLOWED).any():
            true.append(False)
    return list(taken), true


def _shared(
    boxes: NDArray[np.float64], find: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of the find's area in each box, and intersection over union."""
    low = np.maximum(boxes[:, :2], find[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], find[:2] + find[2:])
    area = np.prod(np.clip(high - low, 0, None), axis=1)
    own = find[2] * find[3]
    union = boxes[:, 2] * boxes[:, 3] + own - area
    return area / max(own, 1e-9), area / np.maximum(union, 1e-9)


def as_boxes(rows: Sequence[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    """Boxes as an array (N, 4), also of none."""
    return np.array(rows, np.float64).reshape(-1, 4)
