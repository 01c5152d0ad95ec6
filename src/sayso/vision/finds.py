"""What YuNet's outputs say, and which of it is the same face.

Sources: the decoding of YuNet's outputs as in OpenCV's FaceDetectorYN.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from sayso.vision.runtime import Float32

_STRIDES_PX = (8, 16, 32)
_SAME_FACE = 0.35
"""Two finds that overlap by this much (intersection over union) are one face."""
_SAME_PLACE = 0.5
"""By this much, they also see it in the same place and are averaged."""
_SURE = 0.7
"""A find inside a larger one is a face of its own from this score on."""
_AGREE = 0.4
"""From so much overlap on two views see the same."""
_INSIDE = 0.8
_MUCH_SMALLER = 0.25

Finds = NDArray[np.float32]
"""(N, 15): x, y, width, height, five landmarks as x, y pairs, score."""
X, Y, WIDTH, HEIGHT = [0, *range(4, 14, 2)], [1, *range(5, 14, 2)], [2], [3]
"""Which columns of a find are places across and down, and which are sizes."""


def decode_outputs(
    outputs: Mapping[str, Float32], size: tuple[int, int], score_threshold: float
) -> Finds:
    """YuNet's raw outputs as finds.

    Args:
        outputs: ``cls_s``, ``obj_s`` (1, K, 1), ``bbox_s`` (1, K, 4) and ``kps_s`` (1, K, 10)
            for the strides s = 8, 16, 32; K = H / s * W / s.
        size: H and W of the network's input, pixels.
        score_threshold: 0..1.

    Returns:
        float32 (N, 15): x, y, width, height, five landmarks as x, y pairs (pixels), score.
    """
    parts = []
    for stride in _STRIDES_PX:
        score = np.sqrt(
            np.clip(outputs[f"cls_{stride}"][0, :, 0], 0, 1)
            * np.clip(outputs[f"obj_{stride}"][0, :, 0], 0, 1)
        )
        (kept,) = np.nonzero(score >= score_threshold)
        row, column = np.divmod(kept, size[1] // stride)
        anchor = np.stack([column, row], axis=1).astype(np.float32)
        box = outputs[f"bbox_{stride}"][0, kept]
        extent = np.exp(np.minimum(box[:, 2:], 10.0)) * stride
        centre = (box[:, :2] + anchor) * stride
        points = (outputs[f"kps_{stride}"][0, kept].reshape(-1, 5, 2) + anchor[:, None]) * stride
        corner = centre - extent / 2
        parts.append(
            np.concatenate(
                [corner, extent, points.reshape(-1, 10), score[kept, None]], axis=1
            ).astype(np.float32)
        )
    return np.concatenate(parts)


def merge(finds: Finds) -> Finds:
    """One find per face: the best score decides which, see `Detector.detect`.

    Its box and landmarks become the mean, weighted by score, of all finds that overlap it well:
    neighbouring cells and other looks see the same face, and their errors partly cancel. (On
    Labeled Faces in the Wild this raises TAR at FMR 1e-5 from 0.953 to 0.969.)

    Args:
        finds: float32 (N, 15) in any one unit.

    Returns:
        float32 (M, 15), M <= N, best score first.
    """
    finds = finds[np.isfinite(finds).all(axis=1) & (finds[:, 2:4] > 0).all(axis=1)]
    finds = finds[np.argsort(-finds[:, 14], kind="stable")]
    area = finds[:, 2] * finds[:, 3]
    alive = np.ones(len(finds), bool)
    merged: list[NDArray[np.float32]] = []
    for place, find in enumerate(finds):
        if not alive[place]:
            continue
        shared = _shared_area(finds, find)
        overlap = shared / (area + area[place] - shared)
        alive &= overlap < _SAME_FACE
        # A nose or an eye scores low; a face on a badge, a poster or a screen does not.
        part = (shared >= _INSIDE * area) & (area <= _MUCH_SMALLER * area[place])
        alive &= ~part | (finds[:, 14] >= _SURE)
        same = finds[overlap >= _SAME_PLACE]
        mean = np.average(same[:, :14], axis=0, weights=same[:, 14])
        merged.append(np.append(mean, find[14]).astype(np.float32))
    return np.array(merged, np.float32).reshape(-1, 15)


def _shared_area(finds: Finds, find: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of each find's box lies in one find's box."""
    low = np.maximum(finds[:, :2], find[:2])
    high = np.minimum(finds[:, :2] + finds[:, 2:4], find[:2] + find[2:4])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=1), np.float32)


