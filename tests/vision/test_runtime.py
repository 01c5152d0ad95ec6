import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sayso.vision import models, runtime
from sayso.vision.runtime import Batch, OpenVinoNetwork


def test_threads_at_once_get_their_own_results(sface: OpenVinoNetwork) -> None:
    crops = np.random.default_rng(5).uniform(0, 255, (6, 1, 3, 112, 112)).astype(np.float32)
    expected = [sface(crop)["fc1"] for crop in crops]
    found: dict[int, list[np.ndarray]] = {}

    def work(place: int) -> None:
        found[place] = [sface(crops[place])["fc1"] for _ in range(4)]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, results in found.items():
        for result in results:
            np.testing.assert_allclose(result, expected[place], rtol=1e-4, atol=1e-4)
    assert len(found) == 6


def test_results_stay_when_the_network_runs_again(sface: OpenVinoNetwork) -> None:
    first = sface(np.zeros((1, 3, 112, 112), np.float32))["fc1"]
    before = first.copy()
    sface(np.full((1, 3, 112, 112), 200, np.float32))
    np.testing.assert_array_equal(first, before)


def test_a_batch_may_lie_in_memory_in_either_order(sface: OpenVinoNetwork) -> None:
    crops = np.random.default_rng(9).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    plain = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32)
    np.testing.assert_array_equal(sface(plain)["fc1"], sface(runtime.planes(crops))["fc1"])


def test_bytes_and_floats_give_the_same(sface: OpenVinoNetwork) -> None:
    crops = np.random.default_rng(9).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    floats = runtime.planes(crops.astype(np.float32))
    assert [runtime.planes(crops).dtype.kind, floats.dtype.kind] == ["u", "f"]
    np.testing.assert_allclose(
        sface(runtime.planes(crops))["fc1"], sface(floats)["fc1"], rtol=1e-4, atol=1e-4
    )


def test_a_network_that_nobody_calls_is_not_made() -> None:
    made: list[Batch] = []

    class Echo:
        def __call__(self, batch: Batch) -> Mapping[str, np.ndarray]:
            return {"echo": np.asarray(batch, np.float32)}

    def make() -> Echo:
        made.append(np.zeros(1, np.uint8))
        return Echo()

    network = runtime.FirstCalled(make)
    assert not made
    batch = np.ones((1, 3, 2, 2), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        for outputs in pool.map(network, [batch] * 8):
            np.testing.assert_array_equal(outputs["echo"], batch)
    assert len(made) == 1


def test_compiling_and_running_opens_no_connection(cache: Path) -> None:
    models.load(models.YUNET, cache)
    script = f"""
import sys
calls = []
sys.addaudithook(lambda name, args: calls.append(name) if name.startswith("socket.") else None)
from pathlib import Path
import numpy as np
from sayso.vision import models, runtime
network = runtime.OpenVinoNetwork(models.load(models.YUNET, Path({str(cache)!r})), threads=1)
network(np.zeros((1, 3, 64, 64), np.float32))
assert not [name for name in calls if name in ("socket.connect", "socket.getaddrinfo")], calls
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)  # noqa: S603 - our own script
