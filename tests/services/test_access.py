import io
import json
import re
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sayso.domain.event import Notice
from sayso.domain.face import FaceId
from sayso.domain.person import Guardian, PersonId
from sayso.domain.photo import Recognition
from sayso.domain.record_check import record_defects
from sayso.domain.sighting import Link, Sighting
from sayso.errors import OutputRefused, PersonUnknown, SettingMalformed
from sayso.services.access import Access, Accessed
from sayso.services.access_facts import History, Logic, no_history, theirs
from sayso.store.tables import metadata

from .drawing import (
    ADA,
    BEN,
    CAT,
    LEFT,
    NEMO,
    NOBODY,
    RIGHT,
    Head,
    faint,
    picture,
)
from .logged import SCHOOL
from .world import MODEL, World

TOLD = Notice("cd" * 32, "2", "en")
AT_LEFT = "0.125,0.25,0.2,0.3"
"""The box of a head that stands on the left."""
BOB, CARLA = "Bob Unusualname", "Carla Guardianname"


@dataclass
class Archive:
    """What a person unpacks."""

    done: Accessed
    files: dict[str, bytes]

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.files["data.json"]))

    @property
    def page(self) -> str:
        return self.files["index.html"].decode()

    @property
    def pictures(self) -> dict[str, bytes]:
        return {name: data for name, data in self.files.items() if "/" in name}


def logic(world: World) -> Logic:
    recogniser = world.load_recogniser()
    return Logic("Drawn 1", MODEL, "drawn by hand", recogniser.calibration, recogniser.promise)


def access_of(world: World, history: History = no_history) -> Access:
    return Access(
        world.book,
        world.clock,
        lambda: world.eye,
        lambda folder: world.sources[Path(folder).name],
        2,
        SCHOOL,
        lambda _: logic(world),
        world.standard,
        history,
    )


def ask(world: World, folder: Path, name: str = "Ada", *, received: date | None = None) -> Archive:
    out = folder / "out.zip"
    done = access_of(world)(name, out, overwrite=True, received=received)
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        return Archive(done, {name: archive.read(name) for name in archive.namelist()})


def exif(words: str) -> bytes:
    tags = Image.Exif()
    tags[0x010E] = words
    return tags.tobytes()


@pytest.fixture
def held(world: World) -> World:
    """Ada and Bob said yes; Ada is alone, with Bob, with a stranger, and not there."""
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find name:staff publish:website", notice=TOLD)
    world.enrol(
        BOB,
        BEN,
        "recognise find",
        guardian=Guardian(CARLA, "mother", "school register"),
        born=date(2016, 1, 1),
    )
    named = exif(f"{BOB} at the fair")
    source.put(
        f"{BOB}.jpg", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), kind="JPEG", exif=named)
    )
    source.put("alone.png", picture(Head(ADA)))
    source.put("stranger.png", picture(Head(NOBODY, x=LEFT), Head(ADA, x=RIGHT)))
    source.put("none.png", picture(Head(BEN), number=9))
    world.scan("club")
    return world


def shown(world: World, data: bytes) -> list[float]:
    """How far from the left, 0 to 1, the faces are that can still be found in a picture."""
    return sorted(round(face.box.x, 2) for face in world.eye.look(data)[1])


def test_everything_is_in_one_archive(held: World, tmp_path: Path) -> None:
    archive = ask(held, tmp_path)
    assert set(archive.files) == {
        "README.txt",
        "index.html",
        "data.json",
        "records.jsonld",
        "photographs/0001.jpg",
        "photographs/0002.png",
        "photographs/0003.png",
    }
    assert (archive.done.photographs, archive.done.unshown, archive.done.missing) == (3, 0, ())


def test_only_their_own_face_is_uncovered(held: World, tmp_path: Path) -> None:
    pictures = ask(held, tmp_path).pictures
    at = {name: shown(held, data) for name, data in pictures.items()}
    left, right = round(LEFT / 480, 2), round(RIGHT / 480, 2)
    assert at["photographs/0001.jpg"] == pytest.approx([left], abs=0.02)
    assert at["photographs/0002.png"] == pytest.approx([left], abs=0.02)
    assert at["photographs/0003.png"] == pytest.approx([right], abs=0.02)


