import pytest

from sayso.domain.grant import Purpose
from sayso.domain.person import Guardian
from sayso.errors import Denied, PersonUnknown

from .drawing import ADA, BEN, Head, picture, portrait, vector
from .world import WEBSITE, World, form

ALL = "recognise find name:staff publish:website"
PHONE = "5550199"


def enrolled(world: World) -> None:
    source = world.collection()
    world.enrol("Ada Unusualname", ADA, ALL, fields=f"phone={PHONE}@staff")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")


def test_withdrawing_holds_for_the_next_decision_wherever_the_workspace_is_open(
    world: World,
) -> None:
    enrolled(world)
    other = world.beside()
    data = picture(Head(ADA))
    assert other.identify(data)[0].person is not None
    assert other.screen("club", WEBSITE).photographs[0].faces[0].person is not None
    world.rights.withdraw("Ada Unusualname")
    assert other.identify(data)[0].person is None
    assert other.screen("club", WEBSITE).photographs[0].faces[0].person is None
    with pytest.raises(Denied):
        other.find("Ada Unusualname")
    other.close()


def test_withdrawing_recognise_takes_template_key_and_findings_in_one_go(world: World) -> None:
    enrolled(world)
    done = world.rights.withdraw("Ada Unusualname", Purpose.RECOGNISE)
    assert done.templates == 1
    rows = world.rows()
    assert rows["templates"] == rows["data_keys"] == rows["sightings"] == []
    assert len(rows["persons"]) == 1


def test_withdrawing_another_purpose_leaves_the_template(world: World) -> None:
    enrolled(world)
    done = world.rights.withdraw("Ada Unusualname", Purpose.PUBLISH)
    assert (done.purposes, done.templates) == ((Purpose.PUBLISH,), 0)
    assert world.count("templates") == 1
    assert world.screen("club", WEBSITE).photographs[0].faces[0].person is None
    assert world.identify(picture(Head(ADA)))[0].person is not None


def test_withdrawing_twice_or_without_any_consent_is_no_fault(world: World) -> None:
    enrolled(world)
    for _ in range(2):
        world.rights.withdraw("Ada Unusualname")
    assert world.screen("club", WEBSITE).photographs[0].faces[0].person is None
    with pytest.raises(PersonUnknown):
        world.rights.withdraw("nobody")


def test_one_step_withdraws_for_every_guardian(world: World) -> None:
    world.collection()
    kit = world.enrol("Kit", ADA, ALL, guardian=Guardian("Mary", "mother", "register")).person
    world.clock.forward(seconds=1)
    father = Guardian("Frank", "father", "register")
    world.enrol("Kit", ADA, ALL, guardian=father, person=kit.id, images=(), evidence=form("his"))
    assert world.identify(picture(Head(ADA)))[0].person is not None
    world.rights.withdraw("Kit")
    assert world.identify(picture(Head(ADA)))[0].person is None
    assert world.count("templates") == 0


def test_a_mark_outlives_recognise_but_not_publish(world: World) -> None:
    enrolled(world)
    world.judge.mark("a.png", world.face("a.png"), "Ada Unusualname")
    world.rights.withdraw("Ada Unusualname", Purpose.RECOGNISE)
    assert world.screen("club", WEBSITE).photographs[0].faces[0].outcome.reason == "consent"
    world.rights.withdraw("Ada Unusualname", Purpose.PUBLISH)
    [face] = world.screen("club", WEBSITE).photographs[0].faces
    assert (face.outcome.outcome.value, face.outcome.reason) == ("cover", "consent_withdrawn")


def test_erasing_leaves_no_byte_of_the_person_in_any_file(world: World) -> None:
    enrolled(world)
    ada = world.enrol("Ada Unusualname", ADA, "find", evidence=form("other")).person
    world.judge.mark("a.png", world.face("a.png"), ada.id)
    world.publish(world.folder.parent / "out")
    with world.repository.reading() as unit:
        people = unit.people.named("Ada Unusualname")
    assert len(people) == 2
    traces = [b"Ada Unusualname", b"ada unusualname", PHONE.encode(), vector(ADA).tobytes()[:16]]
    traces += [person.id.encode() for person in people]
    traces += [form("Ada Unusualname").sha256.encode()]
    sealed = [row[3] for row in world.rows()["templates"]]
    wrapped = [row[1] for row in world.rows()["data_keys"]]
    secrets = [bytes(value) for value in sealed + wrapped if isinstance(value, bytes)]
    assert len(secrets) == 2
    kept = world.on_disk()
    assert [trace in kept for trace in traces] == [True, True, True, False, True, True, True]
    assert all(secret in kept for secret in secrets)
    for person in people:
        assert world.rights.erase(person.id).person == person.id
    kept = world.on_disk()
    for trace in (*traces, *secrets):
        assert trace not in kept
    for table in ("persons", "consent_events", "profile_fields", "templates", "data_keys",
                  "sightings", "judgements", "shown"):  # fmt: skip
        assert world.count(table) == 0
    assert world.count("faces") == 1


def test_withdrawing_leaves_no_byte_of_the_sealed_template(world: World) -> None:
    enrolled(world)
    [row] = world.rows()["templates"]
    sealed = row[3]
    assert isinstance(sealed, bytes)
    assert sealed in world.on_disk()
    world.rights.withdraw("Ada Unusualname")
    assert sealed not in world.on_disk()


def test_an_erased_persons_face_is_a_strangers_again(world: World) -> None:
    enrolled(world)
    other = world.beside()
    world.rights.erase("Ada Unusualname")
    assert other.identify(picture(Head(ADA)))[0].person is None
    [face] = other.screen("club", WEBSITE).photographs[0].faces
    assert (face.outcome.outcome.value, face.outcome.reason) == ("cover", "no_permit")
    with pytest.raises(PersonUnknown):
        other.find("Ada Unusualname")
    other.close()


def test_others_keep_everything_when_one_is_erased(world: World) -> None:
    enrolled(world)
    world.enrol("Ben", BEN, ALL)
    [source] = world.sources.values()
    source.put("b.png", picture(Head(BEN)))
    world.scan("club")
    world.rights.erase("Ada Unusualname")
    assert [found.path for found in world.find("Ben")[1]] == ["b.png"]
    assert world.count("templates") == 1


def test_a_withdrawal_that_cannot_be_recorded_changes_nothing(world: World) -> None:
    enrolled(world)
    before = world.rows()
    with world.database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE DELETE ON templates BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(Exception, match="no"):
        world.rights.withdraw("Ada Unusualname")
    assert world.rows() == before


def test_the_image_that_a_person_gave_is_not_kept(world: World) -> None:
    enrolled(world)
    assert portrait(ADA)[100:200] not in world.on_disk()
