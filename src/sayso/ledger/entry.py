r"""One entry of the ledger, and the salted commitment that stands for it in the tree.

An entry says who did what, when, and about whom, as RFC 8785 canonical JSON: opaque ids, codes,
counts. It never holds features and never a name: `Draft` refuses what could be either, because a
log that cannot be rewritten is the wrong place to find out.

The leaf of the tree is the commitment alone, 32 bytes::

    commitment = SHA-256("sayso ledger commitment v1\n" || salt || canonical bytes)

with 32 random bytes of salt, kept with the content and apart from the tree. When content and salt
are erased, the commitment binds nothing that could be guessed, while every proof made before still
verifies. Time and action are deliberately not in the leaf: "a consent, at 10:02:11" would still
point at the person who stood at the door then.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import rfc8785

from sayso.errors import EntryForbidden

SALT_BYTES = 32
NUMBERS_IN_LIST = 16
"""The most numbers that one list may hold: no face vector is this short."""
NUMBERS_IN_ALL = 32
STRING_CHARACTERS = 128
"""The longest string: two SHA-256 in hex, but no vector in base64."""
DETAILS_BYTES = 2048

_DOMAIN = b"sayso ledger commitment v1\n"
_VERSION = 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,47}")
_TOKEN = re.compile(r"[\x21-\x7e]*")  # printable ASCII without a space: a code, not a sentence
_CONTACT = re.compile(r"\S+@\S+\.\S+|\+[\d()./-]{6,}")  # an e-mail address, a phone number
_FORBIDDEN_WORDS = frozenset(
    {
        "name",
        "names",
        "surname",
        "forename",
        "firstname",
        "lastname",
        "nickname",
        "fullname",
        "phone",
        "telephone",
        "mobile",
        "email",
        "mail",
        "address",
        "street",
        "postcode",
        "birthday",
        "birthdate",
        "birth",
        "vector",
        "vectors",
        "feature",
        "features",
        "embedding",
        "embeddings",
        "descriptor",
        "descriptors",
        "biometric",
        "password",
        "secret",
    }
)
_KEYS = {"action", "actor", "at", "details", "sequence", "stage", "subjects", "targets", "v"}

Json = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None
Span = tuple[int, int]
"""First and last sequence number, both included."""


class Action(StrEnum):
    """What was done."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    ENROLMENT = "enrolment"
    SCAN = "scan"
    IDENTIFICATION = "identification"
    DISCLOSURE = "disclosure"
    REVIEW = "review"
    PUBLICATION = "publication"
    TAKEDOWN = "takedown"
    ACCESS = "access"
    EXPORT = "export"
    ERASURE = "erasure"
    RETENTION = "retention"
    LOGIN = "login"
    KEY = "key"
    CHECKPOINT = "checkpoint"
    BACKUP = "backup"
    RESTORE = "restore"
    ABORTED = "aborted"
    """The actions named by ``targets`` were intended and did not happen."""


class Stage(StrEnum):
    """Whether an entry stands by itself or announces a change that commits elsewhere."""

    DONE = "done"
    INTENT = "intent"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before the journal gives it its place and time.

    Attributes:
        action: what is done.
        actor: the operator's id, or a role such as ``system``; never a name.
        subjects: opaque ids (each with at least one digit) of the persons that it is about.
        details: codes, counts, ids and hashes under snake_case keys; no free text.
        targets: earlier entries that this one erases or aborts, as rising spans.
        stage: set by the journal.

    Raises:
        EntryForbidden: something that must never be in an entry, or could be it in disguise.
    """

    action: Action
    actor: str
    subjects: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)
    targets: tuple[Span, ...] = ()
    stage: Stage = Stage.DONE

    def __post_init__(self) -> None:
        _require_id(self.actor, "the actor")
        for subject in self.subjects:
            _require_id(subject, "a subject")
            if not any(character.isdigit() for character in subject):
                raise _forbidden("an opaque id as a subject", "letters only, which may be a name")
        _require_spans(self.targets)
        if self.targets and self.action not in (Action.ERASURE, Action.ABORTED):
            raise _forbidden("targets on erasure and aborted entries only", str(self.action))
        if _inspect("details", self.details) > NUMBERS_IN_ALL:
            raise _forbidden(f"at most {NUMBERS_IN_ALL} numbers in the details", "more")
        if len(_encode(_plain(self.details))) > DETAILS_BYTES:
            raise _forbidden(f"at most {DETAILS_BYTES} bytes of details", "more")


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded entry.

    Attributes:
        sequence: its place in the log, from 0; also the index of its leaf.
        at: when, UTC, whole seconds: finer would only help to link people.
        draft: the rest.
    """

    sequence: int
    at: datetime
    draft: Draft

    def canonical(self) -> bytes:
        """RFC 8785 canonical JSON of this entry, UTF-8."""
        draft = self.draft
        return _encode(
            {
                "action": draft.action.value,
                "actor": draft.actor,
                "at": format_time(self.at),
                "details": _plain(draft.details),
                "sequence": self.sequence,
                "stage": draft.stage.value,
                "subjects": list(draft.subjects),
                "targets": [list(span) for span in draft.targets],
                "v": _VERSION,
            }
        )


