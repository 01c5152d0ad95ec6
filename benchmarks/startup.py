"""How long a start takes: help, and verbs from a cold process with a warm cache.

    python benchmarks/startup.py [--rounds 9]

Whole processes, from their start to their end, in turn; the first round warms the caches and is not
counted. The floor is the interpreter alone, and it with Typer, on which the command line is built.
The workspace is that of ``sayso demo``: two people, nine photographs. On a machine that others use
too, the processor time says more than the clock.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import machine

SAYSO = [sys.executable, "-m", "sayso"]


def contestants(story: Path) -> dict[str, list[str]]:
    """What is measured: a name and a command line."""
    there = ["--workspace", str(story / "workspace"), "--json"]
    photograph = str(story / "photographs" / "IMG_0001.jpg")
    collection = ["--collection", "space-day"]
    return {
        "the interpreter alone": [sys.executable, "-c", "pass"],
        "it, with Typer imported": [sys.executable, "-c", "import typer"],
        "sayso --help": [*SAYSO, "--help"],
        "sayso --version": [*SAYSO, "--version"],
        "sayso identify --help": [*SAYSO, "identify", "--help"],
        "sayso people": [*SAYSO, "people", *there],
        "sayso identify IMAGE": [*SAYSO, "identify", photograph, *collection, *there],
    }


def main() -> None:
    """Measure and keep the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=9)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        surroundings = {"HOME": name, "SAYSO_CACHE": str(folder / "cache")}
        story = folder / "story"
        machine.run([*SAYSO, "demo", "--out", story], environment=surroundings)
        lines = contestants(story)
        measured: dict[str, list[machine.Run]] = {what: [] for what in lines}
        for turn in range(options.rounds + 1):
            for what, line in lines.items():
                done = machine.run(line, environment=surroundings)
                if turn:
                    measured[what].append(done)
    rows = []
    for what, runs in measured.items():
        wall = machine.typical([run.wall_s for run in runs])
        cpu = machine.typical([run.cpu_s for run in runs])
        rows.append(
            {
                "what": what,
                "wall_median_s": wall["median"],
                "wall_least_s": wall["least"],
                "cpu_median_s": cpu["median"],
                "cpu_least_s": cpu["least"],
                "peak_mb": max(run.peak_mb for run in runs),
            }
        )
    machine.keep("startup", rows, rounds=options.rounds, cache="warm, processes cold")


if __name__ == "__main__":
    main()
