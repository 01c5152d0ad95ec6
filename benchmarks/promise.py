"""How often strangers are named, against what was promised, in galleries of 10 to 100,000.

    python benchmarks/promise.py --photographs FOLDER

The folder holds labelled photographs (``labels.csv``). Thresholds are the product's own. Galleries
hold one reference of each person, real people as far as they reach (half of them; the others are
the strangers who search) and beyond that synthetic templates, drawn from a normal distribution
with the mean and covariance of the real ones. Small galleries are drawn anew many times. Large
ones are searched by real and by synthetic strangers, told apart in the result.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import machine
from sayso.domain.matching import Promise, thresholds
from sayso.services.recognition import cut_out
from sayso.settings import Settings
from sayso.sources.dataset import read_dataset
from sayso.vision.models import SFACE
from sayso.vision.quality import main_face
from sayso.wiring.models import Models

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
PROMISES = (1e-1, 1e-2, 1e-3)
SEARCHES = 40_000
"""About so many searches of real strangers are made in each size of real gallery."""
PROBES = 40_000
"""So many synthetic strangers search the synthetic galleries."""
PART = 1_000

Rows = NDArray[np.float32]


def main() -> None:
    """Measure and keep the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photographs", type=Path, required=True)
    options = arguments.parse_args()
    random = np.random.default_rng(1)
    real = one_each(options.photographs)
    drawn = Synthetic(real, random)
    rows: list[dict[str, object]] = []
    for size in SIZES:
        if 2 * size <= len(real):
            rows += compared(size, "real", real_searches(real, size, random))
        gallery = drawn(size)
        rows += compared(size, "real, synthetic gallery", searched(real, gallery))
        rows += compared(
            size, "synthetic", searched(drawn(PROBES), gallery) if size > len(real) else []
        )
    machine.keep("promise", rows, people=len(real), model=SFACE.name, provenance=SFACE.provenance)


def one_each(folder: Path) -> Rows:
    """Features (P, D) of one photograph of each person of a labelled folder."""
    models = Models(Settings.read(folder, {}))
    found = {}
    for sample in read_dataset(folder, labels=None, boxes=None).samples:
        if sample.identity in found:
            continue
        picture, faces = models.eye.look((folder / sample.path).read_bytes())
        if faces:
            cut = cut_out(picture, [main_face(faces)])
            found[sample.identity] = models.recogniser.features_of([cut])[0]
    return np.array(list(found.values()), np.float32)


class Synthetic:
    """Draws templates like the real ones: with their mean and covariance, of unit length."""

    def __init__(self, real: Rows, random: np.random.Generator) -> None:
        self._mean = real.mean(axis=0)
        spread = np.cov(real.T) + 1e-9 * np.eye(real.shape[1])
        self._root = np.linalg.cholesky(spread).astype(np.float32)
        self._random = random

    def __call__(self, count: int) -> Rows:
        """So many, (count, D)."""
        shape = (count, len(self._mean))
        drawn = self._random.standard_normal(shape, np.float32) @ self._root.T + self._mean
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def real_searches(real: Rows, size: int, random: np.random.Generator) -> Iterator[Rows]:
    """The best similarity of each stranger in galleries that are drawn anew."""
    strangers = len(real) - size
    for _ in range(-(-SEARCHES // strangers)):
        order = random.permutation(len(real))
        yield from searched(real[order[size:]], real[order[:size]])


def searched(probes: Rows, gallery: Rows) -> Iterator[Rows]:
    """The best similarity (M,) of some probes at a time."""
    for start in range(0, len(probes), PART):
        yield (probes[start : start + PART] @ gallery.T).max(axis=1)


def compared(size: int, what: str, best: Iterator[Rows] | list[Rows]) -> list[dict[str, object]]:
    """What was promised and what came of it, a row for each promise."""
    parts = list(best)
    if not parts:
        return []
    found = np.concatenate(parts)
    rows: list[dict[str, object]] = []
    for promised in PROMISES:
        limit = thresholds(
            SFACE.calibration, references=size, promise=Promise(promised, promised)
        ).match
        named = int((found >= limit).sum())
        rows.append(
            {
                "references": size,
                "strangers": what,
                "searches": len(found),
                "promised": promised,
                "threshold": round(limit, 4),
                "named": named,
                "measured_over_promised": round(named / len(found) / promised, 2),
            }
        )
    return rows


if __name__ == "__main__":
    main()
