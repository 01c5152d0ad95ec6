"""References that disagree, are another's, or make two people one: refused, told, reviewed."""

from datetime import timedelta

import pytest

from sayso.domain.grant import Purpose
from sayso.domain.matching import Likeness
from sayso.domain.sighting import Link
from sayso.errors import ReferenceDisagrees, ReferenceOfAnother
from sayso.ledger.entry import Action
from sayso.services.apart import Alike, Apart, Measured
from sayso.services.enrol import Enrolled
from sayso.services.enrolment import Image
from sayso.services.roll import Roll

from .drawing import ADA, BEN, CAT, DAN, Head, picture, portrait
from .world import World, form

ALL = "recognise find name:staff publish:website"


def mixed(who: int, also: int) -> bytes:
    """An enrolment image of somebody who looks like two."""
    return picture(Head(who, x=160, y=60, side=180, also=also))


def images(*data: bytes) -> tuple[Image, ...]:
    return tuple(Image(f"{n}.png", one) for n, one in enumerate(data))


def twin(world: World, collections: tuple[str, ...] = ()) -> Enrolled:
    """Somebody who looks like Ada, but not so much that they are hers."""
    return world.enrol("Twin", CAT, ALL, images=images(mixed(ADA, CAT)), collections=collections)


def links(world: World, path: str) -> set[tuple[str, Link]]:
    """Whom the faces of a photograph are linked to."""
    with world.repository.reading() as unit:
        found = unit.sightings.of_photograph(unit.files.at_path(path)[0][1], world.standard(unit))
        return {(unit.people.get(s.person).name, s.link) for row in found.values() for s in row}


def alike(world: World) -> Alike:
    known = world.load_recogniser()
    measured = Measured(known.model_sha256, known.dimension, known.calibration, known.promise)
    with world.repository.reading() as unit:
        return Apart(lambda _: [measured], world.clock)(unit)


def told(world: World) -> dict[str, list[str | None]]:
    """Who is listed as like whom."""
    with world.repository.reading() as unit:
        return {
            unit.people.get(person).name: [
                None if one.person is None else one.person.name for one in others
            ]
            for person, others in alike(world).people.items()
        }


def test_two_images_that_disagree_are_both_refused_and_nothing_is_kept(world: World) -> None:
    before = world.rows()
    with pytest.raises(ReferenceDisagrees) as caught:
        world.enrol("Ada", ADA, ALL, images=images(portrait(ADA), portrait(BEN)))
    assert "--vouch" in caught.value.remedy
    assert world.rows() == before


def test_of_several_the_one_that_disagrees_is_left_out(world: World) -> None:
    three = images(portrait(ADA), portrait(BEN), portrait(ADA, number=1))
    done = world.enrol("Ada", ADA, ALL, images=three)
    assert [type(one.refused) for one in done.quality] == [
        type(None),
        ReferenceDisagrees,
        type(None),
    ]
    assert len(done.templates) == 2


def test_a_new_reference_is_held_against_those_that_are_there(world: World) -> None:
    ada = world.enrol("Ada", ADA, ALL).person.id
    with pytest.raises(ReferenceDisagrees):
        world.enrol("Ada", BEN, ALL, person=ada, evidence=form("again"))
    again = world.enrol("Ada", ADA, ALL, person=ada, evidence=form("again"))
    assert len(again.templates) == 1


def test_an_operator_who_vouches_is_believed_and_it_is_entered(world: World) -> None:
    both = images(portrait(ADA), portrait(BEN))
    done = world.enrol("Ada", ADA, ALL, images=both, vouched=True)
    assert len(done.templates) == 2
    [entry] = [one.draft for one in world.entries() if one.draft.action is Action.ENROLMENT]
    assert entry.details["vouched"] == 2


def test_vouching_is_for_likeness_alone(world: World) -> None:
    done = world.enrol("Ada", ADA, ALL, images=images(portrait(ADA), b"words"), vouched=True)
    assert [one.refused is None for one in done.quality] == [True, False]


def test_a_reference_that_is_more_like_somebody_else_is_refused_without_a_name(
    world: World,
) -> None:
    world.collection()
    world.enrol("Ben Othername", BEN, ALL)
    mine = images(mixed(ADA, BEN), mixed(ADA, CAT))
    done = world.enrol("Ada", ADA, ALL, images=mine)
    refused = done.quality[0].refused
    assert isinstance(refused, ReferenceOfAnother)
    assert "Othername" not in refused.reason
    assert len(done.templates) == 1
    vouched = world.enrol("Ada", ADA, ALL, images=mine, vouched=True, evidence=form("again"))
    assert len(vouched.templates) == 2


def test_a_refusal_tells_something_and_so_is_entered(world: World) -> None:
    with pytest.raises(ReferenceDisagrees):
        world.enrol("Ada", ADA, ALL, images=images(portrait(ADA), portrait(BEN)))
    entry = world.entries()[-1].draft
    assert entry.action is Action.IDENTIFICATION
    assert (entry.details["manner"], entry.details["refused"]) == ("enrolment", 2)


