"""What a publication may take the place of, and what it leaves alone."""

import json
import shutil
from pathlib import Path

import pytest

from sayso.domain.grant import Channel
from sayso.domain.screening import CoverStyle
from sayso.errors import FolderMissing, NothingScanned, OutputRefused

from .drawing import ADA, NOBODY, Head, picture
from .world import WEBSITE, FakeSource, World

PRINT = Channel("print")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def lying(out: Path) -> dict[str, bytes]:
    """Every file of a folder, with what is in it."""
    return {str(file): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def published(world: World, out: Path, name: str = "club") -> FakeSource:
    source = world.collection(name)
    source.put("a.png", picture(Head(NOBODY)))
    source.put("x/b.png", picture(Head(NOBODY), number=2))
    world.scan(name)
    world.publish(out, collection=name)
    return source


def publish_for(world: World, out: Path, channel: Channel) -> None:
    world.publishing("club", out, channel, CoverStyle.FILL)


def test_without_the_originals_earlier_copies_stay(world: World, out: Path) -> None:
    source = published(world, out)
    before = lying(out)
    source.away = True
    with pytest.raises(FolderMissing):
        world.publish(out)
    assert lying(out) == before
    assert world.count("publications") == 1


def test_an_empty_folder_where_photographs_were_is_a_drive_that_is_not_there(
    world: World, out: Path
) -> None:
    source = published(world, out)
    before = lying(out)
    for path in ("a.png", "x/b.png"):
        source.take(path)
    with pytest.raises(FolderMissing):
        world.publish(out)
    assert lying(out) == before
    world.scan("club")  # which says that they are gone for good
    assert world.publish(out).published == ()


def test_nothing_scanned_is_said(world: World, out: Path) -> None:
    world.collection("my club").put("a.png", picture())
    with pytest.raises(NothingScanned) as refused:
        world.publish(out, collection="my club")
    assert "`sayso scan 'my club'`" in refused.value.remedy
    assert not out.exists()


def test_another_collections_publication_is_not_replaced(world: World, out: Path) -> None:
    published(world, out)
    before = lying(out)
    with pytest.raises(OutputRefused) as refused:
        published(world, out, "garden")
    assert "a publication of club for website" in refused.value.found
    assert lying(out) == before


def test_another_channels_publication_is_not_replaced(world: World, out: Path) -> None:
    published(world, out)
    before = lying(out)
    with pytest.raises(OutputRefused) as refused:
        publish_for(world, out, PRINT)
    assert "for website" in refused.value.found
    assert lying(out) == before
    publish_for(world, out, WEBSITE)


@pytest.mark.parametrize("channel", [WEBSITE, PRINT])
def test_an_interrupted_publication_is_known_by_its_manifest(
    world: World, out: Path, channel: Channel
) -> None:
    source = world.collection()
    for n in range(2):
        source.put(f"{n}.png", picture(Head(NOBODY), number=n))
    world.scan("club")

    def stop(path: str) -> None:
        if path == "1.png":
            raise KeyboardInterrupt

    source.on_read = stop
    with pytest.raises(KeyboardInterrupt):
        world.publish(out)
    source.on_read = lambda _path: None
    (out / "photographs" / f".{'0' * 32}.part").write_bytes(b"half a copy")
    if channel == WEBSITE:
        publish_for(world, out, channel)
        assert len(lying(out / "photographs")) == 2
        return
    with pytest.raises(OutputRefused):
        publish_for(world, out, channel)


def test_a_manifest_that_does_not_tell_is_looked_up_in_the_workspace(
    world: World, out: Path
) -> None:
    published(world, out)
    manifest = out / "manifest.json"
    manifest.write_text('{"sayso": "under way"}')
    with pytest.raises(OutputRefused):
        publish_for(world, out, PRINT)
    publish_for(world, out, WEBSITE)
    assert "collection" in json.loads(manifest.read_text())


def test_a_publication_that_was_moved_is_known_by_its_manifest(world: World, out: Path) -> None:
    published(world, out)
    moved = out.with_name("moved")
    shutil.move(out, moved)
    world.publish(moved)
    (moved / "manifest.json").write_text('{"sayso": "0"}')
    shutil.move(moved, out.with_name("elsewhere"))
    with pytest.raises(OutputRefused):
        world.publish(out.with_name("elsewhere"))


@pytest.mark.parametrize("name", ["mine.txt", "x/mine.jpg", "new/.htaccess"])
def test_a_file_that_no_publication_wrote_is_not_removed(
    world: World, out: Path, name: str
) -> None:
    published(world, out)
    mine = out / "photographs" / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("precious")
    before = lying(out)
    with pytest.raises(OutputRefused) as refused:
        world.publish(out)
    assert str(mine) in refused.value.found
    assert lying(out) == before
    mine.unlink()
    (out / "photographs" / ".DS_Store").write_text("a file manager's")
    world.publish(out)


def told(out: Path) -> str:
    """The names of copies, the manifest, and where the report's copies lie."""
    copies = [str(file.relative_to(out)) for file in (out / "photographs").rglob("*")]
    page = (out / "report.html").read_text()
    places = [part.split('"')[0] for part in page.split('src="photographs/')[1:]]
    return "\n".join([*copies, *places, (out / "manifest.json").read_text()]).casefold()


@pytest.fixture
def erased(world: World, out: Path) -> FakeSource:
    """Files called by a name; published, and their namesake then erased."""
    source = world.collection()
    world.enrol("Ada Lovelace", ADA, "recognise find publish:website")
    source.put("Ada_Lovelace_0003.png", picture(Head(ADA)))
    source.put("party/lovelace-ada.png", picture(Head(NOBODY), number=2))
    source.put("z.png", picture(Head(ADA), number=3))
    world.scan("club")
    world.publish(out)
    assert "lovelace" not in told(out)
    world.rights.erase("Ada Lovelace")
    return source


def test_an_erased_persons_name_is_no_copys_name(
    world: World, out: Path, erased: FakeSource
) -> None:
    for again in (None, False, True):
        if again is not None:
            world.scan("club", again=again)
        publication = world.publish(out)
        assert [file.copy for file in publication.published] == [
            "photograph-000001.png", "photograph-000002.png", "z.png"
        ]  # fmt: skip
        assert "lovelace" not in told(out)
    assert len(erased.reads) > 0


def test_other_content_at_an_erased_persons_path_is_not_called_so_either(
    world: World, out: Path, erased: FakeSource
) -> None:
    erased.put("Ada_Lovelace_0003.png", picture(Head(NOBODY), number=9))
    world.scan("club")
    world.publish(out)
    assert "lovelace" not in told(out)


def test_a_photograph_that_was_away_or_moved_is_not_called_so_either(
    world: World, out: Path, erased: FakeSource
) -> None:
    erased.refusing.add("Ada_Lovelace_0003.png")
    data = erased.take("Ada_Lovelace_0003.png")
    moved = erased.take("party/lovelace-ada.png")
    world.scan("club")
    erased.refusing.clear()
    erased.put("Ada_Lovelace_0003.png", data)
    erased.put("lovelace, ada.png", moved)
    world.scan("club")
    world.publish(out)
    assert "lovelace" not in told(out)
    assert "z.png" in told(out)


def test_a_name_that_everybody_could_be_told_goes_with_its_owner(world: World, out: Path) -> None:
    source = world.collection()
    world.enrol("Ada Lovelace", ADA, "name:public", evidence=None, images=())
    source.put("Ada Lovelace.png", picture(Head(NOBODY)))
    world.scan("club")
    world.publish(out)
    assert "lovelace" in told(out)
    world.rights.erase("Ada Lovelace")
    world.publish(out)
    assert "lovelace" not in told(out)
