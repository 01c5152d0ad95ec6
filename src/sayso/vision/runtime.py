"""Running a network. One small protocol, one implementation: OpenVINO on the CPU."""

import hashlib
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.vision import kept

Float32 = NDArray[np.float32]
Batch = NDArray[np.float32] | NDArray[np.uint8]

_BYTES, _FLOATS = "u1", "f4"
_CODE_KEPT = 1000
"""Pieces of code; YuNet takes about 60 for a shape."""


class Network(Protocol):
    """A compiled network with one input. Safe to call from several threads at once."""

    def __call__(self, batch: Batch) -> Mapping[str, Float32]:
        """Run a batch.

        Args:
            batch: float32 or uint8 (N, 3, H, W), values 0..255, planes in the model's colour order.

        Returns:
            Each output by name, float32, batch first; the arrays are the caller's own.
        """


def _openvino() -> ModuleType:
    """OpenVINO, without what would report each import of it to its maker.

    And without its converter of models, which is half of the import.
    """
    # None in its place makes a package absent, whether it is installed or not.
    for absent in ("openvino_telemetry", "openvino.tools.ovc"):
        sys.modules.setdefault(absent, None)  # type: ignore[arg-type]
    import openvino  # noqa: PLC0415 - slow to import; commands without pictures do without

    loaded: ModuleType = openvino
    return loaded


class FirstCalled:
    """A `Network` that is made when it is called for the first time: many runs never call it.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Network]) -> None:
        self._make = make
        self._lock = threading.Lock()

    def __call__(self, batch: Batch) -> Mapping[str, Float32]:
        """Run a batch; see `Network`."""
        with self._lock:
            network = self._make()
            self._make = lambda: network  # and what it was made of can go
        return network(batch)


def computes_in_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself: there it is two to four times as fast."""
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@dataclass(frozen=True, slots=True)
class CodeFolder:
    """Where the compiled code of one model is kept, so that the next start is faster.

    Attributes:
        folder: made where absent; what lies there is executed: see `sayso.vision.kept`.
        name: what tells the model from any other.
    """

    folder: Path
    name: str

    def file(self, *facts: object) -> Path:
        """Where the code lies that was made for such a processor, by such a version, and so on."""
        told = hashlib.sha256(repr((self.name, *facts)).encode()).hexdigest()
        return self.folder / f"{told}.blob"


