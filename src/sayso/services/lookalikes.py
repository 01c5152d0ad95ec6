"""Who else, of those who are enrolled, is too like a person who is being enrolled.

A person is compared with those alone beside whom they will be compared with faces: the galleries of
the collections in mode ``group`` that both consents cover. What is found lives in memory; nothing
about a pair is kept, so that it ends with either of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sayso.domain.grant import STAFF
from sayso.domain.grant import Scope as Where
from sayso.domain.matching import GallerySize
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection, Recognition
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link
from sayso.errors import ReferenceOfAnother
from sayso.services.apart import LookAlike
from sayso.services.galleries import Newcomer
from sayso.services.ports import Clock
from sayso.services.recognition import Recogniser
from sayso.services.references import Looked, fused
from sayso.services.scope import Scope
from sayso.services.side_by_side import open_scope
from sayso.store.repository import Repository, Unit


@dataclass(frozen=True, slots=True)
class Found:
    """Who is too like somebody, in one collection."""

    collection: Collection
    people: tuple[PersonId, ...]


class Company:
    """Those beside whom somebody will be compared, collection by collection.

    Args:
        scopes: the galleries of the collections that the consent covers.
        own: the person's id; their own references are no company.
    """

    def __init__(
        self, scopes: Sequence[tuple[Collection, Scope]], own: PersonId, least: float
    ) -> None:
        self._scopes = scopes
        self._own = own
        self._least = least

    @property
    def opened(self) -> int:
        """How many templates were opened for it."""
        return sum(scope.opened for _, scope in self._scopes)

    def of_others(
        self, looked: Sequence[Looked], known: Sequence[npt.NDArray[np.float32]]
    ) -> list[Looked]:
        """Refuse references that are more like somebody else than like the person's others.

        An only reference has no others to be measured by: it is taken, and the two people are
        told apart no more (`too_like`).
        """
        return [self._checked(place, looked, known) for place in range(len(looked))]

    def too_like(self, vector: npt.NDArray[np.float32], more: GallerySize) -> tuple[Found, ...]:
        """Who matches a person, given what is fused of their references.

        Args:
            vector: (D,).
            more: by how much the galleries will be larger once these references are in them.
        """
        found = []
        for collection, scope in self._scopes:
            alike = scope.alike(vector, scope.match_with(more))
            others = tuple(person for person, _ in alike if person != self._own)
            if others:
                found.append(Found(collection, others))
        return tuple(found)

    def take_in(self, newcomer: Newcomer) -> None:
        """Add somebody who was just enrolled, so that the next one is compared with them too."""
        for collection, scope in self._scopes:
            scope.take_in(collection, newcomer)

    def _checked(
        self, place: int, looked: Sequence[Looked], known: Sequence[npt.NDArray[np.float32]]
    ) -> Looked:
        one = looked[place]
        if one.features is None:
            return one
        rest = [
            f
            for at, other in enumerate(looked)
            if at != place and (f := other.features) is not None
        ]
        if not (others := [*known, *rest]):
            return one
        own = float(one.features @ fused(others))
        for _, scope in self._scopes:
            for person, similarity in scope.alike(one.features, self._least):
                if person != self._own and similarity > own:
                    return one.but(_of_another())
        return one


def company(
    repository: Repository,
    recogniser: Recogniser,
    clock: Clock,
    *,
    where: Where,
    own: PersonId,
) -> Company:
    """Whom a person will be compared beside; nobody where no collection is in mode ``group``."""
    with repository.reading() as unit:
        held = unit.collections.newest_first()
    now = clock()
    chosen = [
        one
        for one in held
        if one.recognition is Recognition.GROUP
        and where.covers(one.id)
        and (one.retain_until is None or now < one.retain_until)
    ]
    scopes = [(one, open_scope(repository, recogniser, one, clock)) for one in chosen]
    return Company(scopes, own, recogniser.least_agreement)


def told(unit: Unit, found: Iterable[Found], clock: Clock) -> tuple[LookAlike, ...]:
    """What an operator may be told of it: names only of those whose name is for staff."""
    now = clock()
    alike = []
    for one in found:
        people = [person for person in one.people if unit.people.exists(person)]
        for person, record in unit.people.all_consents(people).items():
            asked = TellName(person, one.collection, Link.MATCH, STAFF)
            may = isinstance(decide(asked, record, now), Permit)
            alike.append(LookAlike(one.collection.name, unit.people.get(person) if may else None))
    return tuple(alike)


def _of_another() -> ReferenceOfAnother:
    return ReferenceOfAnother(
        expected="a face that is most like the person's own references",
        found="one that agrees more with somebody else who is enrolled",
        remedy="Check whose picture it is; to add to somebody enrolled already pass --person. If "
        "you know that it shows this person, add --vouch.",
    )
