"""The loops of RedPajama-V2's signals. Called by gristmill.filters.signals.redpajama.scans, which allocates for them.

Items of row *i* are those from ``counts[i]`` to ``counts[i + 1]``; ``out`` has a line per row. Hash tables are as in
gristmill.filters.signals._kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gristmill._kernels import PRIME, START, Array, Integer, decode, mix
from gristmill.characters import (
    ALPHANUMERIC,
    COMBINES,
    COMBINES_AT,
    DROPPED,
    NUMERIC,
    POINT,
    SEVERAL,
    SPACE,
    UPPER,
)
from gristmill.filters.signals._kernels import mask_for, slot_of
from gristmill.jit import inlined, kernel

# columns of raw_text
WORDS = 0
LETTERED = 1
CAPITALS = 2
SENTENCES = 3
BRACKETS = 4
LINES = 5
TERMINAL_LINES = 6
ELLIPSIS_LINES = 7
BULLET_LINES = 8
COLUMNS = 9

_FEED = 0x0A
_DOT = 0x2E
_ELLIPSIS = 0x2026
_ENDS = (0x21, _DOT, 0x3F)
_QUOTE = 0x201D
_BULLETS = (0x2013, 0x2022, 0x2023, 0x25A0, 0x25A1, 0x25AA, 0x25AB, 0x25B6, 0x25C0, 0x25E6)

_FIVE = (1 << 40) - 1  # five characters, a byte each; one that is not ASCII is 0xFF
_LOREM = 0x6C6F72656D
_IPSUM = 0x697073756D


@kernel
def _hash_marks(value: np.uint64, marks: Array, waiting: int) -> np.uint64:
    """Return the hash with combining marks added, in the canonical order: by class, else as they stand."""
    last = np.int64(0)
    done = 0
    while done < waiting:
        lowest = np.int64(256)
        for k in range(waiting):
            combines = (np.int64(marks[k]) & COMBINES) >> COMBINES_AT
            if last < combines < lowest:
                lowest = combines
        for k in range(waiting):
            if (np.int64(marks[k]) & COMBINES) >> COMBINES_AT == lowest:
                value = (value ^ np.uint64(np.int64(marks[k]) & POINT)) * PRIME
                done += 1
        last = lowest
    return value


@kernel
def normalized_words(
    data: Array, offsets: Array, tables: Any, marks: Array, counts: Array, words: Any, out: Any
) -> int:
    """Fill in the hash and length of each normalized word of each row; return their number.

    ``tables`` are ``normal_forms()`` with ``DROPPED`` set for punctuation, then the classes of characters. ``marks``
    has room for the code points of the longest row. ``out`` are, for each row: how often "lorem ipsum" stands in it,
    and the sum over its lines of the share of numeric characters (float64).
    """
    forms, sequences, classes = tables
    hashes, lengths = words
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        found = 0
        lorem = False
        shares = 0.0
        line_length = 0
        line_numbers = 0
        while i < stop:
            value = START
            length = 0
            waiting = 0
            head = np.int64(0)
            tail = np.int64(0)
            feed = False
            while i < stop:
                point, width = decode(data, i)
                i += width
                if classes[point] & SPACE:
                    feed = point == _FEED
                    break
                form = np.int64(forms[point])
                if form & DROPPED:
                    continue
                several = form & SEVERAL != 0
                place = form & POINT
                rest = np.int64(sequences[place]) if several else 1
                while rest:
                    if several:
                        place += 1
                        form = np.int64(sequences[place])
                    if form & COMBINES:
                        marks[waiting] = form
                        waiting += 1
                    else:
                        if waiting:
                            value = _hash_marks(value, marks, waiting)
                            waiting = 0
                        value = (value ^ np.uint64(form & POINT)) * PRIME
                    line_numbers += form & NUMERIC != 0
                    letter = form & POINT
                    tail = (tail << 8 | (letter if letter < 0xFF else 0xFF)) & _FIVE
                    length += 1
                    if length == 5:
                        head = tail
                    rest -= 1
            if length:
                if waiting:
                    value = _hash_marks(value, marks, waiting)
                hashes[n] = mix(value)
                lengths[n] = length
                n += 1
                found += lorem and head == _IPSUM
                lorem = tail == _LOREM
                line_length += length + (line_length > 0)
            if (feed or i >= stop) and line_length:
                shares += line_numbers / line_length
                line_length = 0
                line_numbers = 0
        counts[row + 1] = n
        out[0][row] = found
        out[1][row] = shares
    return n


@inlined
def _kind(classes: Array, point: Integer) -> Integer:
    r"""Return 0 for white space, 1 for ``\w``, 2 for any other character."""
    if classes[point] & SPACE:
        return 0
    return 1 if classes[point] & ALPHANUMERIC or point == 0x5F else 2


@kernel
def raw_words(data: Array, offsets: Array, classes: Array, counts: Array, hashes: Array) -> int:
    r"""Fill in the hash of each match of ``\w+|[^\w\s]+``, as `whitespace_words` has it; return their number."""
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        before = 0
        value = START
        while i < stop:
            point, width = decode(data, i)
            i += width
            kind = _kind(classes, point)
            if kind != before:
                if before:
                    hashes[n] = mix(value)
                    n += 1
                value = START
                before = kind
            value = (value ^ np.uint64(point)) * PRIME
        if before:
            hashes[n] = mix(value)
            n += 1
        counts[row + 1] = n
    return n


@kernel
def listed_ngrams(counts: Array, rows: Array, hashes: Array, sizes: Array, listed: Array, out: Array) -> None:
    """Fill in how many n-grams of each of some rows are listed; ``listed`` is a hash table as ``listed_words`` has it.

    ``sizes`` are the numbers of words that entries have. An n-gram is hashed as `ngram_hash` does.
    """
    mask = listed.shape[0] - 1
    for place in range(rows.shape[0]):
        row = rows[place]
        found = 0
        for size in sizes:
            for first in range(counts[row], counts[row + 1] - size + 1):
                value = START
                for i in range(first, first + size):
                    value = (value ^ hashes[i]) * PRIME
                value = mix(value)
                slot = np.int64(value) & mask
                while listed[slot] != 0 and listed[slot] != value:
                    slot = (slot + 1) & mask
                found += listed[slot] != 0
        out[place] = found


@kernel
def ngram_hash(hashes: Array) -> np.uint64:
    """Return the hash of an n-gram, of its words' hashes."""
    value = START
    for word in hashes:
        value = (value ^ word) * PRIME
    return mix(value)