class OpenVinoNetwork:
    """A network compiled by OpenVINO for the CPU.

    Computes in float32, unless told otherwise: the thresholds were measured so.

    The network itself works with the colours of a pixel side by side. A batch whose memory lies so
    (`planes` gives one) is taken as it is; any other is turned round first.

    Args:
        model: gives a serialised ONNX model, as `sayso.vision.models.load` returns it. It is asked
            only for what has to be compiled: never where compiled code is kept.
        threads: how many cores all calls together may use, from 1.
        streams: how many calls may compute side by side, sharing those cores, from 1.
        code: where compiled code is kept; None: nowhere.
        bfloat16: compute in numbers of 8 bits' precision; for a processor that has them.
    """

    def __init__(
        self,
        model: Callable[[], bytes],
        *,
        threads: int,
        streams: int = 1,
        code: CodeFolder | None = None,
        bfloat16: bool = False,
    ) -> None:
        openvino = _openvino()
        # Made here, by one thread: two threads that make a process's first tensors at once can
        # each hold what the other waits for (the interpreter; OpenVINO's way into NumPy), for ever.
        _ = openvino.Tensor(np.zeros(1, np.float32), shared_memory=True).data
        self._core = openvino.Core()
        self._model = model
        self._folder = code
        self._options: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            # Left on, several compiled models would all be pinned to the same core.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
            # Each new shape of batch leaves code behind; of many shapes the oldest goes.
            "CPU_RUNTIME_CACHE_CAPACITY": _CODE_KEPT,
            # What is read into memory of our own can go once it is compiled.
            "ENABLE_MMAP": False,
        }
        self._alone = threads == streams == 1
        self._local = threading.local()
        self._lock = threading.Lock()
        self._compiled: dict[str, Any] = {}
        # An output that two graph edges name is to be had by either name.
        outputs = self._code(_BYTES).outputs
        self._names = [sorted(output.get_names()) for output in outputs]

    def __call__(self, batch: Batch) -> Mapping[str, Float32]:
        """Run a batch on this thread's own infer request; see `Network`.

        Raises:
            RuntimeError: OpenVINO could not; there are no outputs then.
        """
        kind = _BYTES if batch.dtype == np.uint8 else _FLOATS
        pixels = np.ascontiguousarray(batch.transpose(0, 2, 3, 1), kind)
        request = self._request(kind)
        # The input is shared, not copied: what it lies in stays until it is done with.
        if self._alone:
            # With one thread in all, infer() says nothing of an error, and the outputs of the
            # batch before stay (OpenVINO 2026.4): another picture's faces.
            request.start_async([pixels], share_inputs=True)
            request.wait()
        else:
            request.infer([pixels], share_inputs=True)
        outputs = {}
        for place, names in enumerate(self._names):
            copy = np.array(request.get_output_tensor(place).data, np.float32)
            outputs.update(dict.fromkeys(names, copy))
        return outputs

    def _request(self, kind: str) -> Any:  # noqa: ANN401 - openvino.InferRequest
        """This thread's request for batches of such values."""
        requests: dict[str, Any] = self._local.__dict__.setdefault("requests", {})
        if kind not in requests:
            requests[kind] = self._code(kind).create_infer_request()
        return requests[kind]

    def _code(self, kind: str) -> Any:  # noqa: ANN401 - openvino.CompiledModel
        """The code for batches of such values and of any shape, made when the first comes."""
        with self._lock:
            if kind not in self._compiled:
                self._compiled[kind] = self._kept(kind) or self._made(kind)
            return self._compiled[kind]

    def _kept(self, kind: str) -> Any:  # noqa: ANN401 - openvino.CompiledModel or None
        """The code as it was kept; None where there is none, or none that is whole."""
        openvino, file = _openvino(), self._file(kind)
        if file is None:
            return None
        # A processor or version that the code is not for, or not quite what was written.
        with suppress(OSError, RuntimeError):
            # Weights are used where they lie in this memory, which OpenVINO holds on to.
            content = openvino.Tensor(openvino.Type.u8, [file.stat().st_size])
            with file.open("rb", buffering=0) as opened:
                read = opened.readinto(content.data)
            if read == content.size and kept.is_whole(file, content.data.data):
                return self._core.import_model(content, "CPU", self._options)
        return None

    def _made(self, kind: str) -> Any:  # noqa: ANN401 - openvino.CompiledModel
        """The code, compiled now; and kept, but a folder that cannot be written is no error."""
        from openvino.preprocess import PrePostProcessor  # noqa: PLC0415 - as `_openvino`

        openvino, file = _openvino(), self._file(kind)
        steps = PrePostProcessor(self._core.read_model(self._model()))
        steps.input().tensor().set_layout(openvino.Layout("NHWC"))
        steps.input().tensor().set_element_type(openvino.Type(np.dtype(kind)))
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        made = self._core.compile_model(steps.build(), "CPU", self._options)
        if file is not None:
            with suppress(OSError):
                kept.write(file, made.export_model().getbuffer())
        return made

    def _file(self, kind: str) -> Path | None:
        """Where this network's code is kept."""
        if self._folder is None:
            return None
        processor = [
            self._core.get_property("CPU", one)
            for one in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
        ]
        precision = self._options["INFERENCE_PRECISION_HINT"]
        return self._folder.file(kind, precision, _openvino().__version__, *processor)


def planes(pixels: NDArray[np.generic]) -> Batch:
    """A batch for a `Network`, in the order of memory in which it is run fastest.

    Args:
        pixels: (N, H, W, 3), 0..255, in the model's colour order; uint8 stays uint8.

    Returns:
        float32 or uint8 (N, 3, H, W), a view of (N, H, W, 3).
    """
    kind = _BYTES if pixels.dtype == np.uint8 else _FLOATS
    batch: Batch = np.ascontiguousarray(pixels, kind).transpose(0, 3, 1, 2)
    return batch
