import copy
import dataclasses
import pickle
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import Act
from sayso.domain.grant import PUBLIC, STAFF, Audience
from sayso.domain.person import ProfileField
from sayso.domain.photo import Recognition
from sayso.domain.policy import (
    EXPLANATIONS,
    Compare,
    Find,
    HoldTemplate,
    Manner,
    Permit,
    Reason,
    Refusal,
    Request,
    Show,
    TellField,
    TellName,
    decide,
    require,
)
from sayso.domain.sighting import Link
from sayso.errors import Denied

from .records import (
    ADA,
    BEN,
    CHILD_ALL_ALONG,
    CLUB,
    FATHER,
    MOTHER,
    OF_AGE_ON_DAY_6,
    PHONE,
    SOCIAL,
    SPORTS,
    WEBSITE,
    collection,
    day,
    event,
    find,
    lived,
    only,
    outcome,
    record,
)

YES_FIND = event(Act.GIVEN, "find", 0)
YES_RECOGNISE = event(Act.GIVEN, "recognise", 0)
YES_NAME = event(Act.GIVEN, "name:staff", 0, fields=frozenset({"phone"}))
YES_PUBLISH = event(Act.GIVEN, "publish:website", 0)
ALL = lived(YES_FIND, YES_RECOGNISE, YES_NAME, YES_PUBLISH)


def _compare(mode: Recognition, manner: Manner, basis: str | None = "DPIA 7") -> Compare:
    return Compare(ADA, collection(mode=mode, basis=basis), manner)


REASONS: dict[Reason, tuple[Request, Consents]] = {
    Reason.NO_CONSENT: (find(), record()),
    Reason.CONSENT_WITHDRAWN: (find(), lived(YES_FIND, event(Act.WITHDRAWN, "find", 1))),
    Reason.CONSENT_EXPIRED: (find(), lived(event(Act.GIVEN, "find", 0, ends=2))),
    Reason.CONSENT_CONTESTED: (find(), lived(YES_FIND, event(Act.CONTESTED, "find", 1))),
    Reason.GUARDIAN_REQUIRED: (find(), lived(YES_FIND, born=CHILD_ALL_ALONG)),
    Reason.GUARDIAN_LAPSED: (
        find(),
        lived(event(Act.GIVEN, "find", 0, guardian=MOTHER), born=OF_AGE_ON_DAY_6),
    ),
    Reason.RECORD_UNREADABLE: (find(), record(YES_FIND, *[event(Act.EXPIRED, "find", 1)] * 2)),
    Reason.RETENTION_OVER: (find(where=collection(until=7)), ALL),
    Reason.RECOGNITION_OFF: (_compare(Recognition.OFF, Manner.ONE_TO_ONE), ALL),
    Reason.RECOGNITION_SELECTED: (_compare(Recognition.SELECTED, Manner.ONE_TO_MANY), ALL),
    Reason.BASIS_MISSING: (_compare(Recognition.GROUP, Manner.ONE_TO_MANY, " "), ALL),
    Reason.LINK_IN_DOUBT: (find(link=Link.REVIEW), ALL),
    Reason.FIELD_UNLISTED: (
        TellField(ADA, collection(), Link.MARKED, STAFF, ProfileField("home", "12 Elm", STAFF)),
        ALL,
    ),
}


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_says_why(reason: Reason) -> None:
    request, consents = REASONS[reason]
    assert outcome(request, consents, 7) == reason
    with pytest.raises(Denied) as caught:
        require(request, consents, day(7))
    assert caught.value.reason_code == reason
    assert EXPLANATIONS[reason] in str(caught.value)


def test_every_lack_of_consent_has_a_reason_of_the_same_code() -> None:
    assert {lack.value for lack in Lack} <= {reason.value for reason in Reason}


@pytest.mark.parametrize(
    "request_",
    [
        HoldTemplate(ADA),
        _compare(Recognition.GROUP, Manner.ONE_TO_MANY),
        _compare(Recognition.GROUP, Manner.ONE_TO_ONE),
        _compare(Recognition.SELECTED, Manner.ONE_TO_ONE),
        find(),
        find(link=Link.MATCH),
        find(link=Link.MATCH, where=collection(mode=Recognition.SELECTED, basis=None)),
        TellName(ADA, collection(), Link.MATCH, STAFF),
        TellField(ADA, collection(), Link.MATCH, STAFF, PHONE),
        Show(ADA, collection(), Link.MATCH, WEBSITE),
    ],
)
def test_who_said_yes_to_it_all_is_taken_at_their_word(request_: Request) -> None:
    permit = require(request_, ALL, day(7))
    assert permit.request == request_
    assert permit.at == day(7)