class Kind(Enum):
    """What a view's finds are good for."""

    OWN = "own"
    """A look at the picture as it is: its finds are faces from the threshold on."""
    OPINION = "opinion"
    """The same picture mirrored or at another size: it speaks for or against others' finds."""
    TURNED = "turned"
    """The picture on its side or head: it sees what the others cannot."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one view of the whole picture showed.

    Attributes:
        finds: relative to the upright picture.
        counts_from: height, as a share of the picture's, from which a face can be seen in it.
        counts_to: the same, up to which.
    """

    finds: Finds
    kind: Kind
    counts_from: float
    counts_to: float = math.inf


@dataclass(frozen=True, slots=True)
class Scores:
    """From which score on a find is taken for what, 0..1.

    Attributes:
        sure: a face, seen in a look of the picture as it is.
        turned: a face, seen in a turned picture; there, half a threshold more finds no face more
            and half as much that is none.
        perhaps: perhaps a face, by the mean score of all upright views that could see it. A
            find that only one of several sees is less likely one: see docs/decisions/0020.
    """

    sure: float
    turned: float
    perhaps: float


def fuse(
    seen: Sequence[Seen], scores: Scores, *, smallest: float
) -> tuple[Finds, NDArray[np.bool_]]:
    """What several views agree on.

    Args:
        seen: by view.
        scores: from which on what counts.
        smallest: height of the smallest faces wanted, as a share of the picture's; what is lower
            and not seen in the picture as it is does not count.

    Returns:
        The finds, faces first, and which of them are; the others are perhaps. The score of these
        is that mean.
    """
    finds = merge(np.concatenate([one.finds for one in seen]))
    best = {kind: np.zeros(len(finds), np.float32) for kind in Kind}
    votes, voters = np.zeros(len(finds), np.float32), np.zeros(len(finds), np.float32)
    for one in seen:
        score = _by_find(finds, one.finds)
        best[one.kind] = np.maximum(best[one.kind], score)
        if one.kind is not Kind.TURNED:
            could = (one.counts_from <= finds[:, 3]) & (finds[:, 3] <= one.counts_to)
            votes += np.where(could, score, 0)
            voters += could
    mean = votes / np.maximum(voters, 1)
    tall = finds[:, 3] >= smallest
    sure = (best[Kind.OWN] >= scores.sure) | (tall & (best[Kind.TURNED] >= scores.turned))
    perhaps = ~sure & tall & (mean >= scores.perhaps)
    finds[perhaps, 14] = mean[perhaps]
    order = np.lexsort((-finds[:, 14], ~sure))
    order = order[(sure | perhaps)[order]]
    return finds[order], sure[order]


def _by_find(finds: Finds, others: Finds) -> NDArray[np.float32]:
    """The best score that another view gives each find; what it sees speaks for one find only."""
    best = np.zeros(len(finds), np.float32)
    if not (len(finds) and len(others)):
        return best
    overlap = np.stack([_overlap(others, find) for find in finds], axis=1)
    nearest = overlap.argmax(axis=1)
    same = overlap.max(axis=1) >= _AGREE
    np.maximum.at(best, nearest[same], others[same, 14])
    return best


def _overlap(finds: Finds, find: NDArray[np.float32]) -> NDArray[np.float32]:
    shared = _shared_area(finds, find)
    return np.asarray(shared / (finds[:, 2] * finds[:, 3] + find[2] * find[3] - shared), np.float32)


def mirrored(finds: Finds) -> Finds:
    """Finds of a mirrored picture in the picture itself, relative to it."""
    found = finds.copy()
    found[:, X] = 1 - found[:, X]
    found[:, 0] -= found[:, 2]
    for left, right in ((4, 6), (10, 12)):  # the viewer's left eye and corner of the mouth
        swapped = found[:, right : right + 2].copy()
        found[:, right : right + 2] = found[:, left : left + 2]
        found[:, left : left + 2] = swapped
    return found


def turned_back(finds: Finds, turns: int) -> Finds:
    """Finds of a picture that was turned anticlockwise by so many quarters, in the upright one."""
    for _ in range(turns):
        found = finds.copy()
        found[:, X], found[:, Y] = 1 - finds[:, Y], finds[:, X]
        found[:, 2], found[:, 3] = finds[:, 3], finds[:, 2]
        found[:, 0] -= found[:, 2]
        finds = found
    return finds
