"""A covered copy of one photograph, read back before anybody else can.

1. Faces without a permit are covered in the full-size pixels. No cover depends on what is under
   it, see `sayso.vision.cover`: so nothing that anybody computes from it can tell whose face it
   is, and no recogniser is asked (decision 0022).
2. The pixels alone are encoded: no metadata of the original is carried over.
3. The encoded copy is read back: it holds nothing but pixels, and each cover is in them as drawn.
4. It is searched for faces, as the world will see it, and in the mirror too: other detectors find
   other faces, and this one finds more when it looks twice. Where small faces were covered, it is
   looked at closely.
5. Where a face is found there that is not one of those to be shown, it is covered too, larger than
   before, all covers fall back to a fill, and the copy is made again; after three rounds it is
   given up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.domain.face import Box, Face
from sayso.domain.screening import CoverStyle
from sayso.errors import CoverFailed
from sayso.services.eye import Eye
from sayso.vision.cover import draw_covers, is_intact
from sayso.vision.decode import Buffers, Pixels
from sayso.vision.encode import encode, is_bare
from sayso.vision.headers import Format

_ROUNDS = 3
_GROWTH = 0.25
"""How much wider, on each side and each round, a face that still shows is covered."""
_SAME_OVERLAP, _SAME_DRAWN = 0.3, 0.5
"""What a face to be shown, as it was found or as a human drew it, shares with one in the copy."""


@dataclass(frozen=True, slots=True)
class CoveredCopy:
    """The bytes of a copy, and how many faces were covered beyond those asked for."""

    data: bytes
    found_later: int


def covered_copy(  # noqa: PLR0913 - the facts of one copy
    pixels: Pixels,
    *,
    shown: Sequence[Face],
    covered: Sequence[Face],
    style: CoverStyle,
    format: Format,  # noqa: A002 - the field's name
    eye: Eye,
    buffers: Buffers | None = None,
) -> CoveredCopy:
    """Make a copy that shows the faces in ``shown`` and no other.

    Args:
        pixels: uint8 (H, W, 3) RGB, upright, full size; the covers may be drawn into them.
        shown: faces with a permit.
        covered: all other known faces.
        style: how to cover these.
        format: of the original.
        eye: to look at the copy with.
        buffers: where the copy, as read back, may lie; other ones than ``pixels`` lie in.

    Raises:
        CoverFailed: a face without a permit still shows after three rounds, or the copy is not
            what was to be written.
    """
    picture = np.require(pixels, np.uint8, ["C", "W"])
    draw_covers(picture, covered, style)
    late: list[Face] = []
    for attempt in range(1, _ROUNDS + 1):  # steps 2 to 5
        data = encode(picture, format)
        seen = eye.picture(data, buffers=buffers)
        _require_as_meant(data, seen.pixels, picture, (*covered, *late))
        left = _left(eye.look_again(seen, (*covered, *late)), shown)
        if not left:
            return CoveredCopy(data, len(late))
        late += [_grown(face, attempt * _GROWTH) for face in left]
        # Over the covers of before, of which it leaves nothing.
        draw_covers(picture, (*covered, *late), CoverStyle.FILL)
    raise _failed(
        "a copy in which no face shows that has no yes",
        "one that still does after covering it again",
    )


def _require_as_meant(data: bytes, seen: Pixels, meant: Pixels, covered: Sequence[Face]) -> None:
    if not is_bare(data):
        raise _failed("a copy that holds pixels and nothing else", "one that holds more")
    if not is_intact(seen, meant, covered):
        raise _failed("a copy that shows each cover as it was drawn", "one that shows another")


def _failed(expected: str, found: str) -> CoverFailed:
    return CoverFailed(
        expected=expected,
        found=found,
        remedy="Leave this photograph out, or cover it by hand in another program.",
    )


def _left(found: Sequence[Face], shown: Sequence[Face]) -> list[Face]:
    return [
        face
        for face in found
        if not any(
            face.box.intersection_over_union(allowed.box)
            >= (_SAME_DRAWN if allowed.landmarks is None else _SAME_OVERLAP)
            for allowed in shown
        )
    ]


def _grown(face: Face, share: float) -> Face:
    box = face.box
    grown = Box(
        box.x - share * box.width,
        box.y - share * box.height,
        box.width * (1 + 2 * share),
        box.height * (1 + 2 * share),
    )
    return Face(grown, face.landmarks, face.score, face.height_px)
