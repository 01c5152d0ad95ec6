import hashlib
import html
import io
import json
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayso.domain.face import Box, Face
from sayso.domain.screening import CoverStyle
from sayso.errors import CollectionUnknown, CoverFailed, DiskFull, OutputRefused
from sayso.services.cover import covered_copy
from sayso.services.eye import Eye
from sayso.services.publication import Publication
from sayso.services.report import report
from sayso.vision.decode import Buffers, Picture

from .drawing import ADA, BEN, LEFT, NOBODY, RIGHT, SIZE, Head, faint, picture
from .world import WEBSITE, World

_FILL = (0, 0, 160)
ALL = "recognise find name:staff publish:website"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)


def place(head: Head) -> tuple[slice, slice]:
    return (slice(head.y, head.y + head.side), slice(head.x, head.x + head.side))


def withheld(publication: Publication) -> list[tuple[str, str]]:
    return [(file.path, file.code) for file in publication.withheld]


def copies(out: Path) -> list[str]:
    root = out / "photographs"
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


@pytest.mark.parametrize("style", list(CoverStyle))
def test_a_face_with_a_yes_stays_as_it_was_and_every_other_is_covered(
    world: World, out: Path, style: CoverStyle
) -> None:
    shown, hidden = Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(shown, hidden))
    world.scan("club")
    publication = world.publish(out, style)
    assert [file.copy for file in publication.published] == ["a.png"]
    original, copy = (
        pixels(data)
        for data in (picture(shown, hidden), (out / "photographs" / "a.png").read_bytes())
    )
    assert (copy[place(shown)] == original[place(shown)]).all()
    assert (np.abs(copy - original)[place(hidden)].max(axis=2) > 0).mean() > 0.95
    if style is CoverStyle.FILL:
        assert (copy[place(hidden)] == _FILL).all()
    assert len(world.eye.look((out / "photographs" / "a.png").read_bytes())[1]) == 1


def test_jpeg_and_webp_come_back_in_their_own_format(world: World, out: Path) -> None:
    source = world.collection()
    for kind, name in (("JPEG", "a.jpg"), ("WEBP", "b.webp"), ("TIFF", "c.tif")):
        source.put(name, picture(Head(NOBODY), number=len(name), kind=kind, quality=90))
    world.scan("club")
    world.publish(out)
    assert copies(out) == ["a.jpg", "b.webp", "c.jpg"]
    for name in copies(out):
        data = (out / "photographs" / name).read_bytes()
        assert world.eye.look(data)[1] == ()
        assert pixels(data).shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize("style", list(CoverStyle))
def test_a_face_that_only_the_check_of_the_copy_finds_is_covered_too_and_all_are_filled(
    world: World, out: Path, style: CoverStyle
) -> None:
    source = world.collection()
    source.put("a.png", picture(Head(NOBODY, x=LEFT), Head(BEN, x=RIGHT, late=True)))
    assert world.scan("club").faces == 1
    [published] = world.publish(out, style).published
    assert published.found_later == 1
    copy = pixels((out / "photographs" / "a.png").read_bytes())
    for head in (Head(NOBODY, x=LEFT), Head(BEN, x=RIGHT)):
        assert (copy[place(head)] == _FILL).all()


def test_a_copy_that_still_shows_a_face_is_withheld(world: World, out: Path) -> None:
    source = world.collection()
    source.put("a.png", picture(Head(NOBODY)))
    source.put("b.png", picture())
    world.scan("club")
    world.detector.haunted = Box(0.7, 0.1, 0.1, 0.1)
    assert withheld(world.publish(out)) == [("a.png", "cover_failed"), ("b.png", "cover_failed")]
    assert copies(out) == []


class Misread(Eye):
    """Reads back another picture than the one that was written: its mirror image."""

    def picture(self, data: bytes, *, buffers: Buffers | None = None) -> Picture:
        read = super().picture(data, buffers=buffers)
        return replace(read, pixels=np.ascontiguousarray(read.pixels[:, ::-1]))


