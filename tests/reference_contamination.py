"""What a page has of evaluation items: the slow, obvious way."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from itertools import groupby

from gristmill.characters import TERMINAL, character_classes


@dataclass(frozen=True)
class Word:
    """A word in its form, and the characters of the text that it comes from."""

    form: str
    start: int
    end: int


@dataclass
class Item:
    benchmark: str
    id: str
    texts: list[str]
    fields: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Hit:
    """A span of a page, in words and in characters, and the text of the item that has it."""

    first: int
    text: int
    item: int
    words: int
    start: int
    end: int


def folded(character: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())


def is_invisible(character: str) -> bool:
    return character in "\u00ad\u034f\u2060\ufeff" or "VARIATION SELECTOR-" in unicodedata.name(character, "")


def in_order(word: str) -> str:
    """Marks in the order of their classes, thirty at a time."""
    found = ""
    for combines, run in groupby(word, lambda c: unicodedata.combining(c) > 0):
        marks = list(run)
        if combines:
            marks = [m for i in range(0, len(marks), 30) for m in sorted(marks[i : i + 30], key=unicodedata.combining)]
        found += "".join(marks)
    return found


def placed_words(text: str) -> list[Word]:
    """Runs of letters and digits, folded; a combining mark goes with the word before it."""
    found, word, start, end = [], "", 0, 0
    for at, source in enumerate(text + " "):
        for character in folded(source):
            if is_invisible(character):
                continue
            if character.isalnum() or (word and unicodedata.category(character).startswith("M")):
                start = start if word else at
                word += character
                end = at + 1
            elif word:
                found.append(Word(in_order(word), start, end))
                word = ""
    return found


def words(text: str) -> list[str]:
    return [word.form for word in placed_words(text)]


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    found = words(text)
    return [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]


def is_looked_for(ngram: tuple[str, ...]) -> bool:
    return len({word for word in ngram if sum(c.isalpha() for c in word) >= 2}) >= 3


def looked_for(text: str, n: int) -> list[tuple[str, ...]]:
    return [gram for gram in ngrams(text, n) if is_looked_for(gram)]


def has_ngram(item: Item, n: int) -> bool:
    return any(looked_for(text, n) for text in item.texts)


def short_texts(item: Item, n: int, short: int | None) -> list[tuple[str, ...]]:
    """The texts of an item that are looked for whole."""
    if has_ngram(item, n) or short is None:
        return []
    found = (tuple(words(text)) for text in item.texts)
    return [text for text in found if short <= len(text) < n and is_looked_for(text)]


def short_items(items: list[Item], n: int, short: int | None = None) -> list[tuple[str, str]]:
    """Those of which nothing can be found."""
    return [(i.benchmark, i.id) for i in items if not has_ngram(i, n) and not short_texts(i, n, short)]


def hits(page: str, items: list[Item], n: int, short: int | None = None) -> list[Hit]:
    found, number = [], 0
    said = placed_words(page)
    forms = [word.form for word in said]
    for place, item in enumerate(items):
        whole = short_texts(item, n, short)
        for text in item.texts:
            grams = set(looked_for(text, n))
            here = [p for p in range(len(said) - n + 1) if tuple(forms[p : p + n]) in grams]
            spans = [(p, n + sum(p + k in here for k in run_after(p, here))) for p in here if p - 1 not in here]
            own = tuple(words(text))
            if own in whole:
                spans += [(p, len(own)) for p in range(len(said)) if tuple(forms[p : p + len(own)]) == own]
            found += [Hit(p, number, place, c, said[p].start, said[p + c - 1].end) for p, c in spans]
            number += 1
    return sorted(found, key=lambda hit: (hit.first, hit.text))


def run_after(place: int, here: list[int]) -> range:
    """How far places go on in a row after one of them."""
    k = 0
    while place + k + 1 in here:
        k += 1
    return range(1, k + 1)


def item_ratio(page: str, item: Item, n: int, short: int | None = None) -> float:
    """Words of the item that the page has / words of the item."""
    there, forms = set(ngrams(page, n)), words(page)
    covered = total = 0
    for text in item.texts:
        own = words(text)
        places = set()
        for p in range(len(own) - n + 1):
            gram = tuple(own[p : p + n])
            if gram in there and is_looked_for(gram):
                places |= set(range(p, p + n))
        m = len(own)
        if tuple(own) in short_texts(item, n, short) and any(forms[p : p + m] == own for p in range(len(forms))):
            places = set(range(m))
        covered += len(places)
        total += m
    return covered / total if total else 0.0


def contamination(page: str | None, items: list[Item], n: int, short: int | None = None) -> tuple:
    """The columns of the layer but the last."""
    if page is None:
        return (None,) * 8
    known = {gram for item in items for text in item.texts for gram in looked_for(text, n)}
    grams = ngrams(page, n)
    count = sum(gram in known for gram in grams)
    found = hits(page, items, n, short)
    item = items[found[0].item] if found else None
    return (
        count,
        count / len(grams) if grams else 0.0,
        item and item.benchmark,
        item and item.id,
        len({hit.item for hit in found if hit.words < n}),
        len({hit.item for hit in found}),
        max((item_ratio(page, items[hit.item], n, short) for hit in found), default=0.0),
        max((hit.words for hit in found), default=0),
    )


CLOSING = "\"')]}»’”›」』）"
LINE_BREAKS = "\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"


def sentence_ended(text: str, at: int) -> bool:
    """Whether a sentence has ended before ``at``; only the eight characters before those in question are looked at."""
    rest = text[:at].rstrip()
    while rest and rest[-1] in CLOSING:
        rest = rest[:-1]
        rest = rest.rstrip()
    return bool(rest) and bool(character_classes()[ord(rest[-1])] & TERMINAL)


def is_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def begin_of(text: str, start: int, margin: int) -> int:
    window = max(0, start - margin)
    if window == 0:
        return 0
    seen = text[max(0, window - 8) :]
    shift = len(text) - len(seen)
    places = range(window, start + 1)
    sentences = [
        p for p in places if text[p - 1] in LINE_BREAKS or (text[p - 1].isspace() and sentence_ended(seen, p - shift))
    ]
    words = [p for p in places if text[p - 1].isspace()]
    gaps = [p for p in places if not is_of_word(text[p - 1])]
    return next(iter([*sentences[:1], *words[:1], *gaps[:1], start]))


def end_of(text: str, end: int, margin: int) -> int:
    if end + margin >= len(text):
        return len(text)
    places = range(end, end + margin + 1)
    sentences = [
        p for p in places if text[p] in LINE_BREAKS or (text[p].isspace() and sentence_ended(text[end:], p - end))
    ]
    words = [p for p in places if text[p].isspace()]
    gaps = [p for p in places if not is_of_word(text[p]) and not text[p].isspace()]
    return next(iter([*sentences[-1:], *words[-1:], *gaps[-1:], end]))


def cut(text: str, spans: list[tuple[int, int]], margin: int) -> tuple[str, int]:
    """What is left of a text, and how often it is cut."""
    cuts: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        begin, stop = begin_of(text, start, margin), end_of(text, end, margin)
        if cuts and len(text[:begin].rstrip()) <= cuts[-1][1]:
            begin, stop = min(begin, cuts[-1][0]), max(stop, cuts.pop()[1])
        cuts.append((begin, stop))
    left = ""
    at = 0
    for begin, stop in cuts:
        piece, rest = text[at:begin], text[stop:]
        before, behind = piece[len(piece.rstrip()) :], rest[: len(rest) - len(rest.lstrip())]
        space = max((before, behind), key=lambda s: (s.count("\n"), s is before and bool(s), s is behind))
        space = "" if not (left + piece).strip() or not rest.strip() else space or " "
        left += piece.rstrip() + space
        at = stop + len(behind)
    return left + text[at:], len(cuts)
