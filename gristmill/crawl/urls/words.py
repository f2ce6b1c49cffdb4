"""Words and parts of words in an address, found at the cost of splitting it once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import ahocorasick

from gristmill.errors import UsageError

Words = Mapping[str, str]
"""Words, each with the name of the first list that has it."""

_BETWEEN_WORDS = re.compile("[^a-z0-9]+")


def split_words(text: str) -> list[str]:
    """Return the words of a lower-case text: runs of letters, digits and marks.

    >>> split_words("www.example.com/a-b_c?d=1")
    ['www', 'example', 'com', 'a', 'b', 'c', 'd', '1']
    """
    if text.isascii():
        return list(filter(None, _BETWEEN_WORDS.split(text)))
    return "".join(c if _is_in_word(c) else " " for c in text).split()


def normal_words(name: str, lines: Iterable[str], ignored: str = "all") -> tuple[str, ...]:
    """Return the words of a list, each once, in order; ``ignored`` characters are left out of each.

    A line that starts with ``#`` is a comment, and one without letters and digits is no word. Raises UsageError if
    there are none.

    >>> normal_words("list", ["# a comment", "Hot Nude", "hotnude"])
    ('hotnude',)
    """
    texts = (unicodedata.normalize("NFKC", line).lower().strip() for line in lines if not line.startswith("#"))
    found = dict.fromkeys(filter(None, (squeezed(text, ignored) for text in texts)))
    if not found:
        raise UsageError(f"{name} is empty: it names no word")
    return tuple(found)


def squeezed(text: str, ignored: str) -> str:
    """Return a lower-case text without what is ignored: ``all`` but letters, digits and marks, or given characters."""
    return "".join(split_words(text)) if ignored == "all" else text.translate(dict.fromkeys(map(ord, ignored)))


class SubstringFinder:
    """Finds the first of many substrings in a text, whatever their number (Aho and Corasick 1975)."""

    def __init__(self, substrings: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for substring in substrings:
            self._automaton.add_word(substring, substring)
        self._automaton.make_automaton()

    def first(self, text: str) -> str | None:
        """Return the substring that ends first in a text, the longest of several; None if there is none."""
        found = next(self._automaton.iter(text), None)
        return None if found is None else found[1]


def found_words(among: Words, in_order: Sequence[str]) -> list[str]:
    """Return the words of an address that are among some, each once, in the order of the address."""
    return [] if among.keys().isdisjoint(in_order) else [word for word in dict.fromkeys(in_order) if word in among]


def _is_in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"
