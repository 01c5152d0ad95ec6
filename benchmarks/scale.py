"""What the store and the services cost by themselves, by the number of photographs held.

    python benchmarks/scale.py [--sizes 1000 10000 100000] [--sightings 1000000] [--faces 4]

Scanning is measured with a detector and an embedder that cost nothing, so that the rest shows: the
listing, the hashes, the comparing, the database. Each size runs in a process of its own, for its
peak memory. ``--sizes 1000000 --sightings 10000000`` is the large run.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

import machine
from sayso.domain.calibration import Calibration
from sayso.domain.event import Act, ConsentEvent, Evidence
from sayso.domain.face import Box, Face, Landmarks, Point
from sayso.domain.grant import EVERYWHERE, Channel, Purpose
from sayso.domain.matching import Promise
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.policy import HoldTemplate, require
from sayso.domain.screening import Perhaps
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.journal import Journal
from sayso.services.book import Book
from sayso.services.catchup import CatchUp
from sayso.services.eye import Eye
from sayso.services.find import FindPhotographs
from sayso.services.limits import Standard
from sayso.services.recognition import Recogniser
from sayso.services.scan import Scan
from sayso.services.screen import Screen
from sayso.sources.source import SourceFile
from sayso.store.database import Database
from sayso.store.repository import Repository, Unit
from sayso.store.sealing import WorkspaceKey
from sayso.vision.decode import DecodeLimits, Picture

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MODEL = "ab" * 32
DIMENSION = 128
PEOPLE = 200
MATED_EVERY = 8
"""One face in so many is of somebody enrolled."""
WORKERS = 2
CLUB = Collection(CollectionId("club"), "club", "yearbook", Recognition.GROUP, "DPIA 7", None)
_SIDE = 64
_TURNS = 7
_BESIDE = 2000
_NOTE = "times are of all cores (user and system); waiting for the disk is in wall_s alone"
_BASIS = np.random.default_rng(1).normal(size=(PEOPLE + 1, DIMENSION)).astype(np.float32)
_LIMITS = DecodeLimits(10_000_000, 10_000_000)
_CALIBRATION = Calibration(mean=0.1845, deviation=0.0371, probe_deviation=0.0, bend=0.0)


class Numbered:
    """A source of so many files, each with its own content; they are a PNG of one colour."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._picture = _png()

    def files(self) -> Iterator[SourceFile]:
        """By name."""
        for number in range(self._count):
            yield SourceFile(f"{number // 1000:06d}/{number:09d}.png", len(self._picture), number)

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """The picture and the number, which makes another content of it."""
        del max_bytes
        return self._picture + path.encode()


