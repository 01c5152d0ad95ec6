"""Small networks made by hand: a fixed random projection of average-pooled pixels, and bad ones."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DIMENSION = 512
CALIBRATION = {
    "mean": 0.1,
    "deviation": 0.1,
    "probe_deviation": 0.02,
    "bend": 0.0,
    "provenance": "Drawn up for a test.",
}


def network(
    *nodes: Any,  # noqa: ANN401 - onnx.NodeProto
    dimension: int = DIMENSION,
    size: tuple[Any, ...] = ("batch", 3, 112, 112),
    output: tuple[Any, ...] | None = None,
    seed: int = 1,
) -> bytes:
    """Pool 14 x 14 pixels into one, project; ``nodes`` then go from "features" to "out"."""
    weights = np.random.default_rng(seed).normal(size=(192, dimension)).astype(np.float32)
    last = list(nodes) or [helper.make_node("Identity", ["features"], ["out"])]
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool", ["data"], ["pooled"], kernel_shape=[14, 14], strides=[14, 14]
            ),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["features"]),
            *last,
        ],
        "made",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, output or ("batch", dimension))],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def with_weights_elsewhere() -> bytes:
    """A model that says that its weights lie in another file."""
    model = onnx.load_model_from_string(network())
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="elsewhere.bin")
    return bytes(model.SerializeToString())


def with_weights_elsewhere_in_a_function() -> bytes:
    """The same of a constant inside a function of the model's own."""
    model = onnx.load_model_from_string(network(helper.make_node("Own", ["features"], ["out"])))
    outside = helper.make_node("Constant", [], ["added"])
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="elsewhere.bin")
    outside.attribute.append(helper.make_attribute("value", weights))
    adding = helper.make_node("Add", ["given", "added"], ["sum"])
    model.graph.node[-1].domain = "own"
    versions = [helper.make_opsetid("", 13)]
    own = helper.make_function("own", "Own", ["given"], ["sum"], [outside, adding], versions)
    model.functions.append(own)
    model.opset_import.append(helper.make_opsetid("own", 1))
    return bytes(model.SerializeToString())


def broken(*, inputs: int) -> bytes:
    """A network that is none: an operator that is folded has too few inputs, or absurd ones."""
    model = onnx.load_model_from_string(network())
    given = ["quantised", "scale"][:inputs]
    model.graph.node.insert(
        0, helper.make_node("DequantizeLinear", given, ["out of it"], axis=1, block_size=1 << 46)
    )
    for name, values in (("quantised", np.ones((4, 4), np.int8)), ("scale", np.ones((4, 1), "f"))):
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    return bytes(model.SerializeToString())


def manifest(folder: Path, model: bytes | None = None, **changes: object) -> Path:
    """A model with its manifest; a change to None leaves a key out."""
    content = network() if model is None else model
    (folder / "made.onnx").write_bytes(content)
    values: dict[str, Any] = {
        "name": "Made 1",
        "file": "made.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "CC0-1.0",
        "source": "made in a test",
        "colour_order": "RGB",
        "dimension": DIMENSION,
        "subtract": 127.5,
        "divide": 127.5,
        "calibration": CALIBRATION,
        **changes,
    }
    path = folder / "made.json"
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
    return path
