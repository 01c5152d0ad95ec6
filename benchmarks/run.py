"""All benchmarks after each other: what ``just bench`` runs.

    python benchmarks/run.py --photographs FOLDER [--peers FOLDER] [--slow] [--only NAME,NAME]

Each keeps its result in ``benchmarks/results``; at the end the plots are drawn and the page of
figures is written. One that fails is told at the end, and the others still run. ``--slow`` adds
those that take hours: the whole of the slow peers.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import contenders

FOLDER = Path(__file__).parent
_ALL = (
    *("scan", "cover", "covers", "promise", "recall", "kernels", "catchup"),
    *("identify", "scale", "startup", "erase", "ledger"),
)
_WITH_PEOPLE = {"scan", "cover", "covers"}
_WITH_LABELLED = {"promise", "recall"}
_WITH_COMPOSED = {"kernels", "catchup"}
_SLOW = {"scan": ("--slow-rounds", "5", "--slow-photographs", "40")}
_QUICK = {"erase": ("10000", "100000"), "ledger": ("--entries", "100000")}
_LAST = ("plots", "page")


def present() -> list[str]:
    """The benchmarks that lie beside this file, in the order in which they are run."""
    return [name for name in _ALL if (FOLDER / f"{name}.py").is_file()]


def commands(options: argparse.Namespace) -> list[Sequence[str]]:
    """What is run, in order."""
    wanted = options.only.split(",") if options.only else present()
    result = []
    for name in wanted:
        words = [name]
        if name in _WITH_PEOPLE:
            words += ["--photographs", str(options.photographs), "--peers", str(options.peers)]
            words += [] if name == "covers" else ["--made", str(options.made)]
        elif name in _WITH_LABELLED:
            words += ["--photographs", str(options.photographs)]
            words += ["--keep"] if name == "recall" else []
        elif name in _WITH_COMPOSED:  # which `scan` has composed before
            words += ["--photographs", str(options.made / "large")]
        words += (_SLOW if options.slow else _QUICK).get(name, ())
        result.append(words)
    return [*result, *((name,) for name in _LAST)]


def main() -> None:
    """Run them; exit status 1 if one failed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--photographs",
        type=Path,
        help="folder with photographs of people; for covers, promise and recall "
        "it must be a dataset",
    )
    arguments.add_argument("--peers", type=Path, default=contenders.DEFAULT_FOLDER / "peers",
                           help="where the peers' environments are kept")  # fmt: skip
    arguments.add_argument("--made", type=Path, default=contenders.DEFAULT_FOLDER / "photographs",
                           help="where composed photographs are kept")  # fmt: skip
    arguments.add_argument("--slow", action="store_true")
    arguments.add_argument("--only", help="names, with commas between them")
    options = arguments.parse_args()
    chosen = set(options.only.split(",") if options.only else present())
    if chosen & (_WITH_PEOPLE | _WITH_LABELLED) and options.photographs is None:
        arguments.error("--photographs FOLDER is needed: people are cut out of what is in there")
    failed = []
    for script, *words in commands(options):
        print(f"\n== {script}", flush=True)
        command = [sys.executable, str(FOLDER / f"{script}.py"), *words]
        if subprocess.run(command, check=False).returncode:  # noqa: S603 - the scripts beside it
            failed.append(script)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