def test_no_other_name_is_in_any_file(held: World, tmp_path: Path) -> None:
    source = held.collection(f"day of {BOB}", basis=f"agreed with {CARLA}")
    source.put("one.png", picture(Head(ADA), number=3))
    held.scan(f"day of {BOB}")
    held.publish(tmp_path / "published", collection=f"day of {BOB}")
    archive = ask(held, tmp_path)
    assert len(archive.pictures) == 4
    assert "day of [another person]" in archive.page
    for name, data in archive.files.items():
        for word in ("Unusualname", "Guardianname", "Bob ", "Carla"):
            for spelling in (word, word.lower(), word.upper()):
                assert spelling.encode() not in data, (name, word)
                assert spelling.encode("utf-16-le") not in data, (name, word)
                assert spelling not in name


def test_a_guardians_name_is_not_in_the_childs_archive(held: World, tmp_path: Path) -> None:
    archive = ask(held, tmp_path, BOB)
    assert CARLA.encode() not in b"".join(archive.files.values())
    assert "Your guardian (mother) said yes" in archive.page
    assert BOB in archive.page


def test_nothing_of_the_original_but_its_pixels_is_handed_over(held: World, tmp_path: Path) -> None:
    for data in ask(held, tmp_path).pictures.values():
        with Image.open(io.BytesIO(data)) as image:
            assert not image.getexif()
            assert not image.info.get("comment")


def test_a_face_in_doubt_is_told_and_not_shown(world: World, tmp_path: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find")
    source.put("maybe.png", picture(Head(faint(ADA))))
    world.scan("club")
    archive = ask(world, tmp_path)
    assert archive.pictures == {}
    [photograph] = archive.data["photographs"]
    assert photograph["file"] is None
    assert [link["link"] for link in photograph["links"]] == ["review"]
    assert "not certain that the face is yours" in archive.page


def test_a_face_that_looks_like_two_people_is_shown_to_neither(
    world: World, tmp_path: Path
) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find")
    world.enrol("Cat", CAT, "recognise find")
    source.put("both.png", picture(Head(ADA, also=CAT)))
    world.scan("club")
    assert ask(world, tmp_path).pictures == {}
    assert ask(world, tmp_path, "Cat").pictures == {}


def test_a_face_that_a_human_ruled_out_is_told_and_not_shown(held: World, tmp_path: Path) -> None:
    held.judge.reject("alone.png", AT_LEFT, "Ada")
    archive = ask(held, tmp_path)
    links = {tuple(x["link"] for x in p["links"]): p["file"] for p in archive.data["photographs"]}
    assert links["match", "rejected"] is None
    assert len(archive.pictures) == 2
    assert "a member of staff said that this is not you" in archive.page.lower()


def test_a_match_that_a_human_gave_to_somebody_else_is_not_shown(
    held: World, tmp_path: Path
) -> None:
    held.judge.mark("alone.png", AT_LEFT, BOB)
    archive = ask(held, tmp_path)
    assert len(archive.pictures) == 2
    assert archive.done.unshown == 1


MATCH, REVIEW, MARKED, REJECTED = Link.MATCH, Link.REVIEW, Link.MARKED, Link.REJECTED
ADA_ID, BOB_ID = PersonId("ada"), PersonId("bob")


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ([(ADA_ID, MATCH)], True),
        ([(ADA_ID, REVIEW)], False),
        ([(BOB_ID, MATCH)], False),
        ([(ADA_ID, MATCH), (BOB_ID, MATCH)], False),
        ([(ADA_ID, MATCH), (BOB_ID, MATCH), (BOB_ID, REJECTED)], True),
        ([(ADA_ID, MATCH), (BOB_ID, REVIEW)], True),
        ([(ADA_ID, MATCH), (ADA_ID, REJECTED)], False),
        ([(ADA_ID, MATCH), (BOB_ID, MARKED)], False),
        ([(ADA_ID, MARKED)], True),
        ([(ADA_ID, MARKED), (BOB_ID, MATCH)], True),
        ([(ADA_ID, MARKED), (BOB_ID, MARKED)], False),
        ([(ADA_ID, MARKED), (ADA_ID, REJECTED)], False),
        ([], False),
    ],
)
def test_whose_face_it_is(links: list[tuple[PersonId, Link]], expected: bool) -> None:  # noqa: FBT001 - the answer itself
    face = FaceId("1")
    sightings = [Sighting(face, person, link, None) for person, link in links]
    elsewhere = Sighting(FaceId("2"), BOB_ID, MARKED, None)
    assert theirs(face, [*sightings, elsewhere], ADA_ID) is expected


