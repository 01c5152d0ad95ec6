"""Adding a model: real small networks, in a workspace as `sayso init` makes it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sayso.errors import (
    CalibrationRequired,
    DatasetRefused,
    ManifestMalformed,
    ModelAltered,
    ModelExists,
    ModelInUse,
    ModelUnfit,
    SaysoError,
)
from sayso.ledger.entry import Action
from sayso.services.adopt import Adopt
from sayso.services.calibrate import Calibrate
from sayso.services.models import DEFAULT
from sayso.sources.folder import Folder
from sayso.vision.models import YUNET, RecogniserManifest
from sayso.wiring import Workspace

from ..vision import made  # noqa: TID252 - as in world.py
from ..vision.test_fitness import NOT_A_NUMBER  # noqa: TID252
from .drawing import DrawnFaces, portrait
from .office import office, opened

PEOPLE = 110


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    office(tmp_path / "workspace").close()
    made_one = opened(tmp_path / "workspace")
    yield made_one
    made_one.close()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn photographs each of people whose faces are coarse random patterns."""
    folder = tmp_path_factory.mktemp("dataset")
    random = np.random.default_rng(5)
    for person in range(PEOPLE):
        (folder / f"{person:03d}").mkdir()
        own = random.integers(0, 256, (6, 6, 3))
        for number in range(2):
            pattern = np.clip(own + random.integers(-30, 31, own.shape), 0, 255).astype(np.uint8)
            face = Image.open(portrait_file(folder, number)).convert("RGB")
            # Inside the magenta frame of the drawn head, which the fake detector looks for.
            face.paste(Image.fromarray(pattern).resize((134, 134), Image.Resampling.NEAREST),
                       (183, 83))  # fmt: skip
            face.save(folder / f"{person:03d}" / f"{number}.png", compress_level=1)
    for file in folder.glob("*.png"):
        file.unlink()
    return folder


def portrait_file(folder: Path, number: int) -> Path:
    path = folder / f"{number}.png"
    path.write_bytes(portrait(0, number))
    return path


def adopting(workspace: Workspace) -> Adopt:
    """The same, looking at drawn faces."""
    whole = workspace.adopt
    eye = workspace.eye
    drawn = type(eye)(DrawnFaces(), eye.limits, eye.smallest_px)
    return Adopt(
        whole.repository,
        whole.book,
        whole.clock,
        whole.folder,
        whole.open_embedder,
        lambda embedder: Calibrate(drawn, embedder, lambda place: Folder(Path(place)), 2),
        whole.require_apart,
    )


def left_behind(workspace: Workspace) -> list[str]:
    folder = workspace.folder / "models"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_model_with_its_calibration_is_kept_and_entered_and_removed(
    workspace: Workspace, tmp_path: Path
) -> None:
    added = workspace.adopt(made.manifest(tmp_path))
    sha256 = hashlib.sha256(made.network()).hexdigest()
    assert added.measured is None
    assert left_behind(workspace) == [f"{sha256}.onnx"]
    assert [one.manifest.name for one in workspace.model_book.all()[1:]] == [DEFAULT.name, "Made 1"]
    assert workspace.models.recogniser.model_sha256 == DEFAULT.sha256
    done = workspace.change_over("made")
    assert done.ended is not None
    again = opened(workspace.folder)
    assert again.models.recogniser.model_sha256 == sha256
    assert again.models.recogniser.dimension == made.DIMENSION
    with pytest.raises(ModelInUse):
        again.model_book.remove("made")
    again.change_over("sface")
    again.model_book.remove("made")
    assert left_behind(again) == []
    changes = [
        entry.draft.details["change"]
        for entry in office(workspace.folder).entries()
        if entry.draft.action is Action.MODEL
    ]
    assert changes == ["added", "begun", "ended", "begun", "ended", "removed"]
    again.close()


def test_a_bare_model_is_calibrated_on_photographs(
    workspace: Workspace, tmp_path: Path, dataset: Path
) -> None:
    (tmp_path / "bare.onnx").write_bytes(made.network())
    with pytest.raises(CalibrationRequired):
        workspace.adopt(tmp_path / "bare.onnx")
    adopt = adopting(workspace)
    added = adopt(tmp_path / "bare.onnx", calibrate=dataset)
    assert isinstance(added.manifest, RecogniserManifest)
    assert added.measured is not None
    assert added.measured.fit.identities == PEOPLE
    assert added.measured.photographs == 2 * PEOPLE
    assert added.manifest.calibration == added.measured.fit.calibration
    assert f"{PEOPLE} people" in added.manifest.provenance
    assert "at FMR 0.001, FNMR" not in added.manifest.rates  # of so few pairs it cannot be said
    [kept] = [one for one in workspace.model_book.all() if one.manifest.name == "bare"]
    assert kept.manifest == added.manifest
    # A reference gallery of one: the threshold lies above what different people reach.
    scores = added.measured.fit.calibration
    assert scores.mean < scores.threshold(1e-3, references=1) < 1


