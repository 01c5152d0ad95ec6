"""Drawn faces: a magenta frame that the fake detector finds, a colour that says who it is.

The frame does not survive a cover of either style, and the colour survives JPEG. A head of two
people is alike to both; a faint one resembles somebody just enough to be a doubt.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from sayso.domain.face import Box, Certainty, Face, Landmarks, Point
from sayso.vision.decode import Picture

ADA, BEN, CAT, DAN, EVE = range(5)
STRANGERS = range(10, 24)
NOBODY, NEMO, ANON = STRANGERS[:3]
"""Identities that no test enrols."""
_FAINT = 24
_FAINT_SIMILARITY = 0.28
DIMENSION = 128

_LEVELS = (40, 100, 160, 220)
_GREENS = (160, 220)
_FRAME = (255, 0, 255)
_LATE_FRAME = (0, 0, 255)
_HIDDEN_FRAME = (0, 255, 255)
_DOUBTED_FRAME = (0, 255, 0)
FILL = (0, 0, 160)
_CROP_POINTS = ((38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2))
_BASIS = np.linalg.qr(np.random.default_rng(7).normal(size=(DIMENSION, DIMENSION)))[0]
_NOISE = np.random.default_rng(8).integers(-20, 21, (400, 400, 1))


def faint(person: int) -> int:
    """Somebody who resembles a person enough for a doubt."""
    return _FAINT + person


def vector(*people: int) -> npt.NDArray[np.float32]:
    """The features of a face that looks like one person, or like several at once."""
    mean = np.sum([_vector(person) for person in people], axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _vector(person: int) -> npt.NDArray[np.float64]:
    own = np.asarray(_BASIS[person], np.float64)
    if person < _FAINT:
        return own
    like = np.asarray(_BASIS[person - _FAINT], np.float64)
    mixed = _FAINT_SIMILARITY * like + np.sqrt(1 - _FAINT_SIMILARITY**2) * own
    return np.asarray(mixed, np.float64)


@dataclass(frozen=True)
class Head:
    """A face to draw: who, where its box begins and how large it is, pixels.

    Attributes:
        late: only seen in a picture in which something is covered already.
        sharp: False: out of focus.
        seen: by whom: any look, the thorough one, or even that one only perhaps.
    """

    who: int
    x: int = 60
    y: int = 80
    side: int = 96
    also: int | None = None
    late: bool = False
    sharp: bool = True
    seen: str = "at a glance"

    @property
    def box(self) -> Box:
        """In a picture of the usual size."""
        width, height = SIZE
        return Box(self.x / width, self.y / height, self.side / width, self.side / height)


SIZE = (480, 320)
LEFT, RIGHT = 60, 300
"""Where two heads stand far enough apart that covering one leaves the other."""


def drawn(*heads: Head, number: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of some heads; ``number`` makes otherwise equal pictures differ."""
    canvas = np.full((size[1], size[0], 3), 255, np.uint8)
    canvas[0, 0] = (number % 256, number // 256, 0)
    for head in heads:
        canvas[head.y : head.y + head.side, head.x : head.x + head.side] = _face(head)
    return Image.fromarray(canvas)


def picture(*heads: Head, number: int = 0, kind: str = "PNG", **options: object) -> bytes:
    """The same as a file."""
    buffer = io.BytesIO()
    options = {"compress_level": 1, **options}
    drawn(*heads, number=number).save(buffer, kind, **options)
    return buffer.getvalue()


def portrait(who: int, number: int = 0) -> bytes:
    """An enrolment image."""
    return picture(Head(who, x=160, y=60, side=180), number=number)


_FRAMES = {"at a glance": _FRAME, "thoroughly": _HIDDEN_FRAME, "perhaps": _DOUBTED_FRAME}


def _face(head: Head) -> npt.NDArray[np.uint8]:
    side, rim = head.side, head.side // 8
    face = np.empty((side, side, 3), np.int64)
    face[:] = _LATE_FRAME if head.late else _FRAMES[head.seen]
    inner = slice(rim, side - rim)
    face[inner, rim : side // 2] = _colour(head.who)
    face[inner, side // 2 : side - rim] = _colour(head.who if head.also is None else head.also)
    if head.sharp:
        face[inner, inner] += _NOISE[: side - 2 * rim, : side - 2 * rim]
    return np.asarray(np.clip(face, 0, 255), np.uint8)


def _colour(person: int) -> tuple[int, int, int]:
    return _LEVELS[person // 8], _GREENS[person % 2], _LEVELS[person // 2 % 4]


class DrawnFaces:
    """A detector of drawn faces.

    ``haunted``: finds a face for ever, whatever is covered. ``surer``: in which looks a face is
    seen for sure where there was perhaps one, as with a lower threshold. ``looks``: how it
    looked so far. ``on_look`` is called after each look, with "thoroughly" or "at a glance".
    """

    def __init__(self) -> None:
        self.haunted: Box | None = None
        self.surer: set[str] = set()
        self.looks: list[str] = []
        self.on_look: Callable[[str], None] = lambda _how: None

    def detect(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        del smallest_px
        return self._looked("at a glance", self._detected(picture))

    def _looked(self, how: str, found: tuple[Face, ...]) -> tuple[Face, ...]:
        self.looks.append(how)
        self.on_look(how)
        return found

    def _detected(self, picture: Picture) -> tuple[Face, ...]:
        pixels = picture.pixels
        masks = [_near(pixels, _FRAME)]
        if np.count_nonzero(_near(pixels, FILL)) > 100:
            masks.append(_near(pixels, _LATE_FRAME))
        if "at a glance" in self.surer:
            masks.append(_near(pixels, _DOUBTED_FRAME))
        boxes = [box for mask in masks for box in _boxes(mask)]
        faces = [_found(pixels, *box) for box in boxes]
        if self.haunted is not None:
            faces.append(Face(self.haunted, None, 0.9, self.haunted.height * pixels.shape[0]))
        return tuple(sorted(faces, key=lambda face: -face.height_px))

    def scrutinise(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        """Also sees what a glance does not: heads in a cyan frame, in a green one perhaps."""
        del smallest_px
        pixels = picture.pixels
        hidden = [_found(pixels, *box) for box in _boxes(_near(pixels, _HIDDEN_FRAME))]
        doubted = [_found(pixels, *box) for box in _boxes(_near(pixels, _DOUBTED_FRAME))]
        if "thoroughly" not in self.surer:
            doubted = [replace(one, certainty=Certainty.PERHAPS, score=0.3) for one in doubted]
        return self._looked("thoroughly", (*self._detected(picture), *hidden, *doubted))


def _near(pixels: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(pixels.astype(np.int16) - colour) <= 30).all(axis=2))


def _boxes(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    count, _, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    found = [tuple(int(n) for n in facts[i, :4]) for i in range(1, count)]
    return [(x, y, w, h) for x, y, w, h in found if min(w, h) >= 12 and 0.8 < w / h < 1.25]


def _found(pixels: npt.NDArray[np.uint8], x: int, y: int, w: int, h: int) -> Face:
    height, width = pixels.shape[:2]
    points = [
        Point((x + across / 112 * w) / width, (y + down / 112 * h) / height)
        for across, down in _CROP_POINTS
    ]
    box = Box(x / width, y / height, w / width, h / height)
    return Face(box, Landmarks(*points), 0.9, float(h))


class DrawnFeatures:
    """An embedder that reads who is drawn. ``computed`` counts the faces that it was given."""

    def __init__(self) -> None:
        self.computed = 0
        self.batches: list[int] = []

    def embed(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.computed += len(crops)
        self.batches.append(len(crops))
        halves = (np.s_[30:82, 24:50], np.s_[30:82, 62:88])
        found = [vector(*(_person(crop[half]) for half in halves)) for crop in crops]
        return np.array(found, np.float32).reshape(len(crops), DIMENSION)


def _person(part: npt.NDArray[np.uint8]) -> int:
    red, green, blue = part.reshape(-1, 3).mean(axis=0)
    levels = [int(np.argmin([abs(level - value) for level in _LEVELS])) for value in (red, blue)]
    return 8 * levels[0] + 2 * levels[1] + int(green > sum(_GREENS) / 2)
