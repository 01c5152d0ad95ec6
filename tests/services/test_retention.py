from datetime import datetime
from pathlib import Path

import pytest

from sayso.domain.grant import Purpose
from sayso.domain.photo import Recognition
from sayso.domain.retention import Ground
from sayso.errors import Denied, TakedownUnknown
from sayso.services.retention import Retention
from sayso.services.takedowns import TakeDowns

from .drawing import ADA, BEN, Head, picture
from .world import World

ALL = "recognise find name:staff publish:website"


def enrolled(world: World, expires: datetime | None = None) -> None:
    source = world.collection(retain_days=100)
    world.enrol("Ada", ADA, ALL, expires=expires)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")


def test_a_template_goes_three_years_after_the_last_time_in_touch(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    run = Retention(world.repository, world.book, world.clock)
    world.clock.forward(days=3 * 365 - 10)
    assert not run()
    world.find("Ada")
    world.clock.forward(days=3 * 365)
    assert not run()
    world.clock.forward(days=2)
    dry = run(dry=True)
    assert [one.end.ground for one in dry.templates] == [Ground.NO_INTERACTION]
    assert world.count("templates") == 1
    ended = run()
    assert [one.templates for one in ended.templates] == [1]
    assert world.count("templates") == world.count("sightings") == world.count("data_keys") == 0
    assert world.count("persons") == 1
    assert not run()


def test_the_controllers_policy_counts_from_the_building(world: World) -> None:
    enrolled(world)
    run = Retention(world.repository, world.book, world.clock, retain_templates_days=30)
    world.clock.forward(days=29)
    world.find("Ada")
    assert not run()
    world.clock.forward(days=1)
    assert [one.end.ground for one in run().templates] == [Ground.POLICY]


def test_a_template_goes_with_the_last_collection_that_it_is_for(world: World) -> None:
    world.collection("long", retain_days=200)
    world.collection("short", retain_days=100)
    world.enrol("Ada", ADA, ALL, collections=("long", "short"))
    run = Retention(world.repository, world.book, world.clock)
    world.clock.forward(days=150)
    assert not run().templates
    world.clock.forward(days=50)
    assert [one.end.ground for one in run().templates] == [Ground.PURPOSE_OVER]


def test_at_the_end_everything_of_a_collection_goes_but_its_declaration(world: World) -> None:
    enrolled(world)
    world.judge.mark("a.png", world.face("a.png"), "Ada")
    world.publish(world.folder.parent / "out")
    world.collection("other", Recognition.OFF).put("b.png", picture(Head(BEN)))
    world.scan("other")
    run = Retention(world.repository, world.book, world.clock)
    world.clock.forward(days=100)
    [ended] = run().collections
    assert (ended.collection.name, ended.photographs, ended.faces) == ("club", 1, 1)
    assert world.count("photos") == world.count("files") == world.count("faces") == 1
    assert world.count("judgements") == world.count("sightings") == 0
    assert world.count("publications") == world.count("copies") == world.count("shown") == 0
    assert {held.collection.name for held in world.declare.all()} == {"club", "other"}
    assert b"a.png" not in world.on_disk()


def test_a_scan_keeps_to_retention_and_does_not_begin_anew_what_has_ended(world: World) -> None:
    enrolled(world)
    world.clock.forward(days=100)
    with pytest.raises(Denied) as refused:
        world.scan("club")
    assert refused.value.reason_code == "retention_over"
    assert world.count("photos") == 0


def test_a_withdrawal_puts_every_published_place_on_the_list(world: World) -> None:
    enrolled(world)
    world.publish(world.folder.parent / "out")
    takedowns = TakeDowns(world.repository, world.book, world.clock, 7)
    assert takedowns() == []
    world.rights.withdraw("Ada", Purpose.FIND)
    assert takedowns() == []
    world.rights.withdraw("Ada", Purpose.PUBLISH)
    world.rights.withdraw("Ada")
    [one] = takedowns("Ada")
    told = world.entries()[-1].draft
    assert (told.action, told.subjects, told.details) == ("takedown", (one.person,), {"told": 1})
    assert (one.reason, one.channel, one.path) == ("withdrawn", "website", "photographs/a.png")
    assert (one.due_at - world.clock()).days == 7
    done = takedowns.tick_off(one.id)
    assert done.done_at == world.clock()
    assert takedowns() == []
    assert [each.id for each in takedowns(done=True)] == [one.id]
    with pytest.raises(TakedownUnknown):
        takedowns.tick_off(999)


def test_a_consent_that_expires_puts_its_places_on_the_list(world: World) -> None:
    soon = world.clock()
    world.clock.forward(days=-10)
    enrolled(world, expires=soon)
    world.publish(world.folder.parent / "out")
    world.clock.forward(days=10)
    [one] = TakeDowns(world.repository, world.book, world.clock)()
    assert one.reason == "expired"


def test_the_list_outlives_person_and_collection(world: World, tmp_path: Path) -> None:
    enrolled(world)
    world.publish(tmp_path / "out")
    world.rights.withdraw("Ada")
    world.rights.erase("Ada")
    world.clock.forward(days=100)
    Retention(world.repository, world.book, world.clock)()
    [one] = TakeDowns(world.repository, world.book, world.clock)()
    assert (one.person, one.folder, one.path) == (
        None,
        str((tmp_path / "out").resolve()),
        "photographs/a.png",
    )
