"""Hypothesis strategies: records from orderly to absurd, requests of every kind."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import EVERYWHERE, PUBLIC, STAFF
from sayso.domain.person import PersonId, ProfileField
from sayso.domain.photo import Collection, Recognition
from sayso.domain.policy import (
    Compare,
    Find,
    HoldTemplate,
    Manner,
    Request,
    Show,
    TellField,
    TellName,
)
from sayso.domain.sighting import Link
from sayso.errors import SaysoError

from .records import (
    ADA,
    ADULT_ALL_ALONG,
    BEN,
    CHILD_ALL_ALONG,
    CLUB,
    FATHER,
    GRANDMOTHER,
    GRANTS,
    MOTHER,
    OF_AGE_ON_DAY_6,
    PHONE,
    SOCIAL,
    SPORTS,
    UNNAMED,
    WEBSITE,
    collection,
    event,
    only,
    record,
)

RULES = settings(deadline=None, max_examples=200)
"""For rules of consent: cheap examples, many of them."""

BIRTHS = st.sampled_from([ADULT_ALL_ALONG, CHILD_ALL_ALONG, None, OF_AGE_ON_DAY_6])
SCOPES = st.sampled_from([EVERYWHERE, EVERYWHERE, only(CLUB), only(SPORTS), only(CLUB, SPORTS)])
GIVERS = st.sampled_from([None, MOTHER, FATHER, GRANDMOTHER])
_YES = st.sampled_from([Act.GIVEN, Act.GIVEN, Act.GIVEN, Act.RENEWED])
_NO = st.sampled_from([Act.WITHDRAWN, Act.CONTESTED])
_DAYS = st.integers(-3, 9)
_LONG_AGO = st.sampled_from([-366, -365, -364])


@st.composite
def yeses(draw: st.DrawFn, person: PersonId = ADA) -> ConsentEvent:
    grant = draw(st.sampled_from(GRANTS))
    on = draw(_DAYS | _LONG_AGO)
    lasts = draw(st.none() | st.integers(1, 6))
    listed = grant.purpose == "name" and draw(st.booleans())
    return event(
        draw(_YES),
        str(grant),
        on,
        scope=draw(SCOPES),
        guardian=draw(GIVERS),
        ends=None if lasts is None else on + lasts,
        fields=frozenset({PHONE.name} if listed else ()),
        person=person,
    )


@st.composite
def refusals(draw: st.DrawFn, person: PersonId = ADA) -> ConsentEvent:
    """A withdrawal or contest by anybody, of one target or all, dated long ago to far ahead."""
    grant = str(draw(st.sampled_from(GRANTS)))
    return event(
        draw(_NO),
        draw(st.sampled_from([grant, grant.partition(":")[0]])),
        draw(_DAYS | _LONG_AGO | st.sampled_from([400, 40_000])),
        scope=draw(SCOPES),
        guardian=draw(GIVERS),
        person=person,
    )


@st.composite
def expiries(draw: st.DrawFn, person: PersonId = ADA) -> ConsentEvent:
    grant = str(draw(st.sampled_from(GRANTS)))
    on = draw(_DAYS)
    return event(Act.EXPIRED, grant, on, scope=draw(SCOPES), guardian=draw(GIVERS), person=person)


def events(person: PersonId = ADA) -> st.SearchStrategy[ConsentEvent]:
    return st.one_of(
        yeses(person), yeses(person), yeses(person), refusals(person), expiries(person)
    )


@st.composite
def absurd_records(draw: st.DrawFn, person: PersonId = ADA) -> Consents:
    """Well-formed events in any order, as no sane history would have them."""
    return record(*draw(st.lists(events(person), max_size=6)), born=draw(BIRTHS), person=person)


@st.composite
def generous_records(draw: st.DrawFn, person: PersonId = ADA) -> Consents:
    """Everything granted by somebody first, so that permits are common; then anything."""
    born = draw(BIRTHS)
    giver = MOTHER if born in {CHILD_ALL_ALONG, OF_AGE_ON_DAY_6} else None
    base = [
        event(
            Act.GIVEN,
            str(grant),
            draw(st.integers(-3, 2)),
            scope=draw(SCOPES),
            guardian=giver,
            fields=frozenset({PHONE.name} if grant.purpose == "name" else ()),
            person=person,
        )
        for grant in GRANTS
    ]
    more = draw(st.lists(events(person), max_size=3))
    return record(*base, *more, born=born, person=person)


def records(person: PersonId = ADA) -> st.SearchStrategy[Consents]:
    return absurd_records(person) | generous_records(person)


@st.composite
def written_records(draw: st.DrawFn) -> Consents:
    """A history written through `Consents.append`, on a machine whose clock may jump."""
    return _written(draw(records()), lambda _: 0)


@st.composite
def orderly_records(draw: st.DrawFn) -> Consents:
    """The same, by a clock that never ran backwards."""
    return _written(draw(records()), lambda e: e.at.timestamp())


def _written(drawn: Consents, order: Callable[[ConsentEvent], float]) -> Consents:
    consents = record(born=drawn.born)
    for each in sorted(drawn.events, key=order):
        try:
            consents = consents.append(each)
        except SaysoError:
            continue
    return consents


@st.composite
def collections(draw: st.DrawFn) -> Collection:
    return collection(
        draw(st.sampled_from([CLUB, SPORTS, UNNAMED])),
        mode=draw(st.sampled_from([Recognition.GROUP, *Recognition, Recognition.GROUP])),
        basis=draw(st.sampled_from(["DPIA 7", "DPIA 7", "DPIA 7", "DPIA 7", " ", None])),
        until=draw(st.none() | st.none() | st.none() | st.integers(0, 400)),
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    person = draw(st.sampled_from([ADA] * 9 + [BEN]))
    where = draw(collections())
    link = draw(st.sampled_from([*Link, *[Link.MATCH, Link.MARKED] * 3]))
    audience = draw(st.sampled_from([STAFF, STAFF, PUBLIC]))
    field = ProfileField(draw(st.sampled_from([PHONE.name, "address"])), "x", audience)
    asked: list[Request] = [
        HoldTemplate(person),
        Compare(person, where, draw(st.sampled_from(list(Manner)))),
        Find(person, where, link),
        TellName(person, where, link, audience),
        TellField(person, where, link, STAFF, field),
        Show(person, where, link, draw(st.sampled_from([WEBSITE, SOCIAL]))),
    ]
    return draw(st.sampled_from(asked))


NOWS = st.integers(-3, 12) | st.sampled_from([200, 361, 362, 363, 367, 380])
"""Days on which something is asked; those past 360 for the limit of an unknown age."""
