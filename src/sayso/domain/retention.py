"""How long a template may be kept: a rule over dates, with the law's limits as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sayso.domain.consent import Consents, Lack
from sayso.domain.grant import Grant, Purpose
from sayso.domain.photo import Collection, CollectionId


class Ground(StrEnum):
    """Why a template's time ends; stable codes."""

    CONSENT_OVER = "consent_over"
    """Its consent was withdrawn, expired or lapsed: it has no time at all."""
    PURPOSE_OVER = "purpose_over"
    """Consent, or all collections that it covers, come to their end."""
    POLICY = "policy"
    """The controller keeps templates no longer than this."""
    NO_INTERACTION = "no_interaction"
    """The person was not in touch for as long as the law allows."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a law allows at most.

    Attributes:
        interaction_years: after the person's last interaction with the controller.
        source: the section that says so.
    """

    interaction_years: int
    source: str


DEFAULT_LIMIT = Limit(3, "none: the number of 740 ILCS 14/15(a), held to everywhere")
"""Where no law names a number: GDPR article 5(1)(e) asks for no longer than is necessary."""

LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        # Colorado Privacy Act: purpose satisfied, or 24 months after the last interaction, or no
        # longer needed; whichever is first.
        "US-CO": Limit(2, "C.R.S. 6-1-1314(2) (HB 24-1130), in force since 1 July 2025"),
        # Biometric Information Privacy Act: purpose satisfied, or within 3 years of the last
        # interaction; whichever is first.
        "US-IL": Limit(3, "740 ILCS 14/15(a)"),
    }
)
"""By ISO 3166-2 code; any other takes `DEFAULT_LIMIT`.

Only numbers that count from an interaction stand here. Laws that count from the end of the purpose
need no row, since a template goes at that very end (`purpose_end`): Texas allows at most a year
after it (Tex. Bus. & Com. Code 503.001(c)(3)); Washington, no longer than reasonably necessary
(RCW 19.375.020(4)(b)).
"""


@dataclass(frozen=True, slots=True)
class End:
    """The first instant at which a template may no longer be kept, and why."""

    at: datetime
    ground: Ground


def limit(jurisdiction: str) -> Limit:
    """What the law of a jurisdiction allows at most."""
    return LIMITS.get(jurisdiction.strip().upper().replace("_", "-"), DEFAULT_LIMIT)


def template_end(  # noqa: PLR0913 - the facts of the rule
    consents: Consents,
    collections: Mapping[CollectionId, Collection],
    *,
    built_at: datetime,
    last_interaction: datetime,
    policy_days: int,
    now: datetime,
) -> End:
    """When the template of somebody must go: the earliest of the ends that apply.

    Args:
        consents: the person's whole record.
        collections: every declared collection.
        built_at: when the template was built (the oldest, of several).
        last_interaction: when the person was last in touch.
        policy_days: the controller's policy, counted from ``built_at``; 0: none.
        now: aware; consents are asked as they stand at this instant.

    Raises:
        UnlistedTransition, ConsentMalformed: the record cannot be read.
    """
    purpose = purpose_end(consents, collections, now)
    ends = [] if purpose is None else [purpose]
    if policy_days:
        ends.append(End(built_at + timedelta(days=policy_days), Ground.POLICY))
    years = limit(consents.jurisdiction).interaction_years
    ends.append(End(_years_after(last_interaction, years), Ground.NO_INTERACTION))
    return min(ends, key=lambda end: end.at)


def purpose_end(
    consents: Consents, collections: Mapping[CollectionId, Collection], now: datetime
) -> End | None:
    """When the last collection in which the person may be recognised comes to its end.

    At each point of the record the yes ends with its own expiry or with the collection's
    retention, whichever is first; the template, with the last of them. None: no end is in sight.
    What grace a law gives after the end of a purpose is never used up.
    """
    grant = Grant(Purpose.RECOGNISE)
    ends: list[datetime | None] = []
    for point in consents.points(Purpose.RECOGNISE):
        yeses = consents.live(grant, point, now)
        if isinstance(yeses, Lack):
            continue
        held = collections.get(point)
        until = None if held is None else held.retain_until
        own = [yes.expires for yes in yeses if yes.expires is not None]
        bounded = [*own, *([until] if until is not None else [])]
        ends.append(min(bounded) if bounded else None)
    if not ends:
        return End(now, Ground.CONSENT_OVER)
    known = [end for end in ends if end is not None]
    return End(max(known), Ground.PURPOSE_OVER) if len(known) == len(ends) else None


def _years_after(time: datetime, years: int) -> datetime:
    try:
        return time.replace(year=time.year + years)
    except ValueError:  # 29 February
        return time.replace(year=time.year + years, month=3, day=1)
