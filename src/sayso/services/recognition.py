"""Comparing faces with those whose consent covers it, and with nobody else.

Features of the probes live in these functions' local variables and go with them.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import numpy as np
import numpy.typing as npt

from sayso.domain.calibration import Calibration
from sayso.domain.face import Face, FaceId
from sayso.domain.matching import (
    GallerySize,
    Likeness,
    Promise,
    Thresholds,
    classify,
    least_agreement,
    thresholds,
)
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection
from sayso.domain.policy import Manner, Permit, require_comparable
from sayso.domain.sighting import Link, Sighting
from sayso.gallery import Gallery
from sayso.services.galleries import Galleries, Newcomer, ScopeGallery, permits
from sayso.services.ports import Clock, FaceEmbedder
from sayso.store.models import InUse
from sayso.store.repository import Repository, Unit
from sayso.store.templates import Reference
from sayso.vision.align import CROP_PX, align
from sayso.vision.decode import Picture

LoadRecogniser = Callable[[], "Recogniser"]
"""Gives the recogniser, loading it at the first call: mode ``off`` never calls."""

_CANDIDATES = 3
"""How many people a doubtful face may be put to review for."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """An embedder with what is known of its errors.

    Attributes:
        model_sha256: of the model's file; templates of another model are not compared.
        dimension: of the features.
        calibration: what is known of the model's errors.
        promise: the false positive identification rates that the controller accepts.
        galleries: of this process, kept from one use to the next.
        quick: computes nearly the same features in less time; None: there is none.
        slack: how far a similarity of those may be off.
        former: the model that is being left, for those who have no reference of this one yet.
        in_use: what the workspace said of its models when this was loaded.
    """

    embedder: FaceEmbedder
    model_sha256: str
    dimension: int
    calibration: Calibration
    promise: Promise
    galleries: Galleries = field(default_factory=Galleries)
    quick: FaceEmbedder | None = None
    slack: float = 0.0
    former: "Recogniser | None" = None
    in_use: InUse | None = None

    def features(self, picture: Picture, faces: Sequence[Face]) -> npt.NDArray[np.float32]:
        """Features (N, D), unit length; zeros, which match nobody, for a face drawn by hand."""
        return self.features_of(cut_out(picture, faces))

    def features_of(self, cut: "CutOut") -> npt.NDArray[np.float32]:
        """Features (N, D) of faces that were cut out, computed in one go; see `features`."""
        return self._features(self.embedder, cut)

    def quick_features_of(self, cut: "CutOut") -> npt.NDArray[np.float32]:
        """The same, with similarities that may be off by ``slack``."""
        return self._features(self.quick or self.embedder, cut)

    def _features(self, embedder: FaceEmbedder, cut: "CutOut") -> npt.NDArray[np.float32]:
        found = np.zeros((len(cut.faces), self.dimension), np.float32)
        if cut.usable.any():
            found[cut.usable] = embedder.embed(cut.crops)
        return found

    def limits(self, size: GallerySize) -> Thresholds:
        """The thresholds in a gallery of some size."""
        return thresholds(self.calibration, size=size, promise=self.promise)

    @property
    def least_agreement(self) -> float:
        """The similarity that references of one person have at least."""
        return least_agreement(self.calibration)

    def references(self, unit: Unit, permit: Permit) -> tuple["Recogniser", list[Reference]]:
        """The references of the person whom a permit names, and the recogniser that they are of.

        Raises:
            ModelChanged: another process changed the models since this was loaded.
        """
        unit.models.require(self.in_use)
        found = unit.templates.references(permit, model_sha256=self.model_sha256)
        if found or self.former is None:
            return self, found
        former = self.former.model_sha256
        return self.former, unit.templates.references(permit, model_sha256=former)


@dataclass(frozen=True, slots=True)
class CutOut:
    """Faces cut out of their photographs, so that those can go.

    Attributes:
        faces: all of them.
        crops: uint8 (N, 112, 112, 3) RGB, of those faces that have landmarks, in their order.
    """

    faces: tuple[Face, ...]
    crops: npt.NDArray[np.uint8]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which of the faces have landmarks."""
        return np.array([face.landmarks is not None for face in self.faces], bool)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "CutOut":
        """Some of the faces."""
        faces = tuple(face for face, one in zip(self.faces, chosen, strict=True) if one)
        return CutOut(faces, self.crops[chosen[self.usable]])


