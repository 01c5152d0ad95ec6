"""How often strangers are named, against what was promised, in galleries of 10 to 100,000.

    python benchmarks/promise.py --photographs FOLDER

The folder holds labelled photographs (``labels.csv``). Thresholds are the product's own.

*Real*: each person of the folder searches for strangers among the others, in every gallery of a
size that these can make: how many of them resemble the stranger says in what share of the
galleries somebody is named. *Calibrated on the other half*: the same among half of the people,
with a calibration that ``sayso evaluate`` fits to the other half. *Synthetic*: drawn with the mean
of the real features and with their covariance, between people and between photographs of one.

``events`` are what a row rests on: resembling pairs of different people where both are real, since
the same pair names somebody in many galleries, else searches. ``low`` and ``high`` are the ends of
the 95 % interval of a Poisson count of so many.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import machine
from sayso.domain.calibration import Calibration
from sayso.domain.matching import GallerySize, Promise, thresholds
from sayso.rates.calibration import fit
from sayso.rates.scores import all_pairs
from sayso.services.recognition import cut_out
from sayso.settings import Settings
from sayso.sources.dataset import read_dataset
from sayso.vision.models import SFACE
from sayso.vision.reference import main_face
from sayso.wiring.models import Models

REAL_SIZES = {1: (10, 30, 100, 300), 2: (10, 30, 100), 3: (10, 30, 100), 4: (10, 30, 100)}
"""By the number of references of each person."""
HALF_SIZES = (10, 30, 100)
SIZES = {
    1: (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000),
    2: (100, 1_000, 10_000),
    4: (100, 1_000, 10_000),
}
PROMISES = (1e-1, 1e-2, 1e-3)
DRAWS = 20
"""So often the photographs of each person are chosen anew."""
SEARCHES = 400_000
"""So many synthetic strangers search synthetic galleries, each PART of them another one."""
PART = 2_000
BLOCK = 10_000
_TWO_SIDED = 1.96

Rows = NDArray[np.float32]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Strangers:
    """Strangers who search.

    Attributes:
        named: from a threshold to the share of galleries in which each is named, (M,).
        met: how often one resembling pair counts.
        one: the share of searches that a single event makes.
    """

    named: Callable[[float], Shares]
    met: int
    one: float


def main() -> None:
    """Measure and keep the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photographs", type=Path, required=True)
    options = arguments.parse_args()
    random = np.random.default_rng(1)
    people = features(options.photographs)
    rows = [*among_real(people, random), *among_halves(people, random)]
    rows += among_synthetic(people, random)
    machine.keep("promise", rows, people=len(people), model=SFACE.name, provenance=SFACE.provenance)


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


def among_real(people: list[Rows], random: np.random.Generator) -> Iterator[dict[str, object]]:
    """Real strangers in galleries of real people."""
    for each, sizes in REAL_SIZES.items():
        pairs = Pairs(people, each, random)
        for count in sizes:
            size = GallerySize(count, count * each)
            yield from compared(size, "real", [(SFACE.calibration, pairs.search(count))])


def among_halves(people: list[Rows], random: np.random.Generator) -> Iterator[dict[str, object]]:
    """The same in each half of the people, with what the other half says of the recogniser."""
    order = random.permutation(len(people))
    halves = [[people[place] for place in order[side::2]] for side in (0, 1)]
    known = [(fitted(halves[1 - side]), Pairs(halves[side], 1, random)) for side in (0, 1)]
    for count in HALF_SIZES:
        searched = [(calibration, pairs.search(count)) for calibration, pairs in known]
        yield from compared(
            GallerySize(count, count), "real, calibrated on the other half", searched
        )


