from collections.abc import Callable
from pathlib import Path

import pytest

from sayso.errors import DiskFull, OutputRefused
from sayso.services.handover import whole_file


def test_a_file_is_for_its_owner_alone_and_nothing_else_is_left(tmp_path: Path) -> None:
    with whole_file(tmp_path / "out", overwrite=False) as stream:
        stream.write(b"whole")
    [file] = tmp_path.iterdir()
    assert file.read_bytes() == b"whole"
    assert file.stat().st_mode & 0o777 == 0o600


def write(out: Path, then: Callable[[], object], *, overwrite: bool = False) -> None:
    with whole_file(out, overwrite=overwrite) as stream:
        stream.write(b"half")
        then()


def fail(error: Exception) -> None:
    raise error


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"before")
    with pytest.raises(RuntimeError):
        write(tmp_path / "out", lambda: fail(RuntimeError()), overwrite=True)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]


def test_a_file_that_lies_there_is_replaced_only_if_that_was_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"before")
    with pytest.raises(OutputRefused), whole_file(tmp_path / "out", overwrite=False):
        pass
    with whole_file(tmp_path / "out", overwrite=True) as stream:
        stream.write(b"after")
    assert (tmp_path / "out").read_bytes() == b"after"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputRefused):
        write(tmp_path / "out", lambda: (tmp_path / "out").write_bytes(b"theirs"))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"theirs"]


@pytest.mark.parametrize("name", ["missing/out", "file/out", "."])
def test_no_place_for_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputRefused), whole_file(tmp_path / name, overwrite=True):
        pass


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DiskFull):
        write(tmp_path / "out", lambda: fail(OSError(28, "No space left on device")))
    assert not list(tmp_path.iterdir())
