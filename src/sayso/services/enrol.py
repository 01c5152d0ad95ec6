"""Enrolment: a person's consent is recorded and, if they granted ``recognise``, references built.

Order of checks; nothing is kept until all have passed, and then all of it or nothing:

1. the grants, the fields' audiences and the scope make sense together;
2. ``recognise`` comes with evidence, and with at least one image;
3. a minor comes with a guardian;
4. the same enrolment is not repeated, and is no way around a withdrawal or an erasure, and what
   is new rests on a current notice, where there is one;
5. only if ``recognise`` was granted are images opened at all; each must show one usable face, like
   the person's other references, and not more like somebody else who is enrolled;
6. the person, the events and the fields are kept, and the policy is asked for the permit to hold
   a template, with which the references are sealed and kept. Whom the person cannot be told apart
   from is told, and that one's matches become doubts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.matching import GallerySize
from sayso.domain.notice import require_current
from sayso.domain.person import Person, folded, new_person_id
from sayso.domain.policy import HoldTemplate, Permit, decide, require
from sayso.errors import ConsentMalformed
from sayso.ledger.entry import Action
from sayso.services.apart import LookAlike
from sayso.services.book import Book, Page
from sayso.services.enrolment import (
    Enrolment,
    check_consistent,
    check_evidence,
    check_guardian,
    entered,
    given,
    identity,
)
from sayso.services.eye import Eye
from sayso.services.galleries import Newcomer
from sayso.services.lookalikes import Company, company, told
from sayso.services.ports import Clock
from sayso.services.recognition import LoadRecogniser, Recogniser
from sayso.services.references import ImageQuality, Looked, agreeing, fused, look
from sayso.services.repeated import Repeated, repeated
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who was enrolled.

    Attributes:
        templates: ids of the person's references that this enrolment built.
        unchanged: the very same enrolment was there already; nothing was done.
        namesakes: how many others have this name.
        alike: from whom the recogniser cannot tell the person apart: their matches go to review.
    """

    person: Person
    templates: tuple[str, ...]
    quality: tuple[ImageQuality, ...]
    unchanged: bool
    namesakes: int
    alike: tuple[LookAlike, ...] = ()


