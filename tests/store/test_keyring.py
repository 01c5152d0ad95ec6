"""A key in the account's keyring, through keyring's own interface with a backend of our own."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError

from sayso.domain.key import KeyPlace
from sayso.errors import KeyMissing, KeyWrong, WorkspaceMissing
from sayso.store import safekeeping
from sayso.store.sealing import WorkspaceKey
from sayso.wiring import create_workspace, open_workspace


class Drawer(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def _open(self) -> None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!\nmore")

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before = keyring.get_keyring()
    one = Drawer()
    keyring.set_keyring(one)
    yield one
    keyring.set_keyring(before)


def environment(folder: Path) -> dict[str, str]:
    return {"SAYSO_CACHE": str(folder.parent / "cache")}


def made(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    return create_workspace(folder, KeyPlace.KEYRING, environment(folder))


def test_a_workspace_opens_with_the_key_in_the_keyring_and_holds_none(
    drawer: Drawer, tmp_path: Path
) -> None:
    folder = made(tmp_path)
    [((service, _), text)] = drawer.entries.items()
    assert service == "sayso"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if text.encode() in path.read_bytes()]
    open_workspace(folder, environment(folder)).close()


def test_a_changed_key_takes_the_old_ones_place_in_the_keyring(
    drawer: Drawer, tmp_path: Path
) -> None:
    folder = made(tmp_path)
    before = dict(drawer.entries)
    one = open_workspace(folder, environment(folder))
    one.custody.rotate(one.repository, one.book, None)
    one.close()
    assert drawer.entries.keys() == before.keys()
    assert drawer.entries != before
    open_workspace(folder, environment(folder)).close()


def test_a_key_moves_from_the_keyring_to_a_file(drawer: Drawer, tmp_path: Path) -> None:
    folder = made(tmp_path)
    one = open_workspace(folder, environment(folder))
    one.custody.rotate(one.repository, one.book, KeyPlace.FILE)
    one.close()
    open_workspace(folder, environment(folder)).close()
    assert (folder / "workspace.key").is_file()
    assert drawer.entries == {}


def test_a_locked_keyring_is_no_lost_key(drawer: Drawer, tmp_path: Path) -> None:
    folder = made(tmp_path)
    drawer.locked = True
    with pytest.raises(KeyMissing, match="Unlock it") as caught:
        open_workspace(folder, environment(folder))
    assert "KeyringLocked" in caught.value.reason
    assert "the key is not lost" in caught.value.reason
    assert "renew" not in caught.value.reason
    drawer.locked = False
    open_workspace(folder, environment(folder)).close()


def test_an_entry_that_is_gone_is_a_lost_key_and_another_is_wrong(
    drawer: Drawer, tmp_path: Path
) -> None:
    folder = made(tmp_path)
    [entry] = drawer.entries
    drawer.entries.clear()
    with pytest.raises(KeyMissing, match="sayso key renew"):
        open_workspace(folder, environment(folder))
    safekeeping.put(
        KeyPlace.KEYRING, WorkspaceKey.generate(), file=tmp_path / "none", workspace_id=entry[1]
    )
    with pytest.raises(KeyWrong):
        open_workspace(folder, environment(folder))


@pytest.mark.parametrize("locked", [True, False])
def test_without_a_keyring_no_workspace_is_begun(
    drawer: Drawer, tmp_path: Path, *, locked: bool
) -> None:
    drawer.locked = locked
    if not locked:
        keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    with pytest.raises(KeyMissing, match="keep the key in a file"):
        made(tmp_path)
    with pytest.raises(WorkspaceMissing):
        open_workspace(tmp_path / "workspace", environment(tmp_path / "workspace"))
    assert not (tmp_path / "workspace").exists()
