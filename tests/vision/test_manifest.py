"""Manifests of models: what is taken for one, and what is refused before anything is opened."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sayso.errors import FileMissing, ManifestMalformed, ModelAltered, SettingMalformed
from sayso.vision import align
from sayso.vision.manifest import CROP_PX, dumped, loaded, read
from sayso.vision.models import SFACE, RecogniserManifest

from . import made

TOML = """
name = "Made 1"
file = "made.onnx"
sha256 = "{sha256}"
licence = "CC0-1.0"
source = "made in a test"
colour_order = "BGR"
input_px = [112, 112]
dimension = 512
training = "Nothing at all."

[calibration]
mean = 0.1
deviation = 0.1
probe_deviation = 0.02
bend = 0
provenance = "Drawn up for a test."
"""


def test_faces_are_cut_as_large_as_manifests_say() -> None:
    assert align.CROP_PX == CROP_PX == SFACE.input_height_px == SFACE.input_width_px


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    by_json = read(made.manifest(tmp_path, colour_order="BGR", training="Nothing at all.",
                                 subtract=None, divide=None))  # fmt: skip
    path = tmp_path / "made.toml"
    path.write_text(TOML.format(sha256=by_json.manifest.sha256))
    by_toml = read(path)
    assert by_toml == by_json
    assert isinstance(by_toml.manifest, RecogniserManifest)
    assert loaded(dumped(by_toml.manifest)) == by_toml.manifest
    assert by_toml.manifest.training == "Nothing at all."
    assert by_toml.manifest.rates == "Not known."


def test_a_model_without_a_manifest_is_taken_for_one_in_the_style_of_arcface(
    tmp_path: Path,
) -> None:
    made.manifest(tmp_path)
    found = read(tmp_path / "made.onnx").manifest
    assert not isinstance(found, RecogniserManifest)
    assert (found.name, found.licence, found.dimension) == ("made", "NOASSERTION", 0)
    crop = np.array([[[[0, 127.5, 255]]]])
    assert np.allclose(found.prepared(crop), [[[[-1, 0, 1]]]])


def test_planes_come_in_the_order_and_range_that_the_model_wants(tmp_path: Path) -> None:
    crop = np.array([[[[10, 20, 30]]]], np.uint8)
    assert SFACE.prepared(crop) is crop
    turned = read(made.manifest(tmp_path, colour_order="BGR", subtract=10, divide=2)).manifest
    assert turned.prepared(crop).tolist() == [[[[10, 5, 0]]]]


def test_a_file_that_is_another_is_refused_and_both_hashes_are_named(tmp_path: Path) -> None:
    path = made.manifest(tmp_path, sha256="0" * 64)
    with pytest.raises(ModelAltered) as caught:
        read(path)
    assert "0" * 64 in caught.value.expected
    assert len(caught.value.found) == 64


@pytest.mark.parametrize("inside", ["../made.onnx", "/etc/hostname", "sub/../../made.onnx", "link"])
def test_a_manifest_opens_no_file_outside_of_its_folder(tmp_path: Path, inside: str) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    made.manifest(tmp_path)
    (folder / "link").symlink_to(tmp_path / "made.onnx")
    with pytest.raises(ManifestMalformed, match="beside the manifest"):
        read(made.manifest(folder, file=inside))


@pytest.mark.parametrize(
    "change",
    [
        {"colour_order": "GRB"},
        {"colour_order": None},
        {"sha256": "abc"},
        {"sha256": "A" * 64},
        {"input_px": [160, 160]},
        {"dimension": 1},
        {"dimension": "many"},
        {"dimension": True},
        {"divide": 0},
        {"divide": -1},
        {"subtract": "half"},
        {"name": "  "},
        {"name": 7},
        {"licence": None},
        {"url": "another key"},
        {"calibration": {"mean": 0.1}},
        {"calibration": {**made.CALIBRATION, "mean": "0.1"}},
        {"calibration": []},
        {"calibration": {**made.CALIBRATION, "mean": -0.9}},
        {"calibration": {**made.CALIBRATION, "mean": 0.0, "deviation": 0.04}},
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ManifestMalformed):
        read(made.manifest(tmp_path, **change))


def test_a_calibration_that_no_model_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingMalformed):
        read(made.manifest(tmp_path, calibration={**made.CALIBRATION, "deviation": 2.0}))


@pytest.mark.parametrize("text", ["name =", "[[[", "\x00", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    for name in ("made.toml", "made.json"):
        (tmp_path / name).write_text(text)
        with pytest.raises(ManifestMalformed):
            read(tmp_path / name)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        read(tmp_path / "none.toml")
    with pytest.raises(FileMissing):
        read(made.manifest(tmp_path, file="none.onnx"))
    with pytest.raises(FileMissing):
        read(made.manifest(tmp_path, file="."))
