"""Whether covers hold: who is recognised in a covered face, by two recognisers, after attacks.

    python benchmarks/covers.py --photographs FOLDER [--faces 200] [--peers FOLDER]
        [--held-out] [--attacks none,soften] [--sface-alone] [--add]

FOLDER is a dataset as ``sayso evaluate`` reads it, one face to a photograph. Each face is covered
in each style, written as JPEG, read back, attacked, and compared with the original: by SFace at
its threshold for FMR 1e-3, and by dlib's network at the one that gives FMR 1e-3 among the
references. The landmarks are the original's, which no attacker has; SFace also looks at whatever
face the detector finds there. ``by_chance`` is how often another person's original is matched by
the same cover: what a recogniser sees in any picture. Two covers that are not among Sayso's styles
stand beside them, to show what the attacks can do: a blur, and cells of the mean colours.

Colours and cells were chosen on photographs of the role ``probe``. ``--held-out`` takes those of
the role ``stranger`` instead, whom nothing was chosen on; rank 1 is then among their originals.
"""

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

import contenders
import machine
from attacks import ATTACKS, Mask, Pixels
from sayso.domain.face import Face
from sayso.domain.screening import CoverStyle
from sayso.sources.dataset import Role, read_dataset
from sayso.vision import models
from sayso.vision.align import align
from sayso.vision.cover import cover, regions
from sayso.vision.decode import DecodeLimits, Picture, decode
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.encode import encode
from sayso.vision.runtime import OpenVinoNetwork

_LIMITS = DecodeLimits(100_000_000, 100_000_000)
_SMALLEST_PX = 16.0
_FMR = 1e-3
_SFACE_AT_FMR = 0.363
"""Over all pairs of Labeled Faces in the Wild."""
_FACES_OF_ONE = 2
_THERE = 0.1
_USED = "used before"

Features = NDArray[np.float32]
Cover = Callable[[Pixels, Face], Pixels]


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photograph and the face in its middle."""

    identity: str
    pixels: Pixels
    face: Face

    @property
    def mask(self) -> Mask:
        """What a cover of the face covers."""
        height, width = self.pixels.shape[:2]
        return regions(height, width, [self.face])[0].mask(height, width)

    @property
    def box_px(self) -> list[int]:
        """Left, top, right and bottom, as dlib wants them."""
        height, width = self.pixels.shape[:2]
        box = self.face.box
        ends = (box.x, box.y, box.x + box.width, box.y + box.height)
        return [round(end * side) for end, side in zip(ends, (width, height) * 2, strict=True)]


class Eyes:
    """The detector and SFace, as Sayso has them."""

    def __init__(self) -> None:
        cache = Path(platformdirs.user_cache_dir("sayso"))
        yunet, sface = (
            OpenVinoNetwork(partial(models.load, manifest, cache), threads=1)
            for manifest in (models.YUNET, models.SFACE)
        )
        self._detector = Detector(yunet, score_threshold=0.6)
        self._embedder = Embedder(sface)

    def portrait(self, identity: str, file: Path) -> Portrait | None:
        """None where no face is found."""
        picture = decode(file.read_bytes(), _LIMITS)
        found = self.find(picture.pixels)
        if not found:
            return None
        middle = min(
            found,
            key=lambda face: (
                abs(face.box.x + face.box.width / 2 - 0.5)
                + abs(face.box.y + face.box.height / 2 - 0.5)
            ),
        )
        return Portrait(identity, picture.pixels, middle)

    def find(self, pixels: Pixels) -> Sequence[Face]:
        """The faces in a picture."""
        height, width = pixels.shape[:2]
        picture = Picture(np.ascontiguousarray(pixels), width, height, "PNG")
        return self._detector.detect(picture, smallest_px=_SMALLEST_PX)

    def features(self, pictures: Sequence[tuple[Pixels, Face]]) -> Features:
        """(N, 128), of unit length."""
        crops = [align(pixels, face.landmarks) for pixels, face in pictures if face.landmarks]
        return self._embedder.embed(np.array(crops, np.uint8).reshape(-1, 112, 112, 3))


def _style(style: CoverStyle) -> Cover:
    return lambda pixels, face: cover(pixels, [face], style)


def _blur(pixels: Pixels, face: Face) -> Pixels:
    """A control: Gaussian, a sixteenth of the face's width."""
    mask = _mask(pixels, face)[:, :, None]
    soft = cv2.GaussianBlur(pixels, (0, 0), face.box.width * pixels.shape[1] / 16)
    return np.where(mask, soft, pixels).astype(np.uint8)


