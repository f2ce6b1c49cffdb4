"""Slow, obvious twins of the signals that look at lines: those of FineWeb, C4 and mC4."""

from __future__ import annotations

import re

from datatrove.pipeline.filters.c4_filters import CITATION_REGEX, POLICY_SUBSTRINGS
from datatrove.utils.text import TERMINAL_PUNCTUATION, split_into_sentences
from reference import RUN, break_class, characters, further_copies, is_punctuation, ratio, words_of


def fineweb(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "terminal_line_ratio": ratio(sum(line.endswith(tuple(TERMINAL_PUNCTUATION)) for line in lines), len(lines)),
        "short_line_ratio": ratio(sum(len(line) <= 30 for line in lines), len(lines)),
        "dup_nonblank_line_char_ratio": ratio(sum(map(len, further_copies(lines))), len(text.replace("\n", ""))),
        "newline_word_ratio": ratio(text.count("\n"), len(words)),
    }


def mc4(text: str, words: list[str]) -> dict[str, float]:
    return {"long_paragraph_count": sum(len(line) >= 200 for line in text.split("\n"))}


def ends_sentence(word: str, kind: str) -> bool:
    if kind == "whitespace":  # the last character that is a terminal mark or no punctuation is such a mark
        places = [i for i, c in enumerate(word) if c in TERMINAL_PUNCTUATION or not is_punctuation(c)]
        last = places[-1] if places else 0
        return word[last] in TERMINAL_PUNCTUATION and word[max(0, last - 1) : last + 1] != ".."
    if break_class(word[0]) in {*RUN, characters.SINGLE}:
        return False
    return any(c in TERMINAL_PUNCTUATION for c in word) and (word == "." or set(word) != {"."})


def sentences(line: str, kind: str) -> int:
    if kind == "spacy":
        return len(split_into_sentences(line)) if line.strip() else 0
    count, ended = 0, False
    for word in words_of(line, kind):
        if not count or (ended and not ends_sentence(word, kind) and not all(map(is_punctuation, word))):
            count, ended = count + 1, False
        ended = ended or ends_sentence(word, kind)
    return count


def c4(text: str, kind: str) -> dict[str, float]:
    found = dict.fromkeys(C4_COUNTS, 0)
    found["lorem_ipsum_count"] = len(re.findall("lorem ipsum", text, re.ASCII | re.IGNORECASE))
    found["curly_brace_count"] = text.count("{")
    for whole in text.splitlines():
        words = whole.split()
        line = CITATION_REGEX.sub("", whole.strip())
        lower = line.lower()
        good = len(words) >= 3 and max(map(len, words)) <= 1000
        good = good and line.endswith((".", "?", "!", '"', "'")) and not line.endswith("...")
        javascript, policy = "javascript" in lower, any(phrase in lower for phrase in POLICY_SUBSTRINGS)
        kept = good and not javascript and not policy
        found["javascript_line_count"] += javascript
        found["policy_line_count"] += policy
        found["sentence_count"] += sentences(line, kind)
        found["c4_line_count"] += kept
        found["c4_lorem_ipsum_line_count"] += good and "lorem ipsum" in lower
        found["c4_curly_brace_line_count"] += good and not javascript and "{" in line
        found["c4_sentence_count"] += kept * sentences(line, kind)
    return found


C4_COUNTS = (
    "lorem_ipsum_count",
    "curly_brace_count",
    "javascript_line_count",
    "policy_line_count",
    "sentence_count",
    "c4_line_count",
    "c4_lorem_ipsum_line_count",
    "c4_curly_brace_line_count",
    "c4_sentence_count",
)
