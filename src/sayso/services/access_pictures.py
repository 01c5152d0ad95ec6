"""The photographs that a person is in, for that person: everybody else covered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from sayso.domain.face import beyond
from sayso.domain.screening import CoverStyle
from sayso.errors import PhotographError
from sayso.services.access_facts import Seen
from sayso.services.cover import covered_copy
from sayso.services.eye import Eye
from sayso.services.pipeline import in_order
from sayso.services.places import read_photograph
from sayso.services.ports import OpenSource
from sayso.vision.encode import extension_for
from sayso.vision.headers import Format

FOLDER = "photographs"


@dataclass(frozen=True, slots=True)
class Handed:
    """One photograph as it is handed over.

    Attributes:
        file: its neutral name in the archive; None where no picture is handed over.
        data: the copy's bytes; empty without one.
        why_not: what stood in the way, as a sentence; empty where nothing did.
        covered: how many faces are covered in it.
    """

    seen: Seen
    file: str | None
    data: bytes
    why_not: str
    covered: int


@dataclass(frozen=True, slots=True)
class Copier:
    """Makes the copies, by the very way in which copies are made for publication."""

    eye: Eye
    open_source: OpenSource
    workers: int

    def __call__(self, seen: tuple[Seen, ...]) -> Iterator[Handed]:
        """Each photograph in the order given; what cannot be shown says why."""
        numbered = list(enumerate(seen, 1))
        yield from (made() for made in in_order(self._hand, numbered, workers=self.workers))

    def _hand(self, item: tuple[int, Seen]) -> Handed:
        number, seen = item
        if not seen.theirs:
            return Handed(seen, None, b"", _NOT_SURE, 0)
        try:
            source = self.open_source(seen.folder)
            data = read_photograph(source, seen.photograph, self.eye.limits.max_bytes)
            picture = self.eye.picture(data)
            known = (*seen.theirs, *seen.others)
            others = (*seen.others, *beyond(self.eye.scrutinise(picture), known))
            copy = covered_copy(
                picture.pixels,
                shown=seen.theirs,
                covered=others,
                style=CoverStyle.FILL,
                format=picture.format,
                eye=self.eye,
            )
        except PhotographError as error:
            return Handed(seen, None, b"", _REASONS.get(error.reason_code, _UNREADABLE), 0)
        file = f"{FOLDER}/{number:04d}{extension_for(_format(picture.format))}"
        return Handed(seen, file, copy.data, "", len(others) + copy.found_later)


_NOT_SURE = (
    "No picture is handed over: it is not certain that the face is yours, and nobody else's face "
    "may be shown to you."
)
_UNREADABLE = "The photograph could not be read when this archive was made."
_REASONS = {
    "photograph_vanished": "The photograph no longer lies where it was, or was changed since.",
    "cover_failed": "No picture is handed over: another person's face could not be covered in it.",
}
# Our sentences, not the error's: that one may hold the file's path, and a path may hold a name.


def _format(text: str) -> Format:
    kind: Format = next(known for known in get_args(Format) if known == text)
    return kind
