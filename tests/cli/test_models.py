"""Models, as an operator changes from one to another, on real portraits."""

from pathlib import Path
from typing import Any

from sayso.services.scene import Scene
from sayso.vision.models import SFACE

from ..vision import made  # noqa: TID252 - the tests are no package with a name of its own
from .program import Desk, Program


def listed(desk: Desk) -> dict[str, tuple[str, int]]:
    return {one["name"]: (one["state"], one["people"]) for one in desk("models", "list")["models"]}


def again(desk: Desk, person: str, image: Path, form: Path) -> Any:  # noqa: ANN401 - what it prints
    return desk("enrol", "", image, "--person", person, "--grant", "recognise", "--evidence", form)


def test_a_change_of_models_from_beginning_to_end(
    desk: Desk, scene: Scene, tmp_path: Path, program: Program
) -> None:
    assert desk.refused("models", "use", "made") == "model_unknown"
    bare = made.manifest(tmp_path, calibration=None)
    assert desk.refused("models", "add", bare) == "calibration_required"
    added = desk("models", "add", made.manifest(tmp_path))
    assert (added["name"], added["state"], added["dimension"]) == ("Made 1", "added", 512)
    assert listed(desk)[SFACE.name] == ("in use", 2)

    begun = desk("models", "use", "made")
    assert [one["name"] for one in begun["to_ask"]] == ["Eileen Collins", "Grace Hopper"]
    assert begun["ended"] is None
    collins, hopper = (one["id"] for one in begun["to_ask"])
    built = again(desk, collins, scene.collins, scene.form)
    assert len(built["templates"]) == 1
    assert listed(desk) | {"Made 1": ("in use", 1), SFACE.name: ("being left", 1)} == listed(desk)
    assert desk.refused("models", "remove", "sface") == "model_in_use"
    desk("catchup")

    again(desk, hopper, scene.hopper, scene.form)
    ran = program("--workspace", desk.workspace, "--json", "models", "list")
    assert "the change is over" in ran.err
    assert {one["name"]: one["people"] for one in ran.json["models"]}["Made 1"] == 2
    assert listed(desk)[SFACE.name] == ("added", 0)
    entries = desk("audit", "list")["entries"]
    assert [one["action"] for one in entries].count("model") == 3
    desk("audit", "verify")


def test_leaving_people_out_needs_a_yes(desk: Desk, tmp_path: Path) -> None:
    desk("models", "add", made.manifest(tmp_path))
    assert desk.refused("models", "use", "made", "--only") == "not_confirmed"
    assert listed(desk)["Made 1"] == ("added", 0)
    done = desk("models", "use", "made", "--only", "--yes")
    assert len(done["ended"]["without_reference"]) == 2
    assert done["ended"]["templates_removed"] == 2
    assert listed(desk)["Made 1"] == ("in use", 0)


def test_each_model_has_a_card(desk: Desk, program: Program) -> None:
    for name, words in (("yunet", "WIDER FACE"), ("sface", "Labeled Faces in the Wild")):
        card = desk("models", "card", name)
        assert words in f"{card['training']} {card['rates']}"
        assert card["groups"].startswith("Not measured")
        assert card["licence"]
        assert card["limits"] != "Not known."
        ran = program("--workspace", desk.workspace, "models", "card", name)
        assert card["sha256"] in ran.out
    assert desk.refused("models", "card", "nobody") == "model_unknown"


def test_the_model_that_is_measured_can_be_named(desk: Desk, photos: Path, tmp_path: Path) -> None:
    desk("models", "add", made.manifest(tmp_path, calibration=made.CALIBRATION))
    folder = tmp_path / "dataset"
    for number, file in enumerate(sorted((photos / "strangers").iterdir())[:4]):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / file.name).write_bytes(file.read_bytes())
    assert desk("evaluate", folder)["model"]["name"] == SFACE.name
    assert desk("evaluate", folder, "--model", "made")["model"]["name"] == "Made 1"
    assert desk.refused("evaluate", folder, "--model", "none") == "model_unknown"