def test_of_too_few_people_nothing_is_known(
    workspace: Workspace, tmp_path: Path, dataset: Path
) -> None:
    few = tmp_path / "few"
    for person in ("000", "001"):
        (few / person).mkdir(parents=True)
        for file in (dataset / person).iterdir():
            (few / person / file.name).write_bytes(file.read_bytes())
    with pytest.raises(CalibrationRequired, match="100 people"):
        adopting(workspace)(made.manifest(tmp_path), calibrate=few)
    assert left_behind(workspace) == []


def test_photographs_of_a_collection_are_not_for_calibrating(
    workspace: Workspace, tmp_path: Path
) -> None:
    world = office(workspace.folder)
    world.collection("club")
    world.close()
    with pytest.raises(DatasetRefused):
        workspace.adopt(made.manifest(tmp_path), calibrate=tmp_path / "photographs-club")
    assert left_behind(workspace) == []


@pytest.mark.parametrize(
    ("model", "changes", "error"),
    [
        (None, {"sha256": "0" * 64}, ModelAltered),
        (None, {"colour_order": "GBR"}, ManifestMalformed),
        (None, {"file": "../made.onnx"}, ManifestMalformed),
        (None, {"dimension": 128}, ModelUnfit),
        (None, {"calibration": None}, CalibrationRequired),
        (made.network(size=("batch", 3, 64, 64)), {}, ModelUnfit),
        (made.network(*NOT_A_NUMBER), {}, ModelUnfit),
        (made.with_weights_elsewhere(), {}, ModelUnfit),
        (b"words", {}, ModelUnfit),
        (made.broken(inputs=1), {}, ModelUnfit),
        (made.broken(inputs=2), {}, ModelUnfit),
        (None, {"name": DEFAULT.name.upper()}, ModelExists),
        (None, {"name": YUNET.name.upper()}, ModelExists),
    ],
    ids=["another file", "colours", "elsewhere", "dimension", "not calibrated", "size", "NaN",
         "weights elsewhere", "no model", "an input too few", "out of memory", "name",
         "the detector's name"],
)  # fmt: skip
def test_what_is_refused_leaves_nothing_behind(
    workspace: Workspace,
    tmp_path: Path,
    model: bytes | None,
    changes: dict[str, Any],
    error: type[SaysoError],
) -> None:
    if "file" in changes:
        made.manifest(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(error):
        workspace.adopt(made.manifest(folder, model, **changes))
    assert left_behind(workspace) == []
    assert len(workspace.model_book.all()) == 2


def test_the_same_model_is_not_added_twice(workspace: Workspace, tmp_path: Path) -> None:
    workspace.adopt(made.manifest(tmp_path))
    with pytest.raises(ModelExists):
        workspace.adopt(made.manifest(tmp_path, name="Another name"))
    with pytest.raises(ModelExists):
        workspace.adopt(made.manifest(tmp_path, made.network(seed=2)))
    assert len(left_behind(workspace)) == 1


def test_a_kept_file_that_was_changed_is_not_used(workspace: Workspace, tmp_path: Path) -> None:
    workspace.adopt(made.manifest(tmp_path))
    [file] = (workspace.folder / "models").iterdir()
    file.write_bytes(made.network(seed=2))
    with pytest.raises(ModelAltered):
        workspace.change_over("made")
    assert workspace.models.chosen().manifest == DEFAULT


def test_a_backup_holds_the_models_and_brings_them_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    from sayso.wiring import restore_workspace  # noqa: PLC0415 - of this test alone

    workspace.adopt(made.manifest(tmp_path))
    workspace.change_over("made")
    workspace.backup(tmp_path / "backup.zip")
    workspace.close()
    [file] = (workspace.folder / "models").iterdir()
    file.unlink()
    restore_workspace(tmp_path / "backup.zip", workspace.folder, {}, yes=True)
    again = opened(workspace.folder)
    assert again.models.recogniser.dimension == made.DIMENSION
    again.close()
