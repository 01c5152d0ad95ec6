"""Searches every byte of every file for a person, without a line of Sayso's code.

Usage: ``python byte_search.py WANTED.json PLACE...``. WANTED holds ``texts`` (by kind),
``vectors`` (lists of numbers) and ``secrets`` (hex, by kind). Prints ``kind<TAB>file<TAB>offset``
for each find, a file's name and the members of archives included; exit status 1 if there is any.

A vector is found by any seven consecutive values of it: any seven hold four that begin at a
multiple of four. A secret is found by any 47 bytes of it, likewise by pieces of 24. A text, by
any of its words and by the whole.
"""

import base64
import gzip
import html
import json
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import numpy as np
import numpy.typing as npt

SHORTEST = 6
FORMATS = ("<f4", ">f4", "<f2", ">f2", "<f8", ">f8")
VALUES, PIECE, BLOCK, LONGEST = 4, 24, 1 << 24, 512
Patterns = dict[bytes, str]


def of_bytes(kind: str, data: bytes) -> Iterator[tuple[bytes, str]]:
    """As they are, in hex, and in base64 as it reads where they begin at any byte of three."""
    yield data, kind
    yield data.hex().encode(), f"{kind}, hex"
    yield data.hex().upper().encode(), f"{kind}, hex"
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(bytes(shift) + data)
            first = (shift * 8 + 5) // 6  # the first character that holds none of the shift
            last = (shift + len(data)) * 8 // 6  # the last that holds nothing behind
            yield whole[first:last], f"{kind}, base64"


def of_vector(values: list[float]) -> Iterator[tuple[bytes, str]]:
    """Four values at a time, in each format; a piece that is all zeros tells nothing."""
    for kind in FORMATS:
        numbers = np.array(values, kind)
        for start in range(0, len(numbers) - VALUES + 1, VALUES):
            piece = numbers[start : start + VALUES].tobytes()
            if len(set(piece)) > VALUES:
                yield from of_bytes(f"features {kind}", piece)


def of_text(kind: str, text: str) -> Iterator[tuple[bytes, str]]:
    """The whole and its words, composed and decomposed, in each spelling and encoding."""
    for part in dict.fromkeys([text, *text.split()]):
        folds = (part, part.lower(), part.upper(), part.casefold(), " ".join(part.split()))
        for fold in dict.fromkeys(folds):
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                yield from of_spelling(kind, unicodedata.normalize(form, fold))


def of_spelling(kind: str, text: str) -> Iterator[tuple[bytes, str]]:
    """One spelling, as JSON, HTML, URLs and mail write it, and in each encoding."""
    escaped = json.dumps(text)[1:-1]
    shouted = "\\u".join(
        part[:4].upper() + part[4:] if at else part for at, part in enumerate(escaped.split("\\u"))
    )
    entities = "".join(c if c.isascii() else f"&#{ord(c)};" for c in html.escape(text))
    hexed = "".join(c if c.isascii() else f"&#x{ord(c):x};" for c in html.escape(text))
    percent, plus = quote(text, safe=""), quote_plus(text)
    mail = text.encode().replace(b"=", b"=3D")
    quoted = "".join(chr(byte) if byte < 128 else f"={byte:02X}" for byte in mail)
    written = {text, escaped, shouted, html.escape(text), entities, hexed, percent, plus, quoted}
    for one in (*written, percent.lower(), plus.lower(), quote(text)):
        yield one.encode(), kind
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "latin-1", "cp1252"):
        try:
            yield text.encode(encoding), f"{kind}, {encoding}"
        except UnicodeEncodeError:
            continue
    with suppress(UnicodeDecodeError):
        yield text.encode().decode("cp1252").encode(), f"{kind}, read wrongly and written again"
    yield from of_bytes(kind, text.encode())


def wanted(facts: dict[str, dict[str, list[str]]]) -> Patterns:
    """Every pattern that is long enough to mean something."""
    patterns: Patterns = {}
    for kind, texts in facts["texts"].items():
        for text in texts:
            patterns.update(of_text(kind, text))
    for kind, secrets in facts["secrets"].items():
        for secret in map(bytes.fromhex, secrets):
            for start in range(0, max(len(secret) - PIECE, 0) + 1, PIECE):
                patterns.update(of_bytes(kind, secret[start : start + PIECE]))
    for vector in facts["vectors"]:
        patterns.update(of_vector([float(value) for value in vector]))
    return {one[:LONGEST]: kind for one, kind in patterns.items() if len(one) >= SHORTEST}


class Search:
    """Many patterns at once: by their first six bytes, looked up two by two."""

    def __init__(self, patterns: Patterns) -> None:
        self.by_start: dict[bytes, list[bytes]] = {}
        self.patterns = patterns
        self.tables = [np.zeros(1 << 16, np.bool_) for _ in range(SHORTEST // 2)]
        for pattern in patterns:
            self.by_start.setdefault(pattern[:SHORTEST], []).append(pattern)
            for at, table in enumerate(self.tables):
                table[pattern[2 * at] | pattern[2 * at + 1] << 8] = True

    def __call__(self, data: bytes) -> Iterator[tuple[str, int]]:
        """Kind and offset of each find."""
        if len(data) < SHORTEST:
            return
        block: npt.NDArray[np.uint8] = np.frombuffer(data, np.uint8)
        pairs = block[:-1].astype(np.uint16) | block[1:].astype(np.uint16) << 8
        places = np.flatnonzero(self.tables[0][pairs[: len(block) - SHORTEST + 1]])
        for at, table in enumerate(self.tables):
            places = places[table[pairs[places + 2 * at]]]
        for place in places.tolist():
            for pattern in self.by_start.get(data[place : place + SHORTEST], ()):
                if data.startswith(pattern, place):
                    yield self.patterns[pattern], place


def streams(file: Path) -> Iterator[tuple[str, bytes]]:
    """A file's name and contents, block by block; and those of an archive's members."""
    yield f"{file} (its name)", str(file).encode("utf-8", "surrogateescape")
    tail = b""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield str(file), tail + block
            tail = block[-LONGEST:]
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                yield f"{file}:{name}", name.encode() + b"\n" + archive.read(name)
    elif file.suffix == ".gz":
        yield f"{file}, unpacked", gzip.decompress(file.read_bytes())


def main() -> int:
    """Search; gives the exit status."""
    search = Search(wanted(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
    found: dict[tuple[str, str], int] = {}
    files = 0
    for place in map(Path, sys.argv[2:]):
        for file in sorted(path for path in place.rglob("*") if path.is_file()):
            files += 1
            for name, data in streams(file):
                for kind, offset in search(data):
                    found.setdefault((kind, name), offset)
    for (kind, name), offset in sorted(found.items()):
        print(kind, name, offset, sep="\t")  # noqa: T201 - what it is for
    print(f"{files} files, {len(search.patterns)} patterns", file=sys.stderr)  # noqa: T201
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
