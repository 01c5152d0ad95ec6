"""Notices: keeping what people are told, and listing who must be asked again."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from sayso.domain.event import Notice
from sayso.domain.notice import KeptNotice, Stale, must_be_asked
from sayso.domain.person import Person
from sayso.errors import FileMissing, NoticeMalformed
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.ports import Clock
from sayso.store.repository import Repository

LARGEST_BYTES = 1_000_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class NoticeBook:
    """The use cases."""

    repository: Repository
    book: Book
    clock: Clock

    def add(self, file: Path, *, version: str, language: str) -> KeptNotice:
        """Keep a notice; from now on it is the current one of its language.

        Args:
            file: the words as people are shown them, UTF-8.
            version: what it is called, such as ``2`` or ``2026-09``.
            language: BCP 47, such as ``en`` or ``de-CH``.

        Raises:
            FileMissing: it cannot be read.
            NoticeMalformed: no text, no version or language, or kept as another version.
        """
        data = _read(file)
        text = _text(data, file)
        if not version.strip() or not _LANGUAGE.fullmatch(language):
            raise _malformed("a version and a language such as en or de-CH", "another")
        notice = Notice(hashlib.sha256(data).hexdigest(), version.strip(), language)
        with self.repository.writing() as unit:
            return unit.notices.add(notice, text, self.clock())

    def all(self) -> list[KeptNotice]:
        """Every notice, in the order in which they were added."""
        with self.repository.reading() as unit:
            return unit.notices.all()

    def stale(self) -> list[tuple[Person, Stale]]:
        """Who must be asked again, by name, with what rests on an old notice or on none."""
        with self.book.writing() as page:
            unit = page.unit
            records = unit.people.all_consents()
            people = {person.id: person for person in unit.people.all()}
            found = must_be_asked(records.values(), unit.notices.all(), self.clock())
            if found:
                told = [stale.person for stale in found]
                page.enter(Action.DISCLOSURE, subjects=told, details={"of": "must_be_asked"})
        named = [(people[stale.person], stale) for stale in found]
        return sorted(named, key=lambda pair: (pair[0].name, pair[0].id))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileMissing(
            expected=f"a file that can be read at {file}",
            found=error.strerror or "an error",
            remedy="Check the name.",
        ) from error


def _text(data: bytes, file: Path) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f"a text in UTF-8 at {file}", "other bytes") from error
    if not text.strip() or len(data) > LARGEST_BYTES:
        raise _malformed(f"a text of at most {LARGEST_BYTES} bytes at {file}", f"{len(data)} bytes")
    return text


def _malformed(expected: str, found: str) -> NoticeMalformed:
    return NoticeMalformed(
        expected=expected,
        found=found,
        remedy="Give the words as people are shown them, as plain text, with --version and "
        "--language.",
    )
