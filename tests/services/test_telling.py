"""Who is told what: identify, verify, find, screen. A stranger and a silent yes look alike."""

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sayso.domain.face import Box
from sayso.domain.grant import Audience, Channel
from sayso.domain.matching import Likeness
from sayso.domain.photo import Recognition
from sayso.domain.screening import Verdict
from sayso.errors import (
    CollectionUnknown,
    Denied,
    FaceUnknown,
    PersonUnknown,
    PhotographUnknown,
    SettingMalformed,
)
from sayso.store.tables import consent_events

from .drawing import ADA, BEN, LEFT, NOBODY, RIGHT, Head, faint, picture
from .world import PUBLIC, STAFF, WEBSITE, World

TEAM = Audience("group:team")


def outcomes(world: World, channel: Channel = WEBSITE) -> dict[str, list[tuple[str, str]]]:
    """For each path outcome and reason of its faces, from left to right."""
    screening = world.screen("club", channel)
    return {
        path: [
            (face.outcome.outcome.value, face.outcome.reason)
            for face in sorted(screened.faces, key=lambda face: face.stored.face.box.x)
        ]
        for path, screened in screening.files()
    }


def paths(world: World, person: str) -> list[str]:
    return [found.path for found in world.find(person)[1]]


def test_identify_tells_name_fields_and_similarity_of_those_who_said_yes(world: World) -> None:
    world.collection()
    ada = world.enrol("Ada", ADA, "recognise name:staff", fields="phone=1@staff").person
    faces = world.identify(picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    known, stranger = sorted(faces, key=lambda face: face.box.x)
    assert known.person is not None
    assert (known.person.id, known.person.name) == (ada.id, "Ada")
    assert known.person.fields == {"phone": "1"}
    assert known.similarity == pytest.approx(1, abs=1e-3)
    assert (stranger.person, stranger.similarity) == (None, None)


def test_who_is_recognised_but_not_named_looks_exactly_like_a_stranger(world: World) -> None:
    source = world.collection()
    data = picture(Head(ADA))
    source.put("a.png", data)
    world.scan("club")
    before = (world.identify(data), outcomes(world))
    world.enrol("Ada", ADA, "recognise find")
    world.scan("club")
    assert (world.identify(data), outcomes(world)) == before
    assert paths(world, "Ada") == ["a.png"]


def test_a_doubt_about_somebody_who_shows_nothing_is_not_put_to_a_human(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find")
    source.put("a.png", picture(Head(faint(ADA))))
    world.scan("club")
    assert outcomes(world) == {"a.png": [("cover", "no_permit")]}


@pytest.mark.parametrize("audience", [PUBLIC, TEAM, Audience("group:team2")])
def test_a_name_goes_to_no_other_audience(world: World, audience: Audience) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise name:staff", fields="phone=1@staff")
    [face] = world.identify(picture(Head(ADA)), audience)
    assert face.person is None
    assert face.similarity is None


def test_public_is_not_a_way_to_what_staff_may_know(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise name:public name:staff", fields="phone=1@staff")
    [face] = world.identify(picture(Head(ADA)), PUBLIC)
    assert face.person is not None
    assert face.person.fields == {}


def test_a_doubt_is_told_to_nobody(world: World) -> None:
    world.collection()
    world.enrol("Ada", ADA, "recognise name:staff")
    world.enrol("Ben", BEN, "recognise name:staff")
    for data in (
        picture(Head(faint(ADA))),
        picture(Head(ADA, also=BEN)),
        picture(Head(ADA, side=30)),
    ):
        [face] = world.identify(data)
        assert (face.person, face.similarity) == (None, None)


@pytest.mark.parametrize(
    ("mode", "code"),
    [(Recognition.OFF, "recognition_off"), (Recognition.SELECTED, "recognition_selected")],
)
def test_identify_is_denied_where_not_every_face_may_be_compared(
    world: World, mode: Recognition, code: str
) -> None:
    world.collection(recognition=mode)
    with pytest.raises(Denied) as caught:
        world.identify(picture(Head(ADA)))
    assert caught.value.reason_code == code
    assert world.loads == 0
    with pytest.raises(CollectionUnknown):
        world.identify(picture(Head(ADA)), collection="nowhere")


def test_an_expired_consent_tells_nothing_from_its_first_instant(world: World) -> None:
    source = world.collection()
    ends = world.clock.now + timedelta(days=10)
    world.enrol("Ada", ADA, "recognise find name:staff publish:website", expires=ends)
    data = picture(Head(ADA))
    source.put("a.png", data)
    world.scan("club")
    world.clock.now = ends - timedelta(microseconds=1)
    assert world.identify(data)[0].person is not None
    assert outcomes(world) == {"a.png": [("show", "consent")]}
    world.clock.now = ends
    assert world.identify(data)[0].person is None
    assert outcomes(world) == {"a.png": [("cover", "no_permit")]}
    with pytest.raises(Denied) as caught:
        world.find("Ada")
    assert caught.value.reason_code == "consent_expired"


def test_when_retention_is_over_nothing_is_told_or_shown(world: World) -> None:
    source = world.collection(retain_days=10)
    world.enrol("Ada", ADA, "recognise find name:staff publish:website")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(ADA, x=RIGHT)))
    world.scan("club")
    world.judge.mark("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": [("show", "consent")] * 2}
    world.clock.forward(days=10)
    assert outcomes(world) == {"a.png": [("cover", "retention_over"), ("cover", "no_permit")]}
    for refused in (
        lambda: world.identify(picture(Head(ADA))),
        lambda: world.find("Ada"),
        lambda: world.scan("club"),
    ):
        with pytest.raises(Denied) as caught:
            refused()
        assert caught.value.reason_code == "retention_over"


def test_find_gives_a_persons_own_photographs_best_first(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find")
    source.put("both.png", picture(Head(ADA, also=BEN), number=1))
    source.put("alone.png", picture(Head(ADA), number=2))
    source.put("marked.png", picture(Head(NOBODY), number=3))
    source.put("other.png", picture(Head(BEN), number=4))
    world.scan("club")
    world.judge.mark("marked.png", world.face("marked.png"), "Ada")
    found = world.find("Ada")[1]
    assert [one.path for one in found] == ["marked.png", "alone.png", "both.png"]
    assert found[0].similarity is None
    assert found[1].similarity == pytest.approx(1, abs=1e-3)


def test_find_needs_its_own_yes(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise name:staff publish:website")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    with pytest.raises(Denied) as caught:
        world.find("Ada")
    assert caught.value.reason_code == "no_consent"
    with pytest.raises(PersonUnknown):
        world.find("nobody")


def test_find_stays_in_the_collections_that_the_consent_names(world: World) -> None:
    for name in ("club", "sports"):
        world.collection(name).put(f"{name}.png", picture(Head(ADA)))
    world.enrol("Ada", ADA, "recognise find", collections=("sports",))
    for name in ("club", "sports"):
        world.scan(name)
    assert paths(world, "Ada") == ["sports.png"]


def test_a_rejected_face_is_not_that_person_any_more(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find publish:website")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    world.judge.reject("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": [("cover", "no_permit")]}
    assert paths(world, "Ada") == []
    world.judge.take_back("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": [("show", "consent")]}
    assert paths(world, "Ada") == ["a.png"]
    with pytest.raises(FaceUnknown):
        world.judge.take_back("a.png", world.face("a.png"), "Ada")


def test_a_face_marked_as_somebody_else_is_not_found_by_a_match(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find publish:website")
    world.enrol("Ben", BEN, "find", evidence=None)
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    world.judge.mark("a.png", world.face("a.png"), "Ben")
    assert paths(world, "Ada") == []
    assert paths(world, "Ben") == ["a.png"]
    assert outcomes(world) == {"a.png": [("cover", "no_consent")]}


def test_two_alike_people_are_a_doubt_whoever_said_yes_first(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find publish:website")
    source.put("a.png", picture(Head(ADA, also=BEN)))
    world.scan("club")
    assert outcomes(world) == {"a.png": [("show", "consent")]}
    world.enrol("Ben", BEN, "recognise find publish:website")
    world.scan("club")
    assert outcomes(world) == {"a.png": [("review", "doubtful")]}
    assert paths(world, "Ada") == paths(world, "Ben") == []
    world.judge.reject("a.png", world.face("a.png"), "Ben")
    assert (paths(world, "Ada"), paths(world, "Ben")) == (["a.png"], [])


def test_a_human_settles_a_doubt(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise publish:website")
    source.put("a.png", picture(Head(faint(ADA))))
    world.scan("club")
    assert outcomes(world) == {"a.png": [("review", "doubtful")]}
    assert world.screen("club", WEBSITE).counts()[Verdict.REVIEW] == 1
    world.judge.mark("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": [("show", "consent")]}
    world.judge.reject("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": [("cover", "no_permit")]}


def test_without_any_biometrics_a_human_can_still_mark_and_show(world: World) -> None:
    source = world.collection(recognition=Recognition.OFF)
    world.enrol("Ada", ADA, "find publish:website name:staff", evidence=None, images=())
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    world.scan("club")
    world.judge.mark("a.png", world.face("a.png"), "Ada")
    assert outcomes(world) == {"a.png": [("show", "consent"), ("cover", "no_permit")]}
    assert paths(world, "Ada") == ["a.png"]
    assert world.loads == world.embedder.computed == 0
    [name] = [f.name for s in world.screen("club", WEBSITE).photographs for f in s.faces if f.name]
    assert name == "Ada"


def test_a_face_that_nothing_found_can_be_drawn_and_marked(world: World) -> None:
    source = world.collection(recognition=Recognition.OFF)
    world.enrol("Ada", ADA, "publish:social", evidence=None, images=())
    source.put("a.png", picture())
    world.scan("club")
    assert outcomes(world) == {"a.png": []}
    world.judge.mark("a.png", "[0.1, 0.1, 0.2, 0.2]", "Ada")
    assert outcomes(world) == {"a.png": [("cover", "no_consent")]}
    assert outcomes(world, Channel("social")) == {"a.png": [("show", "consent")]}


@pytest.mark.parametrize("box", ["1,2", "a,b,c,d", "0,0,0,0", "nan,0,1,1", "0,0,-1,1", "0,0,1,1,1"])
def test_a_box_that_is_none_changes_nothing(world: World, box: str) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "publish:website")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    before = world.rows()
    with pytest.raises((SettingMalformed, FaceUnknown)):
        world.judge.mark("a.png", box, "Ada")
    assert world.rows() == before


@pytest.mark.parametrize("photo", ["nothing.png", "77", "9" * 30, "-1", "²", ""])
def test_a_photograph_that_is_not_known_is_said_to_be(world: World, photo: str) -> None:
    world.collection()
    world.enrol("Ada", ADA, "publish:website")
    with pytest.raises(PhotographUnknown):
        world.judge.mark(photo, "1", "Ada")


def test_a_path_that_lies_in_two_collections_asks_which(world: World) -> None:
    for name in ("club", "sports"):
        world.collection(name).put("a.png", picture(Head(ADA)))
        world.scan(name)
    world.enrol("Ada", ADA, "publish:website")
    with pytest.raises(PhotographUnknown, match="club, sports"):
        world.judge.mark("a.png", "1", "Ada")
    whole = str(world.folder.parent / "photographs-sports" / "a.png")
    world.judge.mark(whole, "0.125,0.25,0.2,0.3", "Ada")
    assert world.screen("sports", WEBSITE).counts()[Verdict.CLEAR] == 1


def test_verify_compares_one_chosen_face_with_one_person(world: World) -> None:
    source = world.collection(recognition=Recognition.SELECTED)
    world.enrol("Ada", ADA, "recognise name:staff publish:website")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    world.scan("club")
    computed = world.embedder.computed
    done = world.verify("a.png", world.face("a.png"), "Ada")
    assert done.likeness is Likeness.MATCH
    assert world.embedder.computed == computed + 1
    assert world.verify("a.png", world.face("a.png", 1), "Ada").likeness is Likeness.NEITHER
    assert outcomes(world) == {"a.png": [("show", "consent"), ("cover", "no_permit")]}


def test_verify_tells_nothing_of_somebody_whose_name_is_not_for_staff(world: World) -> None:
    source = world.collection(recognition=Recognition.SELECTED)
    world.enrol("Ada", ADA, "recognise publish:website")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    world.scan("club")
    answers = [world.verify("a.png", world.face("a.png", place), "Ada") for place in (0, 1)]
    assert [(one.likeness, one.similarity) for one in answers] == [(None, None)] * 2
    assert outcomes(world) == {"a.png": [("show", "consent"), ("cover", "no_permit")]}


def test_a_doubt_about_somebody_silent_cannot_be_told_from_a_stranger(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    world.scan("club")
    for place in (0, 1):
        with pytest.raises(FaceUnknown, match="of which nothing may be told"):
            world.judge.reject_all("a.png", world.face("a.png", place))


def test_verify_is_denied_without_recognise_and_in_collections_without_recognition(
    world: World,
) -> None:
    world.collection("off", Recognition.OFF).put("off.png", picture(Head(ADA)))
    world.collection("club", Recognition.SELECTED).put("a.png", picture(Head(ADA)))
    world.enrol("Ada", ADA, "recognise")
    world.enrol("Ben", BEN, "publish:website")
    for name in ("off", "club"):
        world.scan(name)
    loads, computed = world.loads, world.embedder.computed
    for photo, person, code in (
        ("off.png", "Ada", "recognition_off"),
        ("a.png", "Ben", "no_consent"),
    ):
        with pytest.raises(Denied) as caught:
            world.verify(photo, world.face(photo), person)
        assert caught.value.reason_code == code
    assert (world.loads, world.embedder.computed) == (loads, computed)


def test_somebody_who_withdraws_while_being_verified_is_not_kept(world: World) -> None:
    source = world.collection(recognition=Recognition.SELECTED)
    world.enrol("Ada", ADA, "recognise")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    other = world.beside()
    source.on_read = lambda _path: dataclasses.asdict(other.rights.withdraw("Ada")).clear()
    with pytest.raises(Denied):
        world.verify("a.png", world.face("a.png"), "Ada")
    assert world.count("sightings") == 0
    other.close()


def test_a_photograph_scanned_again_while_being_verified_asks_to_choose_again(
    world: World,
) -> None:
    source = world.collection(recognition=Recognition.SELECTED)
    world.enrol("Ada", ADA, "recognise")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    other = world.beside()

    def look_again(_path: str) -> None:
        source.on_read = lambda _path: None
        other.detector.haunted = Box(0.7, 0.1, 0.2, 0.2)
        other.scan("club", again=True)

    source.on_read = look_again
    with pytest.raises(FaceUnknown, match="Choose the face again"):
        world.verify("a.png", world.face("a.png"), "Ada")
    assert world.count("sightings") == 0
    other.close()


def test_screening_names_nobody_who_does_not_want_to_be_named(world: World) -> None:
    source = world.collection()
    ada = world.enrol("Ada", ADA, "recognise publish:website").person
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    [screened] = world.screen("club", WEBSITE).photographs
    assert (screened.faces[0].person, screened.faces[0].name) == (ada.id, None)


def test_a_yes_to_one_channel_is_none_to_another(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise publish:internal name:staff")
    source.put("a.png", picture(Head(ADA)))
    world.scan("club")
    assert outcomes(world, Channel("internal")) == {"a.png": [("show", "consent")]}
    [screened] = world.screen("club", WEBSITE).photographs
    assert (screened.faces[0].person, screened.faces[0].name) == (None, None)
    assert world.screen("club", Channel("internal")).photographs[0].faces[0].name == "Ada"
    assert STAFF == "staff"


def test_a_photograph_that_lies_twice_counts_twice(world: World) -> None:
    source = world.collection()
    data = picture(Head(NOBODY))
    source.put("a.png", data)
    source.put("b.png", data)
    source.put("empty.png", picture())
    world.scan("club")
    assert world.screen("club", WEBSITE).counts() == {
        Verdict.CLEAR: 1, Verdict.COVER: 2, Verdict.REVIEW: 0, Verdict.WITHHOLD: 0
    }  # fmt: skip


def test_a_record_that_cannot_be_read_permits_nothing_and_harms_nobody_else(world: World) -> None:
    source = world.collection()
    ada = world.enrol("Ada", ADA, "recognise find name:staff publish:website").person
    world.enrol("Ben", BEN, "recognise find name:staff publish:website")
    source.put("a.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT)))
    world.scan("club")
    with world.database.writing() as connection:
        of_ada = consent_events.c.person_id == ada.id
        connection.execute(sa.update(consent_events).where(of_ada).values(act="blessed"))
    assert outcomes(world) == {"a.png": [("cover", "no_permit"), ("show", "consent")]}
    with pytest.raises(Denied, match="cannot be read"):
        world.find("Ada")
    assert world.rights.withdraw("Ada").templates == 1
    assert world.rights.erase("Ada").person == ada.id
