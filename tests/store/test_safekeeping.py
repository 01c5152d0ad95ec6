import base64
from pathlib import Path

import pytest

from sayso.domain.key import KeyPlace
from sayso.errors import KeyExposed, KeyMissing, KeyWrong
from sayso.store.safekeeping import get, put
from sayso.store.sealing import WorkspaceKey


def read(file: Path) -> WorkspaceKey:
    return get(KeyPlace.FILE, file=file, workspace_id="w", variable=None)


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    key = WorkspaceKey.generate()
    put(KeyPlace.FILE, key, file=tmp_path / "key", workspace_id="w")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert read(tmp_path / "key") == key


def test_a_key_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        put(KeyPlace.FILE, WorkspaceKey.generate(), file=tmp_path / "key", workspace_id="w")
    assert (tmp_path / "key").read_bytes() == b"precious"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    put(KeyPlace.FILE, WorkspaceKey.generate(), file=tmp_path / "key", workspace_id="w")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyExposed, match="chmod 600"):
        read(tmp_path / "key")


def test_a_missing_key_says_what_is_lost_and_what_is_not(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="templates cannot be recovered"):
        read(tmp_path / "key")
    with pytest.raises(KeyMissing, match="SAYSO_KEY"):
        get(KeyPlace.ENVIRONMENT, file=tmp_path / "key", workspace_id="w", variable=None)


@pytest.mark.parametrize(
    "text", ["x", "", "ä", base64.b64encode(bytes(31)).decode(), "=" * 44, "\x00" * 44]
)
def test_something_that_is_no_key_is_wrong_and_never_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(text.encode())
    file.chmod(0o600)
    with pytest.raises(KeyWrong) as caught:
        read(file)
    assert caught.value.exit_status == 3
    assert len(text) < 2 or text not in caught.value.reason


def test_a_folder_in_the_place_of_the_key_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir(mode=0o700)
    with pytest.raises(KeyWrong):
        read(tmp_path / "key")


def test_a_key_out_of_the_environment_may_end_with_a_line() -> None:
    key = WorkspaceKey.generate()
    text = base64.b64encode(key.secret).decode() + "\n"
    found = get(KeyPlace.ENVIRONMENT, file=Path("none"), workspace_id="w", variable=text)
    assert found == key


def test_a_key_knows_its_own_check_and_no_other() -> None:
    key, other = WorkspaceKey.generate(), WorkspaceKey.generate()
    key.verify(key.check())
    for check in (other.check(), "", "zz", "00"):
        with pytest.raises(KeyWrong):
            key.verify(check)


def test_a_printed_key_shows_nothing() -> None:
    key = WorkspaceKey(b"k" * 32)
    assert "kkkk" not in repr(key)
    assert "kkkk" not in str(key)


def test_tokens_do_not_run_into_each_other() -> None:
    key = WorkspaceKey.generate()
    assert key.token("ab", "c") != key.token("a", "bc")
    assert key.token("a") == key.token("a")