def together(many: Sequence[CutOut]) -> CutOut:
    """The faces of several photographs as one."""
    faces = tuple(face for one in many for face in one.faces)
    return CutOut(faces, np.concatenate([one.crops for one in many]))


def cut_out(picture: Picture, faces: Sequence[Face]) -> CutOut:
    """Cut the faces out of a photograph at full size."""
    crops = [align(picture.pixels, one.landmarks) for one in faces if one.landmarks is not None]
    return CutOut(tuple(faces), np.array(crops, np.uint8).reshape(-1, CROP_PX, CROP_PX, 3))


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom a face may be, and how alike (cosine) they are.

    Attributes:
        model_sha256: of the model that says so; None: the one that is in use.
    """

    person: PersonId
    similarity: float
    likeness: Likeness
    model_sha256: str | None = None


class Scope:
    """Everybody whose ``recognise`` covers a collection: as of one instant, and up to date in use.

    Whoever said no since it was opened, in whatever process, is not compared any more; who said
    yes since may be, and is caught up with all the same.

    Attributes:
        size: of the gallery when it was opened.
        limits: the thresholds that keep the promise in a gallery of this size.
        through: the sequence of consent events up to which it holds everybody.
        version: of people and consents when it was opened.
        opened: how many templates this one had opened so far.
    """

    def __init__(
        self, recogniser: Recogniser, gallery: ScopeGallery, renew: Callable[[], int]
    ) -> None:
        self.opened = renew()
        self._recogniser = recogniser
        self._gallery = gallery
        self._renew = renew
        self.size = gallery.size
        self._counting = threading.Lock()
        self.limits = recogniser.limits(self.size)
        self.through = gallery.through
        self.version = gallery.version

    def __len__(self) -> int:
        """The number of people when it was opened; the references of each are fused into one."""
        return self.size.people

    @property
    def parts(self) -> tuple["Scope", ...]:
        """A scope for each model that is compared by: this one."""
        return (self,)

    @property
    def model_sha256(self) -> str:
        """Of the model whose references these are."""
        return self._recogniser.model_sha256

    def people(self, *, joined_after: int = -1) -> int:
        """How many people joined after a sequence."""
        return self._gallery.people(joined_after)

    def inseparable(self, people: Iterable[PersonId]) -> Mapping[PersonId, tuple[PersonId, ...]]:
        """Those of some people who are too like others of this scope, and which others, best first.

        The others are those whose references match theirs, by the threshold of this gallery.
        """
        found = self._gallery.alike(people, self.limits.match)
        return {
            person: tuple(PersonId(other.person_id) for other in others)
            for person, others in found.items()
        }

    def alike(
        self, features: npt.NDArray[np.float32], least: float
    ) -> tuple[tuple[PersonId, float], ...]:
        """Who is at least so similar to a reference that is being built, best first.

        Args:
            features: (D,).
            least: cosine.
        """
        [found] = self._since(-1).search(features[None], top=_CANDIDATES, least=least)
        return tuple((PersonId(one.person_id), one.similarity) for one in found)

    def take_in(self, collection: Collection, newcomer: Newcomer) -> None:
        """Add somebody who was just enrolled to the gallery behind it, if that is up to date."""
        self._gallery.take_in(collection, newcomer)

    def match_with(self, more: GallerySize) -> float:
        """The match threshold once so many more are in the gallery."""
        return self._recogniser.limits(self.size + more).match

    def everybody(self, *, joined_after: int = -1) -> frozenset[PersonId]:
        """Who joined after a sequence; after -1: everybody."""
        return self._gallery.everybody(joined_after)

    def compare(
        self, picture: Picture, faces: Sequence[Face], *, joined_after: int = -1
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Whom each face may be: matches and doubts, best first.

        Two people who both match one face are both a doubt, and so is a match of somebody whom
        the recogniser cannot tell apart from somebody else of this scope.

        Args:
            picture: at full size.
            faces: of that picture.
            joined_after: compare only with people who joined after this sequence.
        """
        if not faces or not len(self._since(joined_after)):
            return tuple(() for _ in faces)
        return self.compare_all([cut_out(picture, faces)], joined_after=joined_after)[0]

    def compare_all(
        self, many: Sequence[CutOut], *, joined_after: int = -1
    ) -> list[tuple[tuple[Candidate, ...], ...]]:
        """Whom each face of several photographs may be, see `compare`; embedded in one go."""
        if not any(one.faces for one in many) or not len(self._since(joined_after)):
            return [tuple(() for _ in one.faces) for one in many]
        cut = together(many)
        probes = self._recogniser.quick_features_of(cut)
        near = self._near_a_threshold(probes, joined_after)
        if near.any():
            # What is decided is what the thresholds were measured with.
            probes[near] = self._recogniser.features_of(cut.only(near))
        found = iter(self.judge(cut.faces, probes, joined_after=joined_after))
        return [tuple(islice(found, len(one.faces))) for one in many]

    def _near_a_threshold(
        self, probes: npt.NDArray[np.float32], joined_after: int
    ) -> npt.NDArray[np.bool_]:
        """Of which faces (N,) somebody is so alike that ``slack`` might change what they are."""
        slack = self._recogniser.slack
        if not slack:
            return np.zeros(len(probes), bool)
        lines = (self.limits.review, self.limits.match)
        found = self._since(joined_after).search(
            probes, top=_CANDIDATES, least=self.limits.review - slack
        )
        return np.array(
            [
                any(abs(one.similarity - line) <= slack for one in row for line in lines)
                for row in found
            ],
            bool,
        )

    def judge(
        self, faces: Sequence[Face], probes: npt.NDArray[np.float32], *, joined_after: int = -1
    ) -> tuple[tuple[Candidate, ...], ...]:
        """The same for features that are at hand.

        Args:
            faces: whose features they are.
            probes: (N, D).
            joined_after: compare only with people who joined after this sequence.
        """
        gallery = self._since(joined_after)  # once more: features take longer than all the rest
        found = gallery.search(probes, top=_CANDIDATES, least=self.limits.review)
        judged = [
            [
                Candidate(PersonId(c.person_id), c.similarity, self._likeness(face, c.similarity))
                for c in candidates
            ]
            for face, candidates in zip(faces, found, strict=True)
        ]
        matched = {c.person for row in judged for c in row if c.likeness is Likeness.MATCH}
        inseparable = self.inseparable(matched)
        return tuple(_settled(row, inseparable) for row in judged)

    def _likeness(self, face: Face, similarity: float) -> Likeness:
        return classify(similarity, face.height_px, self.limits)

    def _since(self, joined_after: int) -> Gallery:
        opened = self._renew()
        with self._counting:
            self.opened += opened
        return self._gallery.since(joined_after)


