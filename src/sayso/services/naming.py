"""Names of published copies: a file's name must not give away whom its picture covers."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import get_args

from sayso.domain.grant import PUBLIC
from sayso.domain.person import Person
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Link
from sayso.services.names_told import tells_of, words_of
from sayso.services.screen import Screening
from sayso.store.repository import Unit
from sayso.vision.encode import extension_for
from sayso.vision.headers import Format


def public_paths(unit: Unit, screening: Screening) -> dict[str, str]:
    """For each file of a collection the path of its copy, without anybody's untold name.

    A path that holds every word of the name of somebody who was asked, and whose name may not be
    told to the public, is replaced by a number. Whether that person is in the picture plays no
    part, so the replacement tells nothing. So is a path that told of somebody who was erased: their
    name is not known any more. No two copies get the same path, whatever the case.
    """
    erased = unit.files.telling_of_erased(screening.collection.id)
    untold = [words_of(person.name) for person in _untold(unit, screening)]
    taken: set[str] = set()
    paths: dict[str, str] = {}
    for number, (path, screened) in enumerate(screening.files(), 1):
        stem = PurePosixPath(path).with_suffix("").as_posix()
        words = words_of(path)
        if path in erased or any(tells_of(words, name) for name in untold):
            stem = f"photograph-{number:06d}"
        extension = extension_for(_format(screened.photograph.format))
        paths[path] = _free(stem, extension, number, taken)
    return paths


def _untold(unit: Unit, screening: Screening) -> Iterable[Person]:
    records = unit.people.all_consents()
    now = screening.at
    for person in unit.people.all():
        asked = TellName(person.id, screening.collection, Link.MARKED, PUBLIC)
        if not isinstance(decide(asked, records[person.id], now), Permit):
            yield person


def _free(stem: str, extension: str, number: int, taken: set[str]) -> str:
    path = f"{stem}{extension}"
    while path.casefold() in taken:
        path = f"{stem}-{number:06d}{extension}"
        number += 1
    taken.add(path.casefold())
    return path


def _format(text: str) -> Format:
    kind: Format = next(known for known in get_args(Format) if known == text)
    return kind
