"""The world itself: what the other tests rest on."""

import numpy as np
import pytest

from sayso.domain.screening import CoverStyle
from sayso.services.eye import Eye
from sayso.vision.align import align
from sayso.vision.cover import cover
from sayso.vision.decode import DecodeLimits

from .drawing import ADA, BEN, LEFT, RIGHT, DrawnFaces, DrawnFeatures, Head, faint, picture, vector

EYE = Eye(DrawnFaces(), DecodeLimits(10_000_000, 10_000_000), 16.0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_drawn_head_is_found_and_told_apart(kind: str) -> None:
    for who in range(0, 32, 3):
        data = picture(Head(who), Head(BEN, x=RIGHT), kind=kind, quality=90)
        found, faces = EYE.look(data)
        assert len(faces) == 2
        by_place = sorted(faces, key=lambda face: face.box.x)
        crops = np.stack([align(found.pixels, f.landmarks) for f in by_place if f.landmarks])
        alike = DrawnFeatures().embed(crops) @ np.array([vector(who), vector(BEN)]).T
        assert alike[0, 0] > 0.99
        assert alike[1, 1] > 0.99


@pytest.mark.parametrize("style", list(CoverStyle))
@pytest.mark.parametrize("side", [24, 96, 180])
def test_no_drawn_head_survives_a_cover(style: CoverStyle, side: int) -> None:
    for who in range(0, 32, 3):
        found, faces = EYE.look(picture(Head(who, side=side)))
        assert len(faces) == 1
        covered = cover(found.pixels, faces, style)
        assert not DrawnFaces().detect(type(found)(covered, *SIZE, "PNG"), smallest_px=16.0)


def test_a_faint_head_is_a_little_alike() -> None:
    assert vector(faint(ADA)) @ vector(ADA) == pytest.approx(0.28, abs=1e-3)
    assert vector(ADA, BEN) @ vector(BEN) == pytest.approx(0.5**0.5, abs=1e-3)


def test_a_late_head_shows_once_something_is_covered() -> None:
    data = picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT, late=True))
    found, faces = EYE.look(data)
    assert len(faces) == 1
    covered = cover(found.pixels, faces, CoverStyle.FILL)
    assert len(DrawnFaces().detect(type(found)(covered, *SIZE, "PNG"), smallest_px=16.0)) == 1


SIZE = (480, 320)
