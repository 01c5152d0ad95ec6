"""How long a search among N templates takes, against FAISS and what other programs search with.

Run: ``OMP_NUM_THREADS=1 python benchmarks/identify.py [FEATURES] [--sizes N ...]``, in an
environment that has ``faiss-cpu``. FEATURES is a NumPy file with ``vectors`` (N, D), ``people`` and
``roles`` (reference, probe, stranger): its references are padded with synthetic templates that have
the real ones' mean and covariance, and its probes are searched for. Without it all are synthetic.

All run on one thread, in turn, and are asked the same: the three people who are most alike, above
the threshold that keeps the promise in a gallery of this size. FAISS's flat index and the list of
face_recognition know no threshold: they tell the nearest.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss  # type: ignore[import-not-found, unused-ignore]
import numpy as np
from numpy.typing import NDArray

from machine import added, alternate, keep, newest, typical, versions
from sayso.domain.matching import GallerySize, Promise, thresholds
from sayso.gallery import Gallery
from sayso.vision.models import SFACE

PROMISE = Promise(0.001, 0.1)
TOP = 3
PART = 1 << 17
LISTED = 1_000_000
"""The largest gallery that is held twice, and that a plain list is asked about."""
REFERENCES = 2
"""Of each synthetic person, as of each real one."""
TOLERANCE = 0.6
"""The distance up to which face_recognition calls two faces the same."""

Vectors = NDArray[np.float32]


class Data:
    """Templates and probes of one dimension: real ones first, if there are any."""

    def __init__(self, features: Path | None, dimension: int) -> None:
        self.dimension = dimension
        self._random = np.random.default_rng(1)
        self._mean, self._root = np.zeros(dimension), np.eye(dimension)
        if features is None:
            self.references = self.synthetic(512)
            self.owners = [f"own-{number // REFERENCES}" for number in range(512)]
            away = self.references + self.synthetic(512)  # a cosine of about 0.7
            self.probes = away / np.linalg.norm(away, axis=1, keepdims=True)
            return
        file = np.load(features)
        every = file["vectors"] / np.linalg.norm(file["vectors"], axis=1, keepdims=True)
        self.dimension = every.shape[1]
        self._mean, self._root = every.mean(axis=0), np.linalg.cholesky(np.cov(every.T))
        kept = file["roles"] == "reference"
        self.references = every[kept].astype(np.float32)
        self.owners = [str(person) for person in file["people"][kept]]
        self.probes = every[file["roles"] == "probe"].astype(np.float32)

    def synthetic(self, count: int) -> Vectors:
        """Templates of nobody, unit length."""
        normal = self._random.standard_normal((count, self.dimension), np.float32)
        made = normal @ self._root.T.astype(np.float32) + self._mean.astype(np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


class Flat:
    """FAISS's exact search: an index of its own, or its kernel over rows that somebody else holds.

    Args:
        dimension: of the vectors.
        elsewhere: parts of rows; without them an ``IndexFlatIP`` is filled.
    """

    def __init__(self, dimension: int, elsewhere: Sequence[Vectors] = ()) -> None:
        self._index = faiss.IndexFlatIP(dimension)
        self._parts = elsewhere

    def add(self, vectors: Vectors) -> None:
        """Hold them too."""
        self._index.add(vectors)

    def search(self, probes: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
        """Similarities and places of the nearest, (Q, TOP) each."""
        if not self._parts:
            similarity, places = self._index.search(probes, TOP)
            return similarity, places
        found, start = [], 0
        for part in self._parts:
            similarity, places = faiss.knn(probes, part, TOP, faiss.METRIC_INNER_PRODUCT)
            found.append((similarity, places + start))
            start += len(part)
        similarity = np.concatenate([one for one, _ in found], axis=1)
        places = np.concatenate([one for _, one in found], axis=1)
        order = np.argsort(-similarity, axis=1)[:, :TOP]
        return np.take_along_axis(similarity, order, 1), np.take_along_axis(places, order, 1)


class Contest:
    """One gallery's size, held by each contestant."""

    def __init__(self, data: Data, count: int) -> None:
        self.data = data
        self.count = count
        self.least = thresholds(
            SFACE.calibration, size=GallerySize(count, count), promise=PROMISE
        ).review
        self.ours = Gallery(data.dimension)
        self.owners = data.owners[:count]
        self.rows = np.zeros((count if count <= LISTED else 0, data.dimension), np.float32)
        self._put(self.owners, data.references[:count])
        while len(self.ours) < count:
            start = len(self.ours)
            part = data.synthetic(min(PART, count - start))
            numbers = range(start, start + len(part))
            self._put([f"synthetic-{number // REFERENCES}" for number in numbers], part)
        held = self.ours._templates._blocks  # noqa: SLF001 - too many rows to hold them twice
        sizes = [min(len(block.rows), count - n * len(block.rows)) for n, block in enumerate(held)]
        elsewhere = [block.rows[:size] for block, size in zip(held, sizes, strict=True)]
        self.flat = Flat(data.dimension, () if count <= LISTED else elsewhere)
        if count <= LISTED:
            self.flat.add(self.rows)

    def _put(self, owners: Sequence[str], vectors: Vectors) -> None:
        if len(self.rows):
            self.rows[len(self.ours) : len(self.ours) + len(vectors)] = vectors
        self.ours.add(owners, vectors)

    def contestants(self, batch: int) -> dict[str, Callable[[], float]]:
        """What each does with so many probes; gives milliseconds of processor time a probe."""
        probes = np.resize(self.data.probes, (batch, self.data.dimension))
        works: dict[str, Callable[[], object]] = {
            "sayso": lambda: self.ours.search(probes, top=TOP, least=self.least),
            "faiss_flat": lambda: self.flat.search(probes),
        }
        if batch == 1 and len(self.rows):
            # The line of face_recognition.compare_faces, on the same vectors.
            works["face_recognition"] = lambda: list(
                np.linalg.norm(self.rows - probes[0], axis=1) <= TOLERANCE
            )
        return {name: _timed(work, batch) for name, work in works.items()}

    def agreement(self) -> dict[str, Any]:
        """Whether the search, one by one, finds whom comparing all finds, for every probe."""
        probes = self.data.probes
        similarity, places = (found[:, 0] for found in self.flat.search(probes))
        nearest = [self._owner(int(place)) for place in places]
        due = similarity >= self.least
        found = [self.ours.search(one[None], least=self.least)[0] for one in probes]
        right = [
            bool(one) and one[0].person_id == name for one, name in zip(found, nearest, strict=True)
        ]
        return {
            "least_similarity": self.least,
            "probes": len(due),
            "probes_with_somebody": int(due.sum()),
            "recall_at_1": float(np.mean(np.array(right)[due])),
            "found_below_least": sum(bool(found[place]) for place in np.flatnonzero(~due)),
        }

    def _owner(self, place: int) -> str:
        own = self.data.owners
        return own[place] if place < len(own) else f"synthetic-{place // REFERENCES}"


