import os
from pathlib import Path

import pytest

from sayso.errors import SettingMalformed
from sayso.settings import FILE, TABLE, Settings

DOCUMENTATION = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"


def read(folder: Path, text: str = "", **environment: str) -> Settings:
    (folder / FILE).write_text(text, encoding="utf-8")
    return Settings.read(folder, environment)


def test_every_setting_is_documented_with_its_default_and_help() -> None:
    rows = {
        cells[1].strip().strip("`"): (cells[2].strip().strip("`"), cells[3].strip())
        for line in DOCUMENTATION.read_text(encoding="utf-8").splitlines()
        if len(cells := line.split("|")) == 5 and cells[1].strip().startswith("`")
    }
    for row in TABLE:
        default, words = rows[row.name]
        assert default == ('""' if row.default == "" else str(row.default))
        assert words == row.help
    assert len(rows) == len(TABLE)


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = Settings.read(tmp_path, {})
    for row in TABLE:
        assert getattr(settings, row.name) == row.default


def test_the_file_goes_before_the_default_and_the_environment_before_the_file(
    tmp_path: Path,
) -> None:
    text = 'workers = 3\nmax_bytes = 5\njurisdiction = "GB-SCT"\nfalse_names = 0.01'
    settings = read(tmp_path, text, SAYSO_WORKERS="7", SAYSO_FALSE_REVIEWS="0.2")
    assert (settings.workers, settings.max_bytes, settings.jurisdiction) == (7, 5, "GB-SCT")
    assert (settings.promise.false_names, settings.promise.false_reviews) == (0.01, 0.2)
    assert (settings.cores, Settings.read(tmp_path / "none", {}).cores) == (7, os.cpu_count())


@pytest.mark.parametrize(
    "text",
    [
        "wokers = 3",
        "workers = true",
        'workers = "many"',
        "workers = 2.5",
        "workers = -1",
        "workers = [1]",
        "workers = 1979-05-27",
        "max_bytes = 0",
        "max_pixels = inf",
        "max_pixels = nan",
        "smallest_face_px = -1",
        "smallest_face_px = nan",
        "smallest_face_px = inf",
        f"smallest_face_px = 1{'0' * 400}",
        "detection_score = 1.0",
        "detection_score = 0",
        "false_names = 0.2",
        "false_names = 0",
        "false_names = nan",
        "false_reviews = 1",
        "workers = ",
        "not toml",
        "workers = 1\nworkers = 2",
    ],
)
def test_a_setting_that_does_not_fit_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingMalformed) as caught:
        read(tmp_path, text)
    assert caught.value.reason_code == "setting_malformed"


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingMalformed):
        Settings.read(tmp_path, {})
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(SettingMalformed):
        Settings.read(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORKERS", "1.5"), ("WORKERS", ""), ("MAX_BYTES", "2GB"), ("FALSE_NAMES", "1%")],
)
def test_the_environment_is_held_to_the_same(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingMalformed) as caught:
        read(tmp_path, **{f"SAYSO_{name}": value})
    assert name.lower() in caught.value.reason


def test_a_whole_number_may_be_written_where_a_real_one_is_meant(tmp_path: Path) -> None:
    assert read(tmp_path, "smallest_face_px = 24\nmax_bytes = 5.0").smallest_face_px == 24.0
