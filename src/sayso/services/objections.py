"""Objections of people who are not enrolled, recorded against photograph and face."""

from dataclasses import dataclass

from sayso.domain.objection import Objection, Wish
from sayso.errors import FaceUnknown, SettingMalformed
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.places import box, photograph, photograph_and_face
from sayso.services.ports import Clock
from sayso.services.refusals import OBJECTION, objection_of
from sayso.store.repository import Repository


@dataclass(frozen=True, slots=True)
class Recorded:
    """An objection with where its photograph lies now; no path: nowhere that was scanned."""

    objection: Objection
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Object:
    """The use case. No name is asked for, and no features are computed."""

    repository: Repository
    book: Book
    clock: Clock

    def add(self, photo: str, face: str | None, wish: Wish, note: str = "") -> Recorded:
        """Record an objection.

        Args:
            photo: a path, as scanned, or an id.
            face: a face's id, or a box around it, a face having been found there or not; None:
                the whole photograph.
            wish: what is asked for.
            note: the controller's own words on it.

        Raises:
            PhotographUnknown, FaceUnknown: not one of each.
            SettingMalformed: a box that is none, or lies outside the photograph.
        """
        with self.book.writing() as page:
            unit = page.unit
            if face is None:
                known, meant = photograph(unit, photo), None
            elif "," in face:
                known, meant = photograph(unit, photo), box(face)
                _require_inside(face, meant.x, meant.y, meant.width, meant.height)
            else:
                known, stored = photograph_and_face(unit, photo, face)
                meant = stored.face.box
            added = unit.objections.add(known.sha256, meant, wish, note, self.clock())
            self.repository.vault.store.refuse([objection_of(added)])
            _enter(page, added, "added")
            paths = unit.files.paths_of([known.sha256])
            return Recorded(added, paths.get(known.sha256, ()))

    def all(self) -> list[Recorded]:
        """Every objection that stands, oldest first."""
        with self.repository.reading() as unit:
            paths = unit.files.paths_of({one.photo_sha256 for one in unit.objections.all()})
            return [Recorded(one, paths.get(one.photo_sha256, ())) for one in unit.objections.all()]

    def lift(self, objection: int) -> Objection:
        """Take an objection back, because whoever made it did.

        Raises:
            ObjectionUnknown: there is none of this number.
        """
        with self.book.writing() as page:
            lifted = page.unit.objections.lift(objection)
            _enter(page, lifted, "lifted")
        noted = objection_of(lifted)
        self.repository.vault.store.relent(OBJECTION, noted.about, noted.detail)
        return lifted


def _enter(page: Page, objection: Objection, change: str) -> None:
    details: dict[str, Json] = {
        "change": change,
        "objection": objection.id,
        "request": objection.wish.value,
    }
    page.enter(Action.OBJECTION, details=details)


def face_or_whole(face: str | None, *, whole: bool) -> str | None:
    """Exactly one of a face and the whole photograph.

    Raises:
        FaceUnknown: neither, or both.
    """
    if (face is None) != whole:
        raise FaceUnknown(
            expected="a face (its id, or a box), or --whole",
            found="both" if whole else "neither",
            remedy="Say which face is meant, or pass --whole for the whole photograph.",
        )
    return face


def _require_inside(text: str, x: float, y: float, width: float, height: float) -> None:
    if x >= 1 or y >= 1 or x + width <= 0 or y + height <= 0:
        raise SettingMalformed(
            expected="a box that lies in the photograph",
            found=text,
            remedy="Give x, y, width, height relative to the upright picture, 0 to 1.",
        )
