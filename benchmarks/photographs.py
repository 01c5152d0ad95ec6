"""Photographs to measure on: large ones, composed of people in a folder of photographs.

    python benchmarks/photographs.py --photographs FOLDER --out FOLDER [--count 40] [--kind large]

Where the faces are is known, since they were put there. The same seed gives the same photographs.
The people are cut out of FOLDER's own photographs and never leave this machine: nothing that is
made here may be committed.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

from sayso.vision.models import YUNET, load

Pixels = NDArray[np.uint8]

_LARGE = ((4000, 3000), (4608, 3456), (4928, 3264), (5184, 3888), (6000, 4000))
_SIZES = {
    "large": _LARGE,
    "near": _LARGE,
    "small": ((1600, 1200), (1920, 1080), (1632, 1224)),
}
"""12 to 24 and 2 megapixels, as cameras and telephones have them."""
_FACES_PX = {"large": (60, 600), "near": (160, 900), "small": (40, 300)}
"""In ``near`` ones every face can be seen at 640 px too, which is all that some look at."""
_FACES = (1, 2, 3, 3, 4, 4, 5, 5, 7, 9)
"""Faces in ten photographs: 4.3 on average."""
_SURE, _MAYBE = 0.85, 0.3
_SMALLEST_SOURCE_PX = 60
_ENLARGED = 2.6
_HEAD = (0.75, 0.8, 0.75, 1.0)
"""How much of a face's width and height is cut out left of, above, right of and below it."""
_QUALITY = 90
_PORTRAITS = 10
_SEED = 4
_PLACES_TRIED = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Head and shoulders, cut out of a photograph.

    Attributes:
        pixels: uint8 (H, W, 3) BGR.
        face: x, y, width, height within them, pixels.
    """

    pixels: Pixels
    face: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Material:
    """What photographs are composed of."""

    people: Sequence[Person]
    scenery: Sequence[Pixels]
    portraits: Sequence[Path]


def compose(
    photographs: Path, out: Path, *, count: int, kind: str, seed: int = _SEED
) -> dict[str, Any]:
    """Compose photographs, unless exactly these lie there already.

    Args:
        photographs: a folder with photographs of people, looked through with its subfolders.
        out: where they are written, with ``manifest.json`` and, in ``portraits``, photographs of
            ten people to enrol.
        count: how many; ten or a multiple of it for 4.3 faces on average.
        kind: ``large`` (12 to 24 megapixels), ``near`` (the same, no small faces), ``small`` (2).
        seed: of everything that is drawn.

    Returns:
        The manifest: ``photographs`` (of each ``file``, ``width_px``, ``height_px``, ``faces`` as
        x, y, width, height in pixels), ``portraits`` and the totals.
    """
    wanted = {"version": 1, "count": count, "kind": kind, "seed": seed}
    path = out / "manifest.json"
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if {name: kept.get(name) for name in wanted} == wanted:
            return kept
    material = gather(photographs)
    (out / "portraits").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng([seed, *kind.encode()])
    counts = [_FACES[place % len(_FACES)] for place in range(count)]
    random.shuffle(counts)
    made = []
    for number, faces in enumerate(counts):
        pixels, boxes = _photograph(material, random, kind, faces)
        file = out / f"{kind}-{number:04d}.jpg"
        _write(file, pixels)
        height, width = pixels.shape[:2]
        made.append({"file": file.name, "width_px": width, "height_px": height, "faces": boxes})
    portraits = []
    for number, portrait in enumerate(material.portraits):
        target = out / "portraits" / f"{number:02d}{portrait.suffix}"
        target.write_bytes(portrait.read_bytes())
        portraits.append(f"portraits/{target.name}")
    manifest = {
        **wanted,
        "megapixels": sum(one["width_px"] * one["height_px"] for one in made) / 1e6 / count,
        "megabytes": sum((out / one["file"]).stat().st_size for one in made) / 1e6 / count,
        "faces": sum(len(one["faces"]) for one in made),
        "portraits": portraits,
        "photographs": made,
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    return manifest


def gather(photographs: Path) -> Material:
    """Cut people and scenery without people out of a folder's photographs.

    A person is taken where OpenCV's YuNet is sure of a face and sees no other one near it.

    Raises:
        ValueError: too few people or no scenery is in there.
    """
    model = load(YUNET, Path(platformdirs.user_cache_dir("sayso")))
    weights, nothing = np.frombuffer(model, np.uint8), np.empty(0, np.uint8)
    detector = cv2.FaceDetectorYN.create(
        "onnx", weights, nothing, (320, 320), score_threshold=_MAYBE
    )
    people: list[Person] = []
    scenery: list[Pixels] = []
    portraits: list[Path] = []
    for path in sorted(photographs.rglob("*.jpg")):
        pixels = read(path)
        detector.setInputSize((pixels.shape[1], pixels.shape[0]))
        found: Any = detector.detect(pixels)[1]
        faces = np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)
        people.extend(_people(pixels, faces))
        scenery.extend(_scenery(pixels, faces))
        if len(faces) == 1 and faces[0, 14] > _SURE and len(portraits) < _PORTRAITS:
            portraits.append(path)
    if len(people) < max(_FACES) or not scenery:
        message = "this folder's photographs show too few people"
        raise ValueError(message)
    return Material(people, scenery, portraits)


def read(path: Path) -> Pixels:
    """A picture's pixels, uint8 (H, W, 3) BGR.

    Raises:
        ValueError: it cannot be read.
    """
    pixels: Any = cv2.imread(str(path))
    if pixels is None:
        message = f"{path.name} cannot be read"
        raise ValueError(message)
    return np.asarray(pixels, np.uint8)


def _people(pixels: Pixels, faces: NDArray[np.float64]) -> Iterator[Person]:
    height, width = pixels.shape[:2]
    for place, (x, y, w, h) in enumerate(faces[:, :4]):
        if faces[place, 14] < _SURE or h < _SMALLEST_SOURCE_PX:
            continue
        left, top = max(x - _HEAD[0] * w, 0), max(y - _HEAD[1] * h, 0)
        right, bottom = min(x + (1 + _HEAD[2]) * w, width), min(y + (1 + _HEAD[3]) * h, height)
        others = np.delete(faces, place, axis=0)
        if _touched(others, left, top, right, bottom) or min(x, y, width - x - w) < w / 4:
            continue
        part = pixels[int(top) : int(bottom), int(left) : int(right)].copy()
        yield Person(part, (float(x - int(left)), float(y - int(top)), float(w), float(h)))


def _scenery(pixels: Pixels, faces: NDArray[np.float64]) -> Iterator[Pixels]:
    """The quarters and edges of a larger picture in which nobody is seen."""
    height, width = pixels.shape[:2]
    if min(height, width) < 330:  # noqa: PLR2004 - smaller ones have no texture worth enlarging
        return
    side_y, side_x = height // 3, width // 3
    for top in range(0, height - side_y + 1, side_y):
        for left in range(0, width - side_x + 1, side_x):
            margin = side_y // 4
            if not _touched(faces, left - margin, top - margin, left + side_x + margin,
                            top + side_y + margin):  # fmt: skip
                yield pixels[top : top + side_y, left : left + side_x].copy()


def _touched(
    faces: NDArray[np.float64], left: float, top: float, right: float, bottom: float
) -> bool:
    return bool(
        np.any(
            (faces[:, 0] < right)
            & (faces[:, 0] + faces[:, 2] > left)
            & (faces[:, 1] < bottom)
            & (faces[:, 1] + faces[:, 3] > top)
        )
    )


def _photograph(
    material: Material, random: np.random.Generator, kind: str, count: int
) -> tuple[Pixels, list[list[float]]]:
    """One photograph with so many faces, and where they are."""
    size = _SIZES[kind][random.integers(len(_SIZES[kind]))]
    if random.random() < 0.3:  # noqa: PLR2004 - a third is taken upright
        size = size[::-1]
    canvas = _background(material, random, size)
    taken: list[tuple[int, int, int, int]] = []
    boxes: list[list[float]] = []
    low, high = (float(side) for side in _FACES_PX[kind])
    while len(boxes) < count:
        wanted = float(np.exp(random.uniform(np.log(low), np.log(high))))
        people = [one for one in material.people if one.face[3] * _ENLARGED >= wanted]
        person = _scaled(people[int(random.integers(len(people)))], wanted)
        area = _free(random, taken, size, person.pixels.shape[:2])
        if area is None:  # so close together that only a smaller one fits
            high = max(high * 0.8, low * 1.5)
            continue
        left, top, right, bottom = area
        part = canvas[top:bottom, left:right]
        alpha = _soft_edge(part.shape[0], part.shape[1])
        part[:] = (part + (person.pixels.astype(np.float32) - part) * alpha).astype(np.uint8)
        taken.append(area)
        x, y, w, h = person.face
        boxes.append([round(value, 1) for value in (left + x, top + y, w, h)])
    _add_grain(canvas, random)
    return canvas, boxes


def _scaled(person: Person, face_px: float) -> Person:
    scale = face_px / person.face[3]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = cv2.resize(person.pixels, None, fx=scale, fy=scale, interpolation=how)
    x, y, w, h = (value * scale for value in person.face)
    return Person(np.asarray(pixels, np.uint8), (x, y, w, h))


def _free(
    random: np.random.Generator,
    taken: Sequence[tuple[int, int, int, int]],
    size: tuple[int, int],
    shape: Sequence[int],
) -> tuple[int, int, int, int] | None:
    """A place of this shape that touches no other; None where none was found."""
    height, width = shape
    if width >= size[0] or height >= size[1]:
        return None
    for _ in range(_PLACES_TRIED):
        left = int(random.integers(size[0] - width))
        top = int(random.integers(size[1] - height))
        area = (left, top, left + width, top + height)
        if all(area[0] >= b[2] or area[2] <= b[0] or area[1] >= b[3] or area[3] <= b[1]
               for b in taken):  # fmt: skip
            return area
    return None


def _soft_edge(height: int, width: int) -> NDArray[np.float32]:
    """1 in the middle, 0 at the rim."""
    y = np.abs(np.linspace(-1, 1, height, dtype=np.float32))[:, None]
    x = np.abs(np.linspace(-1, 1, width, dtype=np.float32))[None]
    inside = np.clip((1 - (x**4 + y**4) ** 0.25) / 0.2, 0, 1)
    return np.asarray(inside, np.float32)[..., None]


def _background(material: Material, random: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """Scenery at full size: pieces that blend into each other, with structure at every scale."""
    width, height = size
    canvas = _piece(material, random, size).astype(np.float32)
    for _ in range(3):
        mask = cv2.resize(
            (random.random((4, 5)) ** 2).astype(np.float32), size, interpolation=cv2.INTER_CUBIC
        )
        edge = np.clip((mask - 0.4) * 6, 0, 1)[..., None]
        canvas += (_piece(material, random, size) - canvas) * edge
    # Leaves, gravel, cloth: what a lens draws and an enlarged piece lacks.
    for side, strength in ((2, 16.0), (5, 10.0), (17, 8.0)):
        coarse = random.normal(0, strength, (height // side + 1, width // side + 1))
        grain = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
        where = cv2.resize(
            random.random((5, 6)).astype(np.float32) ** 2, size, interpolation=cv2.INTER_CUBIC
        )
        canvas += (grain * where)[..., None]
    return np.asarray(np.clip(canvas, 0, 255), np.uint8)


def _piece(material: Material, random: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """One piece of scenery, turned or mirrored, as large as the photograph."""
    piece = material.scenery[int(random.integers(len(material.scenery)))]
    if random.random() < 0.5:  # noqa: PLR2004 - half of them
        piece = piece[:, ::-1]
    return np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _add_grain(canvas: Pixels, random: np.random.Generator) -> None:
    """A sensor's noise: one tile of it, moved about, since drawing it all anew takes long."""
    tile = random.normal(0, 3.0, (512, 512, 3)).astype(np.float32)
    for top in range(0, canvas.shape[0], 512):
        for left in range(0, canvas.shape[1], 512):
            part = canvas[top : top + 512, left : left + 512]
            moved = np.roll(tile, tuple(random.integers(0, 512, 2)), (0, 1))
            part[:] = np.clip(part + moved[: part.shape[0], : part.shape[1]], 0, 255)


def _write(file: Path, pixels: Pixels) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    if not cv2.imwrite(str(file), pixels, options):
        message = f"{file.name} cannot be written"
        raise OSError(message)


def digest(folder: Path, manifest: dict[str, Any]) -> str:
    """A short hash of the photographs, so that two results can be told to be of the same ones."""
    total = hashlib.sha256()
    for one in manifest["photographs"]:
        total.update((folder / one["file"]).read_bytes())
    return total.hexdigest()[:12]


def main() -> None:
    """Compose, and print the totals."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photographs", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--count", type=int, default=40)
    arguments.add_argument("--kind", choices=sorted(_SIZES), default="large")
    options = arguments.parse_args()
    made = compose(options.photographs, options.out, count=options.count, kind=options.kind)
    totals = {name: made[name] for name in ("count", "kind", "megapixels", "megabytes", "faces")}
    print(totals, digest(options.out, made))


if __name__ == "__main__":
    main()
