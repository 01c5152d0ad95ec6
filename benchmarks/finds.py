"""How many of the known faces somebody found: speed compares only at equal finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Box = Sequence[float]
"""x, y, width, height, pixels of the photograph at full size."""


@dataclass(frozen=True, slots=True)
class Finds:
    """Of all photographs together.

    Attributes:
        known: faces that were put there.
        found: of those, faces in which the centre of some find lies.
        others: finds whose centre lies in no known face: false, or of scenery with people in it.
    """

    known: int
    found: int
    others: int


def compare(photographs: Sequence[dict[str, Any]], boxes: Sequence[Sequence[Box]]) -> Finds:
    """Compare what was found with what is known.

    Args:
        photographs: of the manifest; see `photographs.compose`.
        boxes: found in each, in the same order.
    """
    known = found = others = 0
    for photograph, finds in zip(photographs, boxes, strict=True):
        faces: list[Box] = photograph["faces"]
        known += len(faces)
        found += sum(any(_centre_in(find, face) for find in finds) for face in faces)
        others += sum(not any(_centre_in(find, face) for face in faces) for find in finds)
    return Finds(known, found, others)


def _centre_in(find: Box, face: Box) -> bool:
    x, y = find[0] + find[2] / 2, find[1] + find[3] / 2
    return face[0] <= x <= face[0] + face[2] and face[1] <= y <= face[1] + face[3]
