"""A scan against the sum of its kernels: what one core spends on the arithmetic, and on the rest.

    python benchmarks/kernels.py --photographs FOLDER [--cores 1,2] [--rounds 5]

FOLDER is one that `photographs.py` made. Each round measures every kernel alone on one core
(decoding at full size, detecting at 1280 px, aligning, embedding in groups of 16), and then scans
the folder, with up to ten people enrolled, on each number of cores, in a process of its own.
Kernels count processor time. A scan counts wall time, and processor time less that of a scan that
has nothing to look at (starting, loading), so that on a machine which others use too the waiting
can be told from the work.
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import cv2
import numpy as np
import platformdirs

from machine import keep
from sayso.domain.face import Face
from sayso.vision.align import align
from sayso.vision.decode import Buffers, DecodeLimits, decode
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.models import SFACE, YUNET, load
from sayso.vision.runtime import OpenVinoNetwork, computes_in_bfloat16

_LIMITS = DecodeLimits(200_000_000, 200_000_000)
_SMALLEST_PX = 64.0
"""In photographs of 12 to 24 megapixels this is one look at 1280 px."""
_TOGETHER = 16
_Made = TypeVar("_Made")


class Kernels:
    """Every kernel alone, on one core."""

    def __init__(self) -> None:
        cache = Path(platformdirs.user_cache_dir("sayso"))
        short = computes_in_bfloat16()  # as a scan does
        yunet, sface = (
            OpenVinoNetwork(partial(load, model, cache), threads=1, bfloat16=short)
            for model in (YUNET, SFACE)
        )
        self._detector = Detector(yunet, score_threshold=0.5)
        self._embedder = Embedder(sface)
        self._buffers = Buffers()

    def __call__(self, files: list[Path]) -> dict[str, float]:
        """Milliseconds of processor time a photograph, by kernel; and ``faces`` a photograph."""
        spent: dict[str, float] = defaultdict(float)

        def timed(name: str, work: Callable[[], _Made]) -> _Made:
            began = time.process_time()
            made = work()
            spent[name] += time.process_time() - began
            return made

        waiting: list[np.ndarray[Any, Any]] = []
        faces = 0
        for file in files:
            data = timed("read_ms", file.read_bytes)
            timed("hash_ms", lambda data=data: hashlib.sha256(data).hexdigest())
            picture = timed(
                "decode_ms", lambda data=data: decode(data, _LIMITS, buffers=self._buffers)
            )
            found: tuple[Face, ...] = timed(
                "detect_ms",
                lambda picture=picture: self._detector.detect(picture, smallest_px=_SMALLEST_PX),
            )
            waiting += timed(
                "align_ms",
                lambda picture=picture, found=found: [
                    align(picture.pixels, one.landmarks) for one in found if one.landmarks
                ],
            )
            faces += len(found)
            while len(waiting) >= _TOGETHER:
                batch, waiting = np.array(waiting[:_TOGETHER]), waiting[_TOGETHER:]
                timed("embed_ms", lambda batch=batch: self._embedder.embed(batch))
        if waiting:
            timed("embed_ms", lambda: self._embedder.embed(np.array(waiting)))
        each = {name: 1000 * seconds / len(files) for name, seconds in spent.items()}
        return {**each, "floor_ms": sum(each.values()), "faces": faces / len(files)}


def measure_kernels(files: list[Path]) -> dict[str, float]:
    """The kernels on the first core that this process may use."""
    cv2.setNumThreads(1)
    kernels = Kernels()
    kernels(files[:8])  # compiled, and warm
    return kernels(files)


class Archive:
    """A workspace in which up to ten people are enrolled, with a collection to scan."""

    def __init__(self, folder: Path, photographs: Path) -> None:
        self._workspace = folder / "workspace"
        form = folder / "form.txt"
        form.write_text("A form.\n")
        self._run(0, "init")
        table = folder / "people.csv"
        with table.open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["name", "images", "grants", "evidence"])
            for portrait in sorted((photographs / "portraits").iterdir()):
                rows.writerow([portrait.stem, portrait.resolve(), "recognise", "form.txt"])
        # One that is not good enough to be a reference is left out.
        self._run(0, "enrol", "--csv", table)
        pictures = folder / "photographs"
        pictures.mkdir()
        for file in photographs.glob("*.jpg"):
            shutil.copyfile(file, pictures / file.name)
        self._run(0, "collection", "add", "all", pictures, "--purpose", "benchmark",
                  "--recognise", "group", "--basis", "none")  # fmt: skip
        self._run(0, "scan", "all")

    def scan(self, cores: int) -> dict[str, float]:
        """Scan everything again on so many cores; wall and processor time a photograph."""
        _, idle = self._spent(cores, "scan", "all")
        found, spent = self._spent(cores, "scan", "all", "--again")
        photos = found["photos"]
        return {
            "wall_ms": 1000 * found["seconds"] / photos,
            "cpu_ms": 1000 * (spent - idle) / photos,
            "photographs_per_s": photos / found["seconds"],
        }

    def _spent(self, cores: int, *arguments: object) -> tuple[Any, float]:
        before = os.times()
        found = self._run(cores, *arguments)
        after = os.times()
        spent = after.children_user + after.children_system
        return found, spent - before.children_user - before.children_system

    def _run(self, cores: int, *arguments: object) -> Any:  # noqa: ANN401 - parsed JSON
        line = [sys.executable, "-m", "sayso", *map(str, arguments)]
        done = subprocess.run(  # noqa: S603 - our own program
            [*line, "--workspace", str(self._workspace), "--json"],
            env={
                **os.environ,
                "SAYSO_WORKERS": str(cores),
                "SAYSO_SMALLEST_FACE_PX": str(_SMALLEST_PX),
            },
            preexec_fn=(lambda: pin(cores)) if cores else None,
            check=True,
            capture_output=True,
        )
        return json.loads(done.stdout)


def pin(cores: int) -> None:
    """Let this process run on the first so many of its cores alone."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def main() -> None:
    """Measure in rounds, and keep the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photographs", type=Path, required=True)
    arguments.add_argument("--cores", default="1,2")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--kernels", action="store_true", help="the kernels alone, as JSON")
    options = arguments.parse_args()
    files = sorted(options.photographs.glob("*.jpg"))
    if options.kernels:
        print(json.dumps(measure_kernels(files)))
        return
    every = [int(cores) for cores in options.cores.split(",")]
    rounds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder), options.photographs)
        for _ in range(options.rounds):
            alone = subprocess.run(  # noqa: S603 - ourselves
                [sys.executable, __file__, "--kernels", "--photographs", options.photographs],
                preexec_fn=lambda: pin(1),
                check=True,
                capture_output=True,
            )
            for name, value in json.loads(alone.stdout).items():
                rounds[name].append(value)
            for cores in every:
                for name, value in archive.scan(cores).items():
                    rounds[f"scan_{cores}_cores_{name}"].append(value)
    rows: list[dict[str, Any]] = [
        {"measure": name, "median": median(values), "lowest": min(values), "highest": max(values)}
        for name, values in rounds.items()
    ]
    floor = rounds["floor_ms"]
    for cores in every:
        wall = rounds[f"scan_{cores}_cores_wall_ms"]
        pairs = zip(wall, floor, strict=True)
        rows.append(ratio(f"wall_{cores}_cores_against_floor", [cores * a / b for a, b in pairs]))
        pairs = zip(rounds[f"scan_{cores}_cores_cpu_ms"], floor, strict=True)
        rows.append(ratio(f"cpu_{cores}_cores_against_floor", [a / b for a, b in pairs]))
    first = rounds[f"scan_{every[0]}_cores_wall_ms"]
    for cores in every[1:]:
        wall = rounds[f"scan_{cores}_cores_wall_ms"]
        pairs = zip(first, wall, strict=True)
        rows.append(ratio(f"speed_{cores}_cores_against_{every[0]}", [a / b for a, b in pairs]))
    keep("kernels", rows, rounds=options.rounds, photographs=len(files))


def ratio(name: str, values: list[float]) -> dict[str, Any]:
    """A row of ratios, each of two measures of the same round."""
    return {
        "measure": name,
        "median": median(values),
        "lowest": min(values),
        "highest": max(values),
    }


if __name__ == "__main__":
    main()
