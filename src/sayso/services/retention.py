"""Retention: what may be kept no longer goes, by `sayso retention run` and before every scan."""

from dataclasses import dataclass
from datetime import datetime

from sayso.domain.person import PersonId
from sayso.domain.photo import Collection
from sayso.domain.retention import End, Ground, template_end
from sayso.errors import ConsentError
from sayso.ledger.admission import Json
from sayso.ledger.entry import Action
from sayso.services.book import Book, Page
from sayso.services.ports import Clock
from sayso.services.takedowns import DEFAULT_DAYS, listing
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class EndedTemplate:
    """Somebody whose templates, and the sightings that rest on them, go."""

    person: PersonId
    end: End
    templates: int


@dataclass(frozen=True, slots=True)
class EndedCollection:
    """A collection of which everything goes but its declaration."""

    collection: Collection
    photographs: int
    faces: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What retention ended, or (``dry``) would end now.

    Attributes:
        takedowns: published copies that went on the take-down list.
    """

    at: datetime
    dry: bool
    templates: tuple[EndedTemplate, ...]
    collections: tuple[EndedCollection, ...]
    takedowns: int

    def __bool__(self) -> bool:
        """Whether anything goes."""
        return bool(self.templates or self.collections)


@dataclass(frozen=True, slots=True)
class Retention:
    """The use case.

    Attributes:
        retain_templates_days: the controller's policy; 0: none of its own.
        takedown_days: how long there is to take a published copy down.
    """

    repository: Repository
    book: Book
    clock: Clock
    retain_templates_days: int = 0
    takedown_days: int = DEFAULT_DAYS

    def __call__(self, *, dry: bool = False) -> Ended:
        """Let go of what may be kept no longer; ``dry``: only say so.

        Raises:
            WorkspaceBusy: all of it is removed, but a reader keeps old pages alive.
        """
        now = self.clock()
        if dry:
            with self.repository.reading() as unit:
                return Ended(now, True, *self._due(unit, now), takedowns=0)  # noqa: FBT003
        with self.book.writing() as page:
            ended = self.keep_to(page, now)
        if ended:
            self.repository.forget()
        return ended

    def keep_to(self, page: Page, now: datetime) -> Ended:
        """The same within a transaction; `Repository.forget` is then to be called if it is true."""
        unit = page.unit
        listed = listing(page, now, self.takedown_days)
        templates, collections = self._due(unit, now)
        for ended in templates:
            unit.templates.drop(ended.person)
            facts: dict[str, Json] = {
                "ground": ended.end.ground.value,
                "references_destroyed": ended.templates,
            }
            page.enter(Action.RETENTION, subjects=[ended.person], details=facts)
        for over in collections:
            unit.collections.empty(over.collection.id)
            counts = {"photographs": over.photographs, "faces": over.faces}
            about: dict[str, Json] = {"collection": over.collection.id, **counts}
            page.enter(Action.RETENTION, details=about)
        return Ended(now, False, templates, collections, listed)  # noqa: FBT003

    def _due(
        self, unit: Unit, now: datetime
    ) -> tuple[tuple[EndedTemplate, ...], tuple[EndedCollection, ...]]:
        held = {collection.id: collection for collection in unit.collections.all()}
        counts = unit.templates.counts()
        records = unit.people.all_consents(counts)
        touched, built = unit.people.last_interactions(), unit.templates.built()
        templates = []
        for person, record in records.items():
            try:
                end = template_end(
                    record,
                    held,
                    built_at=built[person],
                    last_interaction=touched[person],
                    policy_days=self.retain_templates_days,
                    now=now,
                )
            except ConsentError:
                end = End(now, Ground.CONSENT_OVER)  # what cannot be read permits nothing
            if end.at <= now:
                templates.append(EndedTemplate(person, end, counts[person]))
        over = [
            EndedCollection(collection, *unit.collections.contents(collection.id))
            for collection in held.values()
            if collection.retain_until is not None and collection.retain_until <= now
        ]
        return tuple(templates), tuple(one for one in over if one.photographs)
