from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from sayso.domain.event import Act
from sayso.domain.person import Guardian, ProfileField
from sayso.errors import (
    CollectionUnknown,
    ConsentMalformed,
    Denied,
    EvidenceRequired,
    EvidenceWithdrawn,
    FaceTooBlurred,
    FaceTooSmall,
    GrantUnknown,
    GuardianRequired,
    NoFace,
    NotAPhotograph,
    PersonUnknown,
    PhotographTruncated,
    SaysoError,
    SeveralFaces,
)
from sayso.services.enrol import Enrolled
from sayso.services.enrolment import Image
from sayso.services.recognition import Recogniser

from .drawing import ADA, BEN, Head, picture, portrait, vector
from .world import PUBLIC, STAFF, World, enrolment, form

MOTHER = Guardian("Mary", "mother", "school register")
CHILD = date(2015, 3, 1)
PHONE = ProfileField("phone", "1", STAFF)
ALL = "recognise find name:staff publish:website"


def image(data: bytes) -> tuple[Image, ...]:
    return (Image("a.png", data),)


REFUSED: dict[str, tuple[type[SaysoError], str, dict[str, Any]]] = {
    "no grant": (GrantUnknown, "", {}),
    "blank name": (GrantUnknown, "find", {"name": "  "}),
    "field without its audience": (ConsentMalformed, "find", {"fields": (PHONE,)}),
    "field for another audience": (
        ConsentMalformed,
        "name:staff",
        {"fields": (replace(PHONE, audience=PUBLIC),)},
    ),
    "unknown collection": (CollectionUnknown, "find", {"collections": ("nowhere",)}),
    "unknown person": (PersonUnknown, "find", {"person": "nobody"}),
    "recognise without evidence": (EvidenceRequired, "recognise", {"evidence": None}),
    "recognise without image": (NoFace, "recognise", {"images": ()}),
    "minor without guardian": (GuardianRequired, "find", {"born": CHILD}),
    "expired already": (ConsentMalformed, ALL, {"expires": datetime(2020, 1, 1, tzinfo=UTC)}),
    "guardian of an adult": (Denied, ALL, {"born": date(1990, 1, 1), "guardian": MOTHER}),
    "no face": (NoFace, ALL, {"images": image(picture())}),
    "two faces": (
        SeveralFaces,
        ALL,
        {"images": image(picture(Head(ADA, x=90), Head(BEN, x=290)))},
    ),
    "small face": (FaceTooSmall, ALL, {"images": image(picture(Head(ADA, x=220, side=40)))}),
    "blurred face": (
        FaceTooBlurred,
        ALL,
        {"images": image(picture(Head(ADA, x=160, side=180, sharp=False)))},
    ),
    "no photograph": (NotAPhotograph, ALL, {"images": image(b"words")}),
    "half a photograph": (PhotographTruncated, ALL, {"images": image(portrait(ADA)[:2000])}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_enrolment_says_why_and_keeps_nothing(world: World, what: str) -> None:
    error, grants, changes = REFUSED[what]
    before = world.rows()
    with pytest.raises(error) as caught:
        world.enrolling(replace(enrolment("Ada", ADA, grants), **changes))
    assert caught.value.remedy
    assert world.rows() == before


def test_an_enrolment_keeps_person_consent_fields_and_a_sealed_reference(world: World) -> None:
    done = world.enrol("  Ada   Lovelace ", ADA, ALL, fields="phone=1@staff")
    assert done.person.name == "Ada Lovelace"
    assert len(done.templates) == world.count("templates") == 1
    assert [quality.refused for quality in done.quality] == [None]
    with world.repository.reading() as unit:
        record = unit.people.consents(done.person.id)
        assert [event.act for event in record.events] == [Act.GIVEN] * 4
        assert {str(event.purpose) for event in record.events} == {
            "recognise", "find", "name", "publish"
        }  # fmt: skip
        assert all(event.evidence == form("  Ada   Lovelace ") for event in record.events)
        assert unit.people.fields(done.person.id)[0].audience == STAFF
    assert vector(ADA)[:8].tobytes() not in world.on_disk()


def test_without_recognise_images_are_not_even_opened(world: World) -> None:
    done = world.enrol("Ada", ADA, "find publish:website", images=image(b"words"), evidence=None)
    assert (done.templates, done.quality) == ((), ())
    assert world.loads == world.count("templates") == world.count("data_keys") == 0


def test_one_bad_image_among_good_ones_is_reported_and_left_out(world: World) -> None:
    images = (
        Image("good.png", portrait(ADA)),
        Image("empty.png", picture()),
        Image("words.txt", b"words"),
        Image("other.png", portrait(ADA, number=1)),
    )
    done = world.enrol("Ada", ADA, ALL, images=images)
    assert len(done.templates) == 2
    refused = {quality.path: quality.refused for quality in done.quality}
    assert refused["good.png"] is refused["other.png"] is None
    assert isinstance(refused["empty.png"], NoFace)
    assert isinstance(refused["words.txt"], NotAPhotograph)


def test_a_bystander_in_the_background_does_no_harm(world: World) -> None:
    data = picture(Head(BEN, x=10, y=10, side=32), Head(ADA, x=160, y=60, side=180))
    world.enrol("Ada", ADA, ALL, images=image(data))
    world.collection()
    [face] = world.identify(picture(Head(ADA)))
    assert face.person is not None
    assert face.similarity is not None
    assert np.isclose(face.similarity, 1.0, atol=1e-3)


def test_the_same_enrolment_again_changes_nothing(world: World) -> None:
    first = world.enrol("Ada", ADA, ALL, fields="phone=1@staff")
    before = world.rows()
    world.clock.forward(days=1)
    second = world.enrol("Ada", ADA, ALL, fields="phone=1@staff")
    assert (first.unchanged, second.unchanged) == (False, True)
    assert (second.person, second.templates) == (first.person, first.templates)
    assert world.rows() == before


@pytest.mark.parametrize(
    "change",
    [
        {"images": (Image("a.png", portrait(ADA, number=1)),)},
        {"grants": enrolment("Ada", ADA, "find name:staff").grants},
        {"fields": (replace(PHONE, value="2"),)},
        {"evidence": form("another")},
        {"expires": datetime(2030, 1, 1, tzinfo=UTC)},
    ],
)
def test_another_enrolment_of_the_same_name_is_somebody_else(
    world: World, change: dict[str, Any]
) -> None:
    wish = enrolment("Ada", ADA, ALL, fields="phone=1@staff")
    world.enrolling(wish)
    other = world.enrolling(replace(wish, **change))
    assert (other.unchanged, other.namesakes) == (False, 1)
    assert world.count("persons") == 2


def test_two_who_run_the_same_table_at_once_do_not_enrol_anybody_twice(world: World) -> None:
    other = world.beside()
    raced: list[Enrolled] = []

    def load() -> Recogniser:
        """The other one is done while this one still looks at the image."""
        if not raced:
            raced.append(other.enrol("Ada", ADA, ALL))
        return world.load_recogniser()

    late = replace(world.enrolling, load_recogniser=load)(enrolment("Ada", ADA, ALL))
    assert late.unchanged
    assert late.person == raced[0].person
    assert world.count("persons") == world.count("templates") == 1
    other.close()


def test_somebody_who_withdrew_is_not_brought_back_by_the_same_enrolment(world: World) -> None:
    world.enrol("Ada", ADA, ALL)
    world.clock.forward(days=1)
    world.rights.withdraw("Ada")
    world.clock.forward(days=1)
    before = world.rows()
    for wish in (enrolment("Ada", ADA, ALL), enrolment("Ada", ADA, "publish:website")):
        with pytest.raises(EvidenceWithdrawn):
            world.enrolling(wish)
    assert world.rows() == before


def test_the_old_form_is_no_new_yes_under_another_spelling_either(world: World) -> None:
    ada = world.enrol("Ada", ADA, ALL).person
    world.clock.forward(days=1)
    world.rights.withdraw("Ada")
    world.clock.forward(days=1)
    changed: tuple[dict[str, Any], ...] = ({"name": " ADA "}, {"name": "ada", "person": ada.id})
    for changes in changed:
        with pytest.raises(EvidenceWithdrawn):
            world.enrolling(replace(enrolment("Ada", ADA, ALL), **changes))


def test_a_new_form_is_a_new_yes(world: World) -> None:
    ada = world.enrol("Ada", ADA, ALL).person
    world.clock.forward(days=1)
    world.rights.withdraw("Ada")
    world.clock.forward(days=1)
    done = world.enrol("Ada", ADA, ALL, person=ada.id, evidence=form("signed anew"))
    assert done.person == ada
    assert len(done.templates) == 1
    world.collection()
    [face] = world.identify(picture(Head(ADA)))
    assert face.person is not None


def test_somebody_who_was_erased_is_not_brought_back_by_the_same_form(world: World) -> None:
    world.enrol("Ada", ADA, ALL)
    world.enrol("Ben", BEN, "publish:website", evidence=None, images=())
    for name in ("Ada", "Ben"):
        world.rights.erase(name)
    with pytest.raises(EvidenceWithdrawn):
        world.enrol("Ada", ADA, "find")
    with pytest.raises(EvidenceWithdrawn):
        world.enrol("Ben", BEN, "publish:website", evidence=None, images=())
    assert world.count("persons") == 0


def test_a_minor_is_recognised_on_a_guardians_word_until_they_come_of_age(world: World) -> None:
    world.collection()
    world.enrol("Kit", ADA, ALL, born=date(2010, 6, 2), guardian=MOTHER)
    [face] = world.identify(picture(Head(ADA)))
    assert face.person is not None
    world.clock.now = datetime(2028, 6, 2, tzinfo=UTC)
    [face] = world.identify(picture(Head(ADA)))
    assert face.person is None


def test_fields_go_to_the_audience_that_they_were_listed_for(world: World) -> None:
    world.collection()
    world.enrol(
        "Ada", ADA, "recognise name:staff name:public", fields="phone=1@staff site=2@public"
    )
    [face] = world.identify(picture(Head(ADA)))
    assert face.person is not None
    assert face.person.fields == {"phone": "1"}


def test_adding_collections_keeps_the_references(world: World) -> None:
    world.collection()
    world.collection("sports")
    ada = world.enrol("Ada", ADA, "recognise name:staff", collections=("club",)).person
    assert world.identify(picture(Head(ADA)), collection="sports")[0].person is None
    world.clock.forward(seconds=1)
    world.enrol(
        "Ada", ADA, "recognise name:staff", collections=("sports",), images=(), person=ada.id,
        evidence=form("for sports"),
    )  # fmt: skip
    for name in ("club", "sports"):
        assert world.identify(picture(Head(ADA)), collection=name)[0].person is not None
    assert world.count("templates") == 1


def test_a_date_of_birth_can_be_added_and_then_asks_for_a_guardian(world: World) -> None:
    ada = world.enrol("Ada", ADA, "find").person
    with pytest.raises(GuardianRequired):
        world.enrol("Ada", ADA, "publish:website", person=ada.id, born=date(2020, 1, 1))
    world.enrol(
        "Ada",
        ADA,
        "publish:website",
        person=ada.id,
        born=date(2020, 1, 1),
        guardian=Guardian("Mary", "mother", "register"),
    )
    with world.repository.reading() as unit:
        assert unit.people.get(ada.id).born == date(2020, 1, 1)


@pytest.mark.parametrize("changes", [{"name": "Somebody Else"}, {"born": date(1991, 1, 1)}])
def test_adding_to_a_person_never_contradicts_what_is_known(
    world: World, changes: dict[str, Any]
) -> None:
    ada = world.enrol("Ada", ADA, "find", born=date(1990, 1, 1)).person
    before = world.rows()
    name = str(changes.pop("name", "Ada"))
    with pytest.raises(ConsentMalformed):
        world.enrol(name, ADA, "publish:website", person=ada.id, **changes)
    assert world.rows() == before
