"""Changing over from one model to another: side by side, until everybody was asked again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from sayso.domain.calibration import Calibration
from sayso.domain.face import FaceId
from sayso.domain.matching import Likeness
from sayso.domain.sighting import Link, Sighting
from sayso.errors import (
    ModelChanged,
    ModelInUse,
    ModelUnknown,
    PersonUnknown,
    ReferenceDisagrees,
)
from sayso.ledger.entry import Action
from sayso.services.changeover import ChangedOver, ChangeOver
from sayso.services.models import DEFAULT, ModelBook, State, chosen
from sayso.services.recognition import Recogniser
from sayso.services.side_by_side import SideBySide, open_scope
from sayso.store.repository import Unit
from sayso.store.sealing import WorkspaceKey
from sayso.vision.manifest import dumped, read
from sayso.vision.models import RecogniserManifest

from ..vision import made  # noqa: TID252 - as in world.py
from .drawing import ADA, BEN, CAT, DIMENSION, LEFT, NOBODY, RIGHT, DrawnFeatures, Head, picture
from .world import World, form

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(DIMENSION, DIMENSION)))[0]
OLD = DEFAULT.sha256
NEW, THIRD = "c" * 64, "d" * 64


class Turned(DrawnFeatures):
    """Another model: the same faces, other numbers."""

    def embed(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return np.asarray(super().embed(crops) @ TURN, np.float32)


class Changing(World):
    """A world that compares by the models that its workspace says."""

    def load_recogniser(self) -> Recogniser:
        plain = super().load_recogniser()
        with self.repository.reading() as unit:
            now = chosen(unit)
        former = None if now.former is None else self._one(plain, now.former.sha256)
        return replace(self._one(plain, now.manifest.sha256), former=former, in_use=now.in_use)

    def _one(self, plain: Recogniser, sha256: str) -> Recogniser:
        embedder = self.embedder if sha256 == OLD else Turned()
        return replace(plain, embedder=embedder, model_sha256=sha256)

    def calibrations(self, unit: Unit) -> Mapping[str, Calibration]:
        now, [known] = chosen(unit), super().calibrations(unit).values()
        models = (now.manifest, now.former)
        return {one.sha256: known for one in models if one is not None}

    @property
    def change(self) -> ChangeOver:
        return ChangeOver(self.repository, self.book, lambda _: self.embedder,
                          self.galleries.let_go)  # fmt: skip

    @property
    def model_book(self) -> ModelBook:
        return ModelBook(self.repository, self.book, self.folder / "models")

    def use(self, name: str, *, only: bool = False) -> ChangedOver:
        self.clock.forward(seconds=1)
        return self.change(name, only=only)

    def again(self, name: str, who: int) -> None:
        """Ask somebody again; they give a new image and a new form."""
        self.clock.forward(seconds=1)
        with self.repository.reading() as unit:
            person = unit.people.get(name).id
        self.enrol(name, who, "recognise", person=person, evidence=form(f"{name} {who} again"))

    def states(self) -> dict[str, tuple[State, int]]:
        return {one.manifest.name: (one.state, one.people) for one in self.model_book.all()[1:]}

    def seen(self, path: str) -> dict[str, tuple[Link, str]]:
        """Of a photograph: whom comparisons found, as what, and by which model."""
        with self.repository.reading() as unit:
            names = {person.id: person.name for person in unit.people.all()}
            found = {}
            for person, name in names.items():
                for trace in unit.holdings.traces(person):
                    if trace.model_sha256 and path in unit.photographs.get(trace.photo).paths:
                        found[name] = (Link(trace.link), trace.model_sha256)
        return found


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> RecogniserManifest:
    found = read(made.manifest(tmp_path_factory.mktemp("manifest"))).manifest
    assert isinstance(found, RecogniserManifest)
    return found


@pytest.fixture
def world(tmp_path: Path, manifest: RecogniserManifest) -> Iterator[Changing]:
    world = Changing.create(tmp_path / "workspace", WorkspaceKey(bytes(32)))
    assert isinstance(world, Changing)
    with world.repository.writing() as unit:
        for sha256, name in ((NEW, "New"), (THIRD, "Third")):
            other = replace(manifest, sha256=sha256, name=name)
            unit.models.add(sha256, name, dumped(other), world.clock())
    yield world
    world.close()


def lived_in(world: Changing) -> None:
    """Ada and Ben, enrolled and found by the model that comes with Sayso."""
    source = world.collection()
    source.put("both.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), number=1))
    world.enrol("Ada", ADA, "recognise find")
    world.enrol("Ben", BEN, "recognise find")
    world.scan("club")
    assert world.seen("both.png") == {"Ada": (Link.MATCH, OLD), "Ben": (Link.MATCH, OLD)}


def test_whoever_was_not_asked_again_stays_with_the_model_before(world: Changing) -> None:
    lived_in(world)
    done = world.use("new")
    assert [one.name for one in done.to_ask] == ["Ada", "Ben"]
    assert done.ended is None
    assert world.states() == {
        DEFAULT.name: (State.LEFT, 2), "New": (State.IN_USE, 0), "Third": (State.ADDED, 0),
    }  # fmt: skip
    world.again("Ada", ADA)
    assert world.states()["New"] == (State.IN_USE, 1)
    assert world.states()[DEFAULT.name] == (State.LEFT, 1)
    source = world.sources["photographs-club"]
    source.put("later.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), number=2))
    source.put("nobody.png", picture(Head(NOBODY), number=3))
    world.scan("club")
    assert world.seen("later.png") == {"Ada": (Link.MATCH, NEW), "Ben": (Link.MATCH, OLD)}
    assert world.seen("both.png") == {"Ada": (Link.MATCH, NEW), "Ben": (Link.MATCH, OLD)}
    assert world.seen("nobody.png") == {}
    assert [one.name for one in world.use("New").to_ask] == ["Ben"]


def test_one_to_one_too_is_by_the_model_of_which_there_is_a_reference(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    for name, place, model in (("Ada", 0, NEW), ("Ben", 1, OLD)):
        found = world.verify("both.png", world.face("both.png", place), name)
        assert found.similarity is None  # the name is for nobody; what was found is kept
        assert world.seen("both.png")[name] == (Link.MATCH, model)
    world.use("New", only=True)
    with pytest.raises(PersonUnknown):
        world.verify("both.png", world.face("both.png", 1), "Ben")


def test_a_face_that_matches_by_both_models_is_a_doubt(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    source = world.sources["photographs-club"]
    source.put("mixed.png", picture(Head(ADA, also=BEN), number=4))
    world.scan("club")
    assert world.seen("mixed.png") == {"Ada": (Link.REVIEW, NEW), "Ben": (Link.REVIEW, OLD)}


def test_both_models_together_keep_the_promise(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    recogniser = world.load_recogniser()
    with world.repository.reading() as unit:
        collection = unit.collections.get("club")
    scope = open_scope(world.repository, recogniser, collection, world.clock)
    assert isinstance(scope, SideBySide)
    assert len(scope) == 2
    shares = [
        recogniser.calibration.false_positive_rate(part.limits.match, references=1)
        for part in scope.parts  # one reference is in each
    ]
    assert 0 < sum(shares) <= recogniser.promise.false_names


def test_when_nobody_is_left_the_change_is_over_and_nothing_of_the_old_model_is_left(
    world: Changing,
) -> None:
    lived_in(world)
    with world.database.reading() as connection:
        before = connection.exec_driver_sql("SELECT id, sealed FROM templates").all()
    assert len(before) == 2
    world.use("New")
    assert world.change.finish() is None
    world.again("Ada", ADA)
    world.again("Ben", BEN)
    assert world.count("templates") == 4
    ended = world.change.finish()
    assert ended is not None
    assert (ended.left, ended.templates, ended.people, ended.swept) == (DEFAULT, 2, (), True)
    assert world.change.finish() is None
    assert world.count("templates") == 2
    on_disk = world.on_disk()
    for template, sealed in before:
        assert template.encode() not in on_disk
        assert sealed[:24] not in on_disk
        assert sealed[-24:] not in on_disk
    assert world.seen("both.png") == {}
    assert len(world.database.keys.holders()) == 2
    world.catch_up()
    assert world.seen("both.png") == {"Ada": (Link.MATCH, NEW), "Ben": (Link.MATCH, NEW)}
    last = [one.draft for one in world.entries() if one.draft.action is Action.MODEL]
    assert [one.details["change"] for one in last] == ["begun", "ended"]
    assert last[-1].details["references_destroyed"] == 2
    assert len(last[-1].subjects) == 2


def test_the_rest_can_be_left_out(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    done = world.use("New", only=True)
    assert done.ended is not None
    with world.repository.reading() as unit:
        ben = unit.people.get("Ben").id
        assert unit.templates.owners(OLD) == frozenset()
    assert done.ended.people == (ben,)
    assert ben not in world.database.keys.holders()
    world.catch_up()
    assert world.seen("both.png") == {"Ada": (Link.MATCH, NEW)}
    world.again("Ben", BEN)  # and comes back
    world.catch_up()
    assert world.seen("both.png")["Ben"] == (Link.MATCH, NEW)


def test_a_workspace_without_references_changes_at_once(world: Changing) -> None:
    done = world.use("New")
    assert done.ended is not None
    assert world.states()["New"] == (State.IN_USE, 0)
    assert world.use("New") == ChangedOver(done.manifest, (), None)


def test_a_withdrawal_ends_both(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    assert world.rights.withdraw("Ada").templates == 2
    assert world.states()["New"] == (State.IN_USE, 0)
    assert world.seen("both.png") == {"Ben": (Link.MATCH, OLD)}


def test_who_comes_back_with_the_old_model_missed_nothing(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    source = world.sources["photographs-club"]
    source.put("later.png", picture(Head(ADA, x=LEFT), number=2))
    world.scan("club")
    back = world.use(DEFAULT.name)
    assert back.ended is not None  # both have references of it still
    assert world.seen("later.png") == {}
    world.catch_up()
    assert world.seen("later.png") == {"Ada": (Link.MATCH, OLD)}


def test_one_change_ends_before_another_begins(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    with pytest.raises(ModelInUse):
        world.use("Third")
    for name in ("New", DEFAULT.name):
        with pytest.raises(ModelInUse):
            world.model_book.remove(name)
    assert world.model_book.remove("third").name == "Third"
    for name in ("Third", "", "n", "nobody"):
        with pytest.raises(ModelUnknown):
            world.use(name)


def test_who_works_on_with_the_model_before_is_stopped(world: Changing) -> None:
    lived_in(world)
    with world.repository.reading() as unit:
        collection = unit.collections.get("club")
    recogniser = world.load_recogniser()
    scope = open_scope(world.repository, recogniser, collection, world.clock)
    stale = replace(world.enrolling, load_recogniser=lambda: recogniser)
    world.use("New")
    shown = world.eye.look(picture(Head(ADA)))
    with pytest.raises(ModelChanged):
        scope.compare(*shown)
    before = world.rows()
    world.enrolling = stale
    with pytest.raises(ModelChanged):
        world.enrol("Cat", 2, "recognise")
    assert world.rows() == before


def test_in_memory_too_nobody_is_left_of_the_model_before(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    world.again("Ada", ADA)
    recogniser = world.load_recogniser()
    with world.repository.reading() as unit:
        collection = unit.collections.get("club")
    scope = open_scope(world.repository, recogniser, collection, world.clock)
    [[found]] = scope.compare(*world.eye.look(picture(Head(BEN))))
    assert found.likeness is Likeness.MATCH
    world.use("New", only=True)
    gallery = recogniser.galleries.of(collection, DIMENSION, OLD, besides=NEW)
    assert len(gallery) == 0


def test_a_new_reference_is_held_against_those_of_the_model_before(world: Changing) -> None:
    lived_in(world)
    world.use("New")
    with pytest.raises(ReferenceDisagrees):
        world.again("Ada", CAT)
    assert world.states()["New"] == (State.IN_USE, 0)
    world.again("Ada", ADA)
    assert world.states()["New"] == (State.IN_USE, 1)


def test_what_the_model_before_found_of_somebody_goes_once_they_are_compared_anew(
    world: Changing,
) -> None:
    lived_in(world)
    world.use("New")
    face = FaceId(world.face("both.png", 1))
    with world.repository.writing() as unit:  # a false match, perhaps why the model is left
        ada = unit.people.get("Ada").id
        unit.sightings.keep([Sighting(face, ada, Link.MATCH, 0.5)], model_sha256=OLD)
    world.catch_up()
    assert len(world.links()[face]) == 2  # nobody was compared anew
    world.again("Ada", ADA)
    world.catch_up()
    assert {one.person for one in world.links()[face]} != {ada}
    assert len(world.links()[face]) == 1


def test_a_rival_by_the_other_model_keeps_a_doubt_one(world: Changing) -> None:
    """Though by its number it would be none: similarities of two models are not set together."""
    lived_in(world)
    face = FaceId(world.face("both.png"))
    with world.repository.writing() as unit:
        ada, ben = (unit.people.get(name).id for name in ("Ada", "Ben"))
        club = unit.collections.get("club").id
        unit.sightings.keep([Sighting(face, ada, Link.REVIEW, 0.9)], model_sha256=NEW)
        unit.sightings.keep([Sighting(face, ben, Link.REVIEW, 0.5)], model_sha256=OLD)
        unit.sightings.settle(club, match=0.8, model_sha256=NEW, people=[ada])
    assert world.seen("both.png")["Ada"][0] is Link.REVIEW
    with world.repository.writing() as unit:
        unit.sightings.keep([Sighting(face, ben, Link.REVIEW, 0.5)], model_sha256=NEW)
        unit.sightings.settle(club, match=0.8, model_sha256=NEW, people=[ada])
    assert world.seen("both.png")["Ada"][0] is Link.MATCH