def among_synthetic(people: list[Rows], random: np.random.Generator) -> Iterator[dict[str, object]]:
    """Synthetic and real strangers in galleries of synthetic people."""
    drawn = Synthetic(people, random)
    real = np.array([own[0] for own in people])
    for each, sizes in SIZES.items():
        for count in sizes:
            best, of_real = [], []
            for _ in range(SEARCHES // PART):
                gallery = drawn(count, each)
                best.append(searched(drawn(PART), gallery))
                of_real.append(searched(real, gallery))
            size = GallerySize(count, count * each)
            for what, found in (
                ("synthetic", np.concatenate(best)[None]),
                ("real, synthetic gallery", np.array(of_real)),
            ):
                yield from compared(size, what, [(SFACE.calibration, seen(found))])


def fitted(people: list[Rows]) -> Calibration:
    """What `sayso evaluate` would say of a recogniser by these people.

    Raises:
        ValueError: they are too few.
    """
    rows = np.concatenate(people)
    identity = np.repeat(np.arange(len(people)), [len(own) for own in people])
    found = fit(rows, identity, all_pairs(rows, identity))
    if found is None:
        raise ValueError(len(people))
    return found.calibration


class Pairs:
    """Similarities of each person's photograph and everybody else's reference."""

    def __init__(self, people: list[Rows], each: int, random: np.random.Generator) -> None:
        self._enrolled = [place for place, own in enumerate(people) if len(own) >= each]
        self._drawn = [self._alike(people, each, random) for _ in range(DRAWS)]

    def _alike(self, people: list[Rows], each: int, random: np.random.Generator) -> Rows:
        probes = np.array([random.choice(own) for own in people])
        chosen = [random.choice(people[one], each, replace=False) for one in self._enrolled]
        alike = probes @ unit(np.array(chosen).mean(axis=1)).T
        alike[self._enrolled, np.arange(len(self._enrolled))] = -1
        return np.asarray(alike, np.float32)

    def search(self, size: int) -> Strangers:
        """Search every gallery of a size."""
        strangers, people = self._drawn[0].shape
        others = np.full(strangers, people)
        others[self._enrolled] -= 1
        none = {count: nobody(count, size) for count in set(others.tolist())}

        def named(limit: float) -> Shares:
            alike = [(one >= limit).sum(axis=1) for one in self._drawn]
            left = [[none[n][k] for n, k in zip(others, one, strict=True)] for one in alike]
            return np.asarray(1 - np.mean(left, axis=0), np.float64)

        return Strangers(named, met=2, one=2 * size / people / strangers)


def nobody(others: int, size: int) -> Shares:
    """The share of galleries that hold none of k people, for k from 0 to all the others."""
    place = np.arange(others)
    left = np.maximum(others - size - place, 0) / (others - place)
    return np.concatenate([[1.0], np.cumprod(left)])


class Synthetic:
    """Draws people like the real ones: with their mean and covariance, of unit length."""

    def __init__(self, people: list[Rows], random: np.random.Generator) -> None:
        real = np.array([own[0] for own in people])
        steps = np.concatenate([np.diff(own, axis=0) for own in people])
        within = steps.T @ steps / len(steps) / 2
        self._mean = real.mean(axis=0)
        self._between, self._within = root(np.cov(real.T) - within), root(within)
        self._random = random

    def __call__(self, count: int, each: int = 1) -> Rows:
        """So many people, (count, D), each fused of so many photographs."""
        people = self._mean + self._normal(count) @ self._between
        return unit(sum(unit(people + self._normal(count) @ self._within) for _ in range(each)))

    def _normal(self, count: int) -> Rows:
        return self._random.standard_normal((count, len(self._mean)), np.float32)


def root(covariance: Shares) -> Rows:
    """The symmetric root of a covariance; what is not positive is left out."""
    variance, axes = np.linalg.eigh(covariance)
    return np.asarray(axes * np.sqrt(np.maximum(variance, 0)) @ axes.T, np.float32)


def unit(rows: Rows) -> Rows:
    """The same directions, of unit length."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def searched(probes: Rows, gallery: Rows) -> Rows:
    """The best similarity of each probe, (M,)."""
    parts = range(0, len(gallery), BLOCK)
    best = [(probes @ gallery[start : start + BLOCK].T).max(axis=1) for start in parts]
    return np.asarray(np.max(best, axis=0), np.float32)


def seen(best: Rows) -> Strangers:
    """Strangers (M) by their best similarities in some galleries, (galleries, M)."""
    return Strangers(lambda limit: (best >= limit).mean(axis=0), met=1, one=1 / best.size)


def compared(
    size: GallerySize, what: str, groups: Sequence[tuple[Calibration, Strangers]]
) -> Iterator[dict[str, object]]:
    """What was promised and what came of it, a row for each promise."""
    for promised in PROMISES:
        promise = Promise(promised, promised)
        limits = [thresholds(known, size=size, promise=promise).match for known, _ in groups]
        pairs = zip(limits, groups, strict=True)
        shares = np.concatenate([strangers.named(limit) for limit, (_, strangers) in pairs])
        share, met = float(shares.mean()), groups[0][1].met
        events = float(shares.sum() ** 2 / (shares**2).sum() / met) if share else 0.0
        one = share / events if events else groups[0][1].one / len(groups)
        low, high = poisson(events)
        yield {
            "people": size.people,
            "references_each": size.references // size.people,
            "strangers": what,
            "searchers": len(shares),
            "promised": promised,
            "threshold": round(float(np.mean(limits)), 4),
            "events": round(events, 1),
            "measured_over_promised": round(share / promised, 2),
            "low": round(low * one / promised, 2),
            "high": round(high * one / promised, 2),
        }


def poisson(events: float) -> tuple[float, float]:
    """The ends of the 95 % interval of a count's expectation.

    Byar's approximation: N. E. Breslow and N. E. Day, Statistical Methods in Cancer Research II,
    1987, page 69.
    """

    def end(count: float, side: int) -> float:
        return count * (1 - 1 / (9 * count) + side * _TWO_SIDED / (3 * math.sqrt(count))) ** 3

    return max(end(events, -1), 0.0) if events else 0.0, end(events + 1, 1)


if __name__ == "__main__":
    main()
