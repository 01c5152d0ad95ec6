"""Turn a block-quantised ONNX graph into a plain float32 one.

The weights of the default models are stored as int8 with one scale per block of a row (ONNX
operator set 21, ``DequantizeLinear`` with ``block_size``). Few run times read that form. Folding
does once, at rest, what the graph would do at every start, and changes no number: the products
``(quantised - zero point) * scale`` are computed in float32 as the operator's definition says.

Source: ONNX operator reference, DequantizeLinear-21 and Reshape-21.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 2
"""Part of the cached copy's name; raise it whenever folding gives other bytes."""


def dequantise(
    quantised: NDArray[Any],
    scale: NDArray[np.float32],
    zero_point: NDArray[Any] | None,
    *,
    axis: int,
    block_size: int,
) -> NDArray[np.float32]:
    """What ``DequantizeLinear`` computes, for all three of its forms.

    Args:
        quantised: integers of any shape.
        scale: per tensor (one number), per channel (1-D along the axis) or blocked (of the same
            rank, shorter along the axis).
        zero_point: of the shape of ``scale``; None counts as zero.
        axis: the axis of the channels or blocks; may be negative.
        block_size: how many neighbours along the axis share a scale; 0 where not blocked.

    Returns:
        float32 of the shape of ``quantised``.
    """
    zero = np.zeros_like(scale) if zero_point is None else zero_point.astype(np.float32)
    if block_size > 0:
        length = quantised.shape[axis]
        scale, zero = (
            np.repeat(part, block_size, axis=axis).take(range(length), axis=axis)
            for part in (scale, zero)
        )
    elif scale.size > 1:
        along = [1] * quantised.ndim
        along[axis] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    elif scale.ndim:
        scale, zero = scale.reshape(()), zero.reshape(())
    return ((quantised.astype(np.float32) - zero) * scale).astype(np.float32)


def fold(model: bytes, *, dynamic_size: bool) -> bytes:
    """The same network with float32 weights as initialisers and a free batch size.

    Args:
        model: a serialised ONNX model.
        dynamic_size: make height and width free as well (the detector's are).

    Returns:
        A serialised ONNX model whose only inputs are the pictures.
    """
    import onnx  # noqa: PLC0415 - slow to import, and needed once per model and machine

    proto = onnx.load_model_from_string(model)
    graph = proto.graph
    values = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    remaining = [node for node in graph.node if not _fold_node(node, values)]
    _free_the_batch(remaining, values)
    _replace(graph.node, remaining)
    used = {name for node in remaining for name in node.input}
    weights = [
        onnx.numpy_helper.from_array(value, name) for name, value in values.items() if name in used
    ]
    _replace(graph.initializer, weights)
    # Some published graphs list weights as inputs, even under names that nothing uses any more.
    pictures = [item for item in graph.input if item.name in used and item.name not in values]
    _replace(graph.input, pictures)
    _replace(graph.value_info, [])
    for item in graph.input:
        _free_dimensions(item, ("batch", None, "height", "width") if dynamic_size else ("batch",))
    for item in graph.output:
        _free_dimensions(item, ("batch", f"{item.name}_rows") if dynamic_size else ("batch",))
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def _fold_node(node: Any, values: dict[str, NDArray[Any]]) -> bool:  # noqa: ANN401 - onnx.NodeProto
    """Compute a constant node into ``values``; whether it could be."""
    if node.op_type not in {"DequantizeLinear", "Reshape"}:
        return False
    if any(name and name not in values for name in node.input):
        return False
    parts = [values[name] for name in node.input if name]
    numbers = {attribute.name: attribute.i for attribute in node.attribute}
    if node.op_type == "Reshape":
        shape = [
            parts[0].shape[place] if size == 0 and not numbers.get("allowzero") else int(size)
            for place, size in enumerate(parts[1])
        ]
        values[node.output[0]] = np.ascontiguousarray(parts[0].reshape(shape))
        return True
    zero_point = parts[2] if len(parts) > 2 else None  # noqa: PLR2004 - its third input
    values[node.output[0]] = dequantise(
        parts[0],
        parts[1],
        zero_point,
        axis=numbers.get("axis", 1),
        block_size=numbers.get("block_size", 0),
    )
    return True


def _free_the_batch(nodes: list[Any], values: dict[str, NDArray[Any]]) -> None:
    """Let ``Reshape`` to ``[1, -1, n]`` keep the batch of its input: 0 copies a dimension."""
    for node in nodes:
        if node.op_type == "Reshape" and node.input[1] in values:
            shape = values[node.input[1]]
            if shape.ndim == 1 and shape.size > 1 and shape[0] == 1:
                values[node.input[1]] = np.concatenate(([0], shape[1:])).astype(np.int64)


def _free_dimensions(item: Any, names: tuple[str | None, ...]) -> None:  # noqa: ANN401 - ValueInfoProto
    dimensions = item.type.tensor_type.shape.dim
    for dimension, name in zip(dimensions, names, strict=False):
        if name is not None:
            dimension.Clear()
            dimension.dim_param = name


def _replace(field: Any, items: list[Any]) -> None:  # noqa: ANN401 - a repeated protobuf field
    del field[:]
    field.extend(items)