def test_a_face_that_only_a_human_saw_is_covered_too(held: World, tmp_path: Path) -> None:
    held.judge.mark("alone.png", "0.7,0.25,0.2,0.3", BOB)
    archive = ask(held, tmp_path)
    [handed] = [p for p in archive.data["photographs"] if p["file"] == "photographs/0002.png"]
    assert handed["faces_covered"] == 1
    with Image.open(io.BytesIO(archive.files["photographs/0002.png"])) as image:
        pixels = image.convert("RGB")
    assert pixels.getpixel((int(0.8 * 480), int(0.4 * 320))) == (0, 0, 160)
    assert pixels.getpixel((450, 310)) == (255, 255, 255)


def test_a_marked_face_is_shown_without_any_comparison(world: World, tmp_path: Path) -> None:
    source = world.collection(recognition=Recognition.OFF)
    world.enrol("Ada", ADA, "find")
    source.put("one.png", picture(Head(NEMO, x=LEFT), Head(NOBODY, x=RIGHT)))
    world.scan("club")
    world.judge.mark("one.png", AT_LEFT, "Ada")
    [data] = ask(world, tmp_path).pictures.values()
    assert len(shown(world, data)) == 1


def test_a_face_that_cannot_be_covered_keeps_the_picture_back(held: World, tmp_path: Path) -> None:
    held.detector.haunted = Head(NOBODY, x=RIGHT).box
    archive = ask(held, tmp_path)
    assert "photographs/0001.jpg" not in archive.pictures
    assert "could not be covered" in archive.page


def test_a_photograph_that_has_gone_is_still_told(held: World, tmp_path: Path) -> None:
    held.sources["photographs-club"].take("alone.png")
    archive = ask(held, tmp_path)
    assert archive.done.unshown == 1
    assert "no longer lies where it was" in archive.page


def test_the_similarity_of_each_match_and_the_thresholds_are_told(
    held: World, tmp_path: Path
) -> None:
    archive = ask(held, tmp_path)
    told = archive.data["logic"]
    assert told["model_sha256"] == MODEL
    assert -1 <= told["review_threshold"] <= told["match_threshold"] <= 1
    similarities = [link["similarity"] for p in archive.data["photographs"] for link in p["links"]]
    assert len(similarities) == 3
    assert all(one >= told["match_threshold"] for one in similarities)
    assert all(f"similarity {one:.4f}" in archive.page for one in similarities)
    assert f"<b>{told['match_threshold']:.4f}</b>" in archive.page


def test_publications_recipients_and_periods_are_told(held: World, tmp_path: Path) -> None:
    held.publish(tmp_path / "published")
    archive = ask(held, tmp_path)
    assert {one["channel"] for one in archive.data["publications"]} == {"website"}
    assert len(archive.data["publications"]) == 3
    assert "the controller&#39;s own web pages" in archive.page
    assert "3 years after" in archive.page
    assert {one["grant"] for one in archive.data["consents"]} == {
        "recognise",
        "find",
        "name:staff",
        "publish:website",
    }


def test_what_has_ended_is_told_as_ended(held: World, tmp_path: Path) -> None:
    held.clock.forward(days=1)
    held.rights.withdraw("Ada")
    archive = ask(held, tmp_path)
    assert not any(one["live"] for one in archive.data["consents"])
    assert archive.data["templates"]["held"] == []
    assert "No template of your face is kept" in archive.page
    assert archive.pictures == {}


def test_every_row_of_every_table_about_the_person_is_there(held: World, tmp_path: Path) -> None:
    rows = ask(held, tmp_path).data["rows"]
    about = {
        table.name
        for table in metadata.sorted_tables
        if table.name == "persons"
        or any(key.column.table.name == "persons" for key in table.foreign_keys)
    }
    assert set(rows) == about
    person = rows["persons"][0]["id"]
    kept = held.rows()
    for table in about - {"persons"}:
        assert len(rows[table]) == sum(person in row for row in kept[table]), table


