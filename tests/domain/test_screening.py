from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.photo import Recognition
from sayso.domain.screening import FaceOutcome, Outcome, Verdict, screen_face, verdict
from sayso.domain.sighting import Link, Sighting

from .drawn import RULES, orderly_records, refusals
from .records import (
    ADA,
    BEN,
    WEBSITE,
    collection,
    day,
    event,
    lived,
    record,
    sighting,
)

_RECOGNISE = event(Act.GIVEN, "recognise", 0)
_PUBLISH = event(Act.GIVEN, "publish:website", 0)
PUBLISHES = lived(_RECOGNISE, _PUBLISH)
RECOGNISED_ONLY = lived(_RECOGNISE, event(Act.GIVEN, "find", 0))
BEN_PUBLISHES = record(
    event(Act.GIVEN, "recognise", 0, person=BEN),
    event(Act.GIVEN, "publish:website", 0, person=BEN),
    person=BEN,
)
LINKS = st.lists(
    st.builds(sighting, st.sampled_from(list(Link)), st.sampled_from([ADA, BEN])), max_size=4
)


def _screen(
    sightings: Sequence[Sighting],
    *consents: Consents,
    on: float = 1,
    mode: Recognition = Recognition.GROUP,
) -> FaceOutcome:
    known = {each.person: each for each in consents}
    return screen_face(sightings, known, collection(mode=mode), WEBSITE, day(on))


STRANGER = _screen([])


def test_a_strangers_face_is_covered_and_nobody_is_named() -> None:
    assert STRANGER.outcome is Outcome.COVER
    assert STRANGER.reason == "no_permit"
    assert STRANGER.person is None


@pytest.mark.parametrize("link", [Link.MATCH, Link.MARKED])
def test_who_said_yes_is_shown_and_the_permit_says_why(link: Link) -> None:
    shown = _screen([sighting(link)], PUBLISHES)
    assert shown.outcome is Outcome.SHOW
    assert shown.person == ADA
    assert shown.permit is not None
    assert _PUBLISH in shown.permit.rests_on


@pytest.mark.parametrize("links", [[Link.MATCH], [Link.REVIEW], [Link.MATCH, Link.REVIEW]])
@pytest.mark.parametrize(
    "consents", [record(), RECOGNISED_ONLY, lived(_PUBLISH), lived(_PUBLISH, born=None)]
)
def test_without_publish_or_recognise_a_face_looks_exactly_like_a_strangers(
    links: list[Link], consents: Consents
) -> None:
    assert _screen([sighting(link) for link in links], consents) == STRANGER
    assert _screen([sighting(link) for link in links]) == STRANGER


def test_withdrawing_covers_the_face_at_once() -> None:
    consents = PUBLISHES.append(event(Act.WITHDRAWN, "publish", 2))
    assert _screen([sighting(Link.MATCH)], consents, on=2) == STRANGER
    marked = _screen([sighting(Link.MARKED)], consents, on=2)
    assert (marked.outcome, marked.reason) == (Outcome.COVER, "consent_withdrawn")


def test_a_doubt_about_somebody_who_could_be_shown_is_a_humans_to_settle() -> None:
    doubt = _screen([sighting(Link.REVIEW)], PUBLISHES)
    assert (doubt.outcome, doubt.person) == (Outcome.REVIEW, None)


def test_two_people_who_both_match_are_a_doubt_until_a_human_rules_one_out() -> None:
    both = [sighting(Link.MATCH), sighting(Link.MATCH, BEN)]
    assert _screen(both, PUBLISHES, BEN_PUBLISHES).outcome is Outcome.REVIEW
    settled = [*both, sighting(Link.REJECTED, BEN)]
    assert _screen(settled, PUBLISHES, BEN_PUBLISHES).person == ADA


def test_the_refusal_of_one_of_two_lookalikes_does_not_show_the_other() -> None:
    both = [sighting(Link.MATCH), sighting(Link.MATCH, BEN)]
    refused = PUBLISHES.append(event(Act.WITHDRAWN, "publish:website", 1))
    assert _screen(both, refused, BEN_PUBLISHES) == STRANGER


def test_a_face_marked_as_two_people_is_shown_only_after_one_mark_goes() -> None:
    both = [sighting(Link.MARKED), sighting(Link.MARKED, BEN)]
    assert _screen(both, PUBLISHES, BEN_PUBLISHES).outcome is Outcome.REVIEW
    assert _screen(both, PUBLISHES).outcome is Outcome.COVER


