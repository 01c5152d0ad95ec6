"""Traces: the byte patterns by which what was kept of a person would be found again.

Gathered before anything is deleted, in every encoding in which it was stored or is likely to have
been copied. Long secrets are cut into pieces, so that half a row left in a page is found too.
"""

import base64
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import sqlalchemy as sa

from sayso.domain.person import folded
from sayso.errors import SealBroken
from sayso.store.tables import consent_events, metadata, persons, profile_fields, templates
from sayso.store.vault import Vault

THE_ID = "the person's id"
SHORTEST = 6
"""Bytes. What is shorter is found in anything; of that only the rows are checked."""
_PIECE = 24
"""Long secrets are looked for in pieces of so many bytes."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One pattern.

    Attributes:
        kind: what it is of, for messages; never the thing itself.
        word: whether it is a text that others may have as well (a name, a telephone number).
    """

    kind: str
    pattern: bytes
    word: bool


def of_texts(kind: str, texts: Iterable[str | None]) -> Iterator[Trace]:
    """Some texts in UTF-8, folded, as JSON, HTML and URLs write them, and in UTF-16."""
    for text in texts:
        if not text:
            continue
        for spelt in dict.fromkeys((text, folded(text))):
            escaped = json.dumps(spelt)[1:-1]
            plain = (spelt, escaped, html.escape(spelt), quote(spelt))
            for written in dict.fromkeys(plain):
                yield Trace(kind, written.encode("utf-8", "surrogatepass"), word=True)
            for encoding in ("utf-16-le", "utf-16-be"):
                yield Trace(kind, spelt.encode(encoding, "surrogatepass"), word=True)


def of_bytes(kind: str, secret: bytes) -> Iterator[Trace]:
    """A secret as it is, in hex and in base64, in pieces."""
    yield from _pieces(kind, secret)
    yield from _pieces(f"{kind}, hex", secret.hex().encode())
    yield from _pieces(f"{kind}, hex", secret.hex().upper().encode())
    for shift in range(3):  # base64 of it as it begins at any byte of three
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(shift) + secret)
            yield from _pieces(f"{kind}, base64", text[4:-4])


def of_vector(vector: bytes) -> Iterator[Trace]:
    """Features (float32 as kept) in each number format, and in the encodings of `of_bytes`."""
    values = np.frombuffer(vector, np.float32)
    for name, kind in (("float32", "<f4"), ("float16", "<f2"), ("float64", "<f8")):
        yield from of_bytes(f"features, {name}", values.astype(kind).tobytes())
        turned = values.astype(kind.replace("<", ">")).tobytes()
        yield from _pieces(f"features, {name} big-endian", turned)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything by which a person could be found again, and how many templates told it.

    Attributes:
        opened: templates that were opened, so as to look for what they were made of.
    """

    traces: tuple[Trace, ...]
    opened: int


def gather(connection: sa.Connection, vault: Vault, person: str) -> Gathered:
    """Everything by which a person could be found again; nothing is changed."""
    opened = 0
    traces = [*_of_rows(connection, person), *of_id(person)]
    wrapped = vault.wrapped(person)
    if wrapped is not None:
        traces += of_bytes("the wrapped data key", wrapped)
    for row in connection.execute(sa.select(templates).where(templates.c.person_id == person)):
        traces += of_bytes("a sealed template", row.sealed)
        traces += _ids("a template's id", row.id)
        with suppress(SealBroken):  # closed already: nobody can open it, we cannot either
            traces += of_vector(bytes(vault.open_template(person, row.id, row.sealed)))
            opened += 1
    return Gathered(tuple({trace.pattern: trace for trace in traces}.values()), opened)


def of_id(person: str) -> list[Trace]:
    """A person's id, which is all that is known of them where the rest cannot be opened."""
    return _ids(THE_ID, person)