def test_look_alikes_are_told_and_their_matches_go_to_review(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    assert links(world, "a.png") == {("Ada", Link.MATCH)}
    done = twin(world)
    assert [(one.collection, one.person and one.person.name) for one in done.alike] == [
        ("club", "Ada")
    ]
    assert ("Ada", Link.REVIEW) in links(world, "a.png")  # at once
    source.put("b.png", picture(Head(ADA), number=1))
    source.put("c.png", picture(Head(CAT), number=2))
    world.scan("club")
    for path in ("a.png", "b.png", "c.png"):
        assert {link for _, link in links(world, path)} == {Link.REVIEW}, path
    assert [face.person for face in world.identify(picture(Head(ADA)))] == [None]
    assert world.find.page("Ada", limit=9).photographs == ()
    compared = world.verify("a.png", world.face("a.png"), "Ada")
    assert compared.likeness is Likeness.REVIEW
    assert told(world) == {"Ada": ["Twin"], "Twin": ["Ada"]}


@pytest.mark.parametrize("end", ["erase", "withdraw"])
def test_a_pair_ends_with_either_of_them_and_leaves_no_trace(world: World, end: str) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    before = world.rows()["sightings"]
    person = twin(world).person.id
    world.scan("club")
    assert world.rows()["sightings"] != before
    if end == "erase":
        world.rights.erase(person)
    else:
        world.rights.withdraw(person, Purpose.RECOGNISE)
    world.scan("club")
    assert world.rows()["sightings"] == before
    assert told(world) == {}
    [face] = world.identify(picture(Head(ADA)))
    assert face.person is not None


def test_who_may_not_be_named_is_not_told_of(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise find")
    done = twin(world)
    assert [one.person for one in done.alike] == [None]
    assert told(world) == {"Twin": [None]}


def test_people_of_different_collections_are_not_compared(world: World) -> None:
    for name in ("club", "team"):
        world.collection(name)
    world.enrol("Ada", ADA, ALL, collections=("team",))
    done = twin(world, collections=("club",))
    assert done.alike == ()
    assert told(world) == {}


def test_more_references_can_tell_people_apart_again(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    person = twin(world).person.id
    assert told(world)
    for number in range(4):
        world.enrol(
            "Twin", CAT, ALL, person=person, evidence=form(f"{number}"),
            images=images(portrait(CAT, number=number)),
        )  # fmt: skip
    assert told(world) == {}
    world.scan("club")
    assert ("Ada", Link.MATCH) in links(world, "a.png")


def test_templates_of_another_model_make_no_pair(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, ALL)
    world.model = "cd" * 32
    assert twin(world).alike == ()
    assert told(world) == {}


def test_the_list_of_people_says_how_many_templates_it_opened(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, ALL)
    twin(world)
    known = world.load_recogniser()
    measured = Measured(known.model_sha256, known.dimension, known.calibration, known.promise)
    roll = Roll(world.repository, world.book, world.clock, Apart(lambda _: [measured], world.clock))
    assert [len(one.alike or ()) for one in roll()] == [1, 1]
    assert world.entries()[-1].draft.details["templates_opened"] == 2


def test_people_are_listed_even_if_a_template_does_not_open(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, ALL)
    known = world.load_recogniser()
    with world.database.writing() as connection:
        connection.exec_driver_sql("UPDATE templates SET sealed = zeroblob(length(sealed))")
    measured = Measured(known.model_sha256, known.dimension, known.calibration, known.promise)
    roll = Roll(world.repository, world.book, world.clock, Apart(lambda _: [measured], world.clock))
    assert [one.alike for one in roll()] == [None]


def test_strangers_to_each_other_are_left_alone(world: World) -> None:
    world.collection()
    for name, who in (("Ada", ADA), ("Ben", BEN), ("Dan", DAN)):
        assert world.enrol(name, who, ALL).alike == ()
    assert told(world) == {}


def test_somebody_new_is_taken_in_without_opening_anybody_anew(world: World) -> None:
    """Else a table of many people would open everybody's templates for each of them."""
    world.collection()
    for name, who in (("Ada", ADA), ("Ben", BEN), ("Dan", DAN)):
        world.enrol(name, who, ALL)
    entries = [e.draft for e in world.entries() if e.draft.action is Action.ENROLMENT]
    assert [entry.details["templates_opened"] for entry in entries] == [
        0,
        1,
        0,
    ]  # the first one once
    [face] = world.identify(picture(Head(DAN)))
    assert face.person is not None
    assert face.person.name == "Dan"


def test_whoever_is_taken_in_leaves_with_their_consent(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, ALL)
    world.clock.forward(days=1)
    world.enrol("Ben", BEN, ALL, expires=world.clock.now + timedelta(days=3))
    assert world.identify(picture(Head(BEN)))[0].person is not None
    world.rights.withdraw("Ada", Purpose.RECOGNISE)
    assert world.identify(picture(Head(ADA)))[0].person is None
    world.clock.forward(days=4)
    assert world.identify(picture(Head(BEN)))[0].person is None