def test_a_mark_wins_over_a_match_with_somebody_else() -> None:
    face = [sighting(Link.MARKED), sighting(Link.MATCH, BEN)]
    assert _screen(face, PUBLISHES, BEN_PUBLISHES).person == ADA
    assert _screen(face, BEN_PUBLISHES).outcome is Outcome.COVER


@pytest.mark.parametrize("consents", [PUBLISHES, RECOGNISED_ONLY, record()])
def test_a_face_both_marked_and_rejected_as_somebody_is_a_humans_to_settle(
    consents: Consents,
) -> None:
    links = [sighting(Link.MARKED), sighting(Link.REJECTED)]
    for both in (links, links[::-1], [*links, sighting(Link.MARKED, BEN)]):
        face = _screen(both, consents, BEN_PUBLISHES)
        assert (face.outcome, face.person) == (Outcome.REVIEW, None)


def test_a_rejection_of_one_person_does_not_unsettle_the_mark_of_another() -> None:
    face = [sighting(Link.MARKED), sighting(Link.REJECTED, BEN)]
    assert _screen(face, PUBLISHES, BEN_PUBLISHES).person == ADA


def test_a_record_filed_under_somebody_elses_name_shows_nobody() -> None:
    misfiled = {ADA: BEN_PUBLISHES}
    face = screen_face([sighting(Link.MATCH)], misfiled, collection(), WEBSITE, day(1))
    assert face == STRANGER


def test_where_nobody_is_recognised_only_a_human_can_show_a_face() -> None:
    assert _screen([sighting(Link.MATCH)], PUBLISHES, mode=Recognition.OFF) == STRANGER
    assert _screen([sighting(Link.MARKED)], PUBLISHES, mode=Recognition.OFF).person == ADA


@given(LINKS)
def test_who_was_ruled_out_is_never_shown(links: list[Sighting]) -> None:
    ruled_out = {s.person for s in links if s.link is Link.REJECTED}
    assert _screen(links, PUBLISHES, BEN_PUBLISHES).person not in ruled_out


@given(LINKS, st.booleans())
def test_more_rejections_leave_fewer_people_to_show(
    links: list[Sighting],
    all_of_them: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    people = [ADA, BEN] if all_of_them else [ADA]
    assume(not any(s.link is Link.MARKED for s in links))
    rejected = [*links, *(sighting(Link.REJECTED, person) for person in people)]
    after = _screen(rejected, PUBLISHES, BEN_PUBLISHES)
    assert after.person not in people
    if all_of_them:
        assert after == STRANGER


@RULES
@given(LINKS, orderly_records(), refusals(), st.integers(9, 12))
def test_a_refusal_more_never_shows_a_face_that_was_covered_or_in_review(
    links: list[Sighting], consents: Consents, refusal: ConsentEvent, today: int
) -> None:
    before = _screen(links, consents, BEN_PUBLISHES, on=today)
    events = (*consents.events, refusal)
    refused = Consents(consents.person, consents.born, consents.jurisdiction, events)
    if _screen(links, refused, BEN_PUBLISHES, on=today).outcome is Outcome.SHOW:
        assert before.outcome is Outcome.SHOW


@RULES
@given(LINKS, orderly_records(), st.integers(9, 12))
def test_only_what_is_shown_carries_a_permit_and_a_name(
    links: list[Sighting], consents: Consents, today: int
) -> None:
    face = _screen(links, consents, BEN_PUBLISHES, on=today)
    assert (face.outcome is Outcome.SHOW) == (face.permit is not None)
    assert (face.outcome is Outcome.SHOW) == (face.person is not None)
    if face.permit is not None:
        assert face.permit.at == day(today)


def test_a_photograph_takes_the_gravest_outcome_of_its_faces() -> None:
    for outcomes in product(Outcome, repeat=3):
        grave = verdict(outcomes)
        assert (grave is Verdict.REVIEW) == (Outcome.REVIEW in outcomes)
        assert (grave is Verdict.CLEAR) == (set(outcomes) == {Outcome.SHOW})
    assert verdict([]) is Verdict.CLEAR


def test_trying_names_does_not_tell_which_silent_person_a_face_is() -> None:
    """Ada granted ``recognise`` and ``find`` alone; her face also matches Ben, who publishes."""
    both = [sighting(Link.MATCH), sighting(Link.MATCH, BEN)]
    assert _screen(both, RECOGNISED_ONLY, BEN_PUBLISHES) == STRANGER
    without_ada = [*both, sighting(Link.REJECTED)]
    assert _screen(without_ada, RECOGNISED_ONLY, BEN_PUBLISHES) == STRANGER