def commitment(salt: bytes, content: bytes) -> bytes:
    """The 32-byte leaf that stands for this content (canonical bytes) under this salt (32 bytes).

    The salt's length is fixed and the domain ends in a newline, so no two pairs of salt and
    content are ever hashed as the same bytes.
    """
    if len(salt) != SALT_BYTES:
        raise _forbidden(f"a salt of {SALT_BYTES} bytes", f"{len(salt)} bytes")
    return hashlib.sha256(_DOMAIN + salt + content).digest()


def parse_entry(content: bytes) -> Entry:
    """The entry that these bytes are, if they are exactly its canonical form.

    Raises:
        EntryForbidden: not canonical JSON of an entry of this version, or one that may not be.
    """
    try:
        fields: dict[str, Any] = json.loads(content)
        if set(fields) != _KEYS or fields["v"] != _VERSION:
            raise _forbidden("the fields of an entry, version 1", "others")
        entry = Entry(
            sequence=int(fields["sequence"]),
            at=parse_time(fields["at"]),
            draft=Draft(
                action=Action(fields["action"]),
                actor=fields["actor"],
                subjects=tuple(fields["subjects"]),
                details=fields["details"],
                targets=tuple((int(first), int(last)) for first, last in fields["targets"]),
                stage=Stage(fields["stage"]),
            ),
        )
        exact = entry.canonical() == content
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _forbidden("the canonical JSON of an entry", "something else") from error
    if not exact:
        raise _forbidden("RFC 8785 canonical JSON", "another spelling of it")
    return entry


def format_time(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds: ``2026-05-04T09:30:00Z``."""
    if at.tzinfo is None:
        raise _forbidden("a time with its zone", "a time without")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The inverse of `format_time`; ValueError for any other form."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def spans(sequences: Sequence[int]) -> tuple[Span, ...]:
    """Sequence numbers, in any order, as the fewest rising spans."""
    joined: list[Span] = []
    for sequence in sorted(set(sequences)):
        if joined and joined[-1][1] == sequence - 1:
            joined[-1] = (joined[-1][0], sequence)
        else:
            joined.append((sequence, sequence))
    return tuple(joined)


def _inspect(key: str, value: Json) -> int:
    """Count the numbers in a value; refuse what it may not hold."""
    if value is None or isinstance(value, bool):
        return 0
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise _forbidden(f"a finite number in {key}", str(value))
        return 1
    if isinstance(value, str):
        _require_token(key, value)
        return 0
    if isinstance(value, Mapping):
        for name in value:
            _require_key(name)
        return sum(_inspect(name, part) for name, part in value.items())
    if not isinstance(value, list | tuple):
        raise _forbidden(f"JSON in {key}", type(value).__name__)
    numbers = sum(_inspect(key, part) for part in value)
    if numbers > NUMBERS_IN_LIST:
        raise _forbidden(f"at most {NUMBERS_IN_LIST} numbers in {key}", f"a list of {numbers}")
    return numbers


def _require_key(name: object) -> None:
    if not isinstance(name, str) or not _KEY.fullmatch(name):
        raise _forbidden("snake_case keys of at most 48 characters", "another key")
    if name in _FORBIDDEN_WORDS or not _FORBIDDEN_WORDS.isdisjoint(name.split("_")):
        raise _forbidden("keys that hold neither names, contacts nor features", f"the key {name}")


def _require_token(key: str, text: str) -> None:
    if len(text) > STRING_CHARACTERS or not _TOKEN.fullmatch(text):
        raise _forbidden(
            f"a code of at most {STRING_CHARACTERS} ASCII characters without spaces in {key}",
            "free text",
        )
    if _CONTACT.fullmatch(text):
        raise _forbidden(f"a code in {key}", "what looks like an e-mail address or phone number")


def _require_id(text: object, what: str) -> None:
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise _forbidden(f"an opaque id as {what}", "something else")


def _require_spans(targets: tuple[Span, ...]) -> None:
    last_end = -1
    for first, last in targets:
        if not last_end < first <= last:
            raise _forbidden("targets as rising spans from 0", f"{first} to {last}")
        last_end = last


def _encode(value: Any) -> bytes:  # noqa: ANN401 - JSON has no narrower type that rfc8785 takes
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise _forbidden("numbers that JSON holds exactly (to 2^53)", "larger ones") from error


def _plain(value: Json) -> Any:  # noqa: ANN401 - likewise
    """The same value of dicts and lists, as rfc8785 takes them."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _forbidden(expected: str, found: str) -> EntryForbidden:
    return EntryForbidden(
        expected=expected,
        found=found,
        remedy="Record ids, codes and counts, and leave out what a person could be told by.",
    )