def test_a_copy_that_does_not_read_back_as_it_was_meant_is_not_given(world: World) -> None:
    head = Head(NOBODY)
    before = world.eye.picture(picture(head))
    misread = Misread(world.detector, world.eye.limits, world.eye.smallest_px)

    def copied(eye: Eye) -> bytes:
        return covered_copy(
            before.pixels,
            shown=[],
            covered=[Face(head.box, None, 1.0, 96.0)],
            style=CoverStyle.FILL,
            format="PNG",
            eye=eye,
        ).data

    assert copied(world.eye)
    with pytest.raises(CoverFailed) as failed:
        copied(misread)
    assert "as it was drawn" in failed.value.expected


def test_publishing_never_loads_the_recogniser(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    world.scan("club")
    before = world.loads
    for style in CoverStyle:
        assert len(world.publish(out, style).published) == 1
    assert world.loads == before > 0


def test_a_photograph_in_review_is_left_out_and_listed(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(faint(ADA))))
    source.put("b.png", picture(Head(NOBODY)))
    world.scan("club")
    assert withheld(world.publish(out)) == [("a.png", "review")]
    assert copies(out) == ["b.png"]


def test_photographs_that_changed_or_vanished_since_the_scan_are_withheld(
    world: World, out: Path
) -> None:
    source = world.collection()
    for n, name in enumerate(("a.png", "b.png", "c.png")):
        source.put(name, picture(Head(NOBODY), number=n))
    world.scan("club")
    source.put("a.png", picture(Head(BEN), number=7))
    source.vanishing.add("b.png")
    codes = [("a.png", "photograph_vanished"), ("b.png", "photograph_vanished")]
    assert withheld(world.publish(out)) == codes
    assert copies(out) == ["c.png"]


def test_a_consent_withdrawn_between_screening_and_writing_withholds(
    world: World, out: Path
) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    other = world.beside()

    def withdraw(_path: str) -> None:
        other.rights.withdraw("Ada")

    world.look()  # so that the next read is to cover
    source.on_read = withdraw
    assert withheld(world.publish(out)) == [("a.png", "consent_changed")]
    assert copies(out) == []
    assert world.count("copies") == world.count("shown") == 0
    other.close()


def test_a_consent_that_ends_between_screening_and_writing_withholds(
    world: World, out: Path
) -> None:
    source = world.collection()
    ends = world.clock.now.replace(year=2027)
    world.enrol("Ada", ADA, ALL, expires=ends)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")

    def expire(_path: str) -> None:
        world.clock.now = ends

    world.look()  # so that the next read is to cover
    source.on_read = expire
    assert withheld(world.publish(out)) == [("a.png", "consent_changed")]
    assert copies(out) == []


def test_a_face_drawn_between_screening_and_writing_withholds(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "find", evidence=None, images=())
    source.put("a.png", picture(Head(NOBODY)))
    world.scan("club")
    other = world.beside()

    def draw(_path: str) -> None:
        other.judge.mark("a.png", "0.7,0.1,0.1,0.1", "Ada")

    world.look()  # so that the next read is to cover
    source.on_read = draw
    assert withheld(world.publish(out)) == [("a.png", "consent_changed")]
    other.close()


