"""Galleries that stay in a process's memory while people say yes and no, here and elsewhere."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sayso.domain.grant import Purpose
from sayso.domain.photo import Collection
from sayso.gallery import Gallery
from sayso.services.galleries import ScopeGallery
from sayso.services.scope import Scope
from sayso.services.side_by_side import open_scope

from .drawing import ADA, BEN, Head, picture, vector
from .world import World


@pytest.fixture
def other(world: World) -> Iterator[World]:
    """The same workspace as another process sees it."""
    beside = world.beside()
    yield beside
    beside.close()


def collection_of(world: World) -> Collection:
    with world.repository.reading() as unit:
        return unit.collections.get("club")


def opened(world: World) -> Scope:
    return open_scope(world.repository, world.load_recogniser(), collection_of(world), world.clock)


def in_memory(world: World) -> ScopeGallery:
    recogniser = world.load_recogniser()
    return world.galleries.of(collection_of(world), recogniser.dimension, recogniser.model_sha256)


def held(gallery: Gallery) -> int:
    """How many people are found, whatever they look like."""
    (found,) = gallery.search(vector(ADA)[None], top=9)
    return len(found)


def met(world: World, scope: Scope, who: int) -> int:
    """How many people a face may be of."""
    seen, faces = world.eye.look(picture(Head(who)))
    ((*candidates,),) = scope.compare(seen, faces)
    return len(candidates)


def test_a_gallery_that_is_up_to_date_is_not_touched(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise")
    opened(world)
    gallery = in_memory(world).since(-1)
    before = gallery.version
    scope = opened(world)
    assert met(world, scope, ADA) == 1
    assert in_memory(world).since(-1) is gallery
    assert gallery.version == before


def test_a_yes_changes_a_gallery_in_place_and_leaves_the_others_alone(
    world: World, other: World
) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise")
    opened(world)
    gallery = in_memory(world).since(-1)
    other.enrol("Ben", BEN, "recognise")
    assert met(world, opened(world), BEN) == 1
    assert in_memory(world).since(-1) is gallery
    assert gallery.version == 2


def test_a_withdrawal_elsewhere_holds_for_the_next_face_of_a_scope_that_is_open(
    world: World, other: World
) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise")
    world.enrol("Ben", BEN, "recognise")
    scope = opened(world)
    newcomers = in_memory(world).since(0)
    assert met(world, scope, ADA) == 1
    other.rights.withdraw("Ada")
    assert met(world, scope, ADA) == 0
    assert met(world, scope, BEN) == 1
    assert held(newcomers) == held(in_memory(world).since(-1)) == 1


@pytest.mark.parametrize("act", ["withdraw", "erase"])
def test_a_withdrawal_here_empties_the_memory_before_it_returns(world: World, act: str) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise")
    world.enrol("Ben", BEN, "recognise")
    opened(world)
    newcomers = in_memory(world).since(0)
    getattr(world.rights, act)("Ada")
    assert held(newcomers) == held(in_memory(world).since(-1)) == 1


def test_a_withdrawal_of_something_else_leaves_the_person_comparable(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise find")
    scope = opened(world)
    world.rights.withdraw("Ada", Purpose.FIND)
    assert met(world, scope, ADA) == 1


def test_a_consent_that_runs_out_while_a_scope_is_open_holds_no_longer(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise", expires=world.clock() + timedelta(hours=1))
    scope = opened(world)
    assert met(world, scope, ADA) == 1
    world.clock.now += timedelta(minutes=59)
    assert met(world, scope, ADA) == 1
    world.clock.now += timedelta(minutes=1)
    assert met(world, scope, ADA) == 0
