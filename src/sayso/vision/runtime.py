"""Running a network. One small protocol, one implementation: OpenVINO on the CPU."""

import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

_OFTEN = 64
"""A shape of batch that was met so often is worth code of its own, which takes a tenth of a second
to make and saves two milliseconds a time."""


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

    The network itself works with the colours of a pixel side by side. A batch whose memory lies so
    (`planes` gives one) is taken as it is; any other is turned round first.

    Args:
        model: a serialised ONNX model, as `sayso.vision.models.load` returns it.
        threads: how many cores all calls together may use, from 1.
        streams: how many calls may compute side by side, sharing those cores, from 1.
        cache: a folder for compiled code, so that the next start is faster; None: keep none.
        fixed_px: a shape of batch that comes again and again is compiled for that shape alone,
            which is a few per cent faster, until batches of so many pixels are; each stream holds
            about 24 bytes of memory for each of them. 0: one code for every shape. The
            numbers are the same but for rounding.
    """

    def __init__(
        self,
        model: bytes,
        *,
        threads: int,
        streams: int = 1,
        cache: Path | None = None,
        fixed_px: int = 0,
    ) -> None:
        openvino = _openvino()
        # Made here, by one thread: two threads that make a process's first tensors at once can
        # each hold what the other waits for (the interpreter; OpenVINO's way into NumPy), for ever.
        _ = openvino.Tensor(np.zeros(1, np.float32), shared_memory=True).data
        self._core = openvino.Core()
        self._model = model
        self._options: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            # Left on, several compiled models would all be pinned to the same core.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if cache is not None:
            self._options["CACHE_DIR"] = str(cache)
        self._any = self._compile(None)
        # An output that two graph edges name is to be had by either name.
        self._names = [sorted(output.get_names()) for output in self._any.outputs]
        self._local = threading.local()
        self._left_px = fixed_px
        self._met: Counter[tuple[int, ...]] = Counter()
        self._fixed: dict[tuple[int, ...], Any] = {}
        self._lock = threading.Lock()

    def __call__(self, batch: Float32) -> Mapping[str, Float32]:
        """Run a batch on this thread's own infer request; see `Network`."""
        pixels = np.ascontiguousarray(batch.transpose(0, 2, 3, 1), np.float32)
        request = self._request(pixels.shape)
        # The input is shared, not copied: infer() returns only when it is done with it.
        request.infer([pixels], share_inputs=True)
        outputs = {}
        for place, names in enumerate(self._names):
            copy = np.array(request.get_output_tensor(place).data, np.float32)
            outputs.update(dict.fromkeys(names, copy))
        return outputs

    def _compile(self, shape: tuple[int, ...] | None) -> Any:  # noqa: ANN401 - openvino.CompiledModel
        from openvino.preprocess import PrePostProcessor  # noqa: PLC0415 - as `_openvino`

        layout = _openvino().Layout
        steps = PrePostProcessor(self._core.read_model(self._model))
        steps.input().tensor().set_layout(layout("NHWC"))
        steps.input().model().set_layout(layout("NCHW"))
        model = steps.build()
        if shape is not None:
            model.reshape(list(shape))
        return self._core.compile_model(model, "CPU", self._options)

    def _request(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401 - openvino.InferRequest
        """This thread's request for batches of a shape."""
        compiled = self._fixed.get(shape) or self._fix(shape)
        requests: dict[int, Any] = self._local.__dict__.setdefault("requests", {})
        request = requests.get(id(compiled))
        if request is None:
            request = requests[id(compiled)] = compiled.create_infer_request()
        return request

    def _fix(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401 - openvino.CompiledModel
        """The code for any shape, or, for one that keeps coming, from now on its own."""
        size_px = shape[0] * shape[1] * shape[2]
        if size_px > self._left_px:
            return self._any
        with self._lock:
            self._met[shape] += 1
            if self._met[shape] != _OFTEN or size_px > self._left_px:
                return self._any
            self._left_px -= size_px
        # Without the lock: until this is done, the others go on with the code for any shape.
        compiled = self._compile(shape)
        self._fixed[shape] = compiled
        return compiled


def planes(pixels: NDArray[Any]) -> Float32:
    """A batch for a `Network`, in the order of memory in which it is run fastest.

    Args:
        pixels: (N, H, W, 3), 0..255, in the model's colour order.

    Returns:
        float32 (N, 3, H, W), a view of (N, H, W, 3).
    """
    return np.ascontiguousarray(pixels, np.float32).transpose(0, 3, 1, 2)
