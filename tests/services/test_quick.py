"""Quick features decide nothing that full ones would decide otherwise."""

import numpy as np
import numpy.typing as npt
import pytest

from sayso.domain.sighting import Link

from .drawing import ADA, STRANGERS, DrawnFeatures, Head, faint, picture, vector
from .world import World


class Rough:
    """An embedder to which everybody looks a little more, or less, like Ada."""

    def __init__(self, lean: float) -> None:
        self.exact = DrawnFeatures()
        self._lean = lean

    def embed(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        rough = self.exact.embed(crops) + self._lean * vector(ADA)
        return np.asarray(rough / np.linalg.norm(rough, axis=1, keepdims=True), np.float32)


def scanned(world: World) -> dict[str, tuple[Link, float | None]]:
    """Of each photograph of one face, what the scan says of Ada."""
    world.enrol("Ada", ADA, "recognise")
    world.embedder.computed = 0
    source = world.collection()
    for number, who in enumerate((ADA, faint(ADA), *STRANGERS)):
        source.put(f"{number}.png", picture(Head(who), number=number))
    world.scan("club")
    links = world.links("club")
    return {
        photograph.paths[0]: (sighting.link, sighting.similarity)
        for photograph in world.photographs()
        for face in photograph.faces
        for sighting in links.get(face.id, ())
    }


@pytest.mark.parametrize("lean", [-0.085, 0.085])
def test_a_face_near_a_threshold_is_computed_in_full_and_no_other(
    world: World, lean: float
) -> None:
    world.quick, world.slack = Rough(lean), 0.09
    found = scanned(world)
    assert {path: link for path, (link, _) in found.items()} == {
        "0.png": Link.MATCH,
        "1.png": Link.REVIEW,
    }
    assert found["1.png"][1] == pytest.approx(0.28, abs=0.01)
    assert world.embedder.computed == 1


@pytest.mark.parametrize(("lean", "said"), [(-0.085, None), (0.085, Link.MATCH)])
def test_without_that_a_doubt_would_be_lost_or_a_match(
    world: World, lean: float, said: Link | None
) -> None:
    world.quick = Rough(lean)
    assert scanned(world).get("1.png", (None, None))[0] is said


def test_templates_are_computed_in_full(world: World) -> None:
    rough = Rough(0.085)
    world.quick, world.slack = rough, 0.09
    world.enrol("Ada", ADA, "recognise")
    assert (rough.exact.computed, world.embedder.computed) == (0, 1)
