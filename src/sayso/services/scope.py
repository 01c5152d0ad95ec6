"""Everybody whose consent covers a collection, and whom of them each face may be.

Features of the probes live in these functions' local variables and go with them.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import numpy as np
import numpy.typing as npt

from sayso.domain.face import Face, FaceId
from sayso.domain.matching import GallerySize, Likeness, classify
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection
from sayso.domain.policy import Manner
from sayso.domain.sighting import Link, Sighting
from sayso.gallery import Gallery
from sayso.services.galleries import Newcomer, ScopeGallery, permits
from sayso.services.recognition import CutOut, Recogniser, cut_out, together
from sayso.store.repository import Unit
from sayso.vision.decode import Picture

CANDIDATES = 3
"""How many people a doubtful face may be put to review for."""


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
        [found] = self._since(-1).search(features[None], top=CANDIDATES, least=least)
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
            probes, top=CANDIDATES, least=self.limits.review - slack
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
        found = gallery.search(probes, top=CANDIDATES, least=self.limits.review)
        judged = [
            [
                Candidate(PersonId(c.person_id), c.similarity, self._likeness(face, c.similarity))
                for c in candidates
            ]
            for face, candidates in zip(faces, found, strict=True)
        ]
        matched = {c.person for row in judged for c in row if c.likeness is Likeness.MATCH}
        inseparable = self.inseparable(matched)
        return tuple(settled(row, inseparable) for row in judged)

    def _likeness(self, face: Face, similarity: float) -> Likeness:
        return classify(similarity, face.height_px, self.limits)

    def _since(self, joined_after: int) -> Gallery:
        opened = self._renew()
        with self._counting:
            self.opened += opened
        return self._gallery.since(joined_after)


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


def settled(
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


def _doubt(likeness: Likeness) -> Likeness:
    return Likeness.REVIEW if likeness is Likeness.MATCH else likeness