@pytest.mark.parametrize(
    "request_",
    [
        TellName(ADA, collection(), Link.MARKED, PUBLIC),
        TellName(ADA, collection(), Link.MARKED, Audience("group:year-7")),
        TellName(ADA, collection(), Link.MARKED, Audience("anything else")),
        TellField(ADA, collection(), Link.MARKED, PUBLIC, PHONE),
        TellField(
            ADA, collection(), Link.MARKED, STAFF, dataclasses.replace(PHONE, audience=PUBLIC)
        ),
        Show(ADA, collection(), Link.MARKED, SOCIAL),
        Show(BEN, collection(), Link.MARKED, WEBSITE),
        Find(BEN, collection(), Link.MARKED),
        HoldTemplate(BEN),
    ],
)
def test_a_yes_to_one_audience_channel_or_person_is_none_to_another(request_: Request) -> None:
    assert outcome(request_, ALL, 7) != "permit"


def test_publishing_and_naming_work_without_recognition_where_a_human_marked_the_face() -> None:
    consents = lived(YES_NAME, YES_PUBLISH)
    off = collection(mode=Recognition.OFF, basis=None)
    assert outcome(Show(ADA, off, Link.MARKED, WEBSITE), consents, 1) == "permit"
    assert outcome(TellName(ADA, off, Link.MARKED, STAFF), consents, 1) == "permit"
    assert outcome(Show(ADA, collection(), Link.MATCH, WEBSITE), consents, 1) == "no_consent"


def test_a_match_is_of_no_use_once_recognise_ends() -> None:
    consents = ALL.append(event(Act.WITHDRAWN, "recognise", 2))
    for request in (find(link=Link.MATCH), Show(ADA, collection(), Link.MATCH, WEBSITE)):
        assert outcome(request, consents, 2) == "consent_withdrawn"
    assert outcome(find(link=Link.MARKED), consents, 2) == "permit"


def test_a_match_is_of_no_use_in_a_collection_where_nobody_is_recognised() -> None:
    off = collection(mode=Recognition.OFF)
    assert outcome(find(link=Link.MATCH, where=off), ALL, 1) == "recognition_off"


@pytest.mark.parametrize("link", [Link.REVIEW, Link.REJECTED])
def test_a_doubt_or_a_rejection_is_no_link(link: Link) -> None:
    assert outcome(Show(ADA, collection(), link, WEBSITE), ALL, 1) == "link_in_doubt"


def test_a_template_may_exist_as_long_as_one_collection_is_left() -> None:
    consents = lived(event(Act.GIVEN, "recognise", 0, scope=only(CLUB, SPORTS)))
    half = consents.append(event(Act.WITHDRAWN, "recognise", 1, scope=only(CLUB)))
    none = half.append(event(Act.WITHDRAWN, "recognise", 2, scope=only(SPORTS)))
    assert outcome(HoldTemplate(ADA), half, 1) == "permit"
    assert outcome(HoldTemplate(ADA), none, 2) == "consent_withdrawn"
    assert outcome(HoldTemplate(ADA), lived(YES_FIND, YES_NAME, YES_PUBLISH), 2) == "no_consent"


def test_retention_ends_everything_but_the_template() -> None:
    over = collection(until=3)
    assert outcome(find(where=over), ALL, 2.999) == "permit"
    assert outcome(find(where=over), ALL, 3) == "retention_over"
    assert outcome(Compare(ADA, over, Manner.ONE_TO_ONE), ALL, 3) == "retention_over"
    assert outcome(HoldTemplate(ADA), ALL, 3) == "permit"


def test_a_permit_names_the_consents_it_rests_on_its_own_purpose_first() -> None:
    permit = require(Show(ADA, collection(), Link.MATCH, WEBSITE), ALL, day(1))
    assert permit.rests_on == (YES_PUBLISH, YES_RECOGNISE)
    assert require(find(), ALL, day(1)).rests_on == (YES_FIND,)


