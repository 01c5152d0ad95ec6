"""Sealed templates, and what is left to do once some of them went."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from sayso.domain.person import PersonId
from sayso.domain.policy import Compare, HoldTemplate, Permit
from sayso.errors import ConsentMalformed
from sayso.store import records
from sayso.store.database import bump_version
from sayso.store.models import require_current
from sayso.store.tables import persons, sightings, templates
from sayso.store.traces import Trace, of_sealed, of_template
from sayso.store.vault import Vault

_READ_BACK = 1000
"""So many people's rows are searched for after one transaction; of more, the first."""


@dataclass(slots=True)
class Parting:
    """What a transaction has still to see to when it ends.

    Attributes:
        people: whose data keys are to be destroyed.
        traces: of the rows that went, which must then be found nowhere.
        sealed: whether it may have made a data key, which must not outlive its failure.
    """

    people: set[PersonId] = field(default_factory=set)
    traces: list[Trace] = field(default_factory=list)
    sealed: bool = False

    def from_person(self, connection: sa.Connection, vault: Vault, person: PersonId) -> None:
        """Note that the templates of somebody go; to be called before they are gone."""
        if person not in self.people and len(self.people) < _READ_BACK:
            self.traces += of_sealed(connection, vault, person)
        self.people.add(person)

    def from_model(self, vault: Vault, rows: Sequence[records.Row]) -> None:
        """Note that some templates go whose people keep others, and with them the data key.

        No key is destroyed, which would say that pages are to be swept: so it is said here.
        """
        for row in rows[:_READ_BACK]:
            self.traces += of_template(row.id, row.sealed)
        if rows:
            self.people.update(PersonId(row.person_id) for row in rows)
            vault.store.owe_sweep()


@dataclass(frozen=True, slots=True)
class Reference:
    """An opened template: features of an enrolled person, under the permit it was opened with.

    Attributes:
        vector: float32 of unit length, in memory of its own, to be overwritten after use.
        joined_at: the sequence of consent events at which the person's ``recognise`` widened.
    """

    id: str
    person: PersonId
    vector: npt.NDArray[np.float32]
    joined_at: int


@dataclass(frozen=True, slots=True)
class Held:
    """Which references there are of a person, unopened.

    Attributes:
        ids: of the templates.
        joined_at: as in `Reference`.
    """

    ids: tuple[str, ...]
    joined_at: int


