"""What the glance of a scan finds, what the scrutiny before publication finds, and what neither.

    python benchmarks/recall.py --photographs FOLDER --keep
    python benchmarks/recall.py --photographs FOLDER --sets groups --kinds "on a poster" --add

Photographs with marked faces lie in `groups` and `hard`; variants of the first are made here.
True profiles cannot be: no flat photograph shows the side of a head. `hard` holds some, unmarked
as such; "narrowed to half" has the outline of one alone.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from machine import added, keep, newest
from sayso.domain.face import Certainty, Face
from sayso.rates.detection import Detection, Marks, as_boxes, detection
from sayso.services.eye import Eye
from sayso.sources.dataset import Mark, read_dataset
from sayso.vision.cover import regions
from sayso.vision.decode import DecodeLimits, Picture, Pixels, decode
from sayso.vision.detect import Detector, smallest_of_one_look_px
from sayso.vision.models import YUNET, load
from sayso.vision.runtime import OpenVinoNetwork, computes_in_bfloat16

_LIMITS = DecodeLimits(200_000_000, 200_000_000)
_SMALLEST_PX = 12.0
_WANTED_PX = {"groups": 12, "hard": 16}
"""Marked faces of less are neither missed nor found."""
_SHOWN_FROM_PX = 8
_HIDDEN = 0.75
"""A face of which the covers hide so much of its box is hidden, whatever box was found."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A photograph and its marked boxes, x, y, width, height in pixels."""

    pixels: Pixels
    faces: NDArray[np.float64]
    ignored: NDArray[np.float64]


Variant = Callable[[Sample], Sample]


def turned(quarters: int) -> Variant:
    """The whole photograph turned anticlockwise."""

    def variant(sample: Sample) -> Sample:
        for _ in range(quarters):
            width = sample.pixels.shape[1]
            sample = Sample(
                np.ascontiguousarray(np.rot90(sample.pixels)),
                _quarter(sample.faces, width),
                _quarter(sample.ignored, width),
            )
        return sample

    return variant


