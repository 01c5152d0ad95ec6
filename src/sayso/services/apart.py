"""Which enrolled people the recogniser cannot tell apart, worked out anew each time it is asked.

References are opened, compared with each other in memory, and gone; nothing about a pair is kept.
No model is loaded: what is compared are references that were built before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sayso.domain.calibration import Calibration
from sayso.domain.grant import STAFF
from sayso.domain.matching import GallerySize, Promise, thresholds
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, Recognition
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link
from sayso.gallery import Candidate
from sayso.services.galleries import ScopeGallery
from sayso.services.ports import Clock
from sayso.store.repository import Unit


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a model without loading it.

    Attributes:
        besides: people who have a reference of this model too are not compared by it.
    """

    model_sha256: str
    dimension: int
    calibration: Calibration
    promise: Promise
    besides: str | None = None


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Somebody from whom a person cannot be told apart in a collection.

    Attributes:
        collection: its name.
        person: the other one; None where staff may not be told the name.
    """

    collection: str
    person: Person | None


@dataclass(frozen=True, slots=True)
class Alike:
    """What may be told staff of it.

    Attributes:
        people: by person, whom they cannot be told apart from.
        opened: how many templates were opened for it.
    """

    people: Mapping[PersonId, tuple[LookAlike, ...]] = field(default_factory=dict)
    opened: int = 0


@dataclass(frozen=True, slots=True)
class Apart:
    """Compares those who are in one gallery with each other.

    Attributes:
        known: says by which models people are compared.
    """

    known: Callable[[Unit], Sequence[Measured]]
    clock: Clock

    def __call__(self, unit: Unit) -> Alike:
        """Everybody who cannot be told apart from somebody, as far as staff may be told.

        Of whom staff may not be told the name nothing is told, and to those like them only that
        there is somebody.

        Raises:
            SealBroken: a template does not open.
        """
        told: dict[PersonId, list[LookAlike]] = {}
        opened = 0
        now = self.clock()
        models = self.known(unit)
        for collection in unit.collections.newest_first():
            over = collection.retain_until is not None and collection.retain_until <= now
            if collection.recognition is not Recognition.GROUP or over:
                continue
            pairs: dict[PersonId, tuple[Candidate, ...]] = {}
            galleries = [ScopeGallery(m.dimension, m.model_sha256, m.besides) for m in models]
            opened += sum(gallery.renew(unit, collection, now) for gallery in galleries)
            size = sum((gallery.size for gallery in galleries), GallerySize(0, 0))
            for gallery, known in zip(galleries, models, strict=True):
                found = thresholds(known.calibration, size=size, promise=known.promise)
                pairs |= gallery.alike(gallery.everybody(-1), found.match)
                gallery.empty()
            may = self._tellable(unit, collection, {*pairs})
            for person in pairs.keys() & may.keys():
                told.setdefault(person, []).extend(
                    LookAlike(collection.name, may.get(PersonId(other.person_id)))
                    for other in pairs[person]
                )
        return Alike({person: tuple(alike) for person, alike in told.items()}, opened)

    def _tellable(
        self, unit: Unit, collection: Collection, people: set[PersonId]
    ) -> Mapping[PersonId, Person]:
        """Whose name staff may be told beside a face of the collection."""
        now = self.clock()
        return {
            person: unit.people.get(person)
            for person, record in unit.people.all_consents(people).items()
            if isinstance(
                decide(TellName(person, collection, Link.MATCH, STAFF), record, now), Permit
            )
        }