class Templates:
    """Everything about templates, within one transaction."""

    def __init__(self, connection: sa.Connection, vault: Vault, parting: Parting) -> None:
        self._connection = connection
        self._vault = vault
        self._parting = parting

    def add(
        self,
        permit: Permit,
        vector: npt.NDArray[np.float32],
        *,
        model_sha256: str,
        usable: float,
        now: datetime,
    ) -> str:
        """Seal and keep one reference of the person whom the permit names; gives its id.

        Raises:
            ConsentMalformed: the permit is not one to hold a template.
            ModelChanged: the workspace uses another model by now.
        """
        person = _permitted(permit, HoldTemplate)
        require_current(self._connection, model_sha256)
        self._parting.sealed = True
        template = uuid.uuid4().hex
        features = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
        self._connection.execute(
            sa.insert(templates).values(
                id=template,
                person_id=person,
                model_sha256=model_sha256,
                sealed=self._vault.seal_template(person, template, features),
                usable=usable,
                built_at=now.isoformat(),
            )
        )
        bump_version(self._connection)
        return template

    def references(self, permit: Permit, *, model_sha256: str) -> list[Reference]:
        """Open the references of the person whom the permit names, of one model.

        Raises:
            ConsentMalformed: the permit is neither one to compare nor one to hold a template.
            SealBroken: a row was changed, moved or sealed with another key.
        """
        person = _permitted(permit, Compare, HoldTemplate)
        query = (
            sa.select(templates, persons.c.joined_at_sequence)
            .join(persons, persons.c.id == templates.c.person_id)
            .where(templates.c.person_id == person, templates.c.model_sha256 == model_sha256)
            .order_by(templates.c.id)
        )
        return [self._opened(row) for row in self._connection.execute(query)]

    def roll(self, *, model_sha256: str, besides: str | None = None) -> Mapping[PersonId, Held]:
        """Which references of one model there are, of everybody who has any; none is opened.

        Args:
            model_sha256: of which model.
            besides: leave out people who have a reference of this one too; None: nobody.
        """
        query = (
            sa.select(templates.c.id, templates.c.person_id, persons.c.joined_at_sequence)
            .join(persons, persons.c.id == templates.c.person_id)
            .where(templates.c.model_sha256 == model_sha256)
            .order_by(templates.c.id)
        )
        if besides is not None:
            query = query.where(templates.c.person_id.not_in(_owners(besides)))
        ids: dict[PersonId, tuple[str, ...]] = {}
        joined: dict[PersonId, int] = {}
        for template, owner, sequence in self._connection.execute(query):
            person = PersonId(owner)
            ids[person] = (*ids.get(person, ()), template)
            joined[person] = sequence
        return {person: Held(ids[person], joined[person]) for person in ids}

    def held(self, person: PersonId, *, model_sha256: str) -> Held:
        """Which references of one model there are of a person, as the roll has it."""
        own = (templates.c.person_id == person, templates.c.model_sha256 == model_sha256)
        ids = self._connection.execute(
            sa.select(templates.c.id).where(*own).order_by(templates.c.id)
        ).scalars()
        joined = sa.select(persons.c.joined_at_sequence).where(persons.c.id == person)
        return Held(tuple(ids), int(self._connection.execute(joined).scalar_one()))

    def counts(self) -> Mapping[PersonId, int]:
        """How many templates each person has who has any."""
        query = sa.select(templates.c.person_id, sa.func.count()).group_by(templates.c.person_id)
        return {PersonId(person): count for person, count in self._connection.execute(query)}

    def owners(self, model_sha256: str, *, besides: str | None = None) -> frozenset[PersonId]:
        """Who has references of one model; ``besides``: but none of this other one."""
        query = _owners(model_sha256)
        if besides is not None:
            query = query.where(templates.c.person_id.not_in(_owners(besides)))
        return frozenset(map(PersonId, self._connection.execute(query).scalars()))

    def models(self, person: PersonId) -> frozenset[str]:
        """Of which models (SHA-256) a person has references."""
        query = sa.select(templates.c.model_sha256).where(templates.c.person_id == person)
        return frozenset(self._connection.execute(query).scalars())

    def ids(self, person: PersonId) -> tuple[str, ...]:
        """Ids of a person's templates."""
        query = sa.select(templates.c.id).where(templates.c.person_id == person)
        return tuple(self._connection.execute(query.order_by(templates.c.id)).scalars())

    def drop(self, person: PersonId) -> int:
        """Remove a person's templates and what comparisons found; gives how many templates.

        Their data key goes with the transaction that this is part of, and what is left of the
        rows on the disk is searched for (`Repository.writing`).

        What humans said (judgements) stays: it does not rest on the template.
        """
        self._connection.execute(sa.delete(sightings).where(sightings.c.person_id == person))
        self._parting.from_person(self._connection, self._vault, person)
        gone = self._connection.execute(sa.delete(templates).where(templates.c.person_id == person))
        bump_version(self._connection)
        return gone.rowcount

    def drop_model(self, model_sha256: str) -> int:
        """Remove all templates of one model and what it found; gives how many templates.

        People who have no other lose their data key, as in `drop`; those who have keep it.
        """
        owners = self.owners(model_sha256)
        others = sa.select(templates.c.person_id).where(templates.c.model_sha256 != model_sha256)
        staying = owners & set(self._connection.execute(others.distinct()).scalars())
        for person in sorted(owners - staying):
            self._parting.from_person(self._connection, self._vault, person)
        mine = templates.c.model_sha256 == model_sha256
        rows = self._connection.execute(sa.select(templates).where(mine)).all()
        self._parting.from_model(self._vault, [row for row in rows if row.person_id in staying])
        gone = self._connection.execute(sa.delete(templates).where(mine))
        for person in sorted(owners):
            found = (sightings.c.person_id == person, sightings.c.model_sha256 == model_sha256)
            self._connection.execute(sa.delete(sightings).where(*found))
        bump_version(self._connection)
        return gone.rowcount

    def built(self) -> Mapping[PersonId, datetime]:
        """When the oldest template was built of each person who has any."""
        query = sa.select(templates.c.person_id, sa.func.min(templates.c.built_at))
        return {
            PersonId(person): datetime.fromisoformat(at)
            for person, at in self._connection.execute(query.group_by(templates.c.person_id))
        }

    def _opened(self, row: records.Row) -> Reference:
        plain = self._vault.open_template(row.person_id, row.id, row.sealed)
        return Reference(
            id=row.id,
            person=PersonId(row.person_id),
            vector=np.frombuffer(plain, dtype=np.float32),
            joined_at=row.joined_at_sequence,
        )


def _owners(model_sha256: str) -> sa.Select[Any]:
    query = sa.select(templates.c.person_id).where(templates.c.model_sha256 == model_sha256)
    return query.distinct()


def _permitted(permit: Permit, *kinds: type[HoldTemplate | Compare]) -> PersonId:
    if not isinstance(permit.request, kinds):
        raise ConsentMalformed(
            expected=f"a permit for {' or '.join(kind.__name__ for kind in kinds)}",
            found=f"one for {type(permit.request).__name__}",
            remedy="Ask the policy for what is to be done.",
        )
    return permit.request.person