def _timed(work: Callable[[], object], batch: int) -> Callable[[], float]:
    def run() -> float:
        started = time.process_time()
        work()
        return 1e3 * (time.process_time() - started) / batch

    return run


def measured(contest: Contest, batch: int, rounds: int) -> dict[str, Any]:
    """One row of the table."""
    times = alternate(contest.contestants(batch), rounds)
    middle = {name: typical(values)["median"] for name, values in times.items()}
    return {
        "templates": contest.count,
        "dimension": contest.data.dimension,
        "probes_at_once": batch,
        **{f"{name}_ms_a_probe": value for name, value in middle.items()},
        "faiss_flat_over_sayso": middle["faiss_flat"] / middle["sayso"],
        "bytes_a_template": contest.ours.nbytes / contest.count,
        "rounds": rounds,
    }


def main() -> None:
    """Measure, print the table and keep it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("features", type=Path, nargs="?")
    options.add_argument("--dimension", type=int, default=128, help="of synthetic templates")
    options.add_argument(
        "--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000],
        help="10000000 takes 7 GB",
    )  # fmt: skip
    options.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64, 512])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--add", action="store_true", help="to the newest result")
    chosen = options.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        options.error("set OMP_NUM_THREADS=1 before: libraries read it as they start")
    data = Data(chosen.features, chosen.dimension)
    rows: list[Mapping[str, Any]] = []
    for count in chosen.sizes:
        contest = Contest(data, count)
        agreed = contest.agreement()
        rows += [measured(contest, batch, chosen.rounds) | agreed for batch in chosen.batches]
    if chosen.add:
        rows = added(newest("identify"), rows, ("templates", "dimension", "probes_at_once"))
    keep(
        "identify",
        rows,
        top=TOP,
        templates="synthetic" if chosen.features is None else "real, padded with synthetic ones",
        threads=1,
        clock="processor time of the process",
        others=versions(["faiss-cpu"]),
    )


if __name__ == "__main__":
    main()
