"""Taking other people's names out of what one person is given."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from sayso.domain.person import folded

REPLACEMENT = "[another person]"
_WORD = re.compile(r"\w+")
_REPEATED = re.compile(rf"{re.escape(REPLACEMENT)}(?:\W{{0,2}}{re.escape(REPLACEMENT)})+")


class Redaction:
    """Replaces names: all words of one, in whole words, in any order, whatever their case.

    A first name alone is not recognised: too many words are somebody's first name.

    Args:
        own: the person's own name: a namesake's is left, since nothing tells them apart.
        others: everybody else's names, guardians' among them.
    """

    def __init__(self, own: str, others: Iterable[str]) -> None:
        self._names: dict[str, set[frozenset[str]]] = {}
        for name in {folded(other) for other in others} - {folded(own)}:
            words = frozenset(_WORD.findall(name))
            if words:
                # Found by one of its words, so that a text is not held against every name.
                self._names.setdefault(min(words), set()).add(words)

    def text(self, text: str) -> str:
        """A text without others' names."""
        text = unicodedata.normalize("NFC", text)  # a letter and its accent are one word
        words = {folded(word) for word in _WORD.findall(text)}
        candidates = (name for word in words for name in self._names.get(word, ()))
        gone = {word for name in candidates if name <= words for word in name}
        if not gone:
            return text

        def replaced(match: re.Match[str]) -> str:
            return REPLACEMENT if folded(match[0]) in gone else match[0]

        return _REPEATED.sub(REPLACEMENT, _WORD.sub(replaced, text))

    def tree(self, value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """The same for every text in a JSON value; keys are ours and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.tree(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(one) for one in value]
        return value
