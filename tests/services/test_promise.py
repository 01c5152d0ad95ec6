"""A promise that becomes stricter holds for the next decision, without a scan before it."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from sayso.domain.matching import GallerySize, Promise
from sayso.domain.photo import Recognition
from sayso.domain.screening import Outcome, Verdict
from sayso.domain.sighting import Link
from sayso.services.review import Review
from sayso.store.tables import sightings

from .drawing import ADA, BEN, CAT, DAN, EVE, Head, faint, picture
from .world import WEBSITE, World

ALL = "recognise find name:staff publish:website"
USUAL = Promise(0.001, 0.1)
STRICT = Promise(1e-60, 0.1)
"""At which a face of two halves, 0.71, is a doubt,"""
STRICTEST = Promise(1e-60, 1e-50)
"""and at which it is nothing."""


@pytest.fixture
def club(world: World) -> World:
    """Ada, whom a face of two halves resembles, and one face like nobody else's."""
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA, also=EVE), number=1))
    source.put("b.png", picture(Head(ADA), number=2))
    world.scan("club")
    return world


def outcomes(world: World) -> dict[str, Outcome]:
    return {
        path: one.faces[0].outcome.outcome
        for path, one in world.screen.page("club", WEBSITE, limit=9).files
    }


def found(world: World) -> list[str]:
    return [one.path for one in world.find("Ada")[1]]


def questions(world: World) -> list[str]:
    asked = Review(world.book, world.judge, world.clock, world.standard).questions(limit=9).asked
    return [one.photograph.paths[0] for one in asked]


def test_what_no_longer_reaches_is_a_doubt_wherever_it_is_asked(
    club: World, tmp_path: Path
) -> None:
    assert set(outcomes(club).values()) == {Outcome.SHOW}
    assert len(club.publish(tmp_path / "out").published) == 2
    club.promise_of(STRICT)
    assert outcomes(club) == {"a.png": Outcome.REVIEW, "b.png": Outcome.SHOW}
    assert found(club) == ["b.png"]
    assert questions(club) == ["a.png"]
    done = club.publish(tmp_path / "strict")
    assert [one.path for one in done.published] == ["b.png"]
    assert [(one.path, one.code) for one in done.withheld] == [("a.png", "review")]


def test_neither_a_recogniser_nor_a_template_is_opened_for_it(club: World) -> None:
    loads = club.loads
    club.promise_of(STRICT)
    outcomes(club), found(club), questions(club)
    assert club.loads == loads


def test_a_stricter_promise_is_one_of_doubts_too(club: World) -> None:
    club.promise_of(STRICTEST)
    assert outcomes(club) == {"a.png": Outcome.COVER, "b.png": Outcome.SHOW}
    assert questions(club) == []
    club.promise_of(USUAL)
    assert outcomes(club)["a.png"] is Outcome.SHOW


@pytest.mark.parametrize("scanned", [False, True])
def test_relaxed_again_it_shows_again(club: World, *, scanned: bool) -> None:
    club.promise_of(STRICT)
    if scanned:
        club.scan("club")
    assert outcomes(club)["a.png"] is Outcome.REVIEW
    club.promise_of(USUAL)
    assert outcomes(club)["a.png"] is Outcome.SHOW
    assert found(club) == ["b.png", "a.png"]


def test_a_humans_word_holds_whatever_is_promised(club: World) -> None:
    club.judge.mark("a.png", club.face("a.png"), "Ada")
    club.promise_of(STRICTEST)
    assert outcomes(club)["a.png"] is Outcome.SHOW
    assert found(club) == ["a.png", "b.png"]


def test_a_page_of_matches_is_full_though_some_no_longer_reach(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, ALL)
    for number in range(6):
        both = Head(ADA) if number < 3 else Head(ADA, also=EVE)
        source.put(f"{number}.png", picture(both, number=number))
    world.scan("club")
    with world.repository.reading() as unit:
        ada, club = unit.people.get("Ada").id, unit.collections.get("club").id
        limits = world.standard(unit)
        assert len(unit.sightings.of_person(ada, Link.MATCH, [club], limits, limit=4)) == 4
    world.promise_of(STRICT)
    first = world.find.page("Ada", limit=2)
    assert [one.path for one in first.photographs] == ["0.png", "1.png"]
    second = world.find.page("Ada", after=first.next, limit=2)
    assert ([one.path for one in second.photographs], second.next) == (["2.png"], None)


def test_a_doubt_stays_one_when_the_promise_is_relaxed(world: World) -> None:
    """Whether it is a match depends on who else is as like: a scan says."""
    world.collection().put("a.png", picture(Head(faint(ADA))))
    world.enrol("Ada", ADA, ALL)
    world.scan("club")
    world.promise_of(Promise(0.4, 0.4))
    assert outcomes(world) == {"a.png": Outcome.REVIEW}
    world.scan("club")
    assert outcomes(world) == {"a.png": Outcome.SHOW}


def test_people_who_were_not_compared_yet_do_not_change_what_is_found(club: World) -> None:
    before = outcomes(club)
    for name, who in (("Ben", BEN), ("Cat", CAT), ("Dan", DAN)):
        club.enrol(name, who, ALL)
    assert outcomes(club) == before
    with club.repository.reading() as unit:
        assert unit.collections.gallery(unit.collections.get("club").id) == GallerySize(1, 1)
    club.scan("club")
    with club.repository.reading() as unit:
        assert unit.collections.gallery(unit.collections.get("club").id) == GallerySize(4, 4)


def test_one_face_and_one_person_are_held_to_it_too(world: World) -> None:
    source = world.collection(recognition=Recognition.SELECTED)
    world.enrol("Ada", ADA, ALL)
    source.put("a.png", picture(Head(ADA, also=EVE)))
    world.scan("club")
    world.verify("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": Outcome.SHOW}
    world.promise_of(STRICT)
    assert outcomes(world) == {"a.png": Outcome.REVIEW}
    assert questions(world) == ["a.png"]


def test_a_publication_under_way_asks_again(club: World, tmp_path: Path) -> None:
    """A scan beside it met more people: what rests on the smaller gallery is left out."""

    limits = club.load_recogniser().limits(GallerySize(1, 1))
    with club.database.writing() as connection:  # as if she had been only just alike enough there
        only_just = sa.update(sightings).where(sightings.c.similarity < 0.9)
        connection.execute(only_just.values(similarity=limits.match + 1e-6))

    def met(path: str) -> None:
        if path == "a.png":
            with club.repository.writing() as unit:
                here = unit.collections.get("club").id
                unit.collections.keep_gallery(here, GallerySize(1000, 1000))

    club.publish(tmp_path / "first")  # looked at thoroughly
    club.sources["photographs-club"].on_read = met
    done = club.publish(tmp_path / "second")
    assert [one.path for one in done.published] == ["b.png"]
    assert [(one.path, one.screened.verdict) for one in done.withheld] == [("a.png", Verdict.CLEAR)]
