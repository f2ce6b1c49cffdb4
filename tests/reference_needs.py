"""The slow twins of the signals that need more than the text, each written from its definition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import reference_redpajama
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


def _is_word(character: str) -> bool:
    return re.fullmatch(r"\w", character) is not None


def occurrences(text: str, entries: Sequence[str], *, bounded: bool) -> list[str]:
    """The entries found from the left, the longest first, none overlapping."""
    low = "".join(character.lower() for character in text)
    found: list[str] = []
    i = 0
    while i < len(low):
        here = [e for e in entries if e and low.startswith(e, i)]
        if bounded:
            starts = i == 0 or not _is_word(low[i - 1])
            here = [e for e in here if starts and not _is_word(low[i + len(e) : i + len(e) + 1] or " ")]
        if here:
            found.append(max(here, key=len))
        i += len(found[-1]) if here else 1
    return found


def bad_words(text: str, words: str, row: Mapping[str, str | None], lists: Lists) -> dict[str, int | None]:
    listed = lists["bad_words"].get(row["language"] or "")
    if listed is None:
        return {"bad_word_count": None, "distinct_bad_word_count": None}
    entries = set(listed) - {"sm", "グロ", "女の子", "性"}
    found = occurrences(text, sorted(entries), bounded=row["language"] not in ("ja", "th", "zh", "cmn_Hani"))
    return {"bad_word_count": len(found), "distinct_bad_word_count": len(set(found))}


def host_category(text: str, words: str, row: Mapping[str, str | None], lists: Lists) -> dict[str, str | int]:
    found = lists["ut1"].of(row["url"]) if row["url"] else ()  # type: ignore[attr-defined]
    return {"ut1_categories": ",".join(found), "ut1_category_count": len(found)}


FAMILIES = {
    "stop_words": stop_words,
    "url": url,
    "bad_words": bad_words,
    "host_category": host_category,
    "redpajama_v2_lists": reference_redpajama.lists,
}