class SideBySide(Scope):
    """Two models in one scope: the one in use, and the one that is being left.

    Whoever has a reference of the model in use is compared by it alone; the others by the former.
    A face is compared with both galleries, each at the thresholds that its model has in a gallery
    of everybody: what each may get wrong is its share of the promise, and both together keep it.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        former: Recogniser,
        galleries: tuple[ScopeGallery, ScopeGallery],
        renew: Callable[[], int],
    ) -> None:
        super().__init__(recogniser, galleries[0], renew)

        def renew_here() -> int:
            opened = renew()  # of both at once, counted here
            with self._counting:
                self.opened += opened
            return 0

        self._former = Scope(former, galleries[1], renew_here)
        self.size += galleries[1].size
        self.limits = recogniser.limits(self.size)
        self._former.limits = former.limits(self.size)
        self.through = max(self.through, self._former.through)

    @property
    def parts(self) -> tuple[Scope, ...]:
        """Of the model in use, and of the former."""
        return (self, self._former)

    def people(self, *, joined_after: int = -1) -> int:
        """How many people joined after a sequence."""
        return super().people(joined_after=joined_after) + self._former.people(
            joined_after=joined_after
        )

    def compare(
        self, picture: Picture, faces: Sequence[Face], *, joined_after: int = -1
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Whom each face may be, see `Scope.compare`."""
        return self.compare_all([cut_out(picture, faces)], joined_after=joined_after)[0]

    def compare_all(
        self, many: Sequence[CutOut], *, joined_after: int = -1
    ) -> list[tuple[tuple[Candidate, ...], ...]]:
        """Whom each face of several photographs may be, by either model."""
        here = super().compare_all(many, joined_after=joined_after)
        there = self._former.compare_all(many, joined_after=joined_after)
        return [
            tuple(self._better(*both) for both in zip(first, second, strict=True))
            for first, second in zip(here, there, strict=True)
        ]

    def _better(
        self, here: Sequence[Candidate], there: Sequence[Candidate]
    ) -> tuple[Candidate, ...]:
        """One face's candidates, best first: a match before a doubt, then by how sure each is.

        Somebody who was given a reference of the model in use just now may be in both: that counts.
        """
        moved = {one.person for one in here}
        former = self._former.model_sha256
        left = [replace(one, model_sha256=former) for one in there if one.person not in moved]
        ranked = sorted(
            [*((self.limits, one) for one in here), *((self._former.limits, c) for c in left)],
            key=lambda pair: (pair[1].likeness is not Likeness.MATCH, -_sureness(*pair)),
        )
        return _settled([one for _, one in ranked[:_CANDIDATES]], {})


