"""Who, of those who said yes, is in a picture; and 1:1, whether a chosen face is a named person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from sayso.domain.consent import Consents
from sayso.domain.face import Box, FaceId
from sayso.domain.grant import STAFF, Audience
from sayso.domain.matching import GallerySize, Likeness, classify
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, Recognition
from sayso.domain.policy import (
    Compare,
    Manner,
    Permit,
    TellField,
    TellName,
    decide,
    require,
    require_comparable,
)
from sayso.domain.sighting import Link, Sighting
from sayso.errors import FaceUnknown, PersonUnknown
from sayso.gallery import Candidate as Best
from sayso.gallery import Gallery
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.eye import Eye
from sayso.services.places import photograph_and_face, read_photograph
from sayso.services.ports import Clock, OpenSource
from sayso.services.recognition import LoadRecogniser, Recogniser
from sayso.services.scope import Candidate
from sayso.services.side_by_side import open_scope
from sayso.store.photographs import Photograph
from sayso.store.repository import Repository, Unit
from sayso.store.templates import Reference


@dataclass(frozen=True, slots=True)
class Told:
    """What may be told of a person to an audience: the name, and the fields shown to it."""

    id: PersonId
    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class IdentifiedFace:
    """A face, and who it is if that may be told; the similarity only together with the name."""

    box: Box
    person: Told | None
    similarity: float | None


def tell(  # noqa: PLR0913 - the facts of one disclosure
    unit: Unit,
    person: PersonId,
    record: Consents,
    collection: Collection,
    *,
    link: Link,
    audience: Audience,
    now: datetime,
) -> Told | None:
    """What the policy permits to tell of a person; None if not even the name."""
    permit = decide(TellName(person, collection, link, audience), record, now)
    if not isinstance(permit, Permit):
        return None
    fields = {
        field.name: field.value
        for field in unit.people.fields(person)
        if isinstance(
            decide(TellField(person, collection, link, audience, field), record, now), Permit
        )
    }
    return Told(person, unit.people.get(person).name, fields)


@dataclass(frozen=True, slots=True)
class Identify:
    """The 1:N use case. Nothing of the picture is kept."""

    repository: Repository
    book: Book
    eye: Eye
    load_recogniser: LoadRecogniser
    clock: Clock

    def __call__(
        self, data: bytes, *, collection: str, audience: Audience
    ) -> tuple[IdentifiedFace, ...]:
        """Tell, for each face of a picture, who it is: only a match, only to this audience.

        A stranger, a doubt, somebody without ``name`` for this audience: all look the same.

        Raises:
            CollectionUnknown: there is none of this name.
            Denied: the collection's mode does not allow it.
            PhotographError: the picture cannot be decoded.
        """
        with self.repository.reading() as unit:
            held = unit.collections.get(collection)
            # Before a recogniser is loaded.
            require_comparable(held, Manner.ONE_TO_MANY, self.clock())
        scope = open_scope(self.repository, self.load_recogniser(), held, self.clock)
        picture, faces = self.eye.look(data)
        candidates = scope.compare(picture, faces)
        with self.book.writing() as page:
            identified = tuple(
                self._identified(page.unit, held, face.box, found, audience)
                for face, found in zip(faces, candidates, strict=True)
            )
            told = [face.person.id for face in identified if face.person is not None]
            page.enter(
                Action.IDENTIFICATION,
                details={
                    "collection": held.id,
                    "faces": len(faces),
                    "gallery_version": scope.version,
                    "gallery_size": len(scope),
                    "key": self.repository.vault.key_id,
                    "templates_opened": scope.opened,
                },
            )
            if told:
                page.enter(
                    Action.DISCLOSURE,
                    subjects=told,
                    details={"collection": held.id, "audience": audience},
                )
        return identified

    def _identified(
        self,
        unit: Unit,
        collection: Collection,
        box: Box,
        candidates: Sequence[Candidate],
        audience: Audience,
    ) -> IdentifiedFace:
        matched = next((c for c in candidates if c.likeness is Likeness.MATCH), None)
        if matched is None or not unit.people.exists(matched.person):
            return IdentifiedFace(box, None, None)
        told = tell(
            unit,
            matched.person,
            unit.people.consents(matched.person),
            collection,
            link=Link.MATCH,
            audience=audience,
            now=self.clock(),
        )
        if told is None:
            return IdentifiedFace(box, None, None)
        return IdentifiedFace(box, told, matched.similarity)


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer to a 1:1 comparison; None and None where it may not be told."""

    face: FaceId
    person: Person
    likeness: Likeness | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Verify:
    """The 1:1 use case: is this face, which a human picked, that person?"""

    repository: Repository
    book: Book
    eye: Eye
    load_recogniser: LoadRecogniser
    open_source: OpenSource
    clock: Clock

    def __call__(self, photo: str, face: str, person: str) -> Verified:
        """Compare one face of a scanned photograph with one enrolled person, and keep a finding.

        The answer would tell whose face it is, so it is given only if the person's name is for
        staff; the finding is kept all the same, for what the person agreed to.

        Raises:
            PhotographUnknown, FaceUnknown, PersonUnknown: something is not known.
            Denied: the person's consent, or the collection's mode, does not cover it.
        """
        with self.repository.reading() as unit:
            known, stored = photograph_and_face(unit, photo, face)
            collection = unit.collections.of_photograph(known.id)
            named = unit.people.get(person)
            record = unit.people.consents(named.id)
            request = Compare(named.id, collection, Manner.ONE_TO_ONE)
            permit = require(request, record, self.clock())
            loaded = self.load_recogniser()  # never in mode off, which that denies
            recogniser, references = loaded.references(unit, permit)
            source = self.open_source(unit.collections.folder(collection.name))
        if not references:
            raise PersonUnknown(
                expected=f"a template of {named.name}",
                found="none",
                remedy="Enrol them again with images, or mark the face by hand.",
            )
        if stored.face.landmarks is None:
            raise FaceUnknown(
                expected="a face that the detector found",
                found="a box that was drawn by hand",
                remedy="Mark the face by hand: only found faces can be compared.",
            )
        picture = self.eye.picture(read_photograph(source, known, self.eye.limits.max_bytes))
        opened = len(references)
        best = _compared(references, recogniser.features(picture, [stored.face]))
        likeness = classify(
            best.similarity, stored.face.height_px, recogniser.limits(GallerySize(1, opened))
        )
        if likeness is Likeness.MATCH and self._inseparable(collection, named.id, loaded):
            likeness = Likeness.REVIEW
        link = Link.MATCH if likeness is Likeness.MATCH else Link.REVIEW
        sighting = Sighting(stored.id, named.id, link, best.similarity)
        self._keep(request, known, sighting, likeness, recogniser.model_sha256, opened=opened)
        telling = decide(TellName(named.id, collection, Link.MATCH, STAFF), record, self.clock())
        if not isinstance(telling, Permit):
            return Verified(stored.id, named, None, None)
        return Verified(stored.id, named, likeness, best.similarity)

    def _inseparable(
        self, collection: Collection, person: PersonId, recogniser: Recogniser
    ) -> bool:
        """Whether the gallery has somebody too like them; in mode ``selected`` there is none."""
        if collection.recognition is not Recognition.GROUP:
            return False
        scope = open_scope(self.repository, recogniser, collection, self.clock)
        return any(part.inseparable([person]) for part in scope.parts)

    def _keep(  # noqa: PLR0913 - the facts of one finding
        self,
        request: Compare,
        known: Photograph,
        found: Sighting,
        likeness: Likeness,
        model: str,
        *,
        opened: int,
    ) -> None:
        with self.book.writing() as page:
            unit = page.unit
            require(request, unit.people.consents(request.person), self.clock())
            if unit.photographs.get(known.id).faces != known.faces:
                raise FaceUnknown(
                    expected="the face as it was when it was chosen",
                    found="other faces: the photograph was scanned again meanwhile",
                    remedy="Choose the face again, out of `sayso screen --json`.",
                )
            # Not the answer: who reads the ledger may not be one to whom it may be told.
            page.enter(
                Action.IDENTIFICATION,
                subjects=[request.person],
                details={
                    "collection": request.collection.id,
                    "face": found.face,
                    "manner": request.manner,
                    "key": self.repository.vault.key_id,
                    "templates_opened": opened,
                },
            )
            if likeness is Likeness.NEITHER:
                return
            unit.sightings.keep([found], model_sha256=model)


def _compared(references: Sequence[Reference], probe: npt.NDArray[np.float32]) -> Best:
    """One person's references, fused into one; of the opened ones nothing is left."""
    templates = Gallery(probe.shape[1])
    fused = np.zeros((1, probe.shape[1]), np.float32)
    for one in references:
        fused += one.vector
        one.vector.fill(0)
    templates.add([references[0].person], fused)
    fused.fill(0)
    [[best]] = templates.search(probe)
    templates.remove({one.person for one in references})
    return best
