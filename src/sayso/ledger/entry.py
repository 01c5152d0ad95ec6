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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sayso.ledger.admission import (
    Aside,
    Json,
    Span,
    encode,
    forbidden,
    plain,
    require_aside,
    require_details,
    require_id,
    require_spans,
)

SALT_BYTES = 32
_DOMAIN = b"sayso ledger commitment v1\n"
_VERSION = 1
_KEYS = {"action", "actor", "at", "details", "sequence", "stage", "subjects", "targets", "v"}
_ASIDE = "aside"
"""Only there where it says something."""


class Action(StrEnum):
    """What was done."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    ENROLMENT = "enrolment"
    COLLECTION = "collection"
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
    MODEL = "model"
    CHECKPOINT = "checkpoint"
    CLOCK = "clock"
    """The clock was ahead and is set right: times may go back here, and nowhere else."""
    BACKUP = "backup"
    RESTORE = "restore"
    ABORTED = "aborted"
    """The actions named by ``targets`` were intended and did not happen."""


LASTING = (Action.ERASURE, Action.ABORTED)
"""Entries that account for others: they hold numbers only, and are never erased."""


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
        aside: entries that this one erases in ledgers that were laid aside.

    Raises:
        EntryForbidden: something that must never be in an entry, or could be it in disguise.
    """

    action: Action
    actor: str
    subjects: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)
    targets: tuple[Span, ...] = ()
    stage: Stage = Stage.DONE
    aside: tuple[Aside, ...] = ()

    def __post_init__(self) -> None:
        require_id(self.actor, "the actor")
        for subject in self.subjects:
            require_id(subject, "a subject")
            if not any(character.isdigit() for character in subject):
                raise forbidden("an opaque id as a subject", "letters only, which may be a name")
        require_spans(self.targets)
        if self.targets and self.action not in (Action.ERASURE, Action.ABORTED):
            raise forbidden("targets on erasure and aborted entries only", str(self.action))
        require_aside(self.aside)
        if self.aside and self.action is not Action.ERASURE:
            raise forbidden("entries of other ledgers on erasure entries only", str(self.action))
        require_details(self.details)


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
        fields = {
            "action": draft.action.value,
            "actor": draft.actor,
            "at": format_time(self.at),
            "details": plain(draft.details),
            "sequence": self.sequence,
            "stage": draft.stage.value,
            "subjects": list(draft.subjects),
            "targets": plain(draft.targets),
            "v": _VERSION,
        }
        return encode(fields | ({_ASIDE: plain(draft.aside)} if draft.aside else {}))


@dataclass(frozen=True, slots=True)
class Glance:
    """As much of an entry as a walk over the whole log needs.

    Attributes:
        sequence: its number.
        at: its time as written; such texts sort as the times do.
        action: what was done, as written.
        stage: as in `Draft`, as written.
        targets: as in `Draft`.
        aside: as in `Draft`.
    """

    sequence: int
    at: str
    action: str
    stage: str
    targets: tuple[Span, ...]
    aside: tuple[Aside, ...]


def commitment(salt: bytes, content: bytes) -> bytes:
    """The 32-byte leaf that stands for this content (canonical bytes) under this salt (32 bytes).

    The salt's length is fixed and the domain ends in a newline, so no two pairs of salt and
    content are ever hashed as the same bytes.
    """
    if len(salt) != SALT_BYTES:
        raise forbidden(f"a salt of {SALT_BYTES} bytes", f"{len(salt)} bytes")
    return hashlib.sha256(_DOMAIN + salt + content).digest()


def parse_entry(content: bytes) -> Entry:
    """The entry that these bytes are, if they are exactly its canonical form.

    Raises:
        EntryForbidden: not canonical JSON of an entry of this version, or one that may not be.
    """
    try:
        fields: dict[str, Any] = json.loads(content)
        if set(fields) - {_ASIDE} != _KEYS or fields["v"] != _VERSION:
            raise forbidden("the fields of an entry, version 1", "others")
        entry = Entry(
            sequence=int(fields["sequence"]),
            at=parse_time(fields["at"]),
            draft=Draft(
                action=Action(fields["action"]),
                actor=fields["actor"],
                subjects=tuple(fields["subjects"]),
                details=fields["details"],
                targets=_spans(fields["targets"]),
                stage=Stage(fields["stage"]),
                aside=_aside(fields),
            ),
        )
        exact = entry.canonical() == content
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise forbidden("the canonical JSON of an entry", "something else") from error
    if not exact:
        raise forbidden("RFC 8785 canonical JSON", "another spelling of it")
    return entry


def glance(content: bytes) -> Glance:
    """Read an entry that its commitment already vouches for; ten times faster than `parse_entry`.

    Raises:
        EntryForbidden: not an entry.
    """
    try:
        fields: dict[str, Any] = json.loads(content)
        return Glance(
            int(fields["sequence"]),
            str(fields["at"]),
            str(fields["action"]),
            str(fields["stage"]),
            _spans(fields["targets"]),
            _aside(fields),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise forbidden("the canonical JSON of an entry", "something else") from error


def _spans(rows: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple((int(first), int(last)) for first, last in rows)


def _aside(fields: Mapping[str, Any]) -> tuple[Aside, ...]:
    return tuple((str(root), _spans(rows)) for root, rows in fields.get(_ASIDE, ()))


def format_time(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds: ``2026-05-04T09:30:00Z``."""
    if at.tzinfo is None:
        raise forbidden("a time with its zone", "a time without")
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
