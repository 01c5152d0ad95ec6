"""How often strangers are named, against what was promised, in galleries of 10 to 100,000.

    python benchmarks/promise.py --photographs FOLDER

The folder holds labelled photographs (``labels.csv``). Thresholds are the product's own. Galleries
hold one reference of each person, real people as far as they reach (half of them; the others are
the strangers who search) and beyond that synthetic templates, drawn from a normal distribution
with the mean and covariance of the real ones. Small galleries are drawn anew many times. Large
ones are searched by real and by synthetic strangers, told apart in the result. People of whom there
are several photographs are also enrolled with two, three and four of them, fused.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import machine
from sayso.domain.matching import GallerySize, Promise, thresholds
from sayso.services.recognition import cut_out
from sayso.settings import Settings
from sayso.sources.dataset import read_dataset
from sayso.vision.models import SFACE
from sayso.vision.reference import main_face
from sayso.wiring.models import Models

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
EACH = (2, 3, 4)
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
    people = features(options.photographs)
    real = np.array([own[0] for own in people])
    drawn = Synthetic(real, random)
    rows: list[dict[str, object]] = []
    for count in SIZES:
        size = GallerySize(count, count)
        if 2 * count <= len(real):
            rows += compared(size, "real", real_searches(real, count, random))
        gallery = drawn(count)
        rows += compared(size, "real, synthetic gallery", searched(real, gallery))
        rows += compared(
            size, "synthetic", searched(drawn(PROBES), gallery) if count > len(real) else []
        )
    for each in EACH:
        for count in SIZES[:3]:
            size = GallerySize(count, count * each)
            rows += compared(size, "real", fused_searches(people, count, each, random))
    machine.keep("promise", rows, people=len(real), model=SFACE.name, provenance=SFACE.provenance)


def features(folder: Path) -> list[Rows]:
    """Features (K, D) of each person of a labelled folder."""
    models = Models(Settings.read(folder, {}))
    found: dict[str, list[Rows]] = {}
    for sample in read_dataset(folder, labels=None, boxes=None).samples:
        picture, faces = models.eye.look((folder / sample.path).read_bytes())
        if faces:
            cut = cut_out(picture, [main_face(faces)])
            found.setdefault(sample.identity, []).append(models.recogniser.features_of(cut)[0])
    return [np.array(own) for own in found.values()]


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


def fused_searches(
    people: list[Rows], size: int, each: int, random: np.random.Generator
) -> Iterator[Rows]:
    """The same with several references of each person, fused into their mean."""
    several = [place for place, own in enumerate(people) if len(own) >= each]
    probes = np.array([own[-1] for own in people])
    for _ in range(-(-SEARCHES // len(people))):
        chosen = random.permutation(several)[:size]
        gallery = np.array(
            [random.permutation(people[place])[:each].mean(axis=0) for place in chosen]
        )
        gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
        yield from searched(np.delete(probes, chosen, axis=0), gallery)


def searched(probes: Rows, gallery: Rows) -> Iterator[Rows]:
    """The best similarity (M,) of some probes at a time."""
    for start in range(0, len(probes), PART):
        yield (probes[start : start + PART] @ gallery.T).max(axis=1)


def compared(
    size: GallerySize, what: str, best: Iterator[Rows] | list[Rows]
) -> list[dict[str, object]]:
    """What was promised and what came of it, a row for each promise."""
    parts = list(best)
    if not parts:
        return []
    found = np.concatenate(parts)
    rows: list[dict[str, object]] = []
    for promised in PROMISES:
        promise = Promise(promised, promised)
        limit = thresholds(SFACE.calibration, size=size, promise=promise).match
        named = int((found >= limit).sum())
        rows.append(
            {
                "people": size.people,
                "references_each": size.references // size.people,
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