def _quarter(boxes: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    x, y, wide, tall = boxes.T
    return np.stack([y, width - x - wide, tall, wide], axis=1)


def leaning(degrees: float) -> Variant:
    """The whole photograph turned clockwise by an angle, in a larger frame."""

    def variant(sample: Sample) -> Sample:
        height, width = sample.pixels.shape[:2]
        side = int(np.hypot(height, width)) + 1
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
        turn[:, 2] += (side - width) / 2, (side - height) / 2
        pixels = cv2.warpAffine(sample.pixels, turn, (side, side))

        def moved(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
            centres = boxes[:, :2] + boxes[:, 2:] / 2
            # A turned face's own box is about as large as the upright one's.
            return np.concatenate(
                [centres @ turn[:, :2].T + turn[:, 2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1
            )

        return Sample(np.asarray(pixels, np.uint8), moved(sample.faces), moved(sample.ignored))

    return variant


def coloured(change: Callable[[Pixels], Pixels]) -> Variant:
    """Other colours in the same places."""
    return lambda sample: Sample(change(sample.pixels), sample.faces, sample.ignored)


def dark(share: float) -> Variant:
    """So much of the light, with the noise that a camera adds."""

    def change(pixels: Pixels) -> Pixels:
        noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
        return np.clip(pixels * share + noise, 0, 255).astype(np.uint8)

    return coloured(change)


def dark_but_for_a_window(pixels: Pixels) -> Pixels:
    """Very dark, with a bright strip, so that the picture as a whole is not faint."""
    changed = np.asarray(pixels * 0.12, np.uint8)
    changed[:, : pixels.shape[1] // 20] = 235
    return changed


def monochrome(pixels: Pixels) -> Pixels:
    """Without colours."""
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def red_light(pixels: Pixels) -> Pixels:
    """As under a red lamp."""
    return np.asarray(pixels * [0.8, 0.12, 0.12], np.uint8)


def at_the_edge(sample: Sample) -> Sample:
    """Cropped so that the left edge of the frame runs through a third of the leftmost face."""
    if not len(sample.faces):
        return sample
    first = sample.faces[np.argmin(sample.faces[:, 0])]
    cut = int(first[0] + first[2] / 3)

    def moved(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        left = np.maximum(boxes[:, 0] - cut, 0)
        right = boxes[:, 0] + boxes[:, 2] - cut
        kept = right - left >= 0.5 * boxes[:, 2]
        return np.stack([left, boxes[:, 1], right - left, boxes[:, 3]], axis=1)[kept]

    pixels = np.ascontiguousarray(sample.pixels[:, cut:])
    return Sample(pixels, moved(sample.faces), moved(sample.ignored))


def half_hidden(sample: Sample) -> Sample:
    """The lower half of each face behind something plain, as behind a mask or a board."""
    pixels = sample.pixels.copy()
    for x, y, wide, tall in sample.faces:
        colour = tuple(int(n) for n in np.random.default_rng(int(x + y)).integers(30, 220, 3))
        corner = (int(x - 0.1 * wide), int(y + 0.55 * tall))
        cv2.rectangle(pixels, corner, (int(x + 1.1 * wide), int(y + 1.05 * tall)), colour, -1)
    return Sample(pixels, sample.faces, sample.ignored)


def one_side_hidden(sample: Sample) -> Sample:
    """The left half of each face behind something plain, as behind a pillar or somebody's back."""
    pixels = sample.pixels.copy()
    for x, y, wide, tall in sample.faces:
        colour = tuple(int(n) for n in np.random.default_rng(int(x + y)).integers(30, 220, 3))
        corner = (int(x - 0.2 * wide), int(y - 0.2 * tall))
        cv2.rectangle(pixels, corner, (int(x + 0.5 * wide), int(y + 1.2 * tall)), colour, -1)
    return Sample(pixels, sample.faces, sample.ignored)


def narrowed(sample: Sample) -> Sample:
    """Squeezed to half the width: the outline of a turned head, not its features."""
    height, width = sample.pixels.shape[:2]
    pixels = cv2.resize(sample.pixels, (width // 2, height), interpolation=cv2.INTER_AREA)
    share = np.array([(width // 2) / width, 1, (width // 2) / width, 1])
    return Sample(np.asarray(pixels, np.uint8), sample.faces * share, sample.ignored * share)


def hung_up(finish: Callable[[Pixels], Pixels], frame: int) -> Variant:
    """The whole photograph seen from the side, framed, on a wall; finished beforehand.

    Args:
        finish: what paper or a screen does to its colours.
        frame: the frame's grey level.
    """

    def variant(sample: Sample) -> Sample:
        height, width = sample.pixels.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        size = np.array([width, height], np.float32)
        seen = np.array([[0.1, 0.08], [0.86, 0.2], [0.88, 0.86], [0.08, 0.95]], np.float32) * size
        # As large as it was where it is largest, so that no face is lost for being small.
        turn = cv2.getPerspectiveTransform(corners, np.asarray(seen * 1.2, np.float32))
        outer = (round(width * 1.2), round(height * 1.2))
        wall = np.full((outer[1], outer[0], 3), (176, 168, 150), np.uint8)
        edge = cv2.perspectiveTransform(corners[None], turn)[0].astype(np.int32)
        cv2.polylines(wall, [edge], isClosed=True, color=(frame,) * 3, thickness=width // 30)
        inside = cv2.fillConvexPoly(np.zeros(wall.shape[:2], np.uint8), edge, 1)[..., None] > 0
        warped = cv2.warpPerspective(finish(sample.pixels), turn, outer, flags=cv2.INTER_AREA)
        pixels = np.where(inside, warped, wall).astype(np.uint8)
        return Sample(pixels, _warped(sample.faces, turn), _warped(sample.ignored, turn))

    return variant


def _warped(boxes: NDArray[np.float64], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """The boxes about the four corners of each, where these have come to lie."""
    if not len(boxes):
        return boxes
    x, y, wide, tall = boxes.T
    corners = np.stack([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]])
    points = cv2.perspectiveTransform(corners.transpose(2, 0, 1), turn)
    low, high = points.min(axis=1), points.max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def printed(pixels: Pixels) -> Pixels:
    """Paler, as on paper under a lamp."""
    return np.asarray(pixels * 0.75 + 45, np.uint8)


def on_a_screen(pixels: Pixels) -> Pixels:
    """Paler and bluish with a bright reflection, and rows and columns of dots."""
    height, width = pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    glow = 90 * np.exp(-((x / width - 0.7) ** 2 + (y / height - 0.3) ** 2) / 0.03)
    grid = np.where((x % 3 == 0) | (y % 3 == 0), 0.75, 1.0)
    seen = (pixels * 0.6 + [25, 30, 45]) * grid[..., None] + glow[..., None]
    return np.clip(seen, 0, 255).astype(np.uint8)


VARIANTS: Mapping[str, Variant] = {
    "as they are": lambda sample: sample,
    "turned by 90": turned(1),
    "turned by 180": turned(2),
    "turned by 270": turned(3),
    "leaning by 45": leaning(45),
    "monochrome": coloured(monochrome),
    "red light": coloured(red_light),
    "dark (a tenth)": dark(0.1),
    "dark, bright window": coloured(dark_but_for_a_window),
    "cut by the edge": at_the_edge,
    "lower half hidden": half_hidden,
    "one side hidden": one_side_hidden,
    "narrowed to half": narrowed,
    "on a poster": hung_up(printed, 60),
    "on a screen": hung_up(on_a_screen, 15),
}

_OF_HARD = ("as they are", "turned by 90", "monochrome", "dark (a tenth)")


@dataclass
class Tally:
    """What was found over the photographs of one variant."""

    marks: dict[str, list[Marks]] = field(default_factory=dict)
    hidden: dict[str, list[bool]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    perhaps: int = 0

    def add(self, how: str, sample: Sample, found: Sequence[Face], wanted_px: float) -> None:
        """Count what was found in a photograph."""
        height, width = sample.pixels.shape[:2]
        boxes = as_boxes(
            [
                (f.box.x * width, f.box.y * height, f.box.width * width, f.box.height * height)
                for f in sorted(found, key=lambda face: -face.score)
            ]
        )
        marks = Marks(sample.faces, sample.ignored, boxes)
        self.marks.setdefault(how, []).append(marks)
        mask = np.zeros((height, width), np.uint8)
        for region in regions(height, width, found):
            cv2.fillConvexPoly(mask, region.outline_px, 1)
        for x, y, wide, tall in sample.faces:
            if tall >= wanted_px:
                part = mask[max(int(y), 0) : int(y + tall) + 1, max(int(x), 0) : int(x + wide) + 1]
                self.hidden.setdefault(how, []).append(bool(part.size and part.mean() >= _HIDDEN))


def samples(folder: Path) -> Iterator[Sample]:
    """The marked photographs of a folder."""
    dataset = read_dataset(folder)
    for path, marks in dataset.marks.items():
        pixels = decode((folder / path).read_bytes(), _LIMITS).pixels
        height, width = pixels.shape[:2]
        yield Sample(
            pixels,
            _boxes(marks, width, height, ignored=False),
            _boxes(marks, width, height, ignored=True),
        )


def _boxes(marks: Sequence[Mark], width: int, height: int, *, ignored: bool) -> NDArray[np.float64]:
    scale = np.array([width, height, width, height])
    return as_boxes(
        [
            tuple(np.array(m.box) * (scale if m.relative else 1))
            for m in marks
            if m.ignored is ignored
        ]
    )


def measure(eye: Eye, name: str, folder: Path, variant: Variant) -> Tally:
    """Look at each photograph of a set in both ways."""
    tally, wanted_px = Tally(), _WANTED_PX[name]
    for sample in map(variant, samples(folder)):
        height, width = sample.pixels.shape[:2]
        picture = Picture(sample.pixels, width, height, "JPEG")
        began = time.process_time()
        glance_px = smallest_of_one_look_px(picture)
        glanced = eye.faces(picture, at_least_px=glance_px)
        tally.seconds["glance"] = tally.seconds.get("glance", 0) + time.process_time() - began
        began = time.process_time()
        found = eye.scrutinise(picture)
        tally.seconds["both"] = tally.seconds.get("both", 0) + time.process_time() - began
        sure = [face for face in found if face.certainty is Certainty.SURE]
        tally.perhaps += len(found) - len(sure)
        for how, what in (("glance", glanced), ("sure", sure), ("both", found)):
            tally.add(how, sample, what, wanted_px)
    return tally


def of_wanted(found: Detection, wanted_px: int) -> tuple[int, int]:
    """How many of the wanted faces were found, of how many."""
    rows = [row for row in found.by_height if row.from_px >= wanted_px]
    return sum(round(row.recall.value * row.marked) for row in rows if row.marked), sum(
        row.marked for row in rows
    )


_ROWS = ("glance", "sure", "both")
_SAID = {"glance": "glance", "sure": "scrutiny, sure", "both": "scrutiny, with perhaps"}


def rows(name: str, kind: str, tally: Tally) -> Iterator[dict[str, object]]:
    """A row for each way to look."""
    for how in _ROWS:
        marks = tally.marks[how]
        found = detection(marks)
        hits, wanted = of_wanted(found, _WANTED_PX[name])
        hidden = tally.hidden.get(how, [])
        yield {
            "photographs": name,
            "kind": kind,
            "look": _SAID[how],
            "from_px": _WANTED_PX[name],
            "faces": wanted,
            "recall": round(hits / max(wanted, 1), 4),
            "hidden": round(float(np.mean(hidden)), 4) if hidden else None,
            "false_finds_each": round(found.false_finds, 2),
            **{
                f"recall_{row.from_px}_px": round(row.recall.value, 3) if row.marked else None
                for row in found.by_height
                if row.from_px >= _SHOWN_FROM_PX
            },
            "processor_ms_each": round(1000 * tally.seconds[how] / len(marks), 1)
            if how in tally.seconds
            else None,
        }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=["groups", "hard"])
    parser.add_argument("--kinds", nargs="*", default=list(VARIANTS))
    parser.add_argument("--score", type=float, default=0.5)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--add", action="store_true", help="keep, with the newest result's others")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as cache:
        model = load(YUNET, Path(cache))
    detector = Detector(
        OpenVinoNetwork(lambda: model, threads=1, bfloat16=computes_in_bfloat16()),
        score_threshold=chosen.score,
    )
    eye = Eye(detector, _LIMITS, _SMALLEST_PX)
    measured: list[dict[str, object]] = []
    for name in chosen.sets:
        for kind in chosen.kinds if name == "groups" else _OF_HARD:
            tally = measure(eye, name, chosen.photographs / name, VARIANTS[kind])
            for row in rows(name, kind, tally):
                print("  ".join(str(value) for value in row.values()), flush=True)
                measured.append(row)
    if chosen.keep or chosen.add:
        before = newest("recall") if chosen.add else None
        keep("recall", added(before, measured, ("photographs", "kind", "look")))


if __name__ == "__main__":
    main()
