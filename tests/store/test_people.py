import dataclasses

import pytest
import sqlalchemy as sa

from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import EVERYWHERE, Purpose, Scope
from sayso.domain.person import PersonId
from sayso.domain.photo import CollectionId
from sayso.domain.policy import Find, require
from sayso.domain.sighting import Link
from sayso.errors import (
    ConsentMalformed,
    PersonAmbiguous,
    PersonUnknown,
    SealBroken,
)
from sayso.store.repository import Repository
from sayso.store.sealing import WorkspaceKey
from sayso.store.tables import consent_events, sightings, suppressions, templates

from .kept import ADA, BEN, CLUB, MODEL, NOW, Kept, compare, enrol, features, hold, yes


def opened(kept: Kept, repository: Repository | None = None) -> list[bytes]:
    with (repository or kept.repository).reading() as unit:
        found = unit.templates.references(compare(unit, ADA), model_sha256=MODEL)
        return [reference.vector.tobytes() for reference in found]


def test_a_reference_comes_back_as_it_was_sealed(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    assert opened(kept) == [features(1).tobytes()]


def test_references_of_another_model_are_not_compared(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    with kept.repository.reading() as unit:
        assert unit.templates.references(compare(unit, ADA), model_sha256="00" * 32) == []


def test_a_row_given_to_another_person_does_not_open(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        enrol(unit, BEN, 2)
    with kept.database.writing() as connection:
        connection.execute(sa.delete(templates).where(templates.c.person_id == ADA.id))
        connection.execute(sa.update(templates).values(person_id=ADA.id))
    with pytest.raises(SealBroken):
        opened(kept)


def test_a_row_given_to_another_person_together_with_its_key_does_not_open(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        enrol(unit, BEN, 2)
    with kept.database.writing() as connection:
        connection.execute(sa.delete(templates).where(templates.c.person_id == ADA.id))
        connection.execute(sa.update(templates).values(person_id=ADA.id))
    keys = kept.database.keys
    wrapped = keys.wrapped(BEN.id)
    assert wrapped is not None
    keys.destroy([ADA.id, BEN.id])
    keys.keep(ADA.id, wrapped)
    with pytest.raises(SealBroken):
        opened(kept)


def test_a_sealed_vector_put_into_another_row_of_the_same_person_does_not_open(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    with kept.database.writing() as connection:
        connection.execute(sa.update(templates).values(id="another"))
    with pytest.raises(SealBroken):
        opened(kept)


def test_a_changed_byte_does_not_open(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    with kept.database.writing() as connection:
        sealed = bytearray(connection.execute(sa.select(templates.c.sealed)).scalar_one())
        sealed[40] ^= 1
        connection.execute(sa.update(templates).values(sealed=bytes(sealed)))
    with pytest.raises(SealBroken):
        opened(kept)


def test_without_the_data_key_a_template_is_lost_for_good(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    kept.database.keys.destroy([ADA.id])
    with pytest.raises(SealBroken) as caught:
        opened(kept)
    assert caught.value.exit_status == 3


def test_another_workspace_key_opens_nothing(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    with pytest.raises(SealBroken):
        opened(kept, Repository(kept.database, WorkspaceKey.generate()))


def test_the_same_features_sealed_twice_are_not_the_same_bytes(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        unit.templates.add(hold(unit, ADA), features(1), model_sha256=MODEL, usable=1.0, now=NOW)
    with kept.database.reading() as connection:
        sealed = connection.execute(sa.select(templates.c.sealed)).scalars().all()
    assert len(set(sealed)) == 2


def test_a_permit_for_something_else_keeps_and_opens_nothing(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        unit.people.record([dataclasses.replace(yes(ADA), purpose=Purpose.FIND)])
    with kept.repository.writing() as unit:
        finding = require(Find(ADA.id, CLUB, Link.MATCH), unit.people.consents(ADA.id), NOW)
        for permit in (compare(unit, ADA), finding):
            with pytest.raises(ConsentMalformed):
                unit.templates.add(permit, features(2), model_sha256=MODEL, usable=1.0, now=NOW)
        with pytest.raises(ConsentMalformed):
            unit.templates.references(finding, model_sha256=MODEL)
        assert unit.templates.counts() == {ADA.id: 1}


def test_a_permit_keeps_a_template_of_the_person_whom_it_names_and_of_nobody_else(
    kept: Kept,
) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        unit.people.add(BEN, NOW)
        unit.people.record([yes(BEN)])
        unit.templates.add(hold(unit, BEN), features(2), model_sha256=MODEL, usable=1.0, now=NOW)
        assert unit.templates.counts() == {ADA.id: 1, BEN.id: 1}
        assert len(unit.templates.references(compare(unit, BEN), model_sha256=MODEL)) == 1


def test_template_key_and_findings_go_together(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        assert unit.templates.drop(ADA.id) == 1
    with kept.database.reading() as connection:
        for table in (templates, sightings):
            assert connection.execute(sa.select(table)).all() == []
    assert not kept.database.keys.holders()


def test_a_name_is_found_whatever_its_case_and_spacing(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        unit.people.add(ADA, NOW)
        assert unit.people.get("  ada   UNUSUALNAME ") == ADA
        assert unit.people.get(ADA.id) == ADA


def test_a_name_that_two_people_have_asks_for_an_id(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        unit.people.add(ADA, NOW)
        unit.people.add(dataclasses.replace(BEN, name=ADA.name), NOW)
        with pytest.raises(PersonAmbiguous) as caught:
            unit.people.get(ADA.name)
        assert ADA.id in caught.value.remedy
        assert BEN.id in caught.value.remedy
        with pytest.raises(PersonUnknown):
            unit.people.get("nobody")
        with pytest.raises(PersonUnknown):
            unit.people.consents(PersonId("nobody"))


def test_events_come_back_as_they_were_recorded(kept: Kept) -> None:
    given = dataclasses.replace(
        yes(ADA), scope=Scope(frozenset({CollectionId("a"), CollectionId("b")}))
    )
    refused = ConsentEvent(
        act=Act.WITHDRAWN,
        person=ADA.id,
        purpose=Purpose.PUBLISH,
        target=None,
        scope=EVERYWHERE,
        at=NOW,
    )
    with kept.repository.writing() as unit:
        unit.people.add(ADA, NOW)
        unit.people.record([given, refused])
    with kept.repository.reading() as unit:
        assert unit.people.consents(ADA.id).events == (given, refused)


def test_an_erased_person_leaves_a_mark_that_only_this_workspace_can_read(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
        form = ("evidence", "ada unusualname", "cd" * 32)
        assert not unit.people.is_suppressed(unit.people.token(form))
        unit.people.erase(ADA.id)
        assert unit.people.is_suppressed(unit.people.token(form))
        token = unit.people.token(form)
    with kept.database.reading() as connection:
        assert connection.execute(sa.select(suppressions.c.token)).scalars().all() == [token]
    assert WorkspaceKey.generate().token(*form) != token


def newest(kept: Kept) -> int:
    """The sequence of the newest consent event."""
    with kept.database.reading() as connection:
        query = sa.select(sa.func.max(consent_events.c.sequence))
        return int(connection.execute(query).scalar_one())


def test_sequences_are_never_used_again(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    first = newest(kept)
    with kept.repository.writing() as unit:
        unit.people.erase(ADA.id)
        enrol(unit, BEN, 2)
    assert newest(kept) > first