def _means(pixels: Pixels, face: Face) -> Pixels:
    """A control: four cells across the face, of the mean colours of what is under them."""
    height, width = pixels.shape[:2]
    cell = max(round(face.box.width * width / 4), 8)
    size = (-(-width // cell), -(-height // cell))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.where(_mask(pixels, face)[:, :, None], large, pixels).astype(np.uint8)


def _mask(pixels: Pixels, face: Face) -> Mask:
    height, width = pixels.shape[:2]
    return regions(height, width, [face])[0].mask(height, width)


STYLES: dict[str, Cover] = {style.value: _style(style) for style in CoverStyle}
CONTROLS: dict[str, Cover] = {"(blur)": _blur, "(cells of means)": _means}


def read(
    folder: Path, eyes: Eyes, wanted: int, role: Role
) -> tuple[list[Portrait], list[Portrait]]:
    """The references, and as many as wanted of a role, a few of each person.

    Strangers have no references; they are their own.
    """
    samples = read_dataset(folder).samples
    seen = Counter[tuple[str, Role]]()
    files: dict[Role, list[tuple[str, Path]]] = {role: [] for role in Role}
    for sample in samples:
        begun = seen[sample.identity, Role.REFERENCE] < _FACES_OF_ONE
        its = sample.role or (Role.REFERENCE if begun else Role.PROBE)
        if seen[sample.identity, its] < _FACES_OF_ONE:
            files[its].append((sample.identity, folder / sample.path))
        seen[sample.identity, its] += 1
    known, others = (
        [one for each in some if (one := eyes.portrait(*each))]
        for some in (files[Role.REFERENCE], files[role][:wanted])
    )
    return others if role is Role.STRANGER else known, others


def attacked(portraits: Sequence[Portrait], draw: Cover, attack: str) -> list[Pixels]:
    """Each face covered, written, read back and attacked."""
    result = []
    for one in portraits:
        copy = decode(encode(draw(one.pixels, one.face), "JPEG"), _LIMITS)
        result.append(ATTACKS[attack](copy.pixels, one.mask))
    return result


def compared(
    covers: Features,
    originals: Features,
    references: Features,
    threshold: float,
    people: tuple[Sequence[str], Sequence[str]],
) -> dict[str, Any]:
    """What a row says of one recogniser."""
    own, known = (np.array(one) for one in people)
    similarity = covers @ originals.T
    others = similarity[own[:, None] != own]
    mated = np.diag(similarity)
    first = known[(covers @ references.T).argmax(axis=1)] == own
    return {
        "faces": len(own),
        "threshold": threshold,
        "matched": int((mated >= threshold).sum()),
        "highest_similarity": float(mated.max()),
        "matched_by_chance_share": float((others >= threshold).mean()),
        "rank_1_share": float(first.mean()),
        "rank_1_by_chance_share": 1 / len(set(known.tolist())),
    }


def found_there(
    eyes: Eyes, pictures: Sequence[Pixels], portraits: Sequence[Portrait], originals: Features
) -> tuple[int, int]:
    """How many covers hold what the detector takes for a face, and how many of those match."""
    found = matched = 0
    for pixels, one, original in zip(pictures, portraits, originals, strict=True):
        there = [
            face
            for face in eyes.find(pixels)
            if face.box.intersection_over_union(one.face.box) > _THERE
        ]
        found += bool(there)
        features = eyes.features([(pixels, face) for face in there])
        matched += bool((features @ original >= _SFACE_AT_FMR).any())
    return found, matched


def measure(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Rows: style, attack, recogniser."""
    eyes = Eyes()
    role = Role.STRANGER if options.held_out else Role.PROBE
    references, portraits = read(options.photographs, eyes, options.faces, role)
    people = ([one.identity for one in portraits], [one.identity for one in references])
    originals = eyes.features([(one.pixels, one.face) for one in portraits])
    known = eyes.features([(one.pixels, one.face) for one in references])
    np.save(folder / "originals.npy", np.array([one.pixels for one in portraits]))
    np.save(folder / "references.npy", np.array([one.pixels for one in references]))
    rows, stacks = [], []
    tries = [(name, attack) for name in STYLES for attack in options.attacks]
    tries += [(name, attack) for name in CONTROLS for attack in ("none", "soften")]
    for name, attack in tries:
        pictures = attacked(portraits, (STYLES | CONTROLS)[name], attack)
        pairs = [(pixels, one.face) for pixels, one in zip(pictures, portraits, strict=True)]
        found, matched = found_there(eyes, pictures, portraits, originals)
        said = compared(eyes.features(pairs), originals, known, _SFACE_AT_FMR, people)
        rows.append({"style": name, "attack": attack, "recogniser": "SFace", **said,
                     "faces_found_in_covers": found, "of_those_matched": matched})  # fmt: skip
        stacks.append(f"{len(stacks)}")
        np.save(folder / f"{stacks[-1]}.npy", np.array(pictures))
        print(machine.table(rows[-1:]).splitlines()[-1], flush=True)
    if options.peers:
        boxes = {"boxes": portraits, "reference_boxes": references}
        sides = {name: [one.box_px for one in each] for name, each in boxes.items()}
        (folder / "faces.json").write_text(json.dumps({"stacks": stacks, **sides}))
        rows += by_dlib(options, folder, tries, people)
    return rows


def by_dlib(
    options: argparse.Namespace,
    folder: Path,
    tries: Sequence[tuple[str, str]],
    people: tuple[Sequence[str], Sequence[str]],
) -> list[dict[str, Any]]:
    """The same rows by the second recogniser."""
    python = contenders.python_of(contenders.DLIB, options.peers.absolute())
    command = [str(python), str(contenders.PEERS / contenders.DLIB.script), str(folder)]
    subprocess.run(command, check=True)  # noqa: S603 - the script beside this one
    references, originals = (_lifted(folder, one) for one in ("references", "originals"))
    known = np.array(people[1])
    other = (references @ references.T)[known[:, None] != known]
    threshold = float(np.quantile(other, 1 - _FMR))
    return [
        {"style": name, "attack": attack, "recogniser": "dlib",
         **compared(_lifted(folder, str(place)), originals, references, threshold, people)}
        for place, (name, attack) in enumerate(tries)
    ]  # fmt: skip


def _lifted(folder: Path, stack: str) -> Features:
    """The features of dlib, of unit length (its own are nearly so), for one similarity for both."""
    features = np.load(folder / f"{stack}.features.npy")
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Measure, print, keep."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photographs", type=Path, required=True)
    arguments.add_argument("--faces", type=int, default=200)
    arguments.add_argument("--peers", type=Path, default=contenders.DEFAULT_FOLDER / "peers")
    arguments.add_argument("--sface-alone", dest="peers", action="store_const", const=None)
    arguments.add_argument("--held-out", action="store_true", help="people nothing was chosen on")
    arguments.add_argument("--attacks", type=lambda text: text.split(","), default=list(ATTACKS))
    arguments.add_argument("--add", action="store_true", help="to the newest result")
    options = arguments.parse_args()
    people = "held out" if options.held_out else _USED
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"people": people, **row} for row in measure(options, Path(folder))]
    before = machine.newest("covers") if options.add else None
    for row in before["rows"] if before else ():
        row.setdefault("people", _USED)  # results of before people were held out
    machine.keep("covers", machine.added(before, rows, ("people", "style", "attack", "recogniser")))


if __name__ == "__main__":
    main()
