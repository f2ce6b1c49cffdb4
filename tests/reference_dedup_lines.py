"""Slow, obvious twins of gristmill/dedup/lines: units, what of them goes, what is cut of a text."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict

import reference_dedup
from reference import is_punctuation, words_of
from reference_lines import ends_sentence

# cc_net's list, from its definition: typographic punctuation, then what does not print.
CCNET_PUNCTUATION = "，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►"
CCNET = re.compile("[" + CCNET_PUNCTUATION + "\x00-\x1f\x7f-\x9f]")


def ccnet(line: str) -> str:
    return CCNET.sub("", re.sub(r"\d", "0", line.strip().lower()))


FORMS = {
    "text": str.strip,
    "lower_case": lambda piece: piece.strip().lower(),
    "ccnet": ccnet,
    "normalized_text": lambda piece: reference_dedup.normal_text(piece.strip()),
}


def key(form: str) -> int:
    return int.from_bytes(hashlib.sha1(form.encode()).digest()[:8], "little")


def lines(text: str) -> list[tuple[int, int]]:
    """Start and end of each piece between line feeds."""
    spans, at = [], 0
    for line in text.split("\n"):
        spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans


def sentences(text: str, kind: str = "unicode") -> list[tuple[int, int]]:
    """Start and end of each sentence, found line by line."""
    spans, begin = [], 0
    for line in text.splitlines(keepends=True):
        at, ended, first = begin, True, True
        for word in words_of(line.splitlines()[0], kind):
            start = text.index(word, at)
            at = start + len(word)
            if first or (ended and not ends_sentence(word, kind) and not all(map(is_punctuation, word))):
                spans.append((start, at))
                ended = False
            spans[-1] = (spans[-1][0], at)
            ended, first = ended or ends_sentence(word, kind), False
        begin += len(line)
    return spans


def units(text: str, unit: str, equal: str) -> list[tuple[int, int, str]]:
    """Start, end and form of each unit that has one."""
    spans = lines(text) if unit == "line" else sentences(text)
    found = [(start, end, FORMS[equal](text[start:end])) for start, end in spans]
    return [unit for unit in found if unit[2]]


def cut(text: str, spans: list[tuple[int, int]], gone: set[int]) -> str:
    """A text without some of its units, the others separated as they were."""
    left, at, n = "", 0, 0
    while n < len(spans):
        if n not in gone:
            n += 1
            continue
        first = n
        while n in gone:
            n += 1
        before = text[spans[first - 1][1] : spans[first][0]] if first else None
        after = text[spans[n - 1][1] : spans[n][0]] if n < len(spans) else None
        start, end = spans[first][0], spans[n - 1][1]
        if before is None:
            start = 0
        elif after is None or not (("\n" in before and "\n" not in after) or not after):
            start -= len(before)
        if after is None:
            end = len(text)
        elif before is None or ("\n" in before and "\n" not in after) or not after:
            end += len(after)
        left += text[at:start]
        at = end
    return left + text[at:]


def repeated(documents: list[tuple], most: int, copies_kept: str) -> set[tuple]:
    """(id, place) of what goes; documents are (order, id, keys by place)."""
    places = defaultdict(list)
    for order, identity, keys in documents:
        for place, of in enumerate(keys):
            places[of].append((order, key(identity), place, identity))
    gone = set()
    for copies in places.values():
        if len(copies) > most:
            gone |= {(identity, place) for *_, place, identity in sorted(copies)[copies_kept == "first" :]}
    return gone


def seen(documents: list[tuple]) -> Counter:
    """How many n-grams of each (id, paragraph) stand before it; documents are (order, id, n-grams by paragraph)."""
    first, found = {}, Counter()
    for _, identity, paragraphs in sorted(documents, key=lambda d: (d[0], key(d[1]))):
        for place, ngrams in enumerate(paragraphs):
            found[identity, place] += sum(first.get(ngram, (identity, place)) != (identity, place) for ngram in ngrams)
            for ngram in ngrams:
                first.setdefault(ngram, (identity, place))
    return +found


def ngrams(line: str, size: int, fewest: int) -> list[tuple[str, ...]]:
    words = words_of(line)
    if len(words) < fewest:
        return []
    return [tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1))]
