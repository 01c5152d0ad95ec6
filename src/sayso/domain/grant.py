"""What can be granted: purposes, the audience or channel that each carries, and the scope."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NewType, Self

from sayso.domain.photo import CollectionId
from sayso.errors import GrantUnknown

Audience = NewType("Audience", str)
Channel = NewType("Channel", str)

STAFF = Audience("staff")
PUBLIC = Audience("public")


class Purpose(StrEnum):
    """What may be done, each granted on its own."""

    RECOGNISE = "recognise"
    """Compare my face with the faces in these collections."""
    FIND = "find"
    """Let me see the photographs that I am in."""
    NAME = "name"
    """Show my name, and the profile fields that I list, to one audience."""
    PUBLISH = "publish"
    """Show my face uncovered in one channel."""


CHANNELS: Mapping[Channel, str] = MappingProxyType(
    {
        Channel("internal"): "seen inside the organisation only",
        Channel("website"): "the controller's own web pages",
        Channel("social"): "the controller's accounts on social media",
        Channel("print"): "printed matter: newsletters, brochures, posters",
        Channel("press"): "handed to newspapers and broadcasters",
    }
)
"""The channels that need no prefix; a controller's own begin with ``x-``."""

_TOKEN = r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?"  # noqa: S105 - a pattern, not a password
_AUDIENCE = re.compile(rf"staff|public|group:{_TOKEN}")
_OWN_CHANNEL = re.compile(rf"x-{_TOKEN}")


def audience(text: str) -> Audience:
    """Parse ``staff``, ``public`` or ``group:NAME``.

    Raises:
        GrantUnknown: it is none of these.
    """
    if not _AUDIENCE.fullmatch(text):
        raise GrantUnknown(
            expected="an audience: staff, public or group:NAME in lower case",
            found=repr(text),
            remedy="Name one audience; grant another one on its own.",
        )
    return Audience(text)


def channel(text: str) -> Channel:
    """Parse one of `CHANNELS` or the controller's own ``x-NAME``.

    Raises:
        GrantUnknown: it is none of these.
    """
    if text not in CHANNELS and not _OWN_CHANNEL.fullmatch(text):
        raise GrantUnknown(
            expected=f"a channel: {', '.join(CHANNELS)}, or x-NAME for one of your own",
            found=repr(text),
            remedy="Check the spelling; a channel that nobody asks for permits nothing.",
        )
    return Channel(text)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One purpose with what it carries.

    Attributes:
        target: an audience for ``name``, a channel for ``publish``, else None.
    """

    purpose: Purpose
    target: str | None = None

    def __post_init__(self) -> None:
        if self.purpose is Purpose.NAME:
            audience(self._required_target("an audience, as in name:staff"))
        elif self.purpose is Purpose.PUBLISH:
            channel(self._required_target("a channel, as in publish:website"))
        elif self.target is not None:
            raise GrantUnknown(
                expected=f"{self.purpose} alone",
                found=f"{self.purpose}:{self.target}",
                remedy=f"Leave out the part after {self.purpose}.",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``recognise``, ``find``, ``name:AUDIENCE`` or ``publish:CHANNEL``.

        Raises:
            GrantUnknown: it is none of these.
        """
        word, colon, target = text.strip().partition(":")
        if word not in set(Purpose):
            raise GrantUnknown(
                expected=f"a grant: {', '.join(Purpose)}",
                found=repr(text),
                remedy="Use recognise, find, name:AUDIENCE or publish:CHANNEL.",
            )
        return cls(Purpose(word), target if colon else None)

    def __str__(self) -> str:
        return self.purpose if self.target is None else f"{self.purpose}:{self.target}"

    def _required_target(self, expected: str) -> str:
        if self.target is None:
            raise GrantUnknown(
                expected=expected, found=str(self.purpose), remedy="Say to whom or where."
            )
        return self.target


@dataclass(frozen=True, slots=True)
class Scope:
    """The collections that a consent speaks of; None: all of this controller's."""

    collections: frozenset[CollectionId] | None = None

    def __post_init__(self) -> None:
        if self.collections is not None and not self.collections:
            raise GrantUnknown(
                expected="at least one collection, or none named for all",
                found="an empty list",
                remedy="Name the collections that the person agreed to.",
            )

    def covers(self, collection: CollectionId) -> bool:
        """Whether the scope speaks of this collection."""
        return self.collections is None or collection in self.collections


EVERYWHERE = Scope()
"""All of this controller's collections, those to come included."""
