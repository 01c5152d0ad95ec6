"""The thresholds of now, to which what comparisons found is held whenever something is decided.

A finding is kept as it was found. The promise may have become stricter since, or the gallery of the
collection larger, so that whoever decides asks for the thresholds anew. No model is loaded for that
and no template opened: a meeting writes down how many people and references its faces are compared
with (`sayso.services.meeting`), and the rest follows from that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sayso.domain.calibration import Calibration
from sayso.domain.matching import GallerySize, Promise, Thresholds, thresholds
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId, Recognition
from sayso.store.repository import Unit

Calibrations = Callable[[Unit], Mapping[str, Calibration]]
"""Gives what is known of the errors of each model that people are compared by, by its SHA-256."""


@dataclass(frozen=True, slots=True)
class Standard:
    """What findings are held to.

    Attributes:
        calibrations: of the models that people are compared by.
        promise: the false positive identification rates that the controller accepts now.
    """

    calibrations: Calibrations
    promise: Promise

    def __call__(self, unit: Unit) -> "LimitsOfNow":
        """The thresholds, within one transaction."""
        return LimitsOfNow(unit, self)


@dataclass(slots=True)
class LimitsOfNow:
    """The thresholds of now, within one transaction; each is computed when first asked for."""

    unit: Unit
    standard: Standard
    _calibrations: Mapping[str, Calibration] | None = None
    _sizes: dict[CollectionId, GallerySize | None] = field(default_factory=dict)
    _people: dict[tuple[str, PersonId], GallerySize] = field(default_factory=dict)
    _known: dict[tuple[str, int], Thresholds] = field(default_factory=dict)

    def __call__(
        self, collection: CollectionId, model_sha256: str, person: PersonId
    ) -> Thresholds | None:
        """For what a model found of a person in a collection; None: it is not used any more."""
        if model_sha256 not in self.calibrations:
            return None
        size = self._size(collection)
        return self._of(model_sha256, size or self._alone(model_sha256, person))

    def highest(self, collection: CollectionId) -> float:
        """The highest similarity (cosine) from which anybody matches in a collection."""
        size = self._size(collection)
        if size is None:
            counts = self.unit.templates.counts().values()
            size = GallerySize(1, max(counts, default=1))
        return max(self._of(model, size).match for model in self.calibrations)

    @property
    def calibrations(self) -> Mapping[str, Calibration]:
        """Of the models that people are compared by."""
        if self._calibrations is None:
            self._calibrations = self.standard.calibrations(self.unit)
        return self._calibrations

    def _of(self, model_sha256: str, size: GallerySize) -> Thresholds:
        key = (model_sha256, size.chances)
        if key not in self._known:
            self._known[key] = thresholds(
                self.calibrations[model_sha256], size=size, promise=self.standard.promise
            )
        return self._known[key]

    def _alone(self, model_sha256: str, person: PersonId) -> GallerySize:
        """One person, with whom one face was compared."""
        key = (model_sha256, person)
        if key not in self._people:
            held = self.unit.templates.held(person, model_sha256=model_sha256)
            self._people[key] = GallerySize(1, len(held.ids))
        return self._people[key]

    def _size(self, collection: CollectionId) -> GallerySize | None:
        """The gallery that faces of a collection were compared with; None: one person each."""
        if collection not in self._sizes:
            self._sizes[collection] = self._read(collection)
        return self._sizes[collection]

    def _read(self, collection: CollectionId) -> GallerySize | None:
        if self.unit.collections.get(collection).recognition is Recognition.SELECTED:
            return None
        written = self.unit.collections.gallery(collection)
        if written is not None:
            return written
        counts = self.unit.templates.counts()  # a first scan is not over: at most everybody
        return GallerySize(len(counts), sum(counts.values()))
