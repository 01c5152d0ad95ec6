"""What an evaluation found, as JSON and as a page with its curves.

The page links to the photographs where they lie; it holds no picture and no features.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from sayso.rates.identification import InGallery
from sayso.rates.interval import Rate
from sayso.rates.verification import Verification
from sayso.services.evaluate import Evaluation, Pair

_WIDTH, _HEIGHT = 640.0, 360.0
"""The inside of a chart, in its own units."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across a chart: where, from 0 to 1 of the axis, and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: points of an SVG polyline, its colour's name, and what it is."""

    points: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its axes, to be drawn by the template."""

    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    across_label: str
    up_label: str
    lines: tuple[Line, ...]
    width: float = _WIDTH
    height: float = _HEIGHT


@dataclass(frozen=True, slots=True)
class _Axis:
    """From a quantity to a place on a chart, clipped to its ends."""

    low: float
    high: float
    logarithmic: bool = True

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        low, high, value = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return (value - low) / (high - low) if high > low else 0.5


def values(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation for JSON."""
    given = asdict(evaluation)
    given["model"] = {"name": evaluation.model[0], "sha256": evaluation.model[1]}
    return given


def page(evaluation: Evaluation, *, folder: Path, at: str, version: str) -> str:
    """An evaluation as one HTML page, which loads nothing but the worst pairs' photographs.

    Args:
        evaluation: what was found.
        folder: of the dataset, for links to photographs.
        at: when, for people.
        version: of the program.
    """
    import jinja2  # noqa: PLC0415 - slow to import; only this function needs it

    source = resources.files("sayso.services").joinpath("evaluation.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["rate"] = rate_text
    found = evaluation.verification
    return environment.from_string(source).render(
        it=evaluation,
        folder=folder,
        at=at,
        version=version,
        trade_off=trade_off(found) if found and found.curve else None,
        distribution=distribution(found) if found and found.distribution else None,
        promises=promises(evaluation.identification) if evaluation.identification else None,
        false_matches=_pictures(folder, evaluation.false_matches),
        false_non_matches=_pictures(folder, evaluation.false_non_matches),
    )


def rate_text(rate: Rate | None) -> str:
    """A rate with its interval, in per cent, with as many digits as it needs."""
    if rate is None:
        return "not measured"
    return f"{_percent(rate.value)} ({_percent(rate.low)} to {_percent(rate.high)})"


def trade_off(found: Verification) -> Chart:
    """The detection error trade-off: misses against false matches, both logarithmic."""
    low_match = 10.0 ** -math.ceil(math.log10(max(found.non_mated_pairs, 10)))
    low_miss = 10.0 ** -math.ceil(math.log10(max(found.mated_pairs, 10)))
    across, up = _Axis(low_match, 1.0), _Axis(low_miss, 1.0)
    points = [
        (across.place(point.false_match_rate), up.place(point.false_non_match_rate))
        for point in found.curve
        if point.false_match_rate > 0 and point.false_non_match_rate > 0
    ]
    return Chart(
        _decades(across),
        _decades(up),
        "false match rate",
        "false non-match rate",
        (Line(_points(points), "first", "all pairs"),),
    )


def distribution(found: Verification) -> Chart:
    """How similar mated and non-mated pairs are; each is scaled to its own peak."""
    bars = found.distribution
    across = _Axis(bars[0].from_similarity, bars[-1].to_similarity, logarithmic=False)

    def line(shares: Sequence[float], kind: str, label: str) -> Line:
        peak = max(*shares, 1e-12)
        middles = [(bar.from_similarity + bar.to_similarity) / 2 for bar in bars]
        return Line(
            _points([(across.place(x), y / peak) for x, y in zip(middles, shares, strict=True)]),
            kind,
            label,
        )

    ticks = [round(tick / 5, 1) for tick in range(-5, 6)]
    return Chart(
        tuple(Tick(across.place(t), f"{t:g}") for t in ticks if across.low <= t <= across.high),
        (),
        "similarity (cosine)",
        "share of pairs, by its own peak",
        (
            line([bar.non_mated for bar in bars], "second", "two people"),
            line([bar.mated for bar in bars], "first", "the same person"),
        ),
    )


def promises(found: Sequence[InGallery]) -> Chart:
    """Measured false reviews and false names against the number of people in the gallery."""
    sizes = [one.persons for one in found]
    first, last = math.log10(min(sizes)), math.log10(max(*sizes, 2))
    across = _Axis(10.0 ** math.floor(first), 10.0 ** math.ceil(last))
    up = _Axis(1e-4, 1.0)

    def line(rates: Sequence[Rate], kind: str, label: str) -> Line:
        places = zip(sizes, rates, strict=True)
        return Line(
            _points([(across.place(size), up.place(rate.value)) for size, rate in places]),
            kind,
            label,
        )

    return Chart(
        _decades(across, whole=True),
        _decades(up),
        "people in the gallery",
        "share of strangers' photographs",
        (
            line([one.promised.false_reviews for one in found], "second", "sent to review"),
            line([one.promised.false_names for one in found], "first", "somebody named"),
        ),
    )


def _decades(axis: _Axis, *, whole: bool = False) -> tuple[Tick, ...]:
    first, last = round(math.log10(axis.low)), round(math.log10(axis.high))
    return tuple(
        Tick(axis.place(10.0**power), f"{10**power:,}" if whole else _percent(10.0**power))
        for power in range(first, last + 1)
    )


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x * _WIDTH:.1f},{(1 - y) * _HEIGHT:.1f}" for x, y in places)


def _percent(share: float) -> str:
    if share in {0.0, 1.0}:
        return f"{share:.0%}".replace("%", " %")
    # Two digits of the rate, or of what it lacks to all.
    digits = max(0, 1 - math.floor(math.log10(min(share, 1 - share) * 100)))
    text = f"{share * 100:.{min(digits, 6)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _pictures(folder: Path, pairs: Sequence[Pair]) -> list[Mapping[str, object]]:
    return [
        {
            "first": (folder.absolute() / pair.first).as_uri(),
            "second": (folder.absolute() / pair.second).as_uri(),
            "names": f"{pair.first} and {pair.second}",
            "similarity": f"{pair.similarity:.3f}",
        }
        for pair in pairs
    ]
