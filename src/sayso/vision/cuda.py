"""Running a network on an NVIDIA GPU, by ONNX Runtime (the extra ``gpu``)."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from sayso.errors import DeviceMissing
from sayso.vision.runtime import Batch, Float32

CUDA = "CUDAExecutionProvider"
_REMEDY = (
    "Install Sayso with the extra `gpu` on a machine with an NVIDIA GPU and its driver, or set "
    "`device` to cpu, or to cuda-or-cpu if the processor will do where there is no GPU."
)
_CROP_BYTES = 24_000_000
"""What one more face is reckoned to take, pixels and all layers' outputs together; estimated, since
no GPU was at hand to measure it. Where it is too little, ONNX Runtime refuses the batch."""
_MOST = 256


class CudaNetwork:
    """A network on the GPU; see `sayso.vision.runtime.Network`. It never falls back to the CPU.

    1. The provider must be there, and one thing be computed on it (`require_gpu`).
    2. A part of the graph that would run on the CPU all the same is refused.
    3. The session is asked which provider it took, and no other will do.

    Computes in float32 without TensorFloat-32: the thresholds were measured so.

    Args:
        model: a serialised ONNX model, as `sayso.vision.models.load` returns it.
        memory_bytes: of the GPU, that this network may use.
        provider: ONNX Runtime's name of what computes.

    Raises:
        DeviceMissing: no GPU, no driver, or no ONNX Runtime that can use it.
    """

    def __init__(self, model: bytes, *, memory_bytes: int, provider: str = CUDA) -> None:
        runtime = _offering(provider)  # 1.
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        given: dict[str, object] = {}
        if provider == CUDA:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")  # 2.
            given = {"gpu_mem_limit": memory_bytes, "use_tf32": 0}
        try:
            self._session: Any = runtime.InferenceSession(
                model, options, providers=[(provider, given)]
            )
        except Exception as error:
            raise _missing(f"a GPU that does not start: {error}") from error
        took = self._session.get_providers()[:1]
        if took != [provider]:  # 3.
            raise _missing(f"a session on {took}")
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, batch: Batch) -> Mapping[str, Float32]:
        """Run a batch."""
        given = np.ascontiguousarray(batch, np.float32)
        outputs = self._session.run(self._names, {self._input: given})
        return {
            name: np.asarray(output, np.float32)
            for name, output in zip(self._names, outputs, strict=True)
        }


def faces_at_once(memory_bytes: int) -> int:
    """How many faces to embed in one batch, from 1 to 256, for a network with so much memory."""
    return min(max(memory_bytes // _CROP_BYTES, 1), _MOST)


def require_gpu() -> None:
    """Find out whether networks can run on the GPU, by running a small one.

    Raises:
        DeviceMissing: they cannot.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415 - slow to import

    _offering(CUDA)
    given, taken = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ("batch", 3, 8, 8)) for name in "xy"
    )
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "trial", [given], [taken])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    network = CudaNetwork(model.SerializeToString(), memory_bytes=50_000_000)
    network(np.zeros((1, 3, 8, 8), np.float32))


def _offering(provider: str) -> ModuleType:
    """ONNX Runtime, if it offers what shall compute."""
    runtime = _onnxruntime()
    found = runtime.get_available_providers()
    if provider not in found:
        raise _missing(f"an ONNX Runtime that offers {', '.join(found)}")
    return runtime


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
    except ImportError:
        raise _missing("no ONNX Runtime") from None
    loaded: ModuleType = onnxruntime
    return loaded


def _missing(found: str) -> DeviceMissing:
    return DeviceMissing(expected="an NVIDIA GPU that networks can run on", found=found,
                         remedy=_REMEDY)  # fmt: skip
