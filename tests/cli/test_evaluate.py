"""Measuring, as a user does it: on real photographs, without a workspace."""

import csv
from pathlib import Path

import pytest

from .program import Desk, NewDesk, Program

PEOPLE = 12


@pytest.fixture(scope="session")
def dataset(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen people and as many strangers, by a table with the roles and two made-up groups."""
    folder = tmp_path_factory.mktemp("dataset")
    rows = list(csv.DictReader((photos / "labels.csv").read_text("utf-8").splitlines()))
    people = list(dict.fromkeys(row["identity"] for row in rows if row["identity"]))[:PEOPLE]
    kept = [row for row in rows if row["identity"] in people]
    kept += [row for row in rows if row["role"] == "stranger"][:PEOPLE]
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, ["path", "identity", "role", "group"])
        table.writeheader()
        for row in kept:
            copy = folder / row["path"]
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((photos / row["path"]).read_bytes())
            place = people.index(row["identity"]) if row["identity"] else 0
            table.writerow(row | {"group": ("even", "odd")[place % 2] if row["identity"] else ""})
    return folder


def test_error_rates_are_measured_without_a_workspace(
    program: Program, dataset: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    ran = program("--workspace", tmp_path / "none", "--json", "evaluate", dataset, "--out", report)
    assert ran.status == 0, ran.err
    found = ran.json
    assert found["identities"] == 2 * PEOPLE
    assert found["failure_to_detect"]["value"] == 0
    gallery = found["identification"][-1]
    assert (gallery["persons"], gallery["references"]) == (PEOPLE, 2 * PEOPLE)
    assert gallery["non_mated"] == PEOPLE
    assert gallery["rank_one"] > 0.95
    assert gallery["promised"]["false_names"]["value"] == 0
    assert gallery["promised"]["missed"]["value"] < 0.1
    [at] = [at for at in found["verification"]["at"] if at["false_match_rate"] == 1e-3]
    assert 0.25 < at["threshold"]["value"] < 0.5
    assert [one["name"] for one in found["groups"]["groups"]] == ["even", "odd"]
    worst = found["false_matches"][0]
    assert worst["similarity"] < found["verification"]["at"][0]["threshold"]["high"] + 0.2

    page = report.read_text("utf-8")
    assert "<polyline" in page
    assert worst["first"] in page
    assert "http://" not in page
    assert "https://" not in page
    assert not (tmp_path / "none").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html"]


def test_marked_faces_are_enough_to_measure_detection(program: Program, photos: Path) -> None:
    found = program("--json", "evaluate", photos / "groups").json
    assert found["detection"]["recall"]["value"] >= 0.995
    assert found["detection"]["marked"] == 270
    assert found["verification"] is None
    assert found["identification"] == []


def test_a_file_that_is_no_photograph_is_told_and_counts_as_none(
    program: Program, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(next((photos / "strangers").iterdir()).read_bytes())
    (folder / "2.jpg").write_bytes(b"no photograph")
    ran = program("--json", "evaluate", tmp_path)
    assert ran.status == 0
    assert [(one["path"], one["code"]) for one in ran.json["skipped"]] == [
        ("ada/2.jpg", "not_a_photograph")
    ]
    assert "ada/2.jpg" in ran.err
    assert ran.json["photographs"] == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "path,who\na.jpg,ada\n"),
        ("labels.csv", "path,identity,role\na.jpg,ada,boss\n"),
        ("labels.csv", "path,identity\na.jpg,\n"),
        ("labels.csv", "path,identity\na.jpg\n"),
        ("boxes.csv", "image,x1,y1,x2,y2\na.jpg,1,2,x,4\n"),
        ("labels.csv", "path,identity\na.jpg,ada\na.jpg,ben\n"),
        ("boxes.csv", "image,x1,y1,x2,y2\na.jpg,5,2,1,4\n"),
        ("boxes.csv", "image,x1,y1,x2,y2\na.jpg,0,0,inf,4\n"),
        ("boxes.csv", "image,x1,y1,x2,y2\na.jpg,-1e308,0,1e308,4\n"),
        ("boxes.csv", "image,x1,y1,x2,y2,label\na.jpg,1,2,3,4,hand\n"),
    ],
)
def test_a_malformed_table_is_refused(
    program: Program, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    ran = program("--json", "evaluate", tmp_path)
    assert (ran.status, ran.code) == (1, "table_malformed")
    assert name in ran.err


def test_a_dataset_of_which_nothing_can_be_opened_is_an_error(
    program: Program, tmp_path: Path
) -> None:
    (tmp_path / "labels.csv").write_text("path,identity\ngone.jpg,ada\n", encoding="utf-8")
    ran = program("--json", "evaluate", tmp_path)
    assert (ran.status, ran.code) == (1, "table_malformed")
    assert "gone.jpg" in ran.err


def test_a_folder_without_labels_is_refused(program: Program, tmp_path: Path) -> None:
    assert program("--json", "evaluate", tmp_path).code == "table_malformed"
    assert program("--json", "evaluate", tmp_path / "none").code == "folder_missing"


def test_photographs_of_a_collection_are_not_for_measuring(story: Desk, tmp_path: Path) -> None:
    """Whoever is in them was asked for the collection's purpose."""
    [held] = story("collection", "list")["collections"]
    inside = Path(held["folder"])
    for place in (inside, inside.parent):
        assert story.refused("evaluate", place) == "dataset_refused"
    link = tmp_path / "link"
    link.symlink_to(inside)
    assert story.refused("evaluate", link) == "dataset_refused"


def test_the_same_photographs_give_the_same_rates(new_desk: NewDesk, dataset: Path) -> None:
    first, second = (new_desk()("evaluate", dataset) for _ in range(2))
    del first["seconds"], second["seconds"]
    assert first == second
