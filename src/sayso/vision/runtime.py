"""Running a network. One small protocol, one implementation: OpenVINO on the CPU."""

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


class Network(Protocol):
    """A compiled network with one input. Safe to call from several threads at once."""

    def __call__(self, batch: Float32) -> Mapping[str, Float32]:
        """Run a batch.

        Args:
            batch: float32 (N, 3, H, W), values 0..255, planes in the model's colour order.

        Returns:
            Each output by name, float32, batch first; the arrays are the caller's own.
        """


def _openvino() -> ModuleType:
    """OpenVINO, without what would report each import of it to its maker."""
    # None in its place makes the package absent, whether it is installed or not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino  # noqa: PLC0415 - slow to import; commands without pictures do without

    loaded: ModuleType = openvino
    return loaded


class OpenVinoNetwork:
    """A network compiled by OpenVINO for the CPU.

    Computes in float32 even where the processor offers bfloat16: the thresholds were measured so.

    Args:
        model: a serialised ONNX model, as `sayso.vision.models.load` returns it.
        threads: how many cores all calls together may use, from 1.
        streams: how many calls may compute side by side, sharing those cores, from 1.
        cache: a folder for compiled code, so that the next start is faster; None: keep none.
    """

    def __init__(
        self, model: bytes, *, threads: int, streams: int = 1, cache: Path | None = None
    ) -> None:
        openvino = _openvino()
        # Made here, by one thread: two threads that make a process's first tensors at once can
        # each hold what the other waits for (the interpreter; OpenVINO's way into NumPy), for ever.
        _ = openvino.Tensor(np.zeros(1, np.float32), shared_memory=True).data
        core = openvino.Core()
        options: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            # Left on, several compiled models would all be pinned to the same core.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if cache is not None:
            options["CACHE_DIR"] = str(cache)
        self._compiled = core.compile_model(core.read_model(model), "CPU", options)
        # An output that two graph edges name is to be had by either name.
        self._names = [sorted(output.get_names()) for output in self._compiled.outputs]
        self._local = threading.local()

    def __call__(self, batch: Float32) -> Mapping[str, Float32]:
        """Run a batch on this thread's own infer request; see `Network`."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        # The input is shared, not copied: infer() returns only when it is done with it.
        request.infer([np.ascontiguousarray(batch, np.float32)], share_inputs=True)
        outputs = {}
        for place, names in enumerate(self._names):
            copy = np.array(request.get_output_tensor(place).data, np.float32)
            outputs.update(dict.fromkeys(names, copy))
        return outputs
