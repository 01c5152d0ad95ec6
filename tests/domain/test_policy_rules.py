"""What holds of every record and every request, however absurd."""

from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import Grant
from sayso.domain.majority import comes_of_age
from sayso.domain.person import Guardian
from sayso.domain.policy import Permit, Refusal, Request, decide

from .drawn import GIVERS, NOWS, RULES, orderly_records, records, refusals, requests
from .plain_rules import Reading, is_yes, permits
from .records import CLUB, GRANTS, SPORTS, UNNAMED, collection, day, event, find, permitted

EVERY_COLLECTION = (CLUB, SPORTS, UNNAMED)


@RULES
@given(requests(), records(), NOWS)
def test_nothing_is_permitted_without_a_live_consent_for_exactly_that(
    request: Request, consents: Consents, today: int
) -> None:
    if permitted(request, consents, day(today)):
        assert permits(request, consents, day(today), Reading.GENEROUS, EVERY_COLLECTION)


@RULES
@given(requests(), orderly_records(), st.integers(9, 12) | st.sampled_from([361, 367, 380]))
def test_what_the_person_agreed_to_in_an_orderly_life_is_permitted(
    request: Request, consents: Consents, today: int
) -> None:
    if permits(request, consents, day(today), Reading.STRICT, EVERY_COLLECTION):
        assert permitted(request, consents, day(today))


@RULES
@given(requests(), records(), refusals(), st.data(), NOWS)
def test_a_refusal_more_never_permits_more(
    request: Request, consents: Consents, refusal: ConsentEvent, data: st.DataObject, today: int
) -> None:
    assume(not _touched_by_faults_1_and_2(consents))
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
        assert not isinstance(after.live(grant, where, now), ConsentEvent)
        if grant.purpose == "find":
            assert not permitted(find(where=collection(where)), after, now)


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


def _touched_by_faults_1_and_2(consents: Consents) -> bool:
    """Until test_known_faults.py passes: a yes back-dated, or renewed before any was given."""
    for i, yes in enumerate(consents.events):
        before = [
            e
            for e in consents.events[:i]
            if e.giver == yes.giver and e.purpose is yes.purpose and is_yes(e)
        ]
        if is_yes(yes) and any(e.at > yes.at for e in before):
            return True
        if yes.act is Act.RENEWED and not any(_spans(e, yes) for e in before):
            return True
    return False


def _spans(earlier: ConsentEvent, renewal: ConsentEvent) -> bool:
    """The earlier yes covers all that the renewal covers."""
    wide, narrow = earlier.scope.collections, renewal.scope.collections
    covered = wide is None or (narrow is not None and narrow <= wide)
    return covered and earlier.target == renewal.target and earlier.act is Act.GIVEN