def _phone(*, link: Link = Link.MARKED) -> TellField:
    return TellField(ADA, collection(), link, STAFF, PHONE)


@pytest.mark.parametrize("born", [CHILD_ALL_ALONG, None])
def test_a_profile_field_is_told_only_if_everybody_whose_yes_stands_listed_it(
    born: date | None,
) -> None:
    listed = frozenset({"phone"})
    mothers = event(Act.GIVEN, "name:staff", 0, guardian=MOTHER, fields=listed)
    fathers = event(Act.GIVEN, "name:staff", 1, guardian=FATHER, ends=5)
    consents = lived(mothers, fathers, born=born)
    name = TellName(ADA, collection(), Link.MARKED, STAFF)
    assert outcome(_phone(), consents, 0.5) == "permit"
    assert outcome(_phone(), consents, 1) == "field_unlisted"
    assert outcome(name, consents, 1) == "permit"
    assert set(require(name, consents, day(1)).rests_on) == {mothers, fathers}
    assert outcome(_phone(), consents, 5) == "permit", "what has expired does not stand"
    both = consents.append(event(Act.RENEWED, "name:staff", 2, guardian=FATHER, fields=listed))
    assert outcome(_phone(), both, 2) == "permit"


def test_a_renewal_lists_its_own_fields() -> None:
    renewed = lived(YES_NAME, event(Act.RENEWED, "name:staff", 1))
    assert outcome(_phone(), renewed, 0.5) == "permit"
    assert outcome(_phone(), renewed, 1) == "field_unlisted"


_NAIVE = day(9).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("request_", "consents", "now"),
    [
        (find(), record(YES_FIND, born=date(9999, 1, 1)), day(1)),
        (find(where=dataclasses.replace(collection(), retain_until=_NAIVE)), ALL, day(1)),
        (find(), ALL, _NAIVE),
        (find(where=collection(until=9)), ALL, _NAIVE),
        (find(), ALL, datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))),
        (
            find(),
            record(YES_FIND, event(Act.RENEWED, "find", 0, guardian=MOTHER), born=None),
            day(1),
        ),
    ],
)
def test_what_cannot_be_read_is_refused(
    request_: Request, consents: Consents, now: datetime
) -> None:
    answer = decide(request_, consents, now)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.RECORD_UNREADABLE


class TestAPermitCannotBeForged:
    permit = require(find(), ALL, day(1))

    @pytest.mark.parametrize("seal", [None, object(), "seal", True])
    def test_by_its_constructor(self, seal: object) -> None:
        with pytest.raises(TypeError):
            Permit(find(), day(1), (YES_FIND,), seal=seal)

    def test_by_leaving_the_seal_out(self) -> None:
        make: Any = Permit
        with pytest.raises(TypeError):
            make(find(), day(1), (YES_FIND,))

    def test_by_replacing_the_request_of_a_real_one(self) -> None:
        replace: Any = dataclasses.replace
        other = Show(ADA, collection(), Link.MARKED, WEBSITE)
        with pytest.raises((TypeError, ValueError)):
            replace(self.permit, request=other)
        with pytest.raises(TypeError):
            replace(self.permit, request=other, seal=object())

    def test_by_writing_into_a_real_one(self) -> None:
        real: Any = self.permit
        with pytest.raises(dataclasses.FrozenInstanceError):
            real.request = Show(ADA, collection(), Link.MARKED, WEBSITE)
        assert real.request == find()

    @pytest.mark.parametrize("bases", [(Permit,), (Permit, str)])
    def test_by_a_subclass(self, bases: tuple[type, ...]) -> None:
        with pytest.raises(TypeError):
            type("Forged", bases, {"__post_init__": lambda *_: None})

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_by_a_copy(self, copied: Callable[[Permit], Permit]) -> None:
        with pytest.raises(TypeError):
            copied(self.permit)

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_by_storing_one(self, protocol: int) -> None:
        with pytest.raises(TypeError):
            pickle.dumps(self.permit, protocol)

    def test_by_giving_a_blank_one_a_state(self) -> None:
        blank: Any = Permit.__new__(Permit)
        for one in (blank, self.permit):
            with pytest.raises(TypeError):
                one.__setstate__([find(), day(1), (YES_FIND,)])
        assert self.permit.request == find()

    def test_by_asking_a_refusal(self) -> None:
        assert not isinstance(decide(find(), record(), day(1)), Permit)
