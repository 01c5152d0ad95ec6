"""What a source holds against what is known of it: new and changed files, and those that are gone.

However many files there are, memory holds one page of them, and one bit for each known one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sayso.domain.photo import CollectionId
from sayso.services.ports import PhotographSource
from sayso.sources.source import SourceFile
from sayso.store.files import KnownFile
from sayso.store.photographs import Located
from sayso.store.repository import Repository

_PAGE = 500


@dataclass(slots=True)
class Ticked:
    """A set of numbers, one bit for each up to the highest."""

    count: int = 0
    _bits: bytearray = field(default_factory=bytearray)

    def add(self, number: int) -> None:
        """Tick a number, from 0."""
        place, bit = divmod(number, 8)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 + len(self._bits) // 4 - len(self._bits) + 1024))
        if not self._bits[place] & 1 << bit:
            self._bits[place] |= 1 << bit
            self.count += 1

    def __contains__(self, number: int) -> bool:
        place, bit = divmod(number, 8)
        return place < len(self._bits) and bool(self._bits[place] & 1 << bit)


class Listing:
    """The files of one collection's source, in pages. The source is listed anew each time.

    Args:
        repository: what is known.
        source: what is there.
        collection: whose files.
        again: known files are to be looked at too.
    """

    def __init__(
        self,
        repository: Repository,
        source: PhotographSource,
        collection: CollectionId,
        *,
        again: bool,
    ) -> None:
        self._repository = repository
        self._source = source
        self._collection = collection
        self._again = again

    def survey(self) -> tuple[int, int]:
        """Forget the paths at which nothing lies any more; contents and human marks stay.

        Returns:
            How many files are to be looked at, and how many are gone.

        Raises:
            FolderMissing: the place is not there; nothing was forgotten.
        """
        with self._repository.reading() as unit:
            newest = unit.files.newest()
        there, pending = Ticked(), 0
        for file, before in self._compared():
            if before is not None:
                there.add(before.id)
            pending += self._is_pending(file, before)
        return pending, self._forget_all_but(there, newest)

    def pending(self) -> Iterator[SourceFile]:
        """The files to be looked at."""
        return (file for file, before in self._compared() if self._is_pending(file, before))

    def _is_pending(self, file: SourceFile, before: KnownFile | None) -> bool:
        located = Located(file.path, file.size_bytes, file.modified_ns)
        return self._again or before is None or before.located != located

    def _compared(self) -> Iterator[tuple[SourceFile, KnownFile | None]]:
        """Every listed file with what is known of it."""
        files = self._source.files()
        while page := list(islice(files, _PAGE)):
            with self._repository.reading() as unit:
                known = unit.files.known(
                    self._collection, (file.path for file in page if _is_text(file.path))
                )
            yield from ((file, known.get(file.path)) for file in page)

    def _forget_all_but(self, there: Ticked, newest: int) -> int:
        """Forget known files that are not there; later ones are another scan's, and stay."""
        with self._repository.reading() as unit:
            if unit.files.count(self._collection) == there.count:
                return 0
        gone, last = 0, None
        while True:
            with self._repository.reading() as unit:
                page = unit.files.page(self._collection, after=last, limit=_PAGE)
            if not page:
                return gone
            last = page[-1].path
            paths = [one.path for one in page if one.id <= newest and one.id not in there]
            if paths:
                with self._repository.writing() as unit:
                    unit.photographs.forget_paths(self._collection, paths)
                gone += len(paths)


def _is_text(path: str) -> bool:
    """Whether a name is in UTF-8; one that is not cannot be known, and is reported when read."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
