"""Scanning, end to end, against what a user would pick instead.

    python benchmarks/scan.py --photographs FOLDER [--peers FOLDER] [--kinds large,small]
        [--cores 1,2] [--rounds 5] [--slow-rounds 1] [--slow-photographs 8] [--without NAME]

All read the same files in the same run, in turn. Sayso's time is its whole process: reading,
hashing, decoding, finding, comparing, database and ledger; a peer's is its loop over the files,
without its imports and models, which is in the peer's favour. Those that take many seconds for a
photograph get fewer photographs and rounds; the table says how many. On a machine that others use
too, the processor time says more than the clock.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import contenders
import machine
import photographs
from finds import compare

_SLOW = {"face_recognition, full size", "face_recognition, 1600 px"}
_POINTS = 200
_ONE_CORE = _SLOW
"""They compute on one core whatever they are given."""


@dataclass(slots=True)
class Measured:
    """What one contender took, round after round.

    Attributes:
        look_s: from the first photograph to the last.
        whole_s: of the process, start and end included.
        cpu_s: user and system time: of a peer's loop, of Sayso's whole process.
        peak_mb: largest resident set.
        boxes: found in each photograph; the last round's.
        memory: the last round's; see `machine.Run`.
    """

    photographs: int
    look_s: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    boxes: Sequence[Sequence[Sequence[float]]] = ()
    memory: Sequence[tuple[float, float]] = ()

    def add(self, run: machine.Run, look_s: float, cpu_s: float) -> None:
        """Keep one round."""
        self.look_s.append(look_s)
        self.whole_s.append(run.wall_s)
        self.cpu_s.append(cpu_s)
        self.peak_mb.append(run.peak_mb)
        self.memory = run.memory


def measure(
    options: argparse.Namespace, kind: str, cores: int, scratch: Path
) -> tuple[list[dict[str, Any]], Sequence[tuple[float, float]]]:
    """All contenders on photographs of one kind with so many cores.

    Returns:
        The rows of the table, and the memory of Sayso's last scan over time.
    """
    folder = options.made / kind
    manifest = photographs.compose(options.photographs, folder, count=options.count, kind=kind)
    listed = manifest["photographs"][: options.first]
    few = listed[: options.slow_photographs]
    lists = {True: _write_list(scratch, folder, few), False: _write_list(scratch, folder, listed)}
    variables = {}
    if options.smallest_face_px:
        variables["SAYSO_SMALLEST_FACE_PX"] = str(options.smallest_face_px)
    ours = contenders.Sayso(
        scratch / "sayso", only(scratch, folder, listed), _portraits(folder, manifest), variables
    )
    peers = {
        name: peer
        for name, peer in contenders.SCANNING.items()
        if name not in options.without and not (name in _ONE_CORE and cores > 1)
    }
    measured = {"sayso": Measured(len(listed))}
    measured |= {name: Measured(len(few if name in _SLOW else listed)) for name in peers}
    ours.scan(cores=cores)  # compiles and caches the models, as the first scan ever does
    for turn in range(options.rounds):
        run, said = ours.scan(cores=cores)
        measured["sayso"].add(run, said["seconds"], run.cpu_s)
        for name, peer in peers.items():
            if turn < (options.slow_rounds if name in _SLOW else options.rounds):
                run, said = contenders.run_peer(
                    peer, lists[name in _SLOW], options.peers, cores=cores
                )
                measured[name].add(run, said["seconds"], said["cpu_s"])
                measured[name].boxes = said["boxes"]
        print(f"{kind}, {cores} cores, round {turn + 1}:", _latest(measured), flush=True)
    found = ours.boxes()
    measured["sayso"].boxes = [
        [_in_pixels(box, one) for box in found.get(one["file"], ())] for one in listed
    ]
    return _rows(kind, cores, measured, listed), measured["sayso"].memory


def _rows(
    kind: str, cores: int, measured: dict[str, Measured], listed: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    ours = measured["sayso"]
    ours_s, ours_cpu_s = (
        median(values) / ours.photographs for values in (ours.whole_s, ours.cpu_s)
    )
    ours_loop_s = median(ours.look_s) / ours.photographs
    rows = []
    for name, one in measured.items():
        each_s = median(one.whole_s if name == "sayso" else one.look_s) / one.photographs
        finds = compare(listed[: one.photographs], one.boxes)
        rows.append(
            {
                "kind": kind,
                "cores": cores,
                "program": name,
                "photographs": one.photographs,
                "rounds": len(one.look_s),
                "photographs_per_s": 1 / each_s,
                "least_s": min(one.look_s),
                "median_s": median(one.look_s),
                "whole_process_s": median(one.whole_s),
                "cpu_ms_per_photograph": median(one.cpu_s) / one.photographs * 1e3,
                "sayso_is_faster_times": each_s / ours_s,
                "loop_is_faster_times": median(one.look_s) / one.photographs / ours_loop_s,
                "sayso_needs_less_cpu_times": median(one.cpu_s) / one.photographs / ours_cpu_s,
                "peak_mb": max(one.peak_mb),
                "faces_known": finds.known,
                "faces_found": finds.found,
                "other_finds": finds.others,
                "load_average": round(os.getloadavg()[1], 1),
            }
        )
    return rows


def _latest(measured: dict[str, Measured]) -> str:
    return ", ".join(
        f"{name} {one.look_s[-1] / one.photographs * 1e3:.0f} ms"
        for name, one in measured.items()
        if one.look_s
    )


def _in_pixels(box: Sequence[float], photograph: dict[str, Any]) -> list[float]:
    width, height = photograph["width_px"], photograph["height_px"]
    return [box[0] * width, box[1] * height, box[2] * width, box[3] * height]


def only(scratch: Path, folder: Path, listed: Sequence[dict[str, Any]]) -> Path:
    """A folder with the listed photographs and nothing else."""
    only = scratch / "photographs"
    only.mkdir(exist_ok=True)
    for stale in only.iterdir():
        stale.unlink()
    for one in listed:
        (only / one["file"]).hardlink_to(folder / one["file"])
    return only


def _write_list(scratch: Path, folder: Path, listed: Sequence[dict[str, Any]]) -> Path:
    path = scratch / f"list-{len(listed)}.txt"
    path.write_text("\n".join(str(folder / one["file"]) for one in listed) + "\n")
    return path


def _portraits(folder: Path, manifest: dict[str, Any]) -> list[Path]:
    return [folder / name for name in manifest["portraits"]]


def add_options(arguments: argparse.ArgumentParser) -> None:
    """The options that scanning and covering share."""
    arguments.add_argument("--photographs", type=Path, required=True, help="folder with people")
    arguments.add_argument("--made", type=Path, default=contenders.DEFAULT_FOLDER / "photographs",
                           help="where the composed photographs are kept")  # fmt: skip
    arguments.add_argument("--peers", type=Path, default=contenders.DEFAULT_FOLDER / "peers",
                           help="where the peers' environments are kept")  # fmt: skip
    arguments.add_argument("--count", type=int, default=40)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--first", type=int, help="measure on the first so many alone")
    arguments.add_argument("--cores", type=_numbers, default=(1, 2))
    arguments.add_argument("--smallest-face-px", type=float, default=0.0,
                           help="0: the program's default")  # fmt: skip


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def main() -> None:
    """Measure, print, keep."""
    arguments = argparse.ArgumentParser(description=__doc__)
    add_options(arguments)
    arguments.add_argument("--kinds", default="large,small")
    arguments.add_argument("--slow-rounds", type=int, default=1)
    arguments.add_argument("--slow-photographs", type=int, default=8)
    arguments.add_argument("--add", action="store_true",
                           help="keep the newest result's other kinds and cores")  # fmt: skip
    arguments.add_argument("--without", action="append", default=[], help="a peer's name")
    options = arguments.parse_args()
    options.peers = options.peers.absolute()
    contenders.put_weights(options.peers / "home")
    rows: list[dict[str, Any]] = []
    memory: dict[str, Sequence[tuple[float, float]]] = {}
    before = machine.newest("scan") if options.add else None
    if before:
        chosen = {(kind, cores) for kind in options.kinds.split(",") for cores in options.cores}
        rows += [row for row in before["rows"] if (row["kind"], row["cores"]) not in chosen]
        memory |= before["seconds_and_mb_of_sayso"]
    for kind in options.kinds.split(","):
        for cores in options.cores:
            with tempfile.TemporaryDirectory(dir=options.made.parent) as scratch:
                more, watched = measure(options, kind, cores, Path(scratch).resolve())
            rows += more
            memory[f"{kind}, cores: {cores}"] = watched[:: len(watched) // _POINTS + 1]
    machine.keep(
        "scan",
        rows,
        smallest_face_px=options.smallest_face_px or "default",
        seconds_and_mb_of_sayso=memory,
    )


if __name__ == "__main__":
    main()
