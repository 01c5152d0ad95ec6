import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sayso.vision import kept, models, runtime
from sayso.vision.runtime import Batch, CodeFolder, OpenVinoNetwork


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


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 1), (2, 2), (3, 3)])
def test_a_batch_that_cannot_be_run_gives_an_error_and_not_what_was_before(
    cache: Path, threads: int, streams: int
) -> None:
    network = OpenVinoNetwork(
        lambda: models.load(models.YUNET, cache), threads=threads, streams=streams
    )
    good, bad = (np.zeros((1, 3, height, 64), np.uint8) for height in (64, 72))
    assert network(good)["cls_8"].any()
    with pytest.raises(RuntimeError):
        network(bad)  # not a multiple of 32: its parts do not fit together


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
import pytest
from sayso.vision import kept, models, runtime
network = runtime.OpenVinoNetwork(
    lambda: models.load(models.YUNET, Path({str(cache)!r})), threads=1
)
network(np.zeros((1, 3, 64, 64), np.float32))
assert not [name for name in calls if name in ("socket.connect", "socket.getaddrinfo")], calls
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)  # noqa: S603 - our own script


@pytest.fixture
def code(tmp_path: Path) -> CodeFolder:
    return CodeFolder(tmp_path / "compiled", "yunet")


def _asked_for(cache: Path, *, code: CodeFolder, bfloat16: bool = False) -> tuple[int, np.ndarray]:
    """How often the model was asked for, and what the network makes of a picture."""
    asked: list[int] = []

    def model() -> bytes:
        asked.append(1)
        return models.load(models.YUNET, cache)

    network = OpenVinoNetwork(model, threads=1, code=code, bfloat16=bfloat16)
    picture = np.random.default_rng(3).integers(0, 256, (1, 64, 96, 3)).astype(np.uint8)
    return len(asked), network(runtime.planes(picture))["kps_8"]


def test_kept_code_computes_the_same_without_the_model(cache: Path, code: CodeFolder) -> None:
    asked, compiled = _asked_for(cache, code=code)
    again, kept = _asked_for(cache, code=code)
    assert (asked, again) == (1, 0)
    np.testing.assert_array_equal(kept, compiled)


def test_code_of_another_precision_or_model_is_not_taken(cache: Path, code: CodeFolder) -> None:
    _asked_for(cache, code=code)
    assert _asked_for(cache, code=code, bfloat16=True)[0] == 1
    assert _asked_for(cache, code=CodeFolder(code.folder, "another"))[0] == 1


@pytest.mark.parametrize("damage", ["short", "empty", "other", "nonsense"])
def test_damaged_code_is_compiled_again(cache: Path, code: CodeFolder, damage: str) -> None:
    _, compiled = _asked_for(cache, code=code)
    (file,) = code.folder.glob("*.blob")
    content = file.read_bytes()
    if damage == "nonsense":  # whole, and no code at all
        kept.write(file, b"no code" * 1000)
    else:
        spoilt = {"short": content[:-1], "empty": b"", "other": content[:-1] + b"?"}[damage]
        file.write_bytes(spoilt)
    asked, again = _asked_for(cache, code=code)
    assert asked == 1
    np.testing.assert_array_equal(again, compiled)
    assert _asked_for(cache, code=code)[0] == 0


def test_a_folder_for_code_that_cannot_be_written_is_no_error(cache: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("in the way")
    code = CodeFolder(blocked / "compiled", "yunet")
    assert _asked_for(cache, code=code)[0] == _asked_for(cache, code=code)[0] == 1
