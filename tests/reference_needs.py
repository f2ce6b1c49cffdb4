"""The slow twins of the signals that need more than the text, each written from its definition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from reference import words_of

Lists = Mapping[str, Mapping[str, Sequence[str]]]


def stop_words(text: str, words: str, row: Mapping[str, str | None], lists: Lists) -> dict[str, float | None]:
    listed = lists["stop_words"].get(row["language"] or "")
    if listed is None:
        return {"language_stop_word_count": None, "stop_word_ratio": None}
    found = words_of(text, words)
    times = sum(word in listed for word in found)
    return {
        "language_stop_word_count": len(set(listed) & set(found)),
        "stop_word_ratio": times / len(found) if found else 0.0,
    }


def url(text: str, words: str, row: Mapping[str, str | None], lists: Lists) -> dict[str, str]:
    path = (row["url"] or "").partition("#")[0].partition("?")[0]
    scheme, colon, rest = path.partition(":")
    if colon and scheme and "/" not in scheme:
        path = rest
    if path.startswith("//"):
        path = path[2:].partition("/")[2]
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    is_one = stem.strip(".") and re.fullmatch("[A-Za-z0-9+_-]{1,20}", extension)
    return {"url_extension": extension.lower() if is_one else ""}


FAMILIES = {"stop_words": stop_words, "url": url}
