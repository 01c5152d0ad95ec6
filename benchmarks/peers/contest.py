"""What every peer's script does: read a list of files, look at each, print one line of JSON.

    python benchmarks/peers/NAME.py LIST

LIST is a file with one photograph's path in a line. Runs in the peer's own virtual environment, so
that nothing but the standard library is imported here.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels of the photograph at full size."""


def enter(
    package: str, begin: Callable[[], Callable[[str], Sequence[Box]]], *, started: float
) -> None:
    """Time a peer.

    Args:
        package: whose version is told.
        begin: loads the models and gives what finds (and embeds) the faces of one photograph.
        started: `time.perf_counter` before the peer was imported.

    Prints ``seconds`` and ``cpu_s`` (from the first photograph read to the last done), ``start_s``
    (imports and models), ``photographs``, ``faces`` and ``boxes`` (of each photograph).
    """
    files = Path(sys.argv[1]).read_text("utf-8").split("\n")
    files = [file for file in files if file]
    look = begin()
    start_s = time.perf_counter() - started
    begun, computed = time.perf_counter(), time.process_time()
    boxes = [list(look(file)) for file in files]
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - computed
    report = {
        "version": version(package),
        "seconds": seconds,
        "cpu_s": cpu_s,
        "start_s": start_s,
        "photographs": len(files),
        "faces": sum(map(len, boxes)),
        "boxes": boxes,
    }
    print("\n" + json.dumps(report))
