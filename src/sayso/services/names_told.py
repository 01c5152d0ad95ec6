"""Whether a file's name tells of a person; and what outlives that person's name at an erasure."""

import re
import unicodedata
from collections.abc import Sequence

from sayso.domain.person import Person, folded
from sayso.store.repository import Unit

_WORD = re.compile(r"[^\W\d_]+")


def keep_names_back(unit: Unit, erased: Person) -> None:
    """Mark each file whose path tells of somebody, before nobody knows their name any more.

    Else the next publication would call copies by the name of somebody who was erased. The name
    itself is not kept, so a file that comes later and is called so too is not known as one.
    """
    name = words_of(erased.name)
    for page in unit.files.everywhere():
        for file in page:
            if tells_of(words_of(file.path), name):
                unit.photographs.tell_of_erased(file.photo, file.id)


def tells_of(words: Sequence[str], name: Sequence[str]) -> bool:
    """Whether every word of the name is there, apart or written as one (AdaLovelace)."""
    if not name:
        return False
    run_together = len(name) > 1 and any(
        "".join(spelt) in "".join(words) for spelt in (name, tuple(reversed(name)))
    )
    return run_together or set(name) <= set(words)


def words_of(text: str) -> list[str]:
    """The words of a text without case and accents: file names often lack the latter."""
    plain = unicodedata.normalize("NFKD", folded(text))
    return _WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign)))
