"""Graphs that are no embedders of faces, and embedders that go wrong when they are run."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from sayso.errors import ModelUnfit
from sayso.vision import fitness, folding
from sayso.vision.embed import Embedder
from sayso.vision.runtime import OpenVinoNetwork

from . import made


def embedder(model: bytes, dimension: int = made.DIMENSION) -> Embedder:
    folded = folding.fold(model, dynamic_size=False)
    return Embedder(OpenVinoNetwork(lambda: folded, threads=1), dimension=dimension)


def constant(name: str, value: float, shape: tuple[int, ...] = ()) -> Any:  # noqa: ANN401 - NodeProto
    filled = np.full(shape, value, np.float32)
    tensor = helper.make_tensor(name, TensorProto.FLOAT, shape, filled.ravel())
    return helper.make_node("Constant", [], [name], value=tensor)


def test_a_graph_tells_how_long_its_features_are() -> None:
    assert fitness.dimension_of(made.network()) == made.DIMENSION
    assert fitness.dimension_of(made.network(size=(1, 3, 112, 112), output=(1, 512))) == 512
    assert fitness.dimension_of(made.network(output=("batch", "open"))) == 0


@pytest.mark.parametrize(
    "model",
    [
        b"words",
        made.network(size=("batch", 1, 112, 112)),
        made.network(size=("batch", 3, 160, 160)),
        made.network(size=("batch", 112, 112, 3)),
        made.network(output=("batch", 8, 8, 8)),
        made.with_weights_elsewhere(),
        made.with_weights_elsewhere_in_a_function(),
    ],
    ids=[
        "no model",
        "grey",
        "larger",
        "colours last",
        "a map",
        "weights elsewhere",
        "in a function",
    ],
)
def test_a_graph_that_is_no_embedder_is_refused(model: bytes) -> None:
    with pytest.raises(ModelUnfit):
        fitness.dimension_of(model)


def test_a_good_model_is_taken_whatever_batch_it_was_exported_with() -> None:
    fitness.require_sane(embedder(made.network()).embed)
    alone = made.network(size=(1, 3, 112, 112), output=(1, made.DIMENSION))
    fitness.require_sane(embedder(alone).embed)


NOT_A_NUMBER = [
    constant("nan", float("nan")),
    helper.make_node("Mul", ["features", "nan"], ["out"]),
]
NOTHING = [constant("zero", 0.0), helper.make_node("Mul", ["features", "zero"], ["out"])]
ALWAYS_THE_SAME = [
    constant("zero", 0.0),
    constant("one", 1.0),
    helper.make_node("Mul", ["features", "zero"], ["none"]),
    helper.make_node("Add", ["none", "one"], ["out"]),
]
OF_ALL_TOGETHER = [
    helper.make_node("ReduceMean", ["features"], ["mean"], axes=[0], keepdims=1),
    helper.make_node("Sub", ["features", "mean"], ["apart"]),
    constant("little", 0.001),
    helper.make_node("Mul", ["features", "little"], ["own"]),
    helper.make_node("Add", ["apart", "own"], ["out"]),
]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (NOT_A_NUMBER, "none for a plain picture"),
        (NOTHING, "none for a plain picture"),
        (ALWAYS_THE_SAME, "always the same"),
        (OF_ALL_TOGETHER, "in a batch"),
    ],
    ids=["NaN", "zeros", "always the same", "of all together"],
)
def test_a_model_that_goes_wrong_is_refused(nodes: list[Any], told: str) -> None:
    with pytest.raises(ModelUnfit, match=told):
        fitness.require_sane(embedder(made.network(*nodes)).embed)


def test_features_that_are_not_a_number_match_nobody() -> None:
    found = embedder(made.network(*NOT_A_NUMBER)).embed(np.zeros((2, 112, 112, 3), np.uint8))
    assert found.shape == (2, made.DIMENSION)
    assert not found.any()


def test_features_of_another_length_are_never_taken() -> None:
    with pytest.raises(ModelUnfit):
        embedder(made.network(), dimension=128).embed(np.zeros((2, 112, 112, 3), np.uint8))
