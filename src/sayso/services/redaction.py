"""Taking other people's names out of what one person is given."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from sayso.domain.person import folded

REPLACEMENT = "[another person]"
_WORD = re.compile(r"[^\W_]+")
_REPEATED = re.compile(rf"{re.escape(REPLACEMENT)}(?:\W{{0,2}}{re.escape(REPLACEMENT)})+")


class Redaction:
    """Replaces names: all words of one, in any order or run together, whatever case and accents.

    A first name alone is not recognised: too many words are somebody's first name.

    Args:
        own: the person's own name: a namesake's is left, since nothing tells them apart.
        others: everybody else's names, guardians' among them.
    """

    def __init__(self, own: str, others: Iterable[str]) -> None:
        self._names: dict[str, set[frozenset[str]]] = {}
        self._joined: set[str] = set()
        kept = _words(own)
        for words in {tuple(_words(other)) for other in others} - {tuple(kept), ()}:
            # Found by one of its words, so that a text is not held against every name.
            self._names.setdefault(min(words), set()).add(frozenset(words))
            if len(words) > 1:
                self._joined |= {"".join(words), "".join(reversed(words))} - {"".join(kept)}

    def text(self, text: str) -> str:
        """A text without others' names."""
        text = unicodedata.normalize("NFC", text)  # a letter and its accent are one word
        words = {plain for word in _WORD.findall(text) for plain in _words(word)}
        candidates = (name for word in words for name in self._names.get(word, ()))
        gone = {word for name in candidates if name <= words for word in name}
        gone |= words & self._joined
        if not gone:
            return text

        def replaced(match: re.Match[str]) -> str:
            return match[0] if gone.isdisjoint(_words(match[0])) else REPLACEMENT

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


def _words(text: str) -> list[str]:
    """The words of a text without case and accents: free text often lacks the latter."""
    bare = unicodedata.normalize("NFKD", folded(text))
    return _WORD.findall("".join(sign for sign in bare if not unicodedata.combining(sign)))
