"""What is perhaps a face waits for a human's word, which holds."""

import shutil
from pathlib import Path

from sayso.services.scene import Scene

from .program import NewDesk

SURE_OF_NOTHING = 'detection_score = 0.99\nperhaps_faces = "review"\n'


def test_a_human_says_of_what_is_perhaps_a_face_whether_it_is(
    new_desk: NewDesk, scene: Scene, tmp_path: Path
) -> None:
    folder, out = tmp_path / "one", tmp_path / "out"
    folder.mkdir()
    shutil.copy(scene.photographs / "IMG_0001.jpg", folder / "a.jpg")
    desk = new_desk()
    (desk.workspace / "sayso.toml").write_text(SURE_OF_NOTHING, encoding="utf-8")
    desk("collection", "add", "c", folder, "--purpose", "x", "--recognise", "off")
    desk("scan", "c")
    (quick,) = desk("screen", "c", "--channel", "website")["photos"]
    assert (quick["looked_at"], quick["faces"], quick["verdict"]) == ("quickly", [], "clear")

    def publish() -> list[str]:
        return [
            one["code"] for one in desk("publish", "c", out, "--channel", "website")["withheld"]
        ]

    assert publish() == ["review"]
    (looked,) = desk("screen", "c", "--channel", "website")["photos"]
    assert (looked["looked_at"], looked["verdict"]) == ("thoroughly", "review")
    face = looked["faces"][0]
    assert (face["outcome"], face["reason"]) == ("review", "perhaps_a_face")
    for other in looked["faces"][1:]:
        desk("reject", "a.jpg", other["id"])

    assert desk("reject", "a.jpg", face["id"])["said"] == "no_face"
    assert publish() == []
    desk("scan", "c", "--again")
    assert publish() == []
    (answered,) = desk("screen", "c", "--channel", "website")["photos"]
    assert face["id"] in {one["id"] for one in answered["no_faces"]}

    assert desk("unmark", "a.jpg", face["id"])["said"] is None
    assert publish() == ["review"]
    assert desk("mark", "a.jpg", face["id"])["said"] == "face"
    assert publish() == []
    (covered,) = desk("screen", "c", "--channel", "website")["photos"]
    assert [one["outcome"] for one in covered["faces"]] == ["cover"]
    desk.refused("unmark", "a.jpg", "0.01,0.01,0.02,0.02")


def test_a_box_without_a_person_is_covered(new_desk: NewDesk, scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(scene.photographs / "IMG_0001.jpg", folder / "a.jpg")
    desk = new_desk()
    desk("collection", "add", "c", folder, "--purpose", "x", "--recognise", "off")
    desk("scan", "c")
    drawn = desk("mark", "a.jpg", "0.05,0.05,0.1,0.1")
    assert (drawn["said"], drawn["box"]) == ("face", [0.05, 0.05, 0.1, 0.1])
    desk("scan", "c", "--again")
    (photo,) = desk("screen", "c", "--channel", "website")["photos"]
    assert drawn["box"] in [face["box"] for face in photo["faces"]]
    sure = next(face for face in photo["faces"] if face["box"] != drawn["box"])
    desk.refused("reject", "a.jpg", sure["id"])
