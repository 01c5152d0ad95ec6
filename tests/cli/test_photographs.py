"""Photographs as they come: turned, vanishing, oddly named, of no kind."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from sayso.services.scene import Scene

from .program import Desk, NewDesk

HOSTILE = (
    "line\nbreak.jpg",
    'quote".jpg',
    "<img src=x onerror=alert(1)>.jpg",
    "[red]red.jpg",
    "[bold.jpg",
    "\x1b[31mred.jpg",
    "%s{0}$HOME.jpg",
    "-o.jpg",
    "ünïcödé 写真 \U0001f600.jpg",
    "x" * 240 + ".jpg",
)


def declared(desk: Desk, folder: Path, recognise: str = "off") -> Desk:
    desk("collection", "add", "c", folder, "--purpose", "x", "--recognise", recognise,
         "--basis", "DPIA")  # fmt: skip
    return desk


def test_boxes_are_relative_to_the_upright_picture(
    new_desk: NewDesk, scene: Scene, tmp_path: Path
) -> None:
    folder = tmp_path / "turned"
    folder.mkdir()
    upright = Image.open(scene.photographs / "IMG_0003.jpg")
    assert upright.width > upright.height
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(folder / "a.jpg", quality=95)
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "b.jpg", quality=95, exif=exif)
    desk = declared(new_desk(), folder)
    desk("scan", "c")
    first, second = desk("screen", "c", "--channel", "website")["photos"]
    assert len(first["faces"]) == len(second["faces"]) == 2
    for one, other in zip(first["faces"], second["faces"], strict=True):
        assert one["box"] == pytest.approx(other["box"], abs=0.01)
        assert all(0 <= number <= 1 for number in one["box"])
    published = desk("publish", "c", tmp_path / "out", "--channel", "website")
    for copy in published["copies"]:
        with Image.open(copy["copy"]) as picture:
            assert picture.size == upright.size
            assert not picture.getexif()


def test_hostile_names_do_no_harm(new_desk: NewDesk, scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    data = (scene.photographs / "IMG_0001.jpg").read_bytes()
    for number, name in enumerate(HOSTILE):
        (folder / name).write_bytes(data + bytes(number))
    odd = os.fsencode(folder) + b"/\xff.jpg"
    Path(os.fsdecode(odd)).write_bytes(data)
    desk = declared(new_desk(), folder)
    told = desk("scan", "c")
    assert told["photos"] == len(HOSTILE)
    [unreadable] = told["unreadable"]
    assert unreadable["code"] == "photograph_unreadable"
    assert "Rename" in unreadable["reason"]
    screened = desk("screen", "c", "--channel", "website")
    assert {photo["path"] for photo in screened["photos"]} == set(HOSTILE)
    published = desk("publish", "c", tmp_path / "out", "--channel", "website")
    assert published["published"] == len(HOSTILE)
    assert all(Path(copy["copy"]).is_file() for copy in published["copies"])
    assert "<img src=x onerror" not in Path(published["report"]).read_text("utf-8")
    for verb in (("screen", "c", "--channel", "website"), ("scan", "c")):
        ran = desk.program(*verb, "--workspace", desk.workspace)
        assert ran.status == 0
        assert "\x1b" not in ran.out + ran.err
    assert "[red]red.jpg" in desk.program(
        "screen", "c", "--channel", "website", "--workspace", desk.workspace
    ).out  # fmt: skip
    # A photograph is meant by its path however it is named.
    [face] = [p["faces"][0]["id"] for p in screened["photos"] if p["path"] == "-o.jpg"]
    desk("enrol", "Ann", "--grant", "publish:website")
    arguments = ("--json", "--workspace", desk.workspace, "mark", "--", "-o.jpg", face, "Ann")
    assert desk.program(*arguments).json["photo"] == "-o.jpg"


def test_words_that_are_no_text_are_refused(desk: Desk, tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff\xfe")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    people = desk("people")
    for arguments, code in (
        (("enrol", odd, "--grant", "find"), "setting_malformed"),
        (("find", odd), "setting_malformed"),
        (("scan", odd), "setting_malformed"),
        (("identify", odd, "--collection", "space"), "file_missing"),
        (("collection", "add", "o", folder, "--purpose", "x", "--recognise", "off"),
         "setting_malformed"),
    ):  # fmt: skip
        assert desk.refused(*arguments) == code
    assert desk("people") == people


def test_a_photograph_that_went_is_told_and_the_rest_goes_on(
    new_desk: NewDesk, scene: Scene, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(scene.photographs, folder)
    desk = declared(new_desk(), folder)
    (folder / "dangling.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "outside.jpg").symlink_to(scene.collins)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    told = desk("scan", "c")
    assert told["photos"] == 9
    assert {one["path"]: one["code"] for one in told["unreadable"]} == {
        "dangling.jpg": "photograph_vanished",
        "outside.jpg": "photograph_unreadable",
        "pipe.jpg": "photograph_unreadable",
    }
    assert desk.program("scan", "c", "--strict", "--workspace", desk.workspace).status == 1
    # Gone between scanning and publishing: it is left out, the rest is published.
    (folder / "IMG_0001.jpg").unlink()
    (folder / "IMG_0002.jpg").write_bytes((folder / "IMG_0003.jpg").read_bytes())
    published = desk("publish", "c", tmp_path / "out", "--channel", "website")
    assert {one["path"]: one["code"] for one in published["withheld"]} == {
        "IMG_0001.jpg": "photograph_vanished",
        "IMG_0002.jpg": "photograph_vanished",
    }
    assert published["published"] == 7
    told = desk("scan", "c")
    assert (told["photos"], told["vanished"], told["repeated"]) == (0, 1, 1)


def test_a_folder_that_went_loses_nothing(new_desk: NewDesk, scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(scene.photographs, folder)
    desk = declared(new_desk(), folder)
    publish = ("publish", "c", tmp_path / "out", "--channel", "website")
    assert desk.refused(*publish) == "nothing_scanned"
    desk("scan", "c")
    desk(*publish)
    folder.rename(tmp_path / "elsewhere")
    assert desk.refused("scan", "c") == "folder_missing"
    assert desk.refused(*publish) == "folder_missing"
    assert len(list((tmp_path / "out" / "photographs").iterdir())) == 9
    assert len(desk("screen", "c", "--channel", "website")["photos"]) == 9
    (tmp_path / "elsewhere").rename(folder)
    assert desk("scan", "c")["photos"] == 0


def test_a_path_is_understood_however_it_is_written(desk: Desk, scene: Scene) -> None:
    photos = scene.photographs
    straight = desk("identify", photos / "IMG_0001.jpg", "--collection", "space")
    roundabout = f"{photos}/../{photos.name}/./IMG_0001.jpg"
    assert desk("identify", roundabout, "--collection", "space") == straight
    for path in ("IMG_0001.jpg", str(photos / "IMG_0001.jpg"), roundabout):
        assert desk("mark", path, "1", "Eileen Collins")["photo"] == "IMG_0001.jpg", path
