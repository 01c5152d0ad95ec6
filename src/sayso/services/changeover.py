"""Changing over from one recogniser to another, and leaving the old one.

Enrolment images are not kept, so that nobody's reference can be built anew without them. A change
of models therefore takes as long as it takes to ask everybody again: until a person has a
reference of the new model they stay with the old one (`sayso.services.recognition.SideBySide`).
When nobody is left, or the operator says that the rest shall be left out, the templates of the old
model are removed and swept as those of a withdrawal are, and so is what it found.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sayso.domain.person import Person, PersonId
from sayso.errors import ModelInUse
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.models import Chosen, chosen, named, recognisers
from sayso.services.ports import FaceEmbedder
from sayso.store.models import InUse
from sayso.store.repository import Repository
from sayso.vision.models import RecogniserManifest


@dataclass(frozen=True, slots=True)
class Ended:
    """A change of models that is over.

    Attributes:
        left: the model that nobody is compared with any more.
        templates: how many of its templates went.
        people: whose were the last ones that they had: they are compared with no face any more.
        swept: whether nothing of them is left in old pages either; else the next start does it.
    """

    left: RecogniserManifest
    templates: int
    people: tuple[PersonId, ...]
    swept: bool


@dataclass(frozen=True, slots=True)
class ChangedOver:
    """What `ChangeOver` did.

    Attributes:
        manifest: of the model in use from now on.
        to_ask: who has no reference of it yet, by name, and stays with the model being left.
        ended: None while that is so.
    """

    manifest: RecogniserManifest
    to_ask: tuple[Person, ...]
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class _Gone:
    """How many templates went, and whose."""

    templates: int
    owners: frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class ChangeOver:
    """The use case.

    Attributes:
        open_embedder: prepares a model, whose file must be there and unaltered.
        let_go: removes a person from what this process holds in memory.
    """

    repository: Repository
    book: Book
    open_embedder: Callable[[RecogniserManifest], FaceEmbedder]
    let_go: Callable[[PersonId], None]

    def __call__(self, name: str, *, only: bool = False) -> ChangedOver:
        """Build references for a model from now on, and compare by it whoever has one.

        Args:
            name: of the model.
            only: leave out whoever has none: their templates of the model being left go as well.

        Raises:
            ModelUnknown: none, or several, have this name.
            ModelInUse: a change between two other models is not over.
            ErasureIncomplete: it is done, but something of a template was found on reading back.
        """
        with self.repository.reading() as unit:
            self.open_embedder(named(recognisers(unit), name))  # it is there, and unaltered
        with self.book.writing() as page:
            before = chosen(page.unit)
            wanted = named(recognisers(page.unit), name)
            now = before if wanted == before.manifest else _begin(page, before, wanted)
            waiting = _waiting(page, now)
            over = now.former is not None and (only or not waiting)
            gone = _end(page, now, now.former) if over and now.former else None
            if waiting and not over:
                told = [person.id for person in waiting]
                page.enter(Action.DISCLOSURE, subjects=told, details={"of": "must_be_asked"})
        if gone is None or now.former is None:
            return ChangedOver(wanted, waiting, None)
        without = tuple(person.id for person in waiting)
        return ChangedOver(wanted, (), self._ended(now.former, gone, without))

    def finish(self) -> Ended | None:
        """End a change of models in which nobody is left to be asked; None: there is none."""
        with self.repository.reading() as unit:
            in_use = unit.models.in_use()
            if in_use is None or in_use.former_sha256 is None:
                return None
            if unit.templates.owners(in_use.former_sha256, besides=in_use.model_sha256):
                return None
        with self.book.writing() as page:
            now = chosen(page.unit)
            if now.former is None or _waiting(page, now):
                return None
            gone = _end(page, now, now.former)
        return self._ended(now.former, gone, ())

    def _ended(self, left: RecogniserManifest, gone: _Gone, people: tuple[PersonId, ...]) -> Ended:
        for person in sorted(gone.owners):
            self.let_go(person)
        swept = not self.repository.vault.store.sweep_is_due()
        return Ended(left, gone.templates, people, swept)


def _waiting(page: Page, now: Chosen) -> tuple[Person, ...]:
    """Who has a reference of the model being left alone, by name."""
    if now.former is None:
        return ()
    left = page.unit.templates.owners(now.former.sha256, besides=now.manifest.sha256)
    return tuple(person for person in page.unit.people.all() if person.id in left)


def _begin(page: Page, before: Chosen, wanted: RecogniserManifest) -> Chosen:
    """Change over; the model so far stays in use for those who have no reference of the new one."""
    returning = before.former == wanted
    if before.former is not None and not returning:
        raise ModelInUse(
            expected="no change of models under way",
            found=f"one from {before.former.name} to {before.manifest.name}",
            remedy="End it first: ask whoever is left again, or leave them out with "
            f"`sayso models use {before.manifest.name!r} --only`.",
        )
    in_use = InUse(wanted.sha256, before.manifest.sha256)
    page.unit.models.use(in_use)
    if returning:  # those who come back with it missed what was scanned meanwhile
        page.unit.photographs.compare_again()
    details = {"change": "begun", "model_sha256": wanted.sha256, "former": in_use.former_sha256}
    page.enter(Action.MODEL, details=details)
    return Chosen(wanted, before.manifest, in_use)


def _end(page: Page, now: Chosen, left: RecogniserManifest) -> _Gone:
    """Remove everything that rests on the model that was left."""
    owners = page.unit.templates.owners(left.sha256)
    templates = page.unit.templates.drop_model(left.sha256)
    page.unit.models.use(InUse(now.manifest.sha256))
    details: dict[str, Json] = {
        "change": "ended",
        "model_sha256": now.manifest.sha256,
        "former": left.sha256,
        "references_destroyed": templates,
    }
    page.enter(Action.MODEL, subjects=owners, details=details)
    return _Gone(templates, owners)
