"""What an entry may hold: ids, codes, counts. Refuses names, contacts, free text, features. Pure.

This catches accidents, not malice: a caller bent on writing a name into an opaque id can. It makes
the mistakes that matter here (a vector in the details, a display name instead of an id, a key
called ``email``) fail at once, before they are in a log that cannot be rewritten.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from sayso.errors import EntryForbidden

NUMBERS_IN_LIST = 16
"""The most numbers that one list may hold: no face vector is this short."""
NUMBERS_IN_ALL = 32
STRING_CHARACTERS = 128
"""The longest string: two SHA-256 in hex, but no vector in base64."""
DETAILS_BYTES = 2048
LIST_BYTES = 512
"""The longest list that `listed` writes out, as canonical JSON."""


_ROOT = re.compile(r"[0-9a-f]{64}")
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

Json = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None
Span = tuple[int, int]
"""First and last sequence number, both included."""
Aside = tuple[str, tuple[Span, ...]]
"""Entries of a ledger that was laid aside: the root that it ended with (hex), and which."""


def require_details(details: Mapping[str, Json]) -> None:
    """Refuse details that hold, or could hold in disguise, what must never be in an entry.

    Raises:
        EntryForbidden: what and why.
    """
    if not isinstance(details, Mapping):
        raise forbidden("details by key", "something else")
    if _inspect("details", details) > NUMBERS_IN_ALL:
        raise forbidden(f"at most {NUMBERS_IN_ALL} numbers in the details", "more")
    if len(encode(plain(details))) > DETAILS_BYTES:
        raise forbidden(f"at most {DETAILS_BYTES} bytes of details", "more")


def listed(key: str, codes: Sequence[str]) -> dict[str, Json]:
    """A list of codes for an entry's details, whatever its length; of a long one, what it was.

    Returns:
        ``{key: codes}``; or, where that would take more than `LIST_BYTES`, how many there are
        (``key_count``) and the SHA-256 of the list as RFC 8785 canonical JSON (``key_sha256``).
        Whoever has the list, out of the record that the entry is about, can then check it.
    """
    written = encode(list(codes))
    if len(written) <= LIST_BYTES:
        return {key: list(codes)}
    return {f"{key}_count": len(codes), f"{key}_sha256": hashlib.sha256(written).hexdigest()}


def _inspect(key: str, value: Json) -> int:
    """Count the numbers in a value; refuse what it may not hold."""
    if value is None or isinstance(value, bool):
        return 0
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise forbidden(f"a finite number in {key}", str(value))
        return 1
    if isinstance(value, str):
        _require_token(key, value)
        return 0
    if isinstance(value, Mapping):
        for name in value:
            _require_key(name)
        return sum(_inspect(name, part) for name, part in value.items())
    if not isinstance(value, list | tuple):
        raise forbidden(f"JSON in {key}", type(value).__name__)
    numbers = sum(_inspect(key, part) for part in value)
    if numbers > NUMBERS_IN_LIST:
        raise forbidden(f"at most {NUMBERS_IN_LIST} numbers in {key}", f"a list of {numbers}")
    return numbers


def _require_key(name: object) -> None:
    if not isinstance(name, str) or not _KEY.fullmatch(name):
        raise forbidden("snake_case keys of at most 48 characters", "another key")
    if name in _FORBIDDEN_WORDS or not _FORBIDDEN_WORDS.isdisjoint(name.split("_")):
        raise forbidden("keys that hold neither names, contacts nor features", f"the key {name}")


def _require_token(key: str, text: str) -> None:
    if len(text) > STRING_CHARACTERS or not _TOKEN.fullmatch(text):
        raise forbidden(
            f"a code of at most {STRING_CHARACTERS} ASCII characters without spaces in {key}",
            "free text",
        )
    if _CONTACT.fullmatch(text):
        raise forbidden(f"a code in {key}", "what looks like an e-mail address or phone number")


def require_id(text: object, what: str) -> None:
    """Refuse what is not an opaque id of 1 to 64 characters; ``what`` says whose, for the error."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise forbidden(f"an opaque id as {what}", "something else")


def require_spans(targets: Sequence[Span]) -> None:
    """Refuse spans of sequence numbers that do not rise."""
    last_end = -1
    for first, last in targets:
        if not last_end < first <= last:
            raise forbidden("targets as rising spans from 0", f"{first} to {last}")
        last_end = last


def require_aside(aside: Sequence[Aside]) -> None:
    """Refuse what does not name a ledger by its root, each once, with at least one entry of it."""
    roots = [root for root, _ in aside]
    if not all(map(_ROOT.fullmatch, roots)) or len(set(roots)) != len(roots):
        raise forbidden("the roots of ledgers that were laid aside, in hex, each once", "others")
    for _, targets in aside:
        require_spans(targets)
        if not targets:
            raise forbidden("entries of each ledger that is named", "none")


def encode(value: Any) -> bytes:  # noqa: ANN401 - JSON has no narrower type that rfc8785 takes
    """RFC 8785 canonical JSON, UTF-8."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise forbidden("numbers that JSON holds exactly (to 2^53)", "larger ones") from error


def plain(value: Json) -> Any:  # noqa: ANN401 - likewise
    """The same value of dicts and lists, as rfc8785 takes them."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def forbidden(expected: str, found: str) -> EntryForbidden:
    """The error of an entry that may not be written."""
    return EntryForbidden(
        expected=expected,
        found=found,
        remedy="Record ids, codes and counts, and leave out what a person could be told by.",
    )
