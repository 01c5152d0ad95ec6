"""Notices: what people were told, and who must be asked again when it changes.

A consent holds for what was agreed to under the notice of its day. When another notice becomes
current, three things follow:

1. what was granted goes on holding: the policy does not look at notices;
2. the old notice is stale for new purposes: a yes to anything more must rest on a current one;
3. whoever has a live yes that rests on no current notice is listed, to be asked again.

While no notice is current nothing is stale: there is nothing to ask with.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sayso.domain.consent import Consents, Lack
from sayso.domain.event import YES, ConsentEvent, Notice
from sayso.domain.grant import Grant
from sayso.domain.person import PersonId
from sayso.errors import NoticeStale


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice with its words.

    Attributes:
        text: the words themselves, whose SHA-256 the notice has.
        current: whether it is the one that people are asked with in its language.
        added_at: when it was added, UTC.
    """

    notice: Notice
    text: str
    current: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody who must be asked again.

    Attributes:
        told: the notice that their yes rests on; None where none was recorded.
        grants: what they granted under it and what is still live, in order.
    """

    person: PersonId
    told: Notice | None
    grants: tuple[Grant, ...]


def is_current(told: Notice | None, notices: Iterable[KeptNotice]) -> bool:
    """Whether a yes to something new may rest on this notice."""
    current = {kept.notice.sha256 for kept in notices if kept.current}
    return not current or (told is not None and told.sha256 in current)


def require_current(told: Notice | None, notices: Iterable[KeptNotice]) -> None:
    """Refuse a new yes that rests on an old notice, or on none.

    Raises:
        NoticeStale: another notice is current.
    """
    kept = tuple(notices)
    if is_current(told, kept):
        return
    versions = sorted(f"{k.notice.version} ({k.notice.language})" for k in kept if k.current)
    raise NoticeStale(
        expected="a yes that rests on a current notice: " + ", ".join(versions),
        found="none" if told is None else f"version {told.version} ({told.language})",
        remedy="Show the person the current notice and record their yes with it.",
    )


def must_be_asked(
    records: Iterable[Consents], notices: Iterable[KeptNotice], now: datetime
) -> tuple[Stale, ...]:
    """Everybody with a live yes that rests on no current notice, by person.

    Args:
        records: whole consent records.
        notices: every notice that is kept.
        now: aware; the instant at which a yes must be live.
    """
    kept = tuple(notices)
    found: list[Stale] = []
    for consents in sorted(records, key=lambda record: record.person):
        told: dict[Notice | None, set[Grant]] = {}
        for grant, yes in _live(consents, now):
            if not is_current(yes.notice, kept):
                told.setdefault(yes.notice, set()).add(grant)
        found += [
            Stale(consents.person, notice, tuple(sorted(grants, key=str)))
            for notice, grants in sorted(told.items(), key=lambda item: _version(item[0]))
        ]
    return tuple(found)


def _live(consents: Consents, now: datetime) -> Iterable[tuple[Grant, ConsentEvent]]:
    granted = {Grant(e.purpose, e.target) for e in consents.events if e.act in YES}
    for grant in granted:
        for point in consents.points(grant.purpose):
            answer = consents.live(grant, point, now)
            if not isinstance(answer, Lack):
                yield from ((grant, yes) for yes in answer)


def _version(notice: Notice | None) -> tuple[str, str, str]:
    return ("", "", "") if notice is None else (notice.version, notice.language, notice.sha256)