@kernel
def raw_text(data: Array, offsets: Array, classes: Array, cases: Array, out: Array, uppercase: Array) -> None:
    r"""Fill in the counts of each row (the columns above), and the sum over lines of the share of capitals (float64).

    Words are the matches of ``\w+|[^\w\s]+``; lines end at line feeds, which belong to them.
    """
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        out[row] = 0
        shares = 0.0
        before = 0
        letters = False
        seen = 0
        said = False
        while i < stop:  # a line
            length = 0
            capitals = 0
            dots = 0
            first = np.int64(-1)
            last = np.int64(-1)
            last_dots = 0
            point = np.int64(0)
            while i < stop and point != _FEED:
                point, width = decode(data, i)
                i += width
                length += 1
                case = cases[point]
                capitals += case & UPPER
                kind = _kind(classes, point)
                if kind != before:
                    out[row, WORDS] += before != 0
                    out[row, LETTERED] += letters
                    out[row, CAPITALS] += seen == UPPER
                    letters = False
                    seen = 0
                    before = kind
                seen |= case
                letters |= 0x61 <= point | 0x20 <= 0x7A
                out[row, BRACKETS] += (point == 0x7B) | (point == 0x7D)
                if kind == 0:
                    dots = 0
                    continue
                if kind == 1 and not said:
                    out[row, SENTENCES] += 1
                    said = True
                elif point in _ENDS:
                    said = False
                dots = dots + 1 if point == _DOT else 0
                if last < 0:
                    first = point
                last = point
                last_dots = dots
            shares += capitals / length
            out[row, LINES] += 1
            out[row, TERMINAL_LINES] += last in _ENDS or last == _QUOTE
            out[row, ELLIPSIS_LINES] += last == _ELLIPSIS or last_dots >= 3
            out[row, BULLET_LINES] += first in _BULLETS
        out[row, WORDS] += before != 0
        out[row, LETTERED] += letters
        out[row, CAPITALS] += seen == UPPER
        uppercase[row] = shares


@kernel
def word_tallies(counts: Array, hashes: Array, table: Any, distinct: Array, entropies: Array) -> None:
    """Fill in how many different words each row has, and the entropy of their distribution in nats."""
    keys, stamps, tally = table
    for row in range(counts.shape[0] - 1):
        words = counts[row + 1] - counts[row]
        mask = mask_for(words)
        found = 0
        for i in range(counts[row], counts[row + 1]):
            slot = slot_of(keys, stamps, mask, row + 1, hashes[i])
            if stamps[slot] != row + 1:
                stamps[slot] = row + 1
                keys[slot] = hashes[i]
                tally[slot] = 0
                found += 1
            tally[slot] += 1
        weighted = 0.0
        for slot in range(mask + 1):
            if stamps[slot] == row + 1 and tally[slot] > 1:
                weighted += tally[slot] * math.log(tally[slot])
        distinct[row] = found
        entropies[row] = math.log(words) - weighted / words if words else 0.0
