"""What holds of every record and every request, however absurd."""

from datetime import datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import Grant
from sayso.domain.majority import comes_of_age
from sayso.domain.person import Guardian
from sayso.domain.photo import CollectionId
from sayso.domain.policy import Permit, Refusal, Request, decide
from sayso.errors import UnlistedTransition

from .drawn import (
    GIVERS,
    NOWS,
    RULES,
    orderly_records,
    records,
    refusals,
    requests,
    written_records,
)
from .plain_rules import live, permits
from .records import (
    CLUB,
    GRANTS,
    SPORTS,
    UNNAMED,
    collection,
    day,
    event,
    find,
    outcome,
    permitted,
)

EVERY_COLLECTION = (CLUB, SPORTS, UNNAMED)


@RULES
@given(requests(), records(), NOWS)
def test_of_what_can_be_read_exactly_what_was_agreed_to_is_permitted(
    request: Request, consents: Consents, today: int
) -> None:
    answer = outcome(request, consents, today)
    agreed = permits(request, consents, day(today), EVERY_COLLECTION)
    assert answer in {"permit", "record_unreadable"} if agreed else answer != "permit"


@RULES
@given(records(), st.sampled_from(GRANTS), st.sampled_from(EVERY_COLLECTION), NOWS)
def test_a_live_consent_is_every_yes_that_stands_and_no_other(
    consents: Consents, grant: Grant, where: CollectionId, today: int
) -> None:
    try:
        answer = consents.live(grant, where, day(today))
    except UnlistedTransition:
        return
    standing = live(consents, grant, where, day(today))
    if isinstance(answer, Lack):
        assert not standing
    else:
        assert sorted(e.giver for e in answer) == sorted({e.giver for e in standing})
        assert set(answer) == set(standing)


@RULES
@given(
    requests(),
    orderly_records() | written_records(),
    st.integers(9, 12) | st.sampled_from([361, 367, 380]),
)
def test_what_was_accepted_into_a_record_can_be_read_and_holds(
    request: Request, consents: Consents, today: int
) -> None:
    """Whatever the clock did while it was written: once the last date is reached."""
    assume(request.person == consents.person)
    assert outcome(request, consents, today) != "record_unreadable"
    agreed = permits(request, consents, day(today), EVERY_COLLECTION)
    assert permitted(request, consents, day(today)) == agreed


@RULES
@given(requests(), records(), refusals(), st.data(), NOWS)
def test_a_refusal_more_never_permits_more(
    request: Request, consents: Consents, refusal: ConsentEvent, data: st.DataObject, today: int
) -> None:
    place = data.draw(st.integers(0, len(consents.events)), label="place in the record")
    events = (*consents.events[:place], refusal, *consents.events[place:])
    refused_more = Consents(consents.person, consents.born, consents.jurisdiction, events)
    if permitted(request, refused_more, day(today)):
        assert permitted(request, consents, day(today))


@RULES
@given(orderly_records(), st.sampled_from(GRANTS), GIVERS, st.booleans(), st.integers(9, 12), NOWS)
def test_withdrawing_holds_for_the_very_next_decision(  # noqa: PLR0913, PLR0917 - the draw
    consents: Consents,
    grant: Grant,
    guardian: Guardian | None,
    every_target: bool,  # noqa: FBT001 - drawn by Hypothesis
    today: int,
    later: int,
) -> None:
    """Not a microsecond later, and for as long as the giver may answer for the person."""
    word = str(grant).partition(":")[0] if every_target else str(grant)
    after = consents.append(event(Act.WITHDRAWN, word, today, guardian=guardian))
    now = day(max(today, later))
    born = consents.born
    if guardian is not None and born is not None:
        assume(now.date() < comes_of_age(born, consents.jurisdiction))
    for where in EVERY_COLLECTION:
        assert isinstance(after.live(grant, where, now), Lack)
        if grant.purpose == "find":
            assert not permitted(find(where=collection(where)), after, now)


@RULES
@given(records(), refusals())
def test_a_refusal_can_be_recorded_whatever_the_record_and_its_own_date(
    consents: Consents, refusal: ConsentEvent
) -> None:
    after = consents.append(refusal)
    assert after.events == (*consents.events, refusal)
    long_ago = day(-400)
    for where in EVERY_COLLECTION:
        if refusal.guardian is None and refusal.scope.covers(where):
            for grant in (grant for grant in GRANTS if refusal.covers(grant, where)):
                for now in (long_ago, refusal.at, day(50_000)):
                    assert not _stands(after, grant, where, now)


def _stands(consents: Consents, grant: Grant, where: CollectionId, now: datetime) -> bool:
    try:
        return not isinstance(consents.live(grant, where, now), Lack)
    except UnlistedTransition:
        return False


@RULES
@given(requests(), records(), NOWS)
def test_every_question_gets_the_same_answer_each_time_and_never_an_error(
    request: Request, consents: Consents, today: int
) -> None:
    first = decide(request, consents, day(today))
    again = decide(
        request,
        Consents(consents.person, consents.born, consents.jurisdiction, consents.events),
        day(today),
    )
    assert isinstance(first, Permit | Refusal)
    assert first == again
    assert first.request == request
    assert first.at == day(today)


@RULES
@given(requests(), records(), NOWS)
def test_a_permit_rests_on_consents_of_this_person_that_were_given_before_it(
    request: Request, consents: Consents, today: int
) -> None:
    answer = decide(request, consents, day(today))
    if isinstance(answer, Permit):
        assert answer.rests_on
        for yes in answer.rests_on:
            assert yes in consents.events
            assert yes.act in {Act.GIVEN, Act.RENEWED}
            assert yes.at <= day(today) < (yes.expires or day(today) + timedelta(days=1))


@RULES
@given(
    records(), st.sampled_from(GRANTS), st.sampled_from(EVERY_COLLECTION), NOWS, st.floats(0, 0.999)
)
def test_time_alone_changes_no_answer_before_the_instant_that_is_told(
    record: Consents, grant: Grant, place: CollectionId, number: int, share: float
) -> None:
    now = day(number)
    changes = record.changes_after(now)
    later = now + share * ((changes or day(number + 500)) - now)
    assert _answer(record, grant, place, later) == _answer(record, grant, place, now)


def _answer(
    record: Consents, grant: Grant, place: CollectionId, at: datetime
) -> Lack | tuple[ConsentEvent, ...] | None:
    try:
        return record.live(grant, place, at)
    except UnlistedTransition:
        return None
