"""Screening and covering against deface 1.5.0, on the same files.

    python benchmarks/cover.py --photographs FOLDER [--peers FOLDER] [--kind large] [--cores 2]

Sayso's ``publish`` reads each photograph, screens it, covers it, looks at what it wrote, and writes
manifest and report. Its faces were found by a scan before, deface finds them as it goes: hence the
time of scan and publish together stands there too. Whole processes, in turn.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

import contenders
import machine
import photographs
import scan

_SCALE = "1280x960"
_CHANGED = 8.0
"""Mean difference of grey levels in a face from which it counts as covered; writing a JPEG anew
makes about 2."""


@dataclass(slots=True)
class Measured:
    """Wall and processor time of each round, and what was written in the last one."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    written: dict[str, Path] = field(default_factory=dict)

    def add(self, *runs: machine.Run) -> None:
        """Keep one round: one process, or several after each other."""
        self.wall_s.append(sum(run.wall_s for run in runs))
        self.cpu_s.append(sum(run.cpu_s for run in runs))


def measure(options: argparse.Namespace, cores: int, scratch: Path) -> list[dict[str, Any]]:
    """Both, in turn; rows of the table."""
    folder = options.made / options.kind
    manifest = photographs.compose(
        options.photographs, folder, count=options.count, kind=options.kind
    )
    listed = manifest["photographs"][: options.first]
    portraits = [folder / name for name in manifest["portraits"]]
    variables = {}
    if options.smallest_face_px:
        variables["SAYSO_SMALLEST_FACE_PX"] = str(options.smallest_face_px)
    files = scan.only(scratch, folder, listed)
    ours = contenders.Sayso(scratch / "sayso", files, portraits, variables)
    deface = contenders.python_of(contenders.DEFACE, options.peers).parent / "deface"
    ours.scan(cores=cores)
    publish, both, theirs = Measured(), Measured(), Measured()
    for turn in range(options.rounds):
        scanned, _ = ours.scan(cores=cores)
        published, said = ours.publish(cores=cores, out=scratch / "covered")
        publish.add(published)
        both.add(scanned, published)
        publish.written = both.written = {
            Path(one["path"]).name: Path(one["copy"]) for one in said["copies"]
        }
        copies = scratch / "deface"
        shutil.rmtree(copies, ignore_errors=True)
        shutil.copytree(files, copies)
        inputs = sorted(copies.iterdir())
        theirs.add(machine.run([deface, *inputs, "--scale", _SCALE], cores=cores))
        theirs.written = {
            one.name: one.with_name(f"{one.stem}_anonymized{one.suffix}") for one in inputs
        }
        print(f"{cores} cores, round {turn + 1}: sayso publish {publish.wall_s[-1]:.1f} s, "
              f"with scan {both.wall_s[-1]:.1f} s, deface {theirs.wall_s[-1]:.1f} s",
              flush=True)  # fmt: skip
    contestants = {
        "sayso publish": publish,
        "sayso scan and publish": both,
        f"deface {_SCALE}": theirs,
    }
    return [
        _row(options.kind, cores, name, one, theirs, listed, folder)
        for name, one in contestants.items()
    ]


def _row(  # noqa: PLR0913, PLR0917 - a row has as many
    kind: str,
    cores: int,
    name: str,
    one: Measured,
    theirs: Measured,
    listed: Sequence[dict[str, Any]],
    folder: Path,
) -> dict[str, Any]:
    covered, known = covered_faces(listed, folder, one.written)
    return {
        "kind": kind,
        "cores": cores,
        "program": name,
        "photographs": len(listed),
        "written": sum(path.is_file() for path in one.written.values()),
        "rounds": len(one.wall_s),
        "photographs_per_s": len(listed) / median(one.wall_s),
        "median_s": median(one.wall_s),
        "cpu_ms_per_photograph": median(one.cpu_s) / len(listed) * 1e3,
        "faster_than_deface_times": median(theirs.wall_s) / median(one.wall_s),
        "less_cpu_than_deface_times": median(theirs.cpu_s) / median(one.cpu_s),
        "faces_known_in_written": known,
        "faces_covered": covered,
    }


def covered_faces(
    listed: Sequence[dict[str, Any]], folder: Path, written: dict[str, Path]
) -> tuple[int, int]:
    """Of the known faces in the written copies: how many look different now, and how many are."""
    covered = known = 0
    for one in listed:
        copy = written.get(one["file"])
        if copy is None or not copy.is_file():
            continue
        before, after = (photographs.read(path) for path in (folder / one["file"], copy))
        for x, y, w, h in one["faces"]:
            part = (
                slice(int(y + h / 4), int(y + h * 3 / 4)),
                slice(int(x + w / 4), int(x + w * 3 / 4)),
            )
            known += 1
            covered += float(np.mean(cv2.absdiff(before[part], after[part]))) > _CHANGED
    return covered, known


def main() -> None:
    """Measure, print, keep."""
    arguments = argparse.ArgumentParser(description=__doc__)
    scan.add_options(arguments)
    arguments.add_argument("--kind", choices=("large", "small"), default="large")
    options = arguments.parse_args()
    options.peers = options.peers.absolute()
    rows: list[dict[str, Any]] = []
    for cores in options.cores:
        with tempfile.TemporaryDirectory(dir=options.made.parent) as scratch:
            rows += measure(options, cores, Path(scratch).resolve())
    machine.keep("cover", rows, smallest_face_px=options.smallest_face_px or "default")


if __name__ == "__main__":
    main()