def test_an_erasure_while_it_is_covered_withholds(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    other = world.beside()

    def erase(_path: str) -> None:
        other.rights.erase("Ada")

    world.look()  # so that the next read is to cover
    source.on_read = erase
    assert withheld(world.publish(out)) == [("a.png", "consent_changed")]
    other.close()


def test_copies_that_are_no_longer_permitted_vanish_with_the_next_publication(
    world: World, out: Path
) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("x/a.png", picture(Head(ADA)))
    source.put("b.png", picture(Head(faint(ADA))))
    world.scan("club")
    world.judge.mark("b.png", world.face("b.png"), "Ada")
    world.publish(out)
    assert copies(out) == ["b.png", "x/a.png"]
    world.judge.take_back("b.png", world.face("b.png"), "Ada")
    source.take("x/a.png")
    world.scan("club")
    world.publish(out)
    assert copies(out) == []
    assert not (out / "photographs" / "x").exists()


def test_the_take_down_list_names_every_copy_that_shows_a_person(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    source.put("b.png", picture(Head(NOBODY)))
    world.scan("club")
    world.publish(out)
    gone = world.rights.withdraw("Ada")
    assert [(one.path, one.channel) for one in gone.published] == [
        (f"{out.resolve()}/photographs/a.png", WEBSITE)
    ]


def test_what_lies_in_the_folder_when_the_disk_is_full_is_on_the_take_down_list(
    world: World, out: Path
) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    # A copy that cannot get its name: no disk takes one as long as this.
    for n, name in enumerate(("0.png", "1.png", f"{'2' * 300}.png", "3.png")):
        source.put(name, picture(Head(ADA), number=n))
    world.scan("club")
    with pytest.raises((OutputRefused, DiskFull)):
        world.publish(out)
    assert copies(out) == ["0.png", "1.png"]
    listed = {one.path for one in world.rights.withdraw("Ada").published}
    assert {f"{out.resolve()}/photographs/{name}" for name in copies(out)} <= listed


@pytest.mark.parametrize("where", ["photographs-club", "photographs-club/out", "."])
def test_copies_never_go_among_the_originals(world: World, tmp_path: Path, where: str) -> None:
    source = world.collection()
    source.put("a.png", picture(Head(NOBODY)))
    world.scan("club")
    with pytest.raises(OutputRefused):
        world.publish(tmp_path / where)
    assert world.count("publications") == 0


def test_a_folder_with_other_files_is_not_taken(world: World, out: Path) -> None:
    world.collection().put("a.png", picture(Head(NOBODY)))
    world.scan("club")
    out.mkdir()
    (out / "thesis.txt").write_text("precious")
    with pytest.raises(OutputRefused):
        world.publish(out)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    with pytest.raises(OutputRefused):
        world.publish(out / "thesis.txt")
    with pytest.raises(OutputRefused):
        world.publish(out / "thesis.txt" / "below")


def test_an_unknown_collection_writes_nothing(world: World, out: Path) -> None:
    with pytest.raises(CollectionUnknown):
        world.publish(out)
    assert not out.exists()


@pytest.mark.parametrize(
    "name",
    ["Ada Lovelace.png", "lovelace_ada-2.png", "party/ADA.LOVELACE/1.png", "AdaLovelace.png",
     "adalovelace03.png"],
)  # fmt: skip
def test_a_file_name_gives_nobody_away_whether_they_are_in_the_picture_or_not(
    world: World, out: Path, name: str
) -> None:
    source = world.collection()
    world.enrol("Ada Lovelace", ADA, "recognise find")
    source.put(name, picture(Head(NOBODY)))
    source.put("z.png", picture(Head(ADA)))
    world.scan("club")
    world.publish(out)
    assert copies(out) == ["photograph-000001.png", "z.png"]
    text = (out / "manifest.json").read_text()
    assert "lovelace" not in text.casefold()


def test_accents_do_not_hide_a_name(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Zoë Müller", ADA, "recognise")
    source.put("zoe_muller.png", picture(Head(NOBODY)))
    world.scan("club")
    world.publish(out)
    assert copies(out) == ["photograph-000001.png"]


def test_a_name_that_may_be_told_to_everybody_may_stay_in_a_file_name(
    world: World, out: Path
) -> None:
    source = world.collection()
    world.enrol("Ada Lovelace", ADA, "name:public", evidence=None, images=())
    source.put("Ada Lovelace.png", picture(Head(NOBODY)))
    world.scan("club")
    world.publish(out)
    assert copies(out) == ["Ada Lovelace.png"]


def test_no_two_copies_get_the_same_name(world: World, out: Path) -> None:
    source = world.collection()
    names = ["A.jpg", "a-000003.jpg", "a.jpg", "a.tif", "b/a.jpg", "b/a.tif"]
    for number, name in enumerate(names):
        kind = "TIFF" if name.endswith("tif") else "JPEG"
        source.put(name, picture(Head(NOBODY), number=number, kind=kind))
    world.scan("club")
    publication = world.publish(out)
    assert len(copies(out)) == len(names)
    assert len({name.casefold() for name in copies(out)}) == len(names)
    for file in publication.published:
        data = (out / "photographs" / file.copy).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256


def test_the_manifest_names_nobody_and_matches_the_copies(world: World, out: Path) -> None:
    source = world.collection()
    ada = world.enrol("Ada Lovelace", ADA, ALL, fields="phone=5550199@staff").person
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    source.put("b.png", picture(Head(faint(ADA))))
    world.scan("club")
    world.publish(out)
    text = (out / "manifest.json").read_text()
    for word in ("Ada", "Lovelace", ada.id, "5550199", str(world.folder.parent)):
        assert word not in text
    manifest = json.loads(text)
    [published] = manifest["published"]
    data = (out / published["copy"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == published["sha256"]
    assert sorted(face["outcome"] for face in published["faces"]) == ["cover", "show"]
    assert [left["code"] for left in manifest["withheld"]] == ["review"]


class Loads(HTMLParser):
    """What a page would load or run, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = {"src", "href", "action", "data", "poster", "srcset"}
        self.found += [str(value) for name, value in attributes if name in named]
        assert not any(name.startswith("on") for name, _ in attributes)


HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def test_the_report_shows_hostile_names_as_text_and_loads_nothing_from_outside(
    world: World, out: Path
) -> None:
    source = world.collection(HOSTILE.replace("/", ""))
    world.enrol(HOSTILE, ADA, ALL)
    source.put(f"{HOSTILE}.png", picture(Head(ADA)))
    source.put("review.png", picture(Head(faint(ADA))))
    world.scan(HOSTILE)
    publication = world.publish(out, collection=HOSTILE)
    page = (out / "report.html").read_text()
    assert "<img src=x" not in page
    assert html.escape(HOSTILE, quote=False)[:20] in page
    loads = Loads()
    loads.feed(page)
    assert loads.tags.isdisjoint({"script", "link", "iframe", "object", "form", "base"})
    assert loads.found
    for address in loads.found:
        assert address.startswith(("file:/", "photographs/", "#"))
    assert "default-src 'none'" in page
    assert report(publication, version="0") == page


def test_the_folder_of_the_copies_holds_no_report_and_no_original(world: World, out: Path) -> None:
    source = world.collection()
    source.put("a.png", picture(Head(NOBODY)))
    world.scan("club")
    world.publish(out)
    assert sorted(path.name for path in out.iterdir()) == [
        "manifest.json", "photographs", "report.html"
    ]  # fmt: skip
    assert copies(out) == ["a.png"]


def test_publishing_twice_gives_the_same_bytes(world: World, out: Path) -> None:
    source = world.collection()
    source.put("a.jpg", picture(Head(NOBODY), kind="JPEG"))
    world.scan("club")
    first = world.publish(out).published[0].sha256
    assert world.publish(out).published[0].sha256 == first


def test_progress_ends_at_the_whole(world: World, out: Path) -> None:
    source = world.collection()
    for n in range(3):
        source.put(f"{n}.png", picture(Head(NOBODY), number=n))
    world.scan("club")
    told: list[tuple[int, int]] = []
    lock = threading.get_ident()

    def watch(done: int, total: int) -> None:
        assert threading.get_ident() == lock
        told.append((done, total))

    world.publishing("club", out, WEBSITE, CoverStyle.FILL, progress=watch)
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)