def test_the_template_is_described_and_never_handed_over(held: World, tmp_path: Path) -> None:
    archive = ask(held, tmp_path)
    [template] = archive.data["templates"]["held"]
    assert template["sealed_bytes"] > 512
    assert archive.data["templates"]["exported"] is False
    with held.database.reading() as connection:
        [(sealed,)] = connection.exec_driver_sql(
            "SELECT sealed FROM templates WHERE person_id = ?", (archive.done.person.id,)
        )
    assert sealed not in b"".join(archive.files.values())
    assert sealed.hex() not in archive.files["data.json"].decode()


def test_the_records_are_whole(held: World, tmp_path: Path) -> None:
    document = json.loads(ask(held, tmp_path).files["records.jsonld"])
    assert len(document["@graph"]) == 4
    assert [record_defects(node) for node in document["@graph"]] == [()] * 4


def test_the_page_runs_nothing_and_loads_nothing_from_outside(held: World, tmp_path: Path) -> None:
    page = ask(held, tmp_path).page
    assert "<script" not in page
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:|//|data:)""", page)
    assert not re.search(r"\son\w+=", page)
    assert "default-src 'none'" in page


def test_a_name_is_text_and_not_markup(world: World, tmp_path: Path) -> None:
    world.enrol("<script>alert(1)</script>", ADA, "find")
    page = ask(world, tmp_path, "<script>alert(1)</script>").page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_it_is_due_a_month_after_the_request(held: World, tmp_path: Path) -> None:
    archive = ask(held, tmp_path, received=date(2026, 5, 31))
    assert archive.done.due == date(2026, 6, 30)
    assert archive.data["request"] == {
        "received": "2026-05-31",
        "due": "2026-06-30",
        "made": "2026-06-01T12:00:00Z",
        "article": "GDPR art. 15; due by art. 12(3)",
    }
    assert "30 June 2026" in archive.page
    assert b"30 June 2026" in archive.files["README.txt"]


def test_a_request_from_the_future_is_refused(held: World, tmp_path: Path) -> None:
    with pytest.raises(SettingMalformed):
        ask(held, tmp_path, received=date(2026, 6, 2))


def test_a_controller_that_was_never_set_is_said_plainly(held: World, tmp_path: Path) -> None:
    lacking = replace(SCHOOL, name="[controller_name]", authority="[controller_authority]")
    access = replace(access_of(held), controller=lacking)
    done = access("Ada", tmp_path / "out.zip")
    assert done.missing == ("controller_name", "controller_authority")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        page = archive.read("index.html").decode()
    assert "its legal name and where you can complain" in page


def test_a_file_that_lies_there_is_not_replaced(held: World, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(b"before")
    with pytest.raises(OutputRefused):
        access_of(held)("Ada", tmp_path / "out.zip")
    assert (tmp_path / "out.zip").read_bytes() == b"before"


def test_nothing_is_left_for_somebody_unknown(held: World, tmp_path: Path) -> None:
    with pytest.raises(PersonUnknown):
        access_of(held)("Eve", tmp_path / "out.zip")
    assert not list(tmp_path.glob("*.zip"))
    assert not list(tmp_path.glob(".*"))


def test_the_logs_entries_are_told(held: World, tmp_path: Path) -> None:
    def history(person: PersonId) -> list[dict[str, object]]:
        return [{"sequence": 3, "at": "2026-06-01T12:00:00Z", "action": "scan", "who": person}]

    access_of(held, history)("Ada", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert json.loads(archive.read("data.json"))["history"][0]["sequence"] == 3
        assert "What was done" in archive.read("index.html").decode()


def test_the_workspace_is_as_it_was(held: World, tmp_path: Path) -> None:
    before = held.rows()
    ask(held, tmp_path)
    assert held.rows() == before


def test_the_archive_is_dated_by_the_clock(held: World, tmp_path: Path) -> None:
    ask(held, tmp_path)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        dates = {entry.date_time for entry in archive.infolist()}
    assert dates == {datetime(2026, 6, 1, 12, tzinfo=UTC).timetuple()[:6]}