class Nothing:
    """A detector that finds the same faces everywhere, and an embedder that draws features."""

    def __init__(self, faces: int) -> None:
        self._faces = tuple(_face(place, faces) for place in range(faces))
        self._random = np.random.default_rng(2)

    def detect(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        """The same for every picture."""
        del picture, smallest_px
        return self._faces

    def embed(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Features of strangers, and of somebody enrolled for one face in eight."""
        found = self._random.standard_normal((len(crops), DIMENSION), np.float32)
        mated = self._random.random(len(crops)) < 1 / MATED_EVERY
        found[mated] += 2 * _BASIS[self._random.integers(PEOPLE, size=int(mated.sum()))]
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@dataclass
class Place:
    """A new workspace's store with its book."""

    repository: Repository
    book: Book

    @classmethod
    def create(cls, folder: Path, *, people: int = PEOPLE) -> "Place":
        """With a collection in mode ``group`` and so many people enrolled."""
        database = Database(folder / "sayso.sqlite")
        database.create()
        repository = Repository(database, WorkspaceKey.generate())
        signing = SigningKey.from_seed("sayso/benchmark", bytes(32))
        Journal.create(folder / "ledger", signing, clock).close()
        with repository.writing() as unit:
            unit.collections.declare(CLUB, str(folder), NOW)
            for number in range(people):
                enrol(unit, number)
        return cls(repository, Book(repository, folder / "ledger", signing, "benchmark", clock))


def clock() -> datetime:
    """The present."""
    return NOW


def enrol(unit: Unit, number: int) -> PersonId:
    """Somebody with one reference, who lets themselves be found."""
    person = Person(PersonId(f"person{number:06d}"), f"Person {number}", None, "GB")
    unit.people.add(person, NOW)
    evidence = Evidence(hashlib.sha256(person.id.encode()).hexdigest(), "signed form")
    for purpose in (Purpose.RECOGNISE, Purpose.FIND):
        yes = ConsentEvent(act=Act.GIVEN, person=person.id, purpose=purpose, target=None,
                           scope=EVERYWHERE, at=NOW, evidence=evidence)  # fmt: skip
        unit.people.record([yes])
    permit = require(HoldTemplate(person.id), unit.people.consents(person.id), NOW)
    unit.templates.add(permit, _BASIS[number], model_sha256=MODEL, usable=1.0, now=NOW)
    return person.id


def scanning(photographs: int, faces: int) -> dict[str, float]:
    """A first scan, one that finds nothing new, and a newcomer met, of so many photographs."""
    nothing = Nothing(faces)
    recogniser = Recogniser(nothing, MODEL, DIMENSION, _CALIBRATION, Promise(0.001, 0.1))
    source = Numbered(photographs)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        place = Place.create(Path(folder))
        eye = Eye(nothing, _LIMITS, 16.0)
        scan = Scan(place.repository, place.book, eye, lambda: recogniser, lambda _: source,
                    clock, WORKERS)  # fmt: skip
        catch_up = CatchUp(place.repository, place.book, _LIMITS, lambda: recogniser,
                           lambda _: source, clock, WORKERS)  # fmt: skip
        first_s = cpu_seconds(lambda: scan("club"))
        again_s = cpu_seconds(lambda: scan("club"))
        with place.repository.writing() as unit:
            enrol(unit, PEOPLE)
        met_s = cpu_seconds(catch_up)
        place.repository.forget()
        size = place.repository.database.path.stat().st_size
        place.repository.database.close()
    return {
        "photographs": photographs,
        "faces": photographs * faces,
        "scan_cpu_ms_per_photograph": first_s / photographs * 1e3,
        "nothing_new_cpu_ms_per_photograph": again_s / photographs * 1e3,
        "catch_up_cpu_ms_per_photograph": met_s / photographs * 1e3,
        "database_bytes_per_photograph": size / photographs,
    }


def paging(sightings: int, faces: int) -> list[dict[str, Any]]:
    """The first page, and one in the middle, of `screen` and `find`."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        place = Place.create(Path(folder))
        filled(place.repository, sightings, faces)
        standard = Standard(lambda _: {MODEL: _CALIBRATION}, Promise(0.001, 0.1))
        screen = Screen(place.repository, place.book, clock, Perhaps.COVER, standard)
        find = FindPhotographs(place.book, clock, standard)
        channel = Channel("website")
        middle = f"{sightings // faces // 2:09d}.jpg"
        rows = []
        for limit in (100, 1000):
            best = find.page("person000000", limit=sightings // 8).next
            for what, work in {
                "screen, first page": lambda n=limit: screen.page("club", channel, limit=n),
                "screen, in the middle": lambda n=limit: screen.page(
                    "club", channel, after=middle, limit=n
                ),
                "find, first page": lambda n=limit: find.page("person000000", limit=n),
                "find, far on": lambda n=limit, a=best: find.page("person000000", after=a, limit=n),
            }.items():
                times = [(wall_seconds(work), cpu_seconds(work)) for _ in range(_TURNS)]
                wall, cpu = zip(*times, strict=True)
                row = {"what": what, "sightings": sightings, "page": limit}
                rows.append(
                    row | {"wall_median_ms": median(wall) * 1e3, "cpu_median_ms": median(cpu) * 1e3}
                )
        rows.append(scanned_beside(place, faces) | {"sightings": sightings})
        place.repository.database.close()
    return rows


def scanned_beside(place: Place, faces: int) -> dict[str, Any]:
    """What a photograph of another collection costs, scanned into a store that holds so much."""
    beside = replace(CLUB, id=CollectionId("beside"), name="beside")
    with place.repository.writing() as unit:
        unit.collections.declare(beside, "beside", NOW)
    nothing = Nothing(faces)
    recogniser = Recogniser(nothing, MODEL, DIMENSION, _CALIBRATION, Promise(0.001, 0.1))
    scan = Scan(place.repository, place.book, Eye(nothing, _LIMITS, 16.0), lambda: recogniser,
                lambda _: Numbered(_BESIDE), clock, WORKERS)  # fmt: skip
    began = time.perf_counter()
    taken = cpu_seconds(lambda: scan("beside"))
    return {
        "what": "scan, one of more photographs",
        "page": _BESIDE,
        "wall_median_ms": (time.perf_counter() - began) / _BESIDE * 1e3,
        "cpu_median_ms": taken / _BESIDE * 1e3,
    }


def filled(repository: Repository, sightings: int, faces: int) -> None:
    """Put rows in directly: a quarter of all sightings are of one person."""
    random = np.random.default_rng(3)
    marks = json.dumps([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.4, 0.6], [0.6, 0.6]])
    photographs = sightings // faces
    with repository.database.writing() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - SQLAlchemy gives one
        raw.executemany(
            "INSERT INTO photos (id, collection_id, sha256, width_px, height_px, format,"
            " scanned_at, compared_through) VALUES (?, 'club', ?, 4000, 3000, 'JPEG', '', 1000000)",
            ((n, f"{n:064x}") for n in range(1, photographs + 1)),
        )
        raw.executemany(
            "INSERT INTO files (collection_id, path, photo_id, size_bytes, modified_ns)"
            " VALUES ('club', ?, ?, 1, 1)",
            ((f"{n:09d}.jpg", n) for n in range(1, photographs + 1)),
        )
        raw.executemany(
            "INSERT INTO faces (id, photo_id, x, y, width, height, landmarks, score, height_px,"
            " certainty) VALUES (?, ?, .4, .4, .2, .2, ?, 1, 100, 'sure')",
            ((n, (n - 1) // faces + 1, marks) for n in range(1, photographs * faces + 1)),
        )
        raw.executemany(
            "INSERT INTO sightings (face_id, person_id, link, similarity, model_sha256)"
            " VALUES (?, ?, 'match', ?, ?)",
            (
                (n, f"person{0 if n % 4 == 0 else n % PEOPLE:06d}", _found(random), MODEL)
                for n in range(1, photographs * faces + 1)
            ),
        )


def _found(random: np.random.Generator) -> float:
    """How alike a match is: none was kept below the threshold."""
    return float(0.7 + 0.3 * random.random())


def cpu_seconds(work: Callable[[], object]) -> float:
    """Time of all cores: other work on the machine does not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def wall_seconds(work: Callable[[], object]) -> float:
    """As somebody waits."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _png() -> bytes:
    import cv2  # noqa: PLC0415 - only where a picture is made

    return bytes(cv2.imencode(".png", np.full((_SIDE, _SIDE, 3), 128, np.uint8))[1])


def _face(place: int, of: int) -> Face:
    x, side = place / of, 1 / of
    points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    marks = Landmarks(*(Point(x + across * side, down * side) for across, down in points))
    return Face(Box(x, 0.0, side, side), marks, 0.9, 100.0)


def main() -> None:
    """Run every size in a process of its own; keep the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    arguments.add_argument("--sightings", type=int, default=1_000_000)
    arguments.add_argument("--faces", type=int, default=4, help="in each photograph")
    arguments.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.one:
        print(json.dumps(scanning(options.one, options.faces)))
        return
    rows = []
    for size in options.sizes:
        ran = machine.run(
            [sys.executable, __file__, "--one", str(size), "--faces", str(options.faces)]
        )
        rows.append({**json.loads(ran.output), "wall_s": ran.wall_s, "peak_mb": ran.peak_mb})
        print(rows[-1], flush=True)
    if rows:
        machine.keep("scale-scan", rows, workers=WORKERS, people=PEOPLE, note=_NOTE)
    if options.sightings:
        machine.keep("scale-pages", paging(options.sightings, options.faces), turns=_TURNS)


if __name__ == "__main__":
    main()
