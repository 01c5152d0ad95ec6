"""Enrolling: what is no consent and what is no reference is refused, and nothing is kept of it."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from sayso.services.scene import Scene

from .program import Desk

Picture = Image.Image


def jpeg(picture: Picture, quality: int = 92) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def portrait(scene: Scene) -> Picture:
    return Image.open(scene.collins).convert("RGB")


def without_a_face(_scene: Scene) -> bytes:
    return jpeg(Image.linear_gradient("L").resize((400, 300)).convert("RGB"))


def of_two_alike(scene: Scene) -> bytes:
    one = portrait(scene)
    frame = Image.new("RGB", (2 * one.width, one.height))
    frame.paste(one, (0, 0))
    frame.paste(one, (one.width, 0))
    return jpeg(frame)


def small(scene: Scene) -> bytes:
    frame = Image.new("RGB", (400, 400), "grey")
    frame.paste(portrait(scene).resize((100, 100), Image.Resampling.LANCZOS), (150, 150))
    return jpeg(frame)


def blurred(scene: Scene) -> bytes:
    return jpeg(portrait(scene).filter(ImageFilter.GaussianBlur(4)))


def cut_short(scene: Scene) -> bytes:
    return scene.collins.read_bytes()[:9000]


def words(_scene: Scene) -> bytes:
    return b"not a photograph at all"


def nothing(_scene: Scene) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (without_a_face, "no_face"),
        (of_two_alike, "several_faces"),
        (small, "face_too_small"),
        (blurred, "face_too_blurred"),
        (cut_short, "photograph_truncated"),
        (words, "not_a_photograph"),
        (nothing, "not_a_photograph"),
    ],
)
def test_an_image_that_is_no_reference_is_refused_with_its_own_code(
    desk: Desk, scene: Scene, tmp_path: Path, make: Callable[[Scene], bytes], code: str
) -> None:
    image = tmp_path / "image.jpg"
    image.write_bytes(make(scene))
    people = desk("people")
    arguments = ("enrol", "Ann Other", image, "--grant", "recognise", "--evidence", scene.form)
    assert desk.refused(*arguments) == code
    assert desk("people") == people
    # Beside a good one, it is reported and the good one serves.
    told = desk(*arguments[:2], scene.hopper, *arguments[2:])
    assert [quality["code"] for quality in told["quality"]] == [None, code]
    assert len(told["templates"]) == 1


def test_what_is_no_consent_is_refused(desk: Desk, scene: Scene, tmp_path: Path) -> None:
    people = desk("people")
    empty = tmp_path / "empty"
    empty.touch()
    recognise = ("--grant", "recognise")
    form = ("--evidence", scene.form)
    name = ("--grant", "name:staff")
    for arguments, code in (
        ((scene.collins, *recognise), "evidence_required"),
        ((scene.collins, *recognise, "--evidence", empty), "evidence_required"),
        ((scene.collins, *recognise, "--evidence", tmp_path / "nowhere"), "file_missing"),
        ((scene.collins, *recognise, "--evidence", tmp_path), "file_missing"),
        ((tmp_path / "nowhere.jpg", *recognise, *form), "file_missing"),
        ((*recognise, *form), "no_face"),
        ((), "grant_unknown"),
        (("--grant", "everything"), "grant_unknown"),
        (("--grant", "publish"), "grant_unknown"),
        (("--grant", "publish:billboard"), "grant_unknown"),
        (("--grant", "find:website"), "grant_unknown"),
        ((*name, "--field", "phone"), "setting_malformed"),
        ((*name, "--field", "phone=1@public"), "consent_malformed"),
        ((*name, "--field", "phone=1@everybody"), "grant_unknown"),
        ((*name, "--collection", "nowhere"), "collection_unknown"),
        ((*name, "--expires", "soon"), "setting_malformed"),
        ((*name, "--expires", "31.12.2030"), "setting_malformed"),
        ((*name, "--born", "2020-02-30"), "setting_malformed"),
        ((*name, "--born", "2024-01-01"), "guardian_required"),
        ((*name, "--born", "2024-01-01", "--guardian", "Mum"), "consent_malformed"),
        ((*name, "--notice-version", "2"), "consent_malformed"),
        ((*name, "--person", "nobody"), "person_unknown"),
    ):
        assert desk.refused("enrol", "Ann Other", *arguments) == code, arguments
    assert desk("people") == people


def test_a_guardian_speaks_for_a_child(desk: Desk) -> None:
    desk("enrol", "Li Child", "--grant", "publish:website", "--born", "2024-01-01",
         "--guardian", "Mo Child", "--relation", "mother", "--verified-by", "register")  # fmt: skip
    assert "Li Child" in [one["name"] for one in desk("people")["people"]]


def test_enrolling_the_same_again_changes_nothing(desk: Desk, scene: Scene) -> None:
    arguments = ("enrol", "Grace Hopper", scene.hopper, "--grant", "recognise",
                 "--grant", "find", "--evidence", scene.form)  # fmt: skip
    people = desk("people")
    told = desk(*arguments)
    assert told["unchanged"]
    assert desk("people") == people
    # After a withdrawal the same form is no new yes.
    desk("withdraw", "Grace Hopper")
    assert desk.refused(*arguments) == "evidence_withdrawn"


def test_a_consent_that_ended_counts_for_nothing(desk: Desk, scene: Scene) -> None:
    ran = desk.program(
        "enrol", "Ann Past", scene.hopper, "--grant", "recognise", "--grant", "find",
        "--evidence", scene.form, "--expires", "2001-01-01",
        "--json", "--workspace", desk.workspace,
    )  # fmt: skip
    assert ran.status == 1, ran
    assert not [one for one in desk("people")["people"] if one["templates"] > 1]


def test_a_scope_of_named_collections_covers_no_other(
    desk: Desk, scene: Scene, tmp_path: Path
) -> None:
    desk("collection", "add", "other", tmp_path, "--purpose", "x", "--recognise", "group",
         "--basis", "DPIA 2")  # fmt: skip
    desk("withdraw", "Grace Hopper")  # else two people would be alike
    desk("enrol", "Ann Scope", scene.hopper, "--grant", "recognise", "--grant", "name:staff",
         "--evidence", scene.form, "--collection", "other")  # fmt: skip
    for collection, expected in (("other", ["Ann Scope"]), ("space", [])):
        told = desk("identify", scene.hopper, "--collection", collection)
        names = [face["person"]["name"] for face in told["faces"] if face["person"]]
        assert names == expected, collection
