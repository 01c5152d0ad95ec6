"""The thorough look before publication: what a scan's glance may have missed.

Its findings are kept, so that each photograph is looked at once, screening tells of them, and what
humans say of them stays. A batch is written at a time: interrupted, the next one goes on there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sayso.domain.photo import Collection, PhotoId
from sayso.domain.policy import require_held
from sayso.errors import PhotographError
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.eye import Eye
from sayso.services.pipeline import in_batches, in_order
from sayso.services.places import Unreadable, read_photograph
from sayso.services.ports import Clock, OpenSource, PhotographSource, Progress, unwatched
from sayso.store.photographs import Photograph
from sayso.store.repository import Repository
from sayso.store.scrutiny import Found
from sayso.vision.decode import Buffers

_PAGE = 512
"""Photographs that are asked for at once."""


@dataclass(slots=True)
class Scrutinised:
    """What the thorough look did.

    Attributes:
        photographs: looked at; those that were before are not counted.
        faces: found beyond those known.
        perhaps: places found that are perhaps a face.
        unreadable: photographs that could not be looked at; they are not published.
    """

    photographs: int
    faces: int
    perhaps: int
    unreadable: list[Unreadable]


@dataclass(frozen=True, slots=True)
class Scrutinise:
    """The use case."""

    repository: Repository
    book: Book
    eye: Eye
    open_source: OpenSource
    clock: Clock
    workers: int

    def __call__(self, name: str, *, progress: Progress = unwatched) -> Scrutinised:
        """Look thoroughly at every photograph of a collection at which nobody has yet.

        Args:
            name: of the collection.
            progress: told how many photographs are done.

        Raises:
            CollectionUnknown: there is none of this name.
            Denied: its retention is over.
        """
        done = Scrutinised(0, 0, 0, [])
        with self.repository.reading() as unit:
            collection = unit.collections.get(name)
            require_held(collection, self.clock())
            source = self.open_source(unit.collections.folder(name))
            total = unit.scrutiny.backlog(collection.id)
        if not total:
            return done
        with self.book.writing() as page:
            page.enter(Action.SCAN, details=_entered("scrutiny_begun", collection, done))
        self._look(collection, source, done, total, progress)
        with self.book.writing() as page:
            page.enter(Action.SCAN, details=_entered("scrutiny_ended", collection, done))
        return done

    def _look(
        self,
        collection: Collection,
        source: PhotographSource,
        done: Scrutinised,
        total: int,
        progress: Progress,
    ) -> None:
        buffers = Buffers()  # a picture is used up inside one call

        def attempt(photograph: Photograph) -> Found | Unreadable:
            try:
                data = read_photograph(source, photograph, self.eye.limits.max_bytes)
                picture = self.eye.picture(data, buffers=buffers)
                return Found(photograph.id, tuple(self.eye.scrutinise(picture)))
            except PhotographError as error:
                return Unreadable.because(" ".join(photograph.paths), error)

        progress(0, total)
        looked = in_order(attempt, self._pending(collection), workers=self.workers)
        for batch in in_batches(give() for give in looked):
            done.unreadable += [one for one in batch if isinstance(one, Unreadable)]
            self._keep([one for one in batch if isinstance(one, Found)], done)
            seen = done.photographs + len(done.unreadable)
            progress(seen, max(seen, total))

    def _pending(self, collection: Collection) -> Iterator[Photograph]:
        last: PhotoId | None = None
        while True:
            with self.repository.reading() as unit:
                page = unit.scrutiny.pending(collection.id, after=last, limit=_PAGE)
                known = unit.photographs.some(page)
            if not page:
                return
            last = page[-1]
            yield from (known[photo] for photo in page if photo in known)

    def _keep(self, found: list[Found], done: Scrutinised) -> None:
        with self.repository.writing() as unit:
            for one in found:
                sure, perhaps = unit.scrutiny.keep(one, self.clock())
                done.faces += sure
                done.perhaps += perhaps
        done.photographs += len(found)


def _entered(step: str, collection: Collection, done: Scrutinised) -> dict[str, Json]:
    """What the ledger's entries say of it."""
    return {
        "step": step,
        "collection": collection.id,
        "photographs": done.photographs,
        "faces": done.faces,
        "perhaps": done.perhaps,
        "unreadable": len(done.unreadable),
    }