def open_scope(
    repository: Repository, recogniser: Recogniser, collection: Collection, clock: Clock
) -> Scope:
    """The gallery of a collection in mode ``group``.

    Raises:
        Denied: the collection's mode does not allow comparing every face.
        ModelChanged: another process changed the models since the recogniser was loaded.
    """
    require_comparable(collection, Manner.ONE_TO_MANY, clock())
    model, former = recogniser.model_sha256, recogniser.former
    galleries = [recogniser.galleries.of(collection, recogniser.dimension, model)]
    if former is not None:
        left, size = former.model_sha256, former.dimension
        galleries.append(recogniser.galleries.of(collection, size, left, besides=model))

    def renew() -> int:
        repository.vault.require_current()  # what the old key opened is not used under a new one
        with repository.reading() as unit:
            unit.models.require(recogniser.in_use)
            return sum(one.renew(unit, collection, clock()) for one in galleries)

    if former is None:
        return Scope(recogniser, galleries[0], renew)
    return SideBySide(recogniser, former, (galleries[0], galleries[1]), renew)


def keep_sightings(  # noqa: PLR0913 - the facts of one write
    unit: Unit,
    collection: Collection,
    faces: Sequence[FaceId],
    candidates: Sequence[Sequence[Candidate]],
    *,
    model_sha256: str,
    now: datetime,
) -> None:
    """Keep what a comparison found, of those alone whose consent stands at this very moment.

    Somebody may have withdrawn since the gallery was loaded; the permit is asked for again
    inside the transaction that writes.
    """
    people = {candidate.person for row in candidates for candidate in row}
    if not people:
        return
    standing = {person for person in people if unit.people.exists(person)}
    still = permits(unit.people.all_consents(standing), collection, Manner.ONE_TO_MANY, now)
    by_model: dict[str, list[Sighting]] = {}
    for face, row in zip(faces, candidates, strict=True):
        for found in row:
            if found.person in still:
                sighting = Sighting(face, found.person, _LINKS[found.likeness], found.similarity)
                by_model.setdefault(found.model_sha256 or model_sha256, []).append(sighting)
    for model, found_by_it in by_model.items():
        unit.sightings.keep(found_by_it, model_sha256=model)


_LINKS = {Likeness.MATCH: Link.MATCH, Likeness.REVIEW: Link.REVIEW}


def _settled(
    row: Sequence[Candidate], inseparable: Mapping[PersonId, object]
) -> tuple[Candidate, ...]:
    """One face's candidates; a match stands alone and is of nobody who cannot be told apart."""
    matched = [c.person for c in row if c.likeness is Likeness.MATCH]
    doubtful = len(matched) > 1 or any(person in inseparable for person in matched)
    return tuple(
        replace(c, likeness=_doubt(c.likeness)) if doubtful else c
        for c in row
        if c.likeness is not Likeness.NEITHER
    )


def _sureness(limits: Thresholds, one: Candidate) -> float:
    """How far a similarity lies from a model's review threshold, in steps to its match threshold.

    Similarities of two models say nothing beside each other; these do.
    """
    return (one.similarity - limits.review) / max(limits.match - limits.review, 1e-6)


def _doubt(likeness: Likeness) -> Likeness:
    return Likeness.REVIEW if likeness is Likeness.MATCH else likeness
