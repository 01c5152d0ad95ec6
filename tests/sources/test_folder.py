import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso.errors import (
    FolderMissing,
    PhotographTooLarge,
    PhotographUnreadable,
    PhotographVanished,
)
from sayso.sources.folder import Folder

MAX = 1_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    return folder


def paths(root: Path, leaving_out: Path | None = None) -> list[str]:
    return [file.path for file in Folder(root, leaving_out=leaving_out).files()]


def test_files_are_listed_folder_by_folder_in_the_order_of_their_names(root: Path) -> None:
    for name in ("b/2.jpg", "b/1.jpg", "a.jpg", "c.jpg", "b/deep/0.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    assert paths(root) == ["a.jpg", "b/1.jpg", "b/2.jpg", "b/deep/0.jpg", "c.jpg"]
    assert paths(root) == paths(root)


def test_a_file_comes_with_its_size_and_time_so_that_a_change_shows(root: Path) -> None:
    (root / "a.jpg").write_bytes(b"four")
    [before] = Folder(root).files()
    assert before.size_bytes == 4
    os.utime(root / "a.jpg", ns=(1, 1))
    [after] = Folder(root).files()
    assert after.modified_ns == 1
    assert after != before


def test_hidden_files_and_folders_are_left_out(root: Path) -> None:
    (root / ".thumbnails").mkdir()
    (root / ".thumbnails" / "a.jpg").write_bytes(b"x")
    (root / ".hidden.jpg").write_bytes(b"x")
    (root / "a.jpg").write_bytes(b"x")
    assert paths(root) == ["a.jpg"]


def test_the_workspace_is_left_out_wherever_it_lies(root: Path) -> None:
    (root / "year" / "sayso").mkdir(parents=True)
    (root / "year" / "sayso" / "sayso.sqlite").write_bytes(b"x")
    (root / "year" / "a.jpg").write_bytes(b"x")
    assert paths(root, root / "year" / "sayso") == ["year/a.jpg"]


def test_a_file_that_is_no_photograph_is_listed_so_that_nothing_is_skipped_in_silence(
    root: Path,
) -> None:
    (root / "notes.txt").write_bytes(b"x")
    assert paths(root) == ["notes.txt"]


def test_a_folder_that_is_not_there_says_so_before_anything_is_listed(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing) as caught:
        list(Folder(tmp_path / "unplugged").files())
    assert "unplugged" in caught.value.reason


def test_a_link_inside_the_folder_is_read(root: Path) -> None:
    (root / "a.jpg").write_bytes(b"bytes")
    (root / "b.jpg").symlink_to("a.jpg")
    assert Folder(root).read("b.jpg", max_bytes=MAX) == b"bytes"


@pytest.mark.parametrize("target", ["../secret.jpg", "/etc/hostname"])
def test_a_link_out_of_the_folder_is_not_followed(root: Path, target: str) -> None:
    (root.parent / "secret.jpg").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(target)
    assert paths(root) == ["link.jpg"]
    with pytest.raises(PhotographUnreadable, match="out of it"):
        Folder(root).read("link.jpg", max_bytes=MAX)


def test_a_folder_behind_a_link_is_not_entered(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").write_bytes(b"x")
    (root / "elsewhere").symlink_to(tmp_path / "elsewhere")
    (root / "itself").symlink_to(root)
    assert paths(root) == []


def test_links_in_a_ring_are_reported_and_stop_nothing(root: Path) -> None:
    (root / "a.jpg").symlink_to("b.jpg")
    (root / "b.jpg").symlink_to("a.jpg")
    (root / "c.jpg").write_bytes(b"x")
    assert paths(root) == ["a.jpg", "b.jpg", "c.jpg"]
    with pytest.raises(PhotographUnreadable):
        Folder(root).read("a.jpg", max_bytes=MAX)


def test_a_name_that_no_file_has_is_reported(root: Path) -> None:
    with pytest.raises(PhotographUnreadable, match="no file has"):
        Folder(root).read("a\0.jpg", max_bytes=MAX)


def test_a_dangling_link_is_a_file_that_vanished(root: Path) -> None:
    (root / "a.jpg").symlink_to("gone.jpg")
    assert paths(root) == ["a.jpg"]
    with pytest.raises(PhotographVanished):
        Folder(root).read("a.jpg", max_bytes=MAX)


def test_a_named_pipe_stops_nothing(root: Path) -> None:
    os.mkfifo(root / "pipe.jpg")
    assert paths(root) == ["pipe.jpg"]
    caught: list[Exception] = []

    def read() -> None:
        try:
            Folder(root).read("pipe.jpg", max_bytes=MAX)
        except PhotographUnreadable as error:
            caught.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(caught) == 1


def test_a_file_that_goes_between_listing_and_reading_has_vanished(root: Path) -> None:
    (root / "a.jpg").write_bytes(b"x")
    listed = Folder(root).files()
    assert next(listed).path == "a.jpg"
    (root / "a.jpg").unlink()
    with pytest.raises(PhotographVanished):
        Folder(root).read("a.jpg", max_bytes=MAX)


def test_a_folder_that_goes_while_it_is_listed_stops_nothing(root: Path) -> None:
    for name in ("1", "2"):
        (root / name).mkdir()
        (root / name / "a.jpg").write_bytes(b"x")
    (root / "z.jpg").write_bytes(b"x")
    listed: Iterator[str] = (file.path for file in Folder(root).files())
    assert next(listed) == "1/a.jpg"
    (root / "2" / "a.jpg").unlink()
    (root / "2").rmdir()
    assert list(listed) == ["2", "z.jpg"]
    with pytest.raises(PhotographVanished):
        Folder(root).read("2", max_bytes=MAX)


def test_a_file_above_the_limit_is_not_read(root: Path) -> None:
    (root / "a.jpg").write_bytes(b"12345")
    with pytest.raises(PhotographTooLarge, match="max_bytes"):
        Folder(root).read("a.jpg", max_bytes=4)
    assert Folder(root).read("a.jpg", max_bytes=5) == b"12345"


@pytest.mark.parametrize("name", ["new\nline.jpg", 'quo"te.jpg', "<b>.jpg", "é.jpg", " .jpg"])
def test_odd_names_are_read(root: Path, name: str) -> None:
    (root / name).write_bytes(b"x")
    assert paths(root) == [name]
    assert Folder(root).read(name, max_bytes=MAX) == b"x"


def test_a_name_that_is_not_utf_8_is_listed_and_read(root: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (root / name).write_bytes(b"x")
    assert paths(root) == [name]
    assert Folder(root).read(name, max_bytes=MAX) == b"x"


def test_folders_deeper_than_python_recurses_are_listed(root: Path) -> None:
    place = root
    for _ in range(1100):
        place /= "d"
        place.mkdir()
    (place / "a.jpg").write_bytes(b"x")
    assert paths(root) == ["d/" * 1100 + "a.jpg"]
    assert Folder(root).read("d/" * 1100 + "a.jpg", max_bytes=MAX) == b"x"
    (place / "a.jpg").unlink()
    for _ in range(1100):  # pytest, too, would recurse
        place.rmdir()
        place = place.parent
