"""Pictures of the newest kept results.

    python benchmarks/plots.py

What has not been measured yet is left out, and said. The results that are read, with the columns
that must be there:

- ``scan``: ``kind``, ``cores``, ``program``, ``photographs_per_s``; the fact
  ``seconds_and_mb_of_sayso``.
- ``kernels``: ``measure``, ``median``: the rows ``read_ms``, ``decode_ms`` and so on,
  ``floor_ms`` and ``scan_1_cores_cpu_ms``.
- ``identify``: ``templates``, ``dimension``, ``probes_at_once``, and ``…_ms_a_probe`` by program.
- ``scale-scan``: ``photographs``, ``scan_cpu_ms_per_photograph``, ``peak_mb``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl

import machine

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

_COLOURS = ("#1b4965", "#bc4b51", "#5b8e7d", "#f4a259", "#8cb369", "#6d597a", "#999999")
_SIZE_IN = (7.0, 4.2)
_STAGES = ("read", "hash", "decode", "detect", "align", "embed")

_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")

Rows = Sequence[dict[str, Any]]


def stages(axes: Axes, report: dict[str, Any]) -> None:
    """Processor time per stage as one stacked bar; the rest is what a scan takes beyond them."""
    median = {row["measure"]: row["median"] for row in report["rows"]}
    parts = {name: median[f"{name}_ms"] for name in _STAGES if f"{name}_ms" in median}
    rest = median["scan_1_cores_cpu_ms"] - median["floor_ms"]
    if rest > 0:
        parts["all the rest"] = rest
    left = 0.0
    for colour, (name, width) in zip(_COLOURS, parts.items(), strict=False):
        axes.barh([0], [width], left=[left], color=colour, label=f"{name}: {width:.1f} ms")
        left += width
    axes.set_yticks([])
    axes.set_ylim(-0.8, 1.2)
    axes.set_xlabel("milliseconds of processor time a photograph, one core")
    axes.set_title("Scanning: where the time goes")
    axes.legend(ncols=3, loc="upper center", frameon=False)


def throughput(axes: Axes, report: dict[str, Any]) -> None:
    """Photographs per second against cores, large photographs."""
    rows = [row for row in report["rows"] if row["kind"] == "large"]
    _lines(axes, rows, x="cores", y="photographs_per_s")
    axes.set_xticks(sorted({row["cores"] for row in rows}))
    axes.set_xlabel("cores")
    axes.set_ylabel("photographs per second")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(_PLAIN)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title("Scanning photographs of 12 to 24 megapixels")


def gallery(axes: Axes, report: dict[str, Any]) -> None:
    """Time of one probe against the gallery's size: single probes, 128 dimensions."""
    end = "_ms_a_probe"
    rows = [
        {"program": name.removesuffix(end), "templates": row["templates"], "ms": row[name]}
        for row in report["rows"]
        if row["probes_at_once"] == 1 and row["dimension"] == 128  # noqa: PLR2004
        for name in row
        if name.endswith(end)
    ]
    _lines(axes, rows, x="templates", y="ms")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(_PLAIN)
    axes.set_xlabel("templates, of 128 dimensions")
    axes.set_ylabel("milliseconds a probe")
    axes.set_title("Identifying: one probe, one thread")


def memory(axes: Axes, report: dict[str, Any]) -> None:
    """Resident memory of a scan over time."""
    for colour, (name, points) in zip(
        _COLOURS, report["seconds_and_mb_of_sayso"].items(), strict=False
    ):
        axes.plot(*zip(*points, strict=True), color=colour, label=name)
    axes.set_ylim(0)
    axes.set_xlabel("seconds since the program's start")
    axes.set_ylabel("resident memory, MB")
    axes.set_title("Memory while scanning")
    axes.legend(frameon=False)


def scale(axes: Axes, report: dict[str, Any]) -> None:
    """Time per photograph and memory against the number of photographs."""
    rows = report["rows"]
    number = [row["photographs"] for row in rows]
    axes.plot(number, [row["scan_cpu_ms_per_photograph"] for row in rows], "o-", color=_COLOURS[0])
    axes.set_xscale("log")
    axes.set_ylim(0)
    axes.set_xlabel("photographs")
    axes.set_ylabel("processor time, ms a photograph", color=_COLOURS[0])
    other = axes.twinx()
    other.plot(number, [row["peak_mb"] for row in rows], "s--", color=_COLOURS[1])
    # Half as high again, so that two level lines do not lie on each other.
    other.set_ylim(0, 1.5 * max(row["peak_mb"] for row in rows))
    other.set_ylabel("largest resident memory, MB", color=_COLOURS[1])
    axes.set_title("Scanning more and more photographs")


def _lines(axes: Axes, rows: Rows, *, x: str, y: str) -> None:
    """One line for each program; its name stands at the line's end."""
    programs = list(dict.fromkeys(row["program"] for row in rows))
    for place, program in enumerate(programs):
        own = sorted((row[x], row[y]) for row in rows if row["program"] == program)
        colour = _COLOURS[place % len(_COLOURS)]
        axes.plot(*zip(*own, strict=True), "o-", color=colour, label=program)
    axes.legend(frameon=False, fontsize="small")


PLOTS: dict[str, tuple[str, Callable[[Axes, dict[str, Any]], None]]] = {
    "stages": ("kernels", stages),
    "throughput": ("scan", throughput),
    "gallery": ("identify", gallery),
    "memory": ("scan", memory),
    "scale": ("scale-scan", scale),
}
"""Each picture's name, the result that it is made of, and what draws it."""


def main() -> None:
    """Draw all that was measured."""
    mpl.rcParams.update(
        {"axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "sayso"}
    )
    for name, (result, draw) in PLOTS.items():
        report = machine.newest(result)
        if report is None:
            print(f"{name}: nothing measured yet ({result})")
            continue
        figure, axes = plt.subplots(figsize=_SIZE_IN, layout="constrained")
        draw(axes, report)
        figure.text(0.99, 0.005, f"{report['at'][:10]}, {report['machine']['processor']}",
                    ha="right", fontsize="x-small", color="#666666")  # fmt: skip
        figure.savefig(machine.RESULTS / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)
        print(f"{name}: {name}.svg")


if __name__ == "__main__":
    main()