def of_sealed(connection: sa.Connection, vault: Vault, person: str) -> list[Trace]:
    """What is kept of somebody's templates, as it is kept: rows, ids and the wrapped data key."""
    query = sa.select(templates).where(templates.c.person_id == person)
    rows = connection.execute(query).all()
    if not rows:
        return []
    wrapped = vault.wrapped(person)
    found = [] if wrapped is None else [*_pieces("the wrapped data key", wrapped)]
    for row in rows:
        found += of_template(row.id, row.sealed)
    return found


def of_template(template: str, sealed: bytes) -> list[Trace]:
    """What is kept of one template, as it is kept."""
    named = Trace("a template's id", template.encode(), word=False)
    return [*_pieces("a sealed template", sealed), named]


def lasting(traces: Iterable[Trace]) -> list[Trace]:
    """Those that may be noted down, sealed, for after a crash: all but the features."""
    return [trace for trace in traces if not trace.kind.startswith("features")]


def dumped(traces: Iterable[Trace]) -> list[list[str | bool]]:
    """Some traces as JSON takes them."""
    return [[trace.kind, trace.pattern.hex(), trace.word] for trace in traces]


def loaded(rows: Iterable[tuple[str, str, bool]]) -> list[Trace]:
    """What `dumped` wrote."""
    return [Trace(kind, bytes.fromhex(text), word=word) for kind, text, word in rows]


def told_of_others(connection: sa.Connection, trace: Trace) -> list[str]:
    """Columns (``table.column``) of the rows that are left which hold this very text.

    Once nobody's rows are left but others', a namesake's name, a shared telephone number or a
    file that was named after the person explains why the bytes are still there. A secret or an
    id is never explained.
    """
    if not trace.word:
        return []
    found = []
    for table in metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, sa.String):
                continue
            held = sa.func.instr(sa.cast(column, sa.LargeBinary), trace.pattern) > 0
            if connection.execute(sa.select(sa.literal(1)).where(held).limit(1)).first():
                found.append(f"{table.name}.{column.name}")
    schema = sa.text("SELECT 1 FROM sqlite_master WHERE instr(CAST(sql AS BLOB), :it) LIMIT 1")
    if connection.execute(schema, {"it": trace.pattern}).first():
        found.append("the names of tables and columns")
    return found


def _of_rows(connection: sa.Connection, person: str) -> Iterator[Trace]:
    row = connection.execute(sa.select(persons).where(persons.c.id == person)).one()
    yield from of_texts("the name", [row.name, row.name_folded])
    yield from of_texts("the date of birth", [row.born])
    fields = sa.select(profile_fields).where(profile_fields.c.person_id == person)
    for field in connection.execute(fields):
        yield from of_texts("a profile field", [field.value])
        yield from of_texts("a profile field's name", [field.name])
    events = sa.select(consent_events).where(consent_events.c.person_id == person)
    for event in connection.execute(events):
        yield from of_texts("a guardian", _values(event.guardian))
        evidence = _facts(event.evidence)
        yield from of_texts("evidence", [evidence.get("sha256")])


def _ids(kind: str, text: str) -> list[Trace]:
    """A random id: nothing else may hold it."""
    return [Trace(kind, trace.pattern, word=False) for trace in of_texts(kind, [text])]


def _facts(text: str | None) -> Mapping[str, Any]:
    return {} if text is None else dict(json.loads(text))


def _values(text: str | None) -> list[str]:
    """A guardian's name alone: how a relation is called or was checked says nothing of anybody."""
    facts = _facts(text)
    return [str(facts["name"])] if "name" in facts else []


def _pieces(kind: str, secret: bytes) -> Iterator[Trace]:
    last = max(len(secret) - _PIECE, 0)
    for start in dict.fromkeys((*range(0, last + 1, _PIECE), last)):
        piece = secret[start : start + _PIECE]
        if len(set(piece)) > 2:  # noqa: PLR2004 - zeros and padding are found in anything
            yield Trace(kind, piece, word=False)
