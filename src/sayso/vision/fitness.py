"""Whether a model's file is what Sayso can use: its graph, and what it makes of a few pictures."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.errors import ModelUnfit
from sayso.vision.align import CROP_PX

_SAME = 0.999
"""Similarity (cosine) from which two features are the same but for rounding."""
_TRIALS = 4
_PLANES = 3
_RANK = 4


def dimension_of(model: bytes) -> int:
    """Check a graph, and tell how long its features are.

    Args:
        model: a serialised ONNX model.

    Returns:
        The dimension; 0 where the graph leaves it open.

    Raises:
        ModelUnfit: not one picture in and one row of numbers out, or weights in other files.
    """
    import onnx  # noqa: PLC0415 - slow to import, and needed once per model

    try:
        proto = onnx.load_model_from_string(model)
    except Exception as error:  # protobuf has no class of its own for it that is public
        raise _unfit("a serialised ONNX model", "other bytes") from error
    graph = proto.graph
    functions = (tensor for one in proto.functions for tensor in _of_nodes(one.node))
    everything = (*_tensors(graph), *functions)
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in everything):
        raise _unfit("one file with its weights in it", "weights in other files")
    weights = {item.name for item in graph.initializer}
    pictures = [item for item in graph.input if item.name not in weights]
    if len(pictures) != 1:
        raise _unfit("a graph with one input", f"{len(pictures)}")
    _require_picture(pictures[0], onnx.TensorProto.FLOAT)
    if not graph.output:
        raise _unfit("a graph with an output", "none")
    size = _size(graph.output[0])
    if size and len(size) != 2:  # noqa: PLR2004 - a table
        raise _unfit("one row of features for each face", f"an output of {len(size)} dimensions")
    return size[1] if size else 0


def require_sane(embed: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
    """Try a model on a few pictures.

    Raises:
        ModelUnfit: nothing comes out (or NaN, or infinities), the same for all of them, or
            something else for the same picture in other company.
    """
    crops = _trials()
    together = embed(crops)
    if not together.any(axis=1).all():
        raise _unfit("features that are finite and not all zero", "none for a plain picture")
    alone = np.concatenate([embed(crop[None]) for crop in crops])
    if ((together * alone).sum(axis=1) < _SAME).any():
        raise _unfit("the same features of a face in any company", "others in a batch than alone")
    if (together[0] @ together[1:].T > _SAME).all():
        raise _unfit("features that differ from picture to picture", "always the same")


def _trials() -> NDArray[np.uint8]:
    """Pictures of nothing in particular, coarse enough that every network makes something of it."""
    random = np.random.default_rng(7)
    coarse = random.integers(0, 256, (_TRIALS, 7, 7, _PLANES)).astype(np.uint8)
    side = CROP_PX // 7
    return np.ascontiguousarray(coarse.repeat(side, axis=1).repeat(side, axis=2))


def _require_picture(item: Any, float32: int) -> None:  # noqa: ANN401 - onnx.ValueInfoProto
    size = _size(item)
    wanted = (None, _PLANES, CROP_PX, CROP_PX)
    fits = len(size) == _RANK and all(
        want is None or have in {0, want} for have, want in zip(size, wanted, strict=True)
    )
    if not fits or item.type.tensor_type.elem_type != float32:
        raise _unfit(
            f"an input of float32 (N, {_PLANES}, {CROP_PX}, {CROP_PX})",
            f"shape {tuple(size)} of type {item.type.tensor_type.elem_type}",
        )


def _size(item: Any) -> list[int]:  # noqa: ANN401 - onnx.ValueInfoProto
    """The dimensions of an input or output, 0 for one that is open; empty: nothing is said."""
    return [int(one.dim_value) for one in item.type.tensor_type.shape.dim]


def _tensors(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - onnx.GraphProto
    """Every constant of a graph and of the graphs inside it."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Any) -> Iterator[Any]:  # noqa: ANN401 - onnx.NodeProto, repeated
    for node in nodes:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for inner in (attribute.g, *attribute.graphs):
                if inner.node or inner.initializer:
                    yield from _tensors(inner)


def _unfit(expected: str, found: str) -> ModelUnfit:
    return ModelUnfit(
        expected=expected,
        found=found,
        remedy="Use an embedder of aligned faces in the style of ArcFace, exported to one ONNX "
        "file; nothing was added.",
    )
