"""What every benchmark needs: the machine in words, cores to run on, measured runs, kept results.

A result is a list of rows (flat, a unit in each name) and lies in ``benchmarks/results`` as
``<date>-<name>.json`` with the machine that it was measured on. It names no host and no path.
"""

import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"

_PACKAGES = ("sayso", "numpy", "openvino", "opencv-python-headless", "simplejpeg", "sqlalchemy")
_INSTRUCTIONS = ("avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni",
                 "avx512_bf16", "avx512_fp16", "avx512_vpopcntdq", "amx_bf16", "amx_int8", "asimd",
                 "asimdhp", "asimddp", "bf16", "i8mm", "sve")  # fmt: skip
"""Those that decide which kernels are used, by their names in Linux."""
_SAMPLE_S = 0.25
_SHORT = 1000
"""Numbers below this are shown with four figures, others whole."""


def describe() -> dict[str, Any]:
    """The machine, in words and numbers; neither its name nor anything of its folders."""
    processor = _processor()
    flags = set(processor.get("flags", processor.get("Features", "")).split())
    return {
        "processor": processor.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "cores_allowed": len(os.sched_getaffinity(0)),
        "instruction_sets": [name for name in _INSTRUCTIONS if name in flags],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": versions(_PACKAGES),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The installed versions of those packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> dict[str, str]:
    """The first processor of ``/proc/cpuinfo``; empty where there is no such file."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def keep(name: str, results: Sequence[Mapping[str, Any]], **facts: object) -> Path:
    """Print the rows as a table, and write them with the machine; gives the file's path.

    Args:
        name: of the benchmark; a run later on the same day takes the place of an earlier one.
        results: rows with the same keys; a key ends in its unit.
        facts: what else a reader must know: rounds, options, a note in words. No paths.
    """
    report = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe(),
        **facts,
        "rows": list(results),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC).date().isoformat()}-{name}.json"
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(table(results))
    return path


def newest(name: str) -> dict[str, Any] | None:
    """The newest kept report of a benchmark; None where there is none."""
    found = sorted(RESULTS.glob(f"????-??-??-{name}.json"))
    return json.loads(found[-1].read_text("utf-8")) if found else None


def added(
    before: Mapping[str, Any] | None, rows: Sequence[Mapping[str, Any]], what: Sequence[str]
) -> list[Mapping[str, Any]]:
    """The rows of an earlier report, but for those that were measured anew, and the new ones.

    Each says on which processor it was measured, since it need not be the report's.

    Args:
        before: the report; None: the new rows alone.
        rows: measured now.
        what: the keys that say what a row is of.
    """
    new = {tuple(row.get(key) for key in what) for row in rows}
    here = {"processor": describe()["processor"]}
    there = {"processor": before["machine"]["processor"]} if before else {}
    kept = [there | row for row in (before["rows"] if before else ())]
    left = [row for row in kept if tuple(row.get(key) for key in what) not in new]
    return left + [{**row, **here} for row in rows]


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table in Markdown; a row that lacks a column leaves it empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_shown(row.get(name, "")) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and abs(value) < _SHORT:
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Run what is inside, and the processes that it starts, on the first so many cores.

    Threads that run already stay where they are: enter before libraries start theirs, or measure
    a process of its own (`run`).

    Raises:
        ValueError: fewer cores are allowed to this process.
    """
    allowed = os.sched_getaffinity(0)
    if not 0 < count <= len(allowed):
        message = f"{count} cores are wanted, {len(allowed)} are allowed"
        raise ValueError(message)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@dataclass(frozen=True, slots=True)
class Run:
    """One process, measured from its start to its end.

    Attributes:
        wall_s: by the clock.
        cpu_s: user and system time of the process and of its own waited-for children.
        peak_mb: the largest resident set of those sampled, 10^6 bytes. (The kernel's own figure
            begins with the size of the process that started this one.)
        output: what it printed.
        memory: seconds since the start and resident set in 10^6 bytes, every quarter of a second.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str
    memory: tuple[tuple[float, float], ...] = ()


def run(
    command: Sequence[str | Path],
    *,
    cores: int | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Run:
    """Run a process and measure it.

    Args:
        command: program and arguments.
        cores: how many it may use; None: all that this process may.
        environment: added to this process's own.
        folder: to run in.

    Raises:
        subprocess.CalledProcessError: it failed; what it wrote on standard error is in there.
    """
    with on_cores(cores or len(os.sched_getaffinity(0))):
        begun = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the benchmark's own commands
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
            cwd=folder,
        )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    memory: list[tuple[float, float]] = []
    ended = threading.Event()
    # One thread each: a process whose full pipe nobody reads would stand still.
    with ThreadPoolExecutor(2) as threads:
        complaining = threads.submit(process.stderr.read)
        threads.submit(_watch, process.pid, begun, memory, ended)
        output = process.stdout.read()
        complaint = complaining.result()
        ended.set()
    # wait4 tells of this child alone, which getrusage(RUSAGE_CHILDREN) does not.
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    if process.returncode:
        failed = subprocess.CalledProcessError(process.returncode, process.args, output, complaint)
        failed.add_note(complaint)
        raise failed
    peak_mb = max((size for _, size in memory), default=0.0)
    return Run(wall_s, used.ru_utime + used.ru_stime, peak_mb, output, tuple(memory))


def _watch(
    process: int, begun: float, memory: list[tuple[float, float]], ended: threading.Event
) -> None:
    """Look at a process's resident set until it ends."""
    page_mb = os.sysconf("SC_PAGE_SIZE") / 1e6
    while not ended.wait(_SAMPLE_S):
        try:
            pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
        except (OSError, IndexError):  # it has just ended, or there is no such file system
            return
        memory.append((round(time.perf_counter() - begun, 2), round(pages * page_mb, 1)))


def alternate(
    contestants: Mapping[str, Callable[[], float]], rounds: Mapping[str, int] | int
) -> dict[str, list[float]]:
    """Let the contestants run in turn, so that a busy machine is shared fairly.

    Args:
        contestants: each runs once and gives what was measured.
        rounds: how many times each runs; one number for all, or one for each (slow ones fewer).

    Returns:
        What each gave, in order of time.
    """
    wanted = {
        name: rounds if isinstance(rounds, int) else rounds.get(name, 1) for name in contestants
    }
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(max(wanted.values())):
        for name, work in contestants.items():
            if turn < wanted[name]:
                measured[name].append(work())
    return measured


def typical(values: Sequence[float]) -> dict[str, float]:
    """Median, least, most and number of measured values."""
    return {
        "median": float(median(values)),
        "least": min(values),
        "most": max(values),
        "runs": len(values),
    }
