"""Kernels of contamination: what a page has of items."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill._kernels import Integer, mix
from gristmill.columns import TextColumn
from gristmill.dedup.contamination.ngrams._kernels import (
    GRAM_STEP,
    Items,
    Slots,
    may_have,
    power_of,
    slot_of,
    word_hash,
)
from gristmill.dedup.contamination.words._kernels import Alphabet, Work, normalise
from gristmill.jit import inlined, kernel

Array = npt.NDArray[Any]

MOST_SPANS = 100  # of one text in one page

_ZERO = np.uint64(0)


class Marks(NamedTuple):
    """What is remembered of a page's matches; all zeros between pages.

    ``seen``: uint8[words], where an n-gram that the page has starts. ``last``: int64[texts], 2 more than the page's
    word with which the last n-gram of a text starts, 1 for a text with another match, else 0. ``spans``: int64[texts],
    how many it has. ``open``: int64[texts], the last. ``touched``: int64[texts], those that are not 0, in order.
    """

    seen: Array
    last: Array
    spans: Array
    open: Array
    touched: Array


class Output(NamedTuple):
    """What is found.

    ``counts``: int64[4], how many spans, texts and matches, and how many texts the page has so far. ``spans``:
    int64[6, room]: row, text, first word of the page, words, first byte, byte after the last. ``texts``: int64[3,
    room]: row, text, words of it that the page has. ``matches``: int64[2, room]: row, and the word with which an n-gram
    or a whole text starts first, each once in a page.
    """

    counts: Array
    spans: Array
    texts: Array
    matches: Array


class Known(NamedTuple):
    """What is looked for.

    ``grams``: n-grams. ``shorts``: the first words of short texts; one empty slot if there are none. ``common``:
    bool[words], the n-grams and short texts that are passed over, by the word with which they start first.
    """

    grams: Slots
    shorts: Slots
    items: Items
    common: Array


class Page(NamedTuple):
    """What a page is read in, what is remembered of it, and what is found."""

    work: Work
    marks: Marks
    out: Output


@inlined
def _match(row: int, word: int, marks: Marks, out: Output) -> None:
    """Add what starts with a word first, unless the page has had it."""
    if not marks.seen[word]:
        n = out.counts[2]
        if n < out.matches.shape[1]:
            out.matches[0, n], out.matches[1, n] = row, word
        out.counts[2] = n + 1


@inlined
def _touch(text: Integer, marks: Marks, out: Output) -> None:
    """Remember that a text is in the page."""
    if marks.last[text] == 0:
        marks.last[text] = 1
        marks.touched[out.counts[3]] = text
        out.counts[3] += 1


@inlined
def _add_span(row: int, text: Integer, place: tuple[int, int], page: Page) -> None:
    """Add a span, of a first word and so many; past the most of a text, or past the room, only count it."""
    first, words = place
    work, marks, out = page
    marks.open[text] = -1
    marks.spans[text] += 1
    if marks.spans[text] <= MOST_SPANS:
        n = out.counts[0]
        if n < out.spans.shape[1]:
            out.spans[0, n], out.spans[1, n], out.spans[2, n], out.spans[3, n] = row, text, first, words
            out.spans[4, n], out.spans[5, n] = work.begins[first], work.ends[first + words - 1]
            marks.open[text] = n
        out.counts[0] = n + 1


@kernel
def _add_ngram(row: int, first: int, word: Integer, known: Known, page: Page) -> None:
    """Tell every text that has the n-gram with which ``word`` starts that the page has it at its word ``first``."""
    work, marks, out = page
    ngram = known.grams.size[0]
    _match(row, word, marks, out)
    while word >= 0:
        text = known.items.owners[word]
        _touch(text, marks, out)
        marks.seen[word] = 1
        if marks.last[text] == first + 1 and marks.spans[text]:
            span = marks.open[text]
            if span >= 0:
                out.spans[3, span] += 1
                out.spans[5, span] = work.ends[first + ngram - 1]
        elif marks.last[text] != first + 2:
            _add_span(row, text, (first, ngram), page)
        marks.last[text] = first + 2
        word = known.items.later[word]


@kernel
def _add_whole(row: int, first: int, word: Integer, known: Known, page: Page) -> None:
    """Tell the short texts that start as ``word`` does that the page has them whole from its word ``first`` on.

    The page's normalised text ends with its last word's space, and then a 0.
    """
    items, text = known.items, page.work.text
    while word >= 0:
        owner = items.owners[word]
        words = items.bounds[owner + 1] - word
        start = items.starts[word]
        size = items.starts[word + words] - start
        if not known.common[word] and _begins(items.text[start : start + size], text[page.work.starts[first] :]):
            _match(row, word, page.marks, page.out)
            _touch(owner, page.marks, page.out)
            _add_span(row, owner, (first, words), page)
            page.marks.seen[word] = 1
        word = items.later[word]


@inlined
def _begins(what: Array, text: Array) -> Any:
    """Return whether a text that ends with a 0 begins with something that has none."""
    i = 0
    while i < what.shape[0] and what[i] == text[i]:
        i += 1
    return i == what.shape[0]


@kernel
def _probe(row: int, size: int, known: Known, page: Page, results: Array) -> None:
    """Look for n-grams and for short texts in the normalised page."""
    work = page.work
    ngram, short = known.grams.size[0], known.shorts.size[0]
    power, short_power = power_of(ngram), power_of(short)
    has_shorts = known.shorts.words.shape[0] > 1
    mask = np.uint64(known.grams.filter.shape[0] * 64 - 1)
    short_mask = np.uint64(known.shorts.filter.shape[0] * 64 - 1)
    text, hashes, starts = work.text, work.hashes, work.starts
    at, word = 0, 0
    rolling, short_rolling = _ZERO, _ZERO
    while at < size:
        value, end = word_hash(text, at)
        hashes[word] = value
        starts[word] = at
        at = end + 1
        word += 1
        rolling = rolling * GRAM_STEP + value
        first = word - ngram
        if first >= 0:
            if first:
                rolling -= power * hashes[first - 1]
            key = mix(rolling)
            if may_have(known.grams, mask, key):
                found = known.grams.words[slot_of(known.grams, known.items, key, text[starts[first] : at])]
                if found >= 0 and not known.common[found]:
                    results[1, row] += 1
                    _add_ngram(row, first, found, known, page)
        if has_shorts:
            short_rolling = short_rolling * GRAM_STEP + value
            first = word - short
            if first >= 0:
                if first:
                    short_rolling -= short_power * hashes[first - 1]
                key = mix(short_rolling)
                if may_have(known.shorts, short_mask, key):
                    found = known.shorts.words[slot_of(known.shorts, known.items, key, text[starts[first] : at])]
                    if found >= 0:
                        _add_whole(row, first, found, known, page)
    results[0, row] = max(word - ngram + 1, 0)


@kernel
def _tell_texts(row: int, ngram: int, items: Items, marks: Marks, out: Output) -> None:
    """Add how many words of each text the page has; forget what is remembered of the page."""
    for i in range(out.counts[3]):
        text = marks.touched[i]
        begin, stop = items.bounds[text], items.bounds[text + 1]
        covered, reach = 0, begin
        for word in range(begin, stop):
            if marks.seen[word]:
                end = min(word + ngram, stop)
                covered += end - max(reach, word)
                reach = end
                marks.seen[word] = 0
        marks.last[text] = 0
        marks.spans[text] = 0
        n = out.counts[1]
        if n < out.texts.shape[1]:
            out.texts[0, n], out.texts[1, n], out.texts[2, n] = row, text, covered
        out.counts[1] = n + 1
    out.counts[3] = 0


@kernel
def scan(column: TextColumn, alphabet: Alphabet, known: Known, page: Page, results: Array) -> None:
    """Look for items in each page.

    ``results``: int64[2, rows], zeros: receives a page's n-grams, and those found. Where the output has too little
    room, its counts say how much it needs.
    """
    data, offsets = column
    for row in range(offsets.shape[0] - 1):
        size = normalise(data[offsets[row] : offsets[row + 1]], alphabet, page.work)
        page.work.text[size] = 0
        _probe(row, size, known, page, results)
        if page.out.counts[3]:
            _tell_texts(row, known.grams.size[0], known.items, page.marks, page.out)
