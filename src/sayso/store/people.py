"""People, their profile fields and consent events."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import Audience, Purpose
from sayso.domain.person import Person, PersonId, ProfileField, folded
from sayso.errors import ConsentError, PersonAmbiguous, PersonUnknown
from sayso.store import records
from sayso.store.database import bump_version, read_version
from sayso.store.tables import (
    consent_events,
    metadata,
    persons,
    profile_fields,
    suppressions,
)
from sayso.store.templates import Parting
from sayso.store.vault import Vault


class People:
    """Everything about people, within one transaction."""

    def __init__(self, connection: sa.Connection, vault: Vault, parting: Parting) -> None:
        self._connection = connection
        self._vault = vault
        self._parting = parting

    def add(self, person: Person, now: datetime) -> None:
        """Keep a new person, without any consent yet."""
        self._connection.execute(
            sa.insert(persons).values(
                id=person.id,
                name=person.name,
                name_folded=folded(person.name),
                born=None if person.born is None else person.born.isoformat(),
                jurisdiction=person.jurisdiction,
                asked_at=now.isoformat(),
                joined_at_sequence=0,
                last_interaction_at=now.isoformat(),
            )
        )

    def set_born(self, person: Person) -> None:
        """Keep a person's date of birth and jurisdiction, which decide who answers for them."""
        self._connection.execute(
            sa.update(persons)
            .where(persons.c.id == person.id)
            .values(
                born=None if person.born is None else person.born.isoformat(),
                jurisdiction=person.jurisdiction,
            )
        )
        bump_version(self._connection)

    def get(self, id_or_name: str) -> Person:
        """The person with this id, or with this name if only one has it.

        Raises:
            PersonUnknown: nobody has it.
            PersonAmbiguous: several have this name.
        """
        found = self._rows(persons.c.id == id_or_name) or self.named(id_or_name)
        if not found:
            raise PersonUnknown(
                expected="the id or the name of somebody who was asked",
                found=repr(id_or_name),
                remedy="See `sayso people` for everybody's id and name.",
            )
        if len(found) > 1:
            raise PersonAmbiguous(
                expected="a name that only one person has",
                found=f"{len(found)} people called {found[0].name}",
                remedy="Use the id instead: " + ", ".join(p.id for p in found) + ".",
            )
        return found[0]

    def exists(self, person: PersonId) -> bool:
        """Whether there is a person of this id."""
        query = sa.select(persons.c.id).where(persons.c.id == person)
        return self._connection.execute(query).first() is not None

    def named(self, name: str) -> list[Person]:
        """Everybody with this name, whatever its case and spacing."""
        return self._rows(persons.c.name_folded == folded(name))

    def all(self) -> list[Person]:
        """Everybody, by name."""
        return self._rows(sa.true())

    def consents(self, person: PersonId) -> Consents:
        """One person's consent record.

        Raises:
            PersonUnknown: there is no such person.
        """
        return self.all_consents([person])[person]

    def all_consents(self, only: Iterable[PersonId] | None = None) -> Mapping[PersonId, Consents]:
        """The consent records of some people, or of everybody.

        Raises:
            PersonUnknown: one of those named does not exist.
        """
        wanted = None if only is None else sorted(set(only))
        everybody = wanted is None
        people = self._rows(sa.true() if everybody else persons.c.id.in_(wanted or ()))
        chosen = sa.true() if everybody else consent_events.c.person_id.in_(wanted or ())
        query = sa.select(consent_events).where(chosen).order_by(consent_events.c.sequence)
        events: dict[PersonId, list[ConsentEvent]] = {person.id: [] for person in people}
        broken: set[PersonId] = set()
        for row in self._connection.execute(query):
            try:
                events[PersonId(row.person_id)].append(records.event_of(row))
            except (ValueError, TypeError, ConsentError):
                broken.add(PersonId(row.person_id))  # this person permits nothing; others stand
        for person in wanted or ():
            if person not in events:
                self.get(person)
        return {
            person.id: Consents(
                person.id,
                person.born,
                person.jurisdiction,
                tuple(events[person.id]),
                whole=person.id not in broken,
            )
            for person in people
        }

    def record(self, events: Sequence[ConsentEvent]) -> None:
        """Append consent events; each must be listed for the state that it finds.

        Raises:
            UnlistedTransition, ConsentMalformed: an event does not fit the record.
            PersonUnknown: there is no such person.
        """
        for event in events:
            self.consents(event.person).append(event)
            row = self._connection.execute(
                sa.insert(consent_events).values(**records.event_values(event))
            )
            sequence = row.inserted_primary_key
            if event.act is not Act.EXPIRED:
                self.touch(event.person, event.at)
            joins = event.purpose is Purpose.RECOGNISE and event.act in {Act.GIVEN, Act.RENEWED}
            if joins and sequence is not None:
                self._connection.execute(
                    sa.update(persons)
                    .where(persons.c.id == event.person)
                    .values(joined_at_sequence=sequence[0])
                )
        bump_version(self._connection)

    def touch(self, person: PersonId, at: datetime) -> None:
        """Say that the person did something with us: retention counts from the newest."""
        earlier = persons.c.last_interaction_at
        self._connection.execute(
            sa.update(persons)
            .where(persons.c.id == person, earlier.is_(None) | (earlier < at.isoformat()))
            .values(last_interaction_at=at.astimezone(UTC).isoformat())
        )

    def last_interactions(self) -> Mapping[PersonId, datetime]:
        """When each person was last in touch."""
        query = sa.select(persons.c.id, persons.c.last_interaction_at, persons.c.asked_at)
        return {
            PersonId(person): datetime.fromisoformat(last or asked)
            for person, last, asked in self._connection.execute(query)
        }

    def version(self) -> int:
        """A number that grows whenever people, consents, templates or judgements change."""
        return read_version(self._connection)

    def fields(self, person: PersonId) -> tuple[ProfileField, ...]:
        """A person's profile fields, by name."""
        query = (
            sa.select(profile_fields)
            .where(profile_fields.c.person_id == person)
            .order_by(profile_fields.c.name, profile_fields.c.audience)
        )
        return tuple(
            ProfileField(row.name, row.value, Audience(row.audience))
            for row in self._connection.execute(query)
        )

    def set_fields(self, person: PersonId, fields: Iterable[ProfileField]) -> None:
        """Set profile fields, each for its audience; others stay."""
        for field in fields:
            same = (
                (profile_fields.c.person_id == person)
                & (profile_fields.c.name == field.name)
                & (profile_fields.c.audience == field.audience)
            )
            self._connection.execute(sa.delete(profile_fields).where(same))
            self._connection.execute(
                sa.insert(profile_fields).values(
                    person_id=person, name=field.name, value=field.value, audience=field.audience
                )
            )

    def held(self, person: PersonId) -> Mapping[str, int]:
        """How many rows of each table are of this person."""
        counts = {}
        for table in metadata.sorted_tables:
            column = table.c.id if table is persons else table.c.get("person_id")
            if column is not None:
                query = sa.select(sa.func.count()).select_from(table).where(column == person)
                counts[table.name] = int(self._connection.execute(query).scalar_one())
        return counts

    def erase(self, person: PersonId) -> None:
        """Remove a person and everything that refers to them.

        What is left is a keyed hash of each form and enrolment of theirs, which tells nothing
        but that the same paper is no new yes.
        """
        self._parting.from_person(self._connection, self._vault, person)
        erased = self.get(person)
        tokens = {
            self.token(("evidence", folded(erased.name), event.evidence.sha256))
            for event in self.consents(person).events
            if event.evidence is not None
        }
        query = sa.select(persons.c.enrolment).where(persons.c.id == person)
        enrolment = self._connection.execute(query).scalar_one()
        for token in sorted(tokens | ({enrolment} if enrolment else set())):
            self._connection.execute(
                sa.insert(suppressions).prefix_with("OR IGNORE").values(token=token)
            )
        self._connection.execute(sa.delete(persons).where(persons.c.id == person))
        bump_version(self._connection)

    def token(self, parts: Sequence[str]) -> str:
        """A keyed hash of some words, which only this workspace can make again."""
        return self._vault.token(*parts)

    def is_suppressed(self, token: str) -> bool:
        """Whether what the token stands for was erased."""
        query = sa.select(suppressions.c.token).where(suppressions.c.token == token)
        return self._connection.execute(query).first() is not None

    def remember(self, person: PersonId, token: str) -> None:
        """Say by which enrolment (its token) a person came."""
        self._connection.execute(
            sa.update(persons).where(persons.c.id == person).values(enrolment=token)
        )

    def remembered(self, token: str) -> Person | None:
        """The person who came by this enrolment, if there is one."""
        found = self._rows(persons.c.enrolment == token)
        return found[0] if found else None

    def _rows(self, where: sa.ColumnElement[bool]) -> list[Person]:
        query = sa.select(persons).where(where).order_by(persons.c.name_folded, persons.c.id)
        return [records.person_of(row) for row in self._connection.execute(query)]
