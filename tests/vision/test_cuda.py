"""The code for GPUs, on ONNX Runtime's processor; and what happens where there is no GPU."""

from pathlib import Path

import numpy as np
import pytest

from sayso.errors import DeviceMissing
from sayso.vision import models
from sayso.vision.cuda import CUDA, CudaNetwork, faces_at_once, require_gpu
from sayso.vision.runtime import OpenVinoNetwork

onnxruntime = pytest.importorskip("onnxruntime")
CPU = "CPUExecutionProvider"
without_gpu = pytest.mark.skipif(
    CUDA in onnxruntime.get_available_providers(), reason="there may be a GPU"
)
with_gpu = pytest.mark.skipif(
    CUDA not in onnxruntime.get_available_providers(), reason="needs a GPU and the extra gpu"
)


@pytest.mark.parametrize("provider", [CPU, pytest.param(CUDA, marks=with_gpu)])
def test_it_computes_what_the_other_runtime_does(
    cache: Path, yunet: OpenVinoNetwork, sface: OpenVinoNetwork, provider: str
) -> None:
    random = np.random.default_rng(11)
    for manifest, other, shape in (
        (models.YUNET, yunet, (2, 3, 320, 256)),
        (models.SFACE, sface, (3, 3, 112, 112)),
    ):
        network = CudaNetwork(
            models.load(manifest, cache), memory_bytes=1_000_000_000, provider=provider
        )
        batch = random.uniform(0, 255, shape).astype(np.float32)
        found, expected = network(batch), other(batch)
        assert found
        for name, values in found.items():
            np.testing.assert_allclose(values, expected[name], rtol=2e-3, atol=2e-3)


@without_gpu
def test_without_a_gpu_it_does_not_run_on_the_processor_instead(cache: Path) -> None:
    with pytest.raises(DeviceMissing) as caught:
        CudaNetwork(models.load(models.SFACE, cache), memory_bytes=1_000_000_000)
    assert "CPUExecutionProvider" in caught.value.found
    with pytest.raises(DeviceMissing):
        require_gpu()


def test_a_graph_that_cannot_be_run_there_is_refused_too() -> None:
    with pytest.raises(DeviceMissing, match="does not start"):
        CudaNetwork(b"no model", memory_bytes=1, provider=CPU)


@pytest.mark.parametrize(("megabytes", "faces"), [(1, 1), (240, 10), (4_000, 166), (80_000, 256)])
def test_a_batch_is_as_large_as_the_memory_allows(megabytes: int, faces: int) -> None:
    assert faces_at_once(megabytes * 1_000_000) == faces
