import base64
from pathlib import Path

import numpy as np
import pytest

from sayso.domain.photo import Recognition
from sayso.errors import (
    KeyExposed,
    KeyMissing,
    KeyWrong,
    SaysoError,
    SettingMalformed,
    WorkspaceDamaged,
    WorkspaceExists,
    WorkspaceMissing,
    WorkspaceNewer,
    WorkspaceReadOnly,
)
from sayso.settings import Settings
from sayso.store.sealing import WorkspaceKey
from sayso.wiring import DATABASE, KEY, KeyPlace, create_workspace, open_workspace
from sayso.wiring.models import Models


def made(folder: Path) -> Path:
    return create_workspace(folder / "workspace", KeyPlace.FILE, {})


def test_a_new_workspace_is_its_owners_alone_and_opens(tmp_path: Path) -> None:
    folder = made(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in (DATABASE, KEY):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    workspace = open_workspace(folder, {})
    assert workspace.declare.all() == []
    assert list(workspace.people()) == []
    workspace.close()


def test_what_is_declared_in_one_opening_is_there_in_the_next(tmp_path: Path) -> None:
    folder = made(tmp_path)
    first = open_workspace(folder, {})
    first.declare(
        "club",
        tmp_path,
        purpose="yearbook",
        recognition=Recognition.OFF,
        basis=None,
        retain_days=None,
    )
    first.close()
    second = open_workspace(folder, {})
    assert [held.collection.name for held in second.declare.all()] == ["club"]
    second.close()


def test_a_workspace_is_never_made_over_another(tmp_path: Path) -> None:
    folder = made(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(WorkspaceExists):
        made(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_key_that_lies_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / KEY).write_text("an older key")
    with pytest.raises(WorkspaceExists):
        made(tmp_path)
    assert (tmp_path / "workspace" / KEY).read_text() == "an older key"


def test_an_initialisation_that_fails_leaves_nothing_behind_and_can_be_repeated(
    tmp_path: Path,
) -> None:
    environment = {"SAYSO_KEY_FILE": str(tmp_path / "nowhere" / "key")}
    with pytest.raises(WorkspaceReadOnly):
        create_workspace(tmp_path / "workspace", KeyPlace.FILE, environment)
    assert not (tmp_path / "workspace").exists()
    made(tmp_path)


def test_an_initialisation_that_fails_takes_nobody_elses_key_along(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / KEY).write_text("an older key")
    (folder / f"{DATABASE}-wal").mkdir()  # SQLite cannot open a database beside this
    key = base64.b64encode(bytes(32)).decode()
    with pytest.raises(SaysoError):
        create_workspace(folder, KeyPlace.ENVIRONMENT, {"SAYSO_KEY": key})
    assert (folder / KEY).read_text() == "an older key"


@pytest.mark.parametrize("blocked", ["file", "file/below"])
def test_a_place_that_cannot_hold_a_workspace_is_said_to_be(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(SaysoError) as caught:
        create_workspace(tmp_path / blocked, KeyPlace.FILE, {})
    assert caught.value.reason_code in {"workspace_read_only", "setting_malformed"}
    assert (tmp_path / "file").read_text() == "precious"


def test_a_key_in_the_environment_is_written_nowhere(tmp_path: Path) -> None:
    key = WorkspaceKey.generate()
    text = base64.b64encode(key.secret).decode()
    folder = create_workspace(tmp_path / "workspace", KeyPlace.ENVIRONMENT, {"SAYSO_KEY": text})
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert text.encode() not in kept
    assert key.secret not in kept
    open_workspace(folder, {"SAYSO_KEY": text}).close()
    with pytest.raises(KeyMissing):
        open_workspace(folder, {})
    with pytest.raises(KeyWrong):
        open_workspace(folder, {"SAYSO_KEY": base64.b64encode(bytes(32)).decode()})
    with pytest.raises(KeyMissing):
        create_workspace(tmp_path / "other", KeyPlace.ENVIRONMENT, {})
    assert not (tmp_path / "other").exists()


def test_a_key_file_elsewhere_is_found_by_the_setting(tmp_path: Path) -> None:
    environment = {"SAYSO_KEY_FILE": str(tmp_path / "key")}
    folder = create_workspace(tmp_path / "workspace", KeyPlace.FILE, environment)
    assert not (folder / KEY).exists()
    open_workspace(folder, environment).close()
    with pytest.raises(KeyMissing):
        open_workspace(folder, {})


def test_missing_exposed_and_wrong_keys_are_told_apart_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = made(tmp_path)
    right = (folder / KEY).read_bytes()
    (folder / KEY).unlink()
    with pytest.raises(KeyMissing):
        open_workspace(folder, {})
    (folder / KEY).write_bytes(base64.b64encode(bytes(32)))
    (folder / KEY).chmod(0o644)
    with pytest.raises(KeyExposed):
        open_workspace(folder, {})
    (folder / KEY).chmod(0o600)
    with pytest.raises(KeyWrong) as caught:
        open_workspace(folder, {})
    assert caught.value.exit_status == 3
    (folder / KEY).write_bytes(right)
    open_workspace(folder, {}).close()


def test_missing_newer_and_damaged_workspaces_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceMissing):
        open_workspace(tmp_path, {})
    folder = made(tmp_path)
    workspace = open_workspace(folder, {})
    with workspace.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    workspace.close()
    with pytest.raises(WorkspaceNewer):
        open_workspace(folder, {})
    (folder / DATABASE).write_bytes(b"words" * 1000)
    with pytest.raises(WorkspaceDamaged):
        open_workspace(folder, {})
    assert (folder / DATABASE).read_bytes() == b"words" * 1000


def test_a_malformed_setting_stops_before_anything_is_opened(tmp_path: Path) -> None:
    folder = made(tmp_path)
    (folder / "sayso.toml").write_text("workers = 'many'")
    with pytest.raises(SettingMalformed):
        open_workspace(folder, {})


def test_opening_loads_no_model_and_makes_no_cache(tmp_path: Path) -> None:
    folder = made(tmp_path)
    cache = tmp_path / "cache"
    workspace = open_workspace(folder, {"SAYSO_CACHE": str(cache)})
    workspace.declare.all()
    assert not cache.exists()
    workspace.close()


def cached(tmp_path: Path) -> Models:
    return Models(Settings.read(tmp_path, {"SAYSO_CACHE": str(tmp_path / "home" / "cache")}))


def test_the_folder_for_prepared_models_is_its_owners_alone(tmp_path: Path) -> None:
    models = cached(tmp_path)
    assert models.note is None
    assert not models.recogniser.embedder.embed(np.zeros((0, 112, 112, 3), np.uint8)).any()
    assert not list(models.cache.rglob("*.onnx"))  # nothing is prepared that nobody uses
    assert models.recogniser.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8)).any()
    kept = {path for path in models.cache.rglob("*") if path.is_dir()} | {models.cache}
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o700}
    assert len(list(models.cache.glob("*.onnx"))) == 1
    models.cache.chmod(0o755)  # as an earlier version left it: nobody else could write
    again = cached(tmp_path).recogniser
    assert again.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8)).any()
    assert models.cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("spoilt", ["cache", "home", "compiled", "link", "file"])
def test_a_folder_for_models_in_which_others_can_write_is_not_used(
    tmp_path: Path, spoilt: str
) -> None:
    models = cached(tmp_path)
    (models.cache / "compiled").mkdir(parents=True)
    planted = models.cache / "compiled" / "planted.blob"
    if spoilt == "link":
        planted.symlink_to(tmp_path)
    else:
        planted.write_bytes(b"another network")
    places = {
        "cache": models.cache,
        "home": tmp_path / "home",
        "compiled": models.cache / "compiled",
        "file": planted,
    }
    if spoilt in places:
        places[spoilt].chmod(0o777)
    assert models.recogniser.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8)).any()
    assert list(models.cache.glob("*.onnx")) == []
    assert [path.name for path in (models.cache / "compiled").iterdir()] == ["planted.blob"]
    settings = {"SAYSO_CACHE": str(models.cache)}
    workspace = open_workspace(
        create_workspace(tmp_path / "workspace", KeyPlace.FILE, settings), settings
    )
    [note] = workspace.notes
    assert note.startswith("Prepared models are not kept: found ")
    assert str(places.get(spoilt, planted)) in note
    workspace.close()
