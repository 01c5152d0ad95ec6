"""Enrolment: a person's consent is recorded and, if they granted ``recognise``, references built.

Order of checks; nothing is kept until all have passed, and then all of it or nothing:

1. the grants, the fields' audiences and the scope make sense together;
2. ``recognise`` comes with evidence, and with at least one image;
3. a minor comes with a guardian;
4. the same enrolment is not repeated, and is no way around a withdrawal or an erasure, and what
   is new rests on a current notice, where there is one;
5. only if ``recognise`` was granted are images opened at all, and each must show one usable face;
6. the person, the events and the fields are kept, and the policy is asked for the permit to hold
   a template, with which the references are sealed and kept.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import ConsentEvent, Evidence
from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.notice import require_current
from sayso.domain.person import Person, PersonId, folded
from sayso.domain.policy import HoldTemplate, require
from sayso.errors import (
    ConsentMalformed,
    EvidenceWithdrawn,
    FaceError,
    NoFace,
    PhotographError,
    SaysoError,
)
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.enrolment import (
    Enrolment,
    Image,
    check_consistent,
    check_evidence,
    check_guardian,
    entered,
    given,
    identity,
)
from sayso.services.eye import Eye
from sayso.services.ports import Clock
from sayso.services.recognition import LoadRecogniser, Recogniser
from sayso.store.repository import Repository, Unit
from sayso.vision.align import align
from sayso.vision.quality import measure
from sayso.vision.reference import Advice, advise, enrolment


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """What became of one enrolment image.

    Attributes:
        usable: 0 (not at all) to 1 (ideal); 0 where it was refused.
        refused: why it is no reference; None where it is one.
        advice: how one that was taken could be better.
    """

    path: str
    usable: float
    height_px: float
    sharpness: float
    refused: SaysoError | None
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who was enrolled.

    Attributes:
        templates: ids of the person's references that this enrolment built.
        unchanged: the very same enrolment was there already; nothing was done.
        namesakes: how many others have this name.
    """

    person: Person
    templates: tuple[str, ...]
    quality: tuple[ImageQuality, ...]
    unchanged: bool
    namesakes: int


@dataclass(frozen=True, slots=True)
class _Reference:
    vector: npt.NDArray[np.float32]
    usable: float


@dataclass(frozen=True, slots=True)
class Enrol:
    """The use case."""

    repository: Repository
    book: Book
    eye: Eye
    load_recogniser: LoadRecogniser
    clock: Clock

    def __call__(self, wish: Enrolment) -> Enrolled:
        """Enrol a person, or add to what one has agreed to.

        Raises:
            ConsentError: what was agreed to is not a consent (steps 1 to 4).
            CollectionUnknown, PersonUnknown: a name or id that is not known.
            FaceError, PhotographError: none of the images makes a reference.
        """
        now = self.clock()
        check_consistent(wish)
        check_evidence(wish)
        with self.repository.reading() as unit:
            scope = _scope(unit, wish.collections)
            person = _person(unit, wish)
            check_guardian(wish, person, now)
            repeated = self._repeated(unit, wish, person, scope, now)
            if repeated is not None:
                return repeated
            require_current(wish.notice, unit.notices.all())
        qualities, references = self._references(wish)
        with self.book.writing() as page:
            # Somebody else may have enrolled, withdrawn or erased them while images were opened.
            repeated = self._repeated(page.unit, wish, person, scope, self.clock())
            if repeated is not None:
                return repeated
            require_current(wish.notice, page.unit.notices.all())
            enrolled = self._keep(page.unit, wish, person, scope, qualities, references)
            page.enter(Action.CONSENT, subjects=[enrolled.person.id], details=entered(wish, scope))
            if enrolled.templates:
                model = self.load_recogniser().model_sha256
                page.enter(
                    Action.ENROLMENT,
                    subjects=[enrolled.person.id],
                    details={
                        "references": len(enrolled.templates),
                        "model_sha256": model,
                        "key": self.repository.vault.key_id,
                    },
                )
            return enrolled

    def _keep(  # noqa: PLR0913, PLR0917 - the facts of one enrolment
        self,
        unit: Unit,
        wish: Enrolment,
        person: Person,
        scope: Scope,
        qualities: Sequence[ImageQuality],
        references: Sequence[_Reference],
    ) -> Enrolled:
        now = self.clock()
        namesakes = len([other for other in unit.people.named(person.name) if other != person])
        if wish.person is None:
            unit.people.add(person, now)
            unit.people.remember(person.id, unit.people.token(identity(wish)))
        else:
            unit.people.set_born(person)
        unit.people.record([given(wish, person, grant, scope, now) for grant in wish.grants])
        unit.people.set_fields(person.id, wish.fields)
        templates: list[str] = []
        if references:
            permit = require(HoldTemplate(person.id), unit.people.consents(person.id), now)
            model = self.load_recogniser().model_sha256
            templates = [
                unit.templates.add(
                    permit, one.vector, model_sha256=model, usable=one.usable, now=now
                )
                for one in references
            ]
        return Enrolled(
            person, tuple(templates), tuple(qualities), unchanged=False, namesakes=namesakes
        )

    def _repeated(
        self,
        unit: Unit,
        wish: Enrolment,
        person: Person,
        scope: Scope,
        now: datetime,
    ) -> Enrolled | None:
        """Step 4: the person who was enrolled by the very same act and still stands by it."""
        if wish.evidence is not None:
            _check_form(unit, person.name, wish.evidence, now)
        token = unit.people.token(identity(wish))
        if unit.people.is_suppressed(token):
            raise _withdrawn("an enrolment that was erased since")
        earlier = None if wish.person is not None else unit.people.remembered(token)
        if earlier is None:
            return None
        record = unit.people.consents(earlier.id)
        points = scope.collections or record.points(Purpose.RECOGNISE)
        for grant in wish.grants:
            for point in points:
                if isinstance(lack := record.live(grant, point, now), Lack):
                    raise _withdrawn(f"the very enrolment whose {grant} ended since ({lack})")
        templates = unit.templates.ids(earlier.id)
        others = len(unit.people.named(earlier.name)) - 1
        return Enrolled(earlier, templates, (), unchanged=True, namesakes=others)

    def _references(self, wish: Enrolment) -> tuple[list[ImageQuality], list[_Reference]]:
        """Step 5."""
        if Grant(Purpose.RECOGNISE) not in wish.grants:
            return [], []
        recogniser = self.load_recogniser()
        qualities: list[ImageQuality] = []
        references: list[_Reference] = []
        for image in wish.images:
            try:
                quality, reference = self._reference(image, recogniser)
                references.append(reference)
            except (FaceError, PhotographError) as error:
                quality = ImageQuality(image.path, 0.0, 0.0, 0.0, error)
            qualities.append(quality)
        refused = [quality.refused for quality in qualities if quality.refused is not None]
        if not references and refused:
            raise refused[0]
        return qualities, references

    def _reference(self, image: Image, recogniser: Recogniser) -> tuple[ImageQuality, _Reference]:
        picture, faces = self.eye.look(image.data)
        face = enrolment(picture, faces)
        if face.landmarks is None:
            raise NoFace(
                expected="a face with its eyes, nose and mouth",
                found="none",
                remedy="Use a photograph that shows the face from the front.",
            )
        quality = measure(align(picture.pixels, face.landmarks), face)
        [vector] = recogniser.features(picture, [face])
        kept = ImageQuality(
            image.path, quality.usable, quality.height_px, quality.sharpness, None,
            advise(quality, len(faces)),
        )  # fmt: skip
        return kept, _Reference(vector, quality.usable)


