"""The thorough look before publication: what a scan's glance may have missed.

Its findings are kept, so that each photograph is looked at once, screening tells of them, and what
humans say of them stays. They are kept before anything is made of them: interrupted, the next
publication goes on there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sayso.domain.screening import Verdict
from sayso.errors import PhotographVanished
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.eye import Eye
from sayso.services.ports import Clock
from sayso.services.screen import Screen, Screening
from sayso.services.verdicts import ScreenedPhotograph
from sayso.store.photographs import Photograph
from sayso.store.repository import Repository
from sayso.store.scrutiny import Found
from sayso.vision.decode import Picture


@dataclass(frozen=True, slots=True)
class Scrutinise:
    """The part of publication that looks."""

    repository: Repository
    book: Book
    eye: Eye
    clock: Clock

    @contextmanager
    def begin(self, screening: Screening, screen: Screen) -> Iterator["Looking"]:
        """Enter that photographs are looked at and, when all were, what was found.

        Args:
            screening: as it stands; photographs that nobody has looked at yet wait in it.
            screen: that it was made with, and that says what becomes of what is found.
        """
        looking = Looking(self, screening, screen)
        if looking.waiting:
            with self.book.writing() as page:
                page.enter(Action.SCAN, details=looking.entered("scrutiny_begun"))
        yield looking
        if looking.waiting:
            with self.book.writing() as page:
                page.enter(Action.SCAN, details=looking.entered("scrutiny_ended"))


def is_waiting(screened: ScreenedPhotograph) -> bool:
    """Whether a photograph is to be looked at: not if somebody asked that it be left out."""
    return not screened.photograph.scrutinised and screened.verdict is not Verdict.WITHHOLD


class Looking:
    """The looks of one publication. Safe to call from several threads.

    Attributes:
        waiting: how many photographs there are to look at.
        photographs: that were looked at.
        faces: found beyond those known.
        perhaps: places found that are perhaps a face.
    """

    def __init__(self, scrutinise: Scrutinise, screening: Screening, screen: Screen) -> None:
        self.waiting = sum(is_waiting(one) for one in screening.photographs)
        self.photographs = self.faces = self.perhaps = 0
        self._of, self._screening, self._screen = scrutinise, screening, screen
        self._lock = threading.Lock()

    def __call__(self, picture: Picture, photograph: Photograph) -> ScreenedPhotograph:
        """Look thoroughly at one; keep what was found, and screen it with that.

        Both in one transaction, which is over before anything is made of the verdict.

        Args:
            picture: the photograph at full size.
            photograph: as it is known.

        Raises:
            PhotographVanished: it is known no more: its retention ended meanwhile.
        """
        found = Found(photograph.id, tuple(self._of.eye.scrutinise(picture)))
        with self._lock:  # in turn: SQLite lets those who wait for each other sleep too long
            with self._of.repository.writing() as unit:
                if not unit.photographs.some([photograph.id]):
                    raise _vanished(photograph)
                faces, perhaps = unit.scrutiny.keep(found, self._of.clock())
                (screened,) = self._screen.anew(unit, self._screening, [photograph.id])
            self.photographs += 1
            self.faces += faces
            self.perhaps += perhaps
        return screened

    def entered(self, step: str) -> dict[str, Json]:
        """What the ledger's entries say of it."""
        ended = step == "scrutiny_ended"
        return {
            "step": step,
            "collection": self._screening.collection.id,
            "photographs": self.photographs,
            "faces": self.faces,
            "perhaps": self.perhaps,
            "unreadable": self.waiting - self.photographs if ended else 0,
        }


def _vanished(photograph: Photograph) -> PhotographVanished:
    return PhotographVanished(
        expected=f"{', '.join(photograph.paths)} as it was scanned",
        found="nothing",
        remedy="Publish again.",
    )
