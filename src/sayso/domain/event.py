"""Consent events: what one giver did about one purpose, when, and on what evidence."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.person import Guardian, PersonId
from sayso.domain.photo import CollectionId
from sayso.errors import ConsentMalformed, EvidenceRequired


class Act(StrEnum):
    """What a giver did."""

    GIVEN = "given"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CONTESTED = "contested"


YES = frozenset({Act.GIVEN, Act.RENEWED})
"""Acts that give."""
NO = frozenset({Act.WITHDRAWN, Act.CONTESTED})
"""Acts that refuse."""
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The person's own act: the SHA-256 (hex) of a signed form or of a signature.

    Raises:
        ConsentMalformed: no such hash, or a blank kind.
    """

    sha256: str
    kind: str

    def __post_init__(self) -> None:
        _require_hash(self.sha256, self.kind)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the person was told: SHA-256 (hex) of the text, its version and language (BCP 47)."""

    sha256: str
    version: str
    language: str

    def __post_init__(self) -> None:
        _require_hash(self.sha256, self.version, self.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """What one giver did about one purpose.

    Attributes:
        target: as in `Grant`; None in a refusal means every target of the purpose.
        at: when it was recorded; aware, kept in UTC.
        guardian: who gave it for the person; None: the person.
        expires: the first instant at which a yes no longer holds; None: no end of its own.
        fields: names of the profile fields that a yes to ``name`` lists.

    Raises:
        EvidenceRequired: a yes to ``recognise`` without evidence.
        ConsentMalformed: a naive time, an end before the beginning, fields without ``name``.
        GrantUnknown: a yes whose target does not fit its purpose.
    """

    act: Act
    person: PersonId
    purpose: Purpose
    target: str | None
    scope: Scope
    at: datetime
    guardian: Guardian | None = None
    expires: datetime | None = None
    evidence: Evidence | None = None
    notice: Notice | None = None
    fields: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._normalise()
        if self.act not in NO or self.target is not None:
            Grant(self.purpose, self.target)
        if self.act in YES:
            self._check_yes()
        if self.fields and (self.act not in YES or self.purpose is not Purpose.NAME):
            raise ConsentMalformed(
                expected="profile fields only with a yes to name",
                found=f"{self.act} {self.purpose}",
                remedy="Grant name:AUDIENCE for the audience of each field.",
            )

    @property
    def giver(self) -> str:
        """Whose word it is: empty for the person, else the guardian's key."""
        return "" if self.guardian is None else self.guardian.key

    def covers(self, grant: Grant, collection: CollectionId) -> bool:
        """Whether the event speaks of this grant in this collection."""
        same = self.purpose == grant.purpose and self.target in {None, grant.target}
        return same and self.scope.covers(collection)

    def _normalise(self) -> None:
        """One instant has one spelling, and a word equals itself however it was read."""
        require_aware(self.at, self.expires)
        object.__setattr__(self, "at", _utc(self.at))
        if self.expires is not None:
            object.__setattr__(self, "expires", _utc(self.expires))
        try:
            object.__setattr__(self, "act", Act(self.act))
            object.__setattr__(self, "purpose", Purpose(self.purpose))
        except ValueError as error:
            raise ConsentMalformed(
                expected="an act and a purpose of consent",
                found=str(error),
                remedy="Use the words of Act and Purpose.",
            ) from error
        if isinstance(self.fields, str):
            raise ConsentMalformed(
                expected="a set of profile fields",
                found="one text",
                remedy="Put the names of the fields into a set.",
            )
        object.__setattr__(self, "fields", frozenset(self.fields))

    def _check_yes(self) -> None:
        if self.purpose is Purpose.RECOGNISE and self.evidence is None:
            raise EvidenceRequired(
                expected="evidence of the person's own yes to recognise",
                found="none",
                remedy="Pass the signed form with --evidence FILE; its SHA-256 is kept.",
            )
        if self.expires is not None and self.expires <= self.at:
            raise ConsentMalformed(
                expected="an expiry after the consent",
                found=self.expires.isoformat(),
                remedy="Give a date that is still to come.",
            )


def _require_hash(sha256: str, *words: str) -> None:
    if not _HASH.fullmatch(str(sha256)) or not all(word.strip() for word in words):
        raise ConsentMalformed(
            expected="a SHA-256 of 64 hexadecimal digits, and words for what it is of",
            found=repr((sha256, *words)),
            remedy="Hash the signed form, or the notice, itself.",
        )


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ConsentMalformed(
            expected="a time within the years 1 to 9999, UTC",
            found=time.isoformat(),
            remedy="Leave out an expiry that is never to come.",
        ) from error


def require_aware(*times: datetime | None) -> None:
    """Refuse a time without its offset.

    Raises:
        ConsentMalformed: one of them is naive.
    """
    if any(time is not None and time.utcoffset() is None for time in times):
        raise ConsentMalformed(
            expected="a time with its offset from UTC",
            found="a naive time",
            remedy="Pass aware datetimes; the engine keeps UTC.",
        )
