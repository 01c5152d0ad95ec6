"""A page at a time gives what one long list would, and no more than was asked for."""

from pathlib import Path

import pytest

from sayso.domain.screening import Verdict
from sayso.errors import SettingMalformed
from sayso.services.find import Found
from sayso.services.listing import Ticked
from sayso.services.verdicts import ScreenedPhotograph
from sayso.sources.source import SourceFile
from sayso.store.photographs import Located

from .drawing import ADA, BEN, LEFT, RIGHT, Head, picture
from .world import WEBSITE, FakeSource, World


def fill(source: FakeSource, number: int) -> None:
    for n in range(number):
        source.put(f"{n:03d}.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), number=n))


@pytest.fixture
def filled(world: World) -> World:
    """Seven contents, one of them at two paths."""
    world.enrol("Ada", ADA, "recognise find name:staff publish:website")
    source = world.collection()
    fill(source, 7)
    source.put("copy.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), number=3))
    world.scan("club")
    return world


@pytest.mark.parametrize("limit", [1, 3, 8, 9])
def test_screened_pages_are_the_whole_list(filled: World, limit: int) -> None:
    whole = list(filled.screen("club", WEBSITE).files())
    found: list[tuple[str, ScreenedPhotograph]] = []
    after = None
    while True:
        page = filled.screen.page("club", WEBSITE, after=after, limit=limit)
        assert len(page.files) <= limit
        assert page.total == 8
        assert sum(page.counts().values()) == len(page.files)
        found += page.files
        after = page.next
        if after is None:
            break
    assert found == whole
    assert filled.screen.page("club", WEBSITE, limit=100).counts()[Verdict.COVER] == 8


def test_a_page_after_a_path_that_went_begins_where_it_was(filled: World) -> None:
    first = filled.screen.page("club", WEBSITE, limit=3)
    filled.sources["photographs-club"].take(first.next or "")
    filled.scan("club")
    rest = filled.screen.page("club", WEBSITE, after=first.next, limit=100)
    assert [path for path, _ in rest.files] == ["003.png", "004.png", "005.png", "006.png",
                                                "copy.png"]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 5, 8, 9])
def test_found_pages_are_the_whole_list_marks_first(filled: World, limit: int) -> None:
    filled.judge.mark("005.png", filled.face("005.png", 1), "Ada")  # another face than the match
    filled.judge.mark("002.png", filled.face("002.png"), "Ada")  # the match itself
    whole = filled.find("Ada")[1]
    assert [one.path for one in whole[:2]] == ["002.png", "005.png"]
    assert [one.similarity is None for one in whole] == [True, True, *[False] * 7]
    found: list[Found] = []
    after = None
    while True:
        page = filled.find.page("Ada", after=after, limit=limit)
        assert len(page.photographs) <= limit
        found += page.photographs
        after = page.next
        if after is None:
            break
    assert found == list(whole)


def test_what_is_told_is_what_the_ledger_says_was_told(filled: World) -> None:
    filled.find.page("Ada", limit=3)
    [*_, last] = filled.entries()
    assert (last.draft.action, last.draft.details) == ("access", {"photographs": 3})


@pytest.mark.parametrize("cursor", ["", "x", "bm8", "W10", "WzEsMiwzXQ", "\u00e9", "W" * 5000])
def test_a_cursor_that_is_none_is_refused(filled: World, cursor: str) -> None:
    with pytest.raises(SettingMalformed):
        filled.find.page("Ada", after=cursor, limit=1)


def test_a_scan_asks_of_files_in_pages_and_forgets_those_that_went(world: World) -> None:
    """More files than one page of either list, unchanged, changed, new and gone."""
    source = world.collection()
    with world.repository.writing() as unit:
        collection = unit.collections.get("club").id
    data = picture(number=1)
    source.put("0000.png", data)
    world.scan("club")
    photo = world.photographs()[0].id
    for n in range(1, 1300):
        source.put(f"{n:04d}.png", data)
    listed = {file.path: file for file in source.files()}
    with world.repository.writing() as unit:
        for n in range(1, 1300):
            unit.photographs.place(collection, located(listed[f"{n:04d}.png"]), photo)
    assert world.scan("club").photos == 0
    for n in range(0, 1300, 2):
        source.take(f"{n:04d}.png")
    source.put("0001.png", picture(number=2))
    source.put("9999.png", data)
    result = world.scan("club")
    assert (result.photos, result.repeated, result.vanished) == (1, 1, 650)
    assert world.count("files") == 651


def located(file: SourceFile) -> Located:
    return Located(file.path, file.size_bytes, file.modified_ns)


def test_what_another_scan_finds_meanwhile_is_not_taken_for_gone(world: World) -> None:
    source = world.collection()
    fill(source, 3)
    world.scan("club")
    source.take("000.png")
    other = world.beside()
    listing = source.files

    def late() -> object:
        """Listed once, before the new file; then it comes, and the other scan is faster."""
        source.files = listing  # type: ignore[method-assign] # a fake's own
        files = list(listing())
        source.put("late.png", picture(Head(ADA), number=99))
        other.scan("club")
        return iter(files)

    source.files = late  # type: ignore[method-assign,assignment]
    world.scan("club")
    assert {path for one in world.photographs() for path in one.paths} == {
        "001.png",
        "002.png",
        "late.png",
    }
    other.close()


def test_a_path_is_found_relative_or_whole_in_any_collection(filled: World) -> None:
    folder = Path(filled.folder.parent, "photographs-club")
    with filled.repository.reading() as unit:
        [(name, photo)] = unit.files.at_path("001.png")
        assert unit.files.at_path(f"{folder}/001.png") == [(name, photo)]
        assert unit.files.at_path(f"{folder}-2/001.png") == []
        assert unit.files.at_path("1.png") == []
        sha256 = unit.photographs.get(photo).sha256
        assert unit.files.paths_of([sha256, "0" * 64]) == {sha256: ("club/001.png",)}


def test_ticked_numbers_are_those_that_were_added() -> None:
    ticked, numbers = Ticked(), [0, 7, 8, 65, 100_003, 7]
    for number in numbers:
        ticked.add(number)
    assert ticked.count == 5
    assert [n for n in range(100_100) if n in ticked] == sorted(set(numbers))
    assert 10**9 not in ticked
