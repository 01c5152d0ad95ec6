"""One spelling of a JSON document: RFC 8785 for documents without fractions.

What is signed must have one spelling. RFC 8785 (JSON Canonicalization Scheme) is: keys sorted by
their UTF-16 code units, no blanks, the shortest escapes, UTF-8. Its hard part, the spelling of
fractions, is left out: a document with a float in it is refused, and none of ours has one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sayso.errors import RecordMalformed

Document = Mapping[str, Any]
"""A JSON object: texts, whole numbers, booleans, nulls, lists and objects of these."""

_LARGEST = 2**53 - 1
_DEEPEST = 64


def canonical(document: Document) -> bytes:
    """The canonical JSON of a document, UTF-8.

    Raises:
        RecordMalformed: a float, an integer beyond 2**53 - 1, a lone surrogate, another type, or
            nesting deeper than 64.
    """
    try:
        text = json.dumps(_ordered(document, 0), ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError as error:
        raise _malformed("text that is Unicode", "a lone surrogate") from error


def digest(document: Document) -> str:
    """The SHA-256, in hex, of the canonical JSON; raises as `canonical` does."""
    return hashlib.sha256(canonical(document)).hexdigest()


def parse(data: bytes) -> dict[str, Any]:
    """The document in some bytes; the same key twice in an object is refused.

    Raises:
        RecordMalformed: no JSON object in UTF-8, or a key that comes twice.
    """
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _malformed("a JSON object in UTF-8", "something else") from error
    if not isinstance(document, dict):
        raise _malformed("a JSON object", type(document).__name__)
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _malformed("each key once in an object", "one that comes twice")
    return made


def _ordered(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        raise _malformed(f"nesting of at most {_DEEPEST}", "more")
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return value
    if isinstance(value, Mapping):
        keys = sorted(value, key=_utf16)
        return {key: _ordered(value[key], depth + 1) for key in keys}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_ordered(one, depth + 1) for one in value]
    raise _malformed("texts, whole numbers, lists and objects", type(value).__name__)


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise _malformed("keys that are texts", type(key).__name__)
    return key.encode("utf-16-be", errors="surrogatepass")


def _malformed(expected: str, found: str) -> RecordMalformed:
    return RecordMalformed(
        expected=expected,
        found=found,
        remedy="Ask for the record again; keep this file if you think that it was changed.",
    )
