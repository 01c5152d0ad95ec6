"""Receipts, access and notices on the command line."""

import json
import zipfile
from pathlib import Path

from .program import Desk


def test_access_hands_over_one_archive_and_says_until_when(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "eileen.zip"
    told = desk("access", "Eileen Collins", out, "--received", "2026-01-31")
    assert told["due"] == "2026-02-28"
    assert told["photographs"] >= 5
    assert "controller_name" in told["controller_settings_missing"]
    with zipfile.ZipFile(out) as archive:
        texts = [archive.read(n).decode() for n in archive.namelist() if "photographs/" not in n]
        pictures = [name for name in archive.namelist() if "photographs/" in name]
    assert len(pictures) == told["photographs"]
    assert not [text for text in texts if "Hopper" in text or "Kim Lee" in text]


def test_access_replaces_a_file_only_with_a_yes(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "eileen.zip"
    out.write_bytes(b"before")
    assert desk.refused("access", "Eileen Collins", out) == "not_confirmed"
    assert out.read_bytes() == b"before"
    desk("access", "Eileen Collins", out, "--yes")
    assert zipfile.is_zipfile(out)


def test_access_takes_no_day_that_is_none(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    code = desk.refused("access", "Eileen Collins", out, "--received", "tomorrow")
    assert code == "setting_malformed"
    assert not out.exists()


def test_a_receipt_is_written_or_printed_and_says_what_it_lacks(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "receipt.json"
    told = desk("receipt", "Grace Hopper", out)
    assert told["signed"] is True
    assert {"privacy_notice", "party_name"} <= set(told["lacks"])
    document = json.loads(out.read_bytes())["document"]
    assert document["dct:identifier"] == told["receipt"]
    printed = json.loads(desk("receipt", "Grace Hopper")["envelope"])
    assert printed["document"]["@type"] == "dpv:ConsentReceipt"


def test_a_changed_notice_lists_who_must_be_asked_again(desk: Desk, tmp_path: Path) -> None:
    assert desk("notice", "stale") == {"stale": []}
    words = tmp_path / "notice.txt"
    words.write_text("We ask you.", encoding="utf-8")
    added = desk("notice", "add", words, "--version", "1", "--language", "en")
    assert added["stale"] == 4
    [kept] = desk("notice", "list")["notices"]
    assert (kept["version"], kept["current"]) == ("1", True)
    stale = desk("notice", "stale")["stale"]
    assert [one["name"] for one in stale][:2] == ["Eileen Collins", "Grace Hopper"]
    assert stale[1]["grants"] == ["find", "recognise"]
