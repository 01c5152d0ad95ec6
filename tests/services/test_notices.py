from pathlib import Path

import pytest

from sayso.domain.event import Notice
from sayso.errors import FileMissing, NoticeMalformed
from sayso.services.notices import NoticeBook

from .drawing import ADA, BEN
from .world import World


@pytest.fixture
def book(world: World) -> NoticeBook:
    return NoticeBook(world.repository, world.book, world.clock)


def words(folder: Path, text: str) -> Path:
    file = folder / "notice.txt"
    file.write_text(text, encoding="utf-8")
    return file


def added(book: NoticeBook, folder: Path, version: str, language: str = "en") -> Notice:
    text = f"We ask you, version {version} in {language}."
    return book.add(words(folder, text), version=version, language=language).notice


def current(book: NoticeBook) -> set[tuple[str, str]]:
    return {(k.notice.version, k.notice.language) for k in book.all() if k.current}


def test_the_newest_notice_of_each_language_is_current(
    world: World, book: NoticeBook, tmp_path: Path
) -> None:
    added(book, tmp_path, "1")
    world.clock.forward(days=1)
    added(book, tmp_path, "1", "de")
    world.clock.forward(days=1)
    added(book, tmp_path, "2")
    assert current(book) == {("2", "en"), ("1", "de")}
    assert [kept.notice.version for kept in book.all()] == ["1", "1", "2"]
    assert book.all()[0].text == "We ask you, version 1 in en."


def test_going_back_to_an_earlier_notice_makes_it_current_again(
    book: NoticeBook, tmp_path: Path
) -> None:
    added(book, tmp_path, "1")
    added(book, tmp_path, "2")
    added(book, tmp_path, "1")
    assert current(book) == {("1", "en")}
    assert len(book.all()) == 2


def test_the_same_words_are_no_other_version(book: NoticeBook, tmp_path: Path) -> None:
    file = words(tmp_path, "We ask you.")
    book.add(file, version="1", language="en")
    with pytest.raises(NoticeMalformed, match="version 2"):
        book.add(file, version="2", language="en")
    assert current(book) == {("1", "en")}


@pytest.mark.parametrize(
    ("data", "version", "language"),
    [
        (b"", "1", "en"),
        (b" \n", "1", "en"),
        (b"\xff\xfe", "1", "en"),
        (b"x" * 1_000_001, "1", "en"),
        (b"words", " ", "en"),
        (b"words", "1", ""),
        (b"words", "1", "english please"),
    ],
)
def test_what_is_no_notice_is_refused(
    book: NoticeBook, tmp_path: Path, data: bytes, version: str, language: str
) -> None:
    (tmp_path / "notice.txt").write_bytes(data)
    with pytest.raises(NoticeMalformed):
        book.add(tmp_path / "notice.txt", version=version, language=language)
    assert book.all() == []


def test_a_notice_that_is_not_there_is_refused(book: NoticeBook, tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        book.add(tmp_path / "none.txt", version="1", language="en")


def test_whoever_was_told_by_an_old_notice_is_listed_by_name(
    world: World, book: NoticeBook, tmp_path: Path
) -> None:
    first = added(book, tmp_path, "1")
    world.enrol("Ben", BEN, "find", notice=first)
    world.enrol("Ada", ADA, "find publish:website", notice=first)
    assert book.stale() == []
    second = added(book, tmp_path, "2")
    assert [person.name for person, _ in book.stale()] == ["Ada", "Ben"]
    assert [str(grant) for grant in book.stale()[0][1].grants] == ["find", "publish:website"]
    world.enrol("Cat", 2, "find", notice=second)
    world.clock.forward(days=1)
    world.rights.withdraw("Ben")
    assert [person.name for person, _ in book.stale()] == ["Ada"]