@dataclass(frozen=True, slots=True)
class _Built:
    """What is to be kept of the images.

    Attributes:
        looked: at, refused ones too.
        company: whom the person will be compared beside; None: nothing was compared.
        fused: (D,) of the person's references, new and old; None: there are none.
        vouched: references that were taken on the operator's word.
    """

    looked: tuple[Looked, ...] = ()
    company: Company | None = None
    fused: npt.NDArray[np.float32] | None = None
    vouched: int = 0

    @property
    def references(self) -> list[tuple[npt.NDArray[np.float32], float]]:
        """Features of each reference, and how usable it is."""
        kept = [(one.features, one.quality.usable) for one in self.looked]
        return [(features, usable) for features, usable in kept if features is not None]


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
            earlier = repeated(unit, wish, person, scope, now)
            if earlier is not None:
                return _unchanged(earlier)
            require_current(wish.notice, unit.notices.all())
        built = self._built(wish, person, scope)
        with self.book.writing() as page:
            # Somebody else may have enrolled, withdrawn or erased them while images were opened.
            earlier = repeated(page.unit, wish, person, scope, self.clock())
            if earlier is not None:
                return _unchanged(earlier)
            require_current(wish.notice, page.unit.notices.all())
            before = page.unit.people.version()
            enrolled = self._keep(page.unit, wish, person, scope, built)
            page.enter(Action.CONSENT, subjects=[enrolled.person.id], details=entered(wish, scope))
            if enrolled.templates:
                self._enter(page, enrolled, built)
            newcomer = self._newcomer(page.unit, enrolled, built, before)
        if built.company is not None and newcomer is not None and wish.person is None:
            built.company.take_in(newcomer)
        return enrolled

    def _newcomer(
        self, unit: Unit, enrolled: Enrolled, built: _Built, before: int
    ) -> Newcomer | None:
        """What the galleries need to take somebody new in; None: there is no template."""
        if not enrolled.templates or built.fused is None:
            return None
        person = enrolled.person.id
        return Newcomer(
            unit.people.consents(person),
            unit.templates.held(person, model_sha256=self.load_recogniser().model_sha256),
            built.fused,
            before,
            unit.people.version(),
            self.clock(),
        )

    def _enter(self, page: Page, enrolled: Enrolled, built: _Built) -> None:
        page.enter(
            Action.ENROLMENT,
            subjects=[enrolled.person.id],
            details={
                "references": len(enrolled.templates),
                "vouched": built.vouched,
                "inseparable": bool(enrolled.alike),
                "model_sha256": self.load_recogniser().model_sha256,
                "key": self.repository.vault.key_id,
                "templates_opened": 0 if built.company is None else built.company.opened,
            },
        )

    def _keep(
        self, unit: Unit, wish: Enrolment, person: Person, scope: Scope, built: _Built
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
        alike: tuple[LookAlike, ...] = ()
        if built.references:
            permit = require(HoldTemplate(person.id), unit.people.consents(person.id), now)
            model = self.load_recogniser().model_sha256
            templates = [
                unit.templates.add(permit, features, model_sha256=model, usable=usable, now=now)
                for features, usable in built.references
            ]
            alike = self._part(unit, built, newcomer=wish.person is None)
        quality = tuple(one.quality for one in built.looked)
        return Enrolled(
            person,
            tuple(templates),
            quality,
            unchanged=False,
            namesakes=namesakes,
            alike=alike,
        )

    def _part(self, unit: Unit, built: _Built, *, newcomer: bool) -> tuple[LookAlike, ...]:
        """Make the matches of everybody too like the person doubts; tell who they are."""
        if built.company is None or built.fused is None:
            return ()
        found = built.company.too_like(
            built.fused, GallerySize(int(newcomer), len(built.references))
        )
        for one in found:
            unit.sightings.doubt(one.collection.id, one.people)
        return told(unit, found, self.clock)

    def _built(self, wish: Enrolment, person: Person, scope: Scope) -> _Built:
        """Step 5."""
        if Grant(Purpose.RECOGNISE) not in wish.grants:
            return _Built()
        recogniser = self.load_recogniser()
        looked = look(wish.images, self.eye, recogniser)
        if not any(one.features is not None for one in looked):
            _raise_first(looked)
            return _Built(tuple(looked))
        known = self._known(person, recogniser) if wish.person is not None else []
        beside = company(
            self.repository, recogniser, self.clock, where=scope, own=person.id
        )  # fmt: skip
        checked = agreeing(looked, known, recogniser.least_agreement)
        if wish.person is not None and not known and recogniser.former is not None:
            checked = self._like_before(checked, wish, person, recogniser.former)
        checked = beside.of_others(checked, known)
        doubtful = _features(looked) - _features(checked)
        chosen = looked if wish.vouched else checked
        if not _features(chosen):
            self._enter_refusal(beside, doubtful)
            _raise_first(chosen)
        vectors = [f for one in chosen if (f := one.features) is not None]
        everything = fused([*known, *vectors])
        for vector in known:
            vector.fill(0)
        return _Built(tuple(chosen), beside, everything, doubtful if wish.vouched else 0)

    def _like_before(
        self, looked: Sequence[Looked], wish: Enrolment, person: Person, former: Recogniser
    ) -> list[Looked]:
        """Refuse what is not like the references of the model that is being left, by that model."""
        before = self._known(person, former)
        again = agreeing(look(wish.images, self.eye, former), before, former.least_agreement)
        for vector in before:
            vector.fill(0)
        return [
            one.but(was.quality.refused)
            if one.features is not None and was.quality.refused is not None
            else one
            for one, was in zip(looked, again, strict=True)
        ]

    def _known(self, person: Person, recogniser: Recogniser) -> list[npt.NDArray[np.float32]]:
        """The person's references so far, of one model, to be overwritten."""
        model = recogniser.model_sha256
        with self.repository.reading() as unit:
            record = unit.people.consents(person.id)
            permit = decide(HoldTemplate(person.id), record, self.clock())
            if not isinstance(permit, Permit):
                return []
            return [one.vector for one in unit.templates.references(permit, model_sha256=model)]

    def _enter_refusal(self, beside: Company, references: int) -> None:
        """That somebody asked whom a face is like is entered, though nothing else is kept."""
        with self.book.writing() as page:
            page.enter(
                Action.IDENTIFICATION,
                details={
                    "manner": "enrolment",
                    "refused": references,
                    "key": self.repository.vault.key_id,
                    "templates_opened": beside.opened,
                },
            )


def _features(looked: Sequence[Looked]) -> int:
    return sum(one.features is not None for one in looked)


def _raise_first(looked: Sequence[Looked]) -> None:
    """Raise why the first image is no reference, if there are images."""
    for one in looked:
        if one.quality.refused is not None:
            raise one.quality.refused


def _unchanged(earlier: Repeated) -> Enrolled:
    return Enrolled(
        earlier.person, earlier.templates, (), unchanged=True, namesakes=earlier.namesakes
    )


def _scope(unit: Unit, names: Sequence[str]) -> Scope:
    if not names:
        return Scope()
    return Scope(frozenset(unit.collections.get(name).id for name in names))


def _person(unit: Unit, wish: Enrolment) -> Person:
    if wish.person is not None:
        return _added_to(unit.people.get(wish.person), wish)
    name = " ".join(wish.name.split())
    return Person(new_person_id(), name, wish.born, wish.jurisdiction)


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