def _check_form(unit: Unit, name: str, evidence: Evidence, now: datetime) -> None:
    """A form whose yes was taken back or erased, by somebody of this name, is no new yes."""
    if unit.people.is_suppressed(unit.people.token(("evidence", folded(name), evidence.sha256))):
        raise _withdrawn("the form of somebody who was erased since")
    for namesake in unit.people.named(name):
        record = unit.people.consents(namesake.id)
        for event in record.events:
            if event.evidence == evidence and _taken_back(record, event, now):
                raise _withdrawn("a form whose consent was withdrawn since")


def _taken_back(record: Consents, event: ConsentEvent, now: datetime) -> bool:
    grant = Grant(event.purpose, event.target)
    points = event.scope.collections or record.points(event.purpose)
    return any(record.live(grant, point, now) is Lack.WITHDRAWN for point in points)


def _withdrawn(found: str) -> EvidenceWithdrawn:
    return EvidenceWithdrawn(
        expected="a yes that was given anew",
        found=found,
        remedy="Ask the person; if they say yes again, have a new form signed and use it.",
    )


def _scope(unit: Unit, names: Sequence[str]) -> Scope:
    if not names:
        return Scope()
    return Scope(frozenset(unit.collections.get(name).id for name in names))


def _person(unit: Unit, wish: Enrolment) -> Person:
    if wish.person is not None:
        return _added_to(unit.people.get(wish.person), wish)
    name = " ".join(wish.name.split())
    return Person(PersonId(uuid.uuid4().hex[:12]), name, wish.born, wish.jurisdiction)


def _added_to(known: Person, wish: Enrolment) -> Person:
    """Somebody enrolled already, with a date of birth that was not known before.

    Raises:
        ConsentMalformed: the name or the date contradicts what is known of them.
    """
    same_name = folded(wish.name) == folded(known.name)
    if not same_name or (wish.born is not None and known.born not in {None, wish.born}):
        raise ConsentMalformed(
            expected=f"what is known of person {known.id}: {known.name}, born {known.born}",
            found=f"{wish.name}, born {wish.born}",
            remedy="Check the id; to enrol somebody else leave out --person.",
        )
    jurisdiction = wish.jurisdiction or known.jurisdiction
    return replace(known, born=known.born or wish.born, jurisdiction=jurisdiction)
