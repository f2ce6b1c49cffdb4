"""The loops that segment text: words, lines, paragraphs. Called by gristmill.text, which allocates what they fill.

All take ``data`` (uint8, valid UTF-8) and ``offsets`` (int64, rows + 1), and fill arrays that hold one item more than
there are bytes for each row. Items of row *i* are those from ``counts[i]`` to ``counts[i + 1]``; ``spans`` are two
arrays, where each item starts and ends in ``data``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill.characters import (
    ALPHA,
    ALPHANUMERIC,
    BLANK,
    DOUBLE_QUOTE,
    EXTEND,
    FORMAT,
    HEBREW,
    JOINER,
    LETTER,
    MID_BOTH,
    MID_NUMBER,
    NUMBER,
    OTHER,
    PUNCTUATION,
    SINGLE,
    SPACE,
    TERMINAL,
)
from gristmill.jit import inlined, kernel

Array = Any  # a NumPy array; its items are ints to a reader and machine integers to a kernel
Integer = Any  # an int or a NumPy integer: the same to a kernel

START = np.uint64(0x243F6A8885A308D3)  # of a word's hash: not 0, which NULs would leave as it is
PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_BYTE = np.uint64(8)
_DOT = 0x2E
_HASH = 0x23
_ELLIPSIS = 0x2026

# bits of a word's flags
HAS_ALPHA = 1  # a letter (str.isalpha)
HAS_TEXT = 2  # a character that is not punctuation
ENDS = 4  # a sentence ends with it
CLOSES = 8  # punctuation, which belongs to the sentence before it
HAS_SYMBOL = 32  # a "#" or U+2026 is in it
GAP = 16  # white space that is not one space goes before it; set for spaCy's words alone
ALNUM_FIRST = 64  # its first character is a letter, digit or other number (str.isalnum)
SPACED = 128  # white space goes before it, or its row starts with it; set for spaCy's words alone


@inlined
def decode(data: Array, i: Integer) -> tuple[Integer, int]:
    """Return the code point at byte ``i``, and its length in bytes."""
    byte = np.int64(data[i])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | np.int64(data[i + 1]) & 0x3F, 2
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | (np.int64(data[i + 1]) & 0x3F) << 6 | np.int64(data[i + 2]) & 0x3F, 3
    high = (byte & 0x07) << 18 | (np.int64(data[i + 1]) & 0x3F) << 12
    return high | (np.int64(data[i + 2]) & 0x3F) << 6 | np.int64(data[i + 3]) & 0x3F, 4


@inlined
def mix(value: np.uint64) -> np.uint64:
    """Return the 64 bits mixed, so that each depends on all; one to one."""
    value = (value ^ (value >> _HALF)) * _MIX
    value = (value ^ (value >> _HALF)) * _MIX
    return value ^ (value >> _HALF)


@inlined
def hash_bytes(data: Array, start: Integer, stop: Integer) -> np.uint64:
    """Return a 64-bit hash of the bytes: eight at a time, each block mixed; the empty span gives a constant."""
    value = np.uint64(stop - start) * PRIME
    whole = stop - ((stop - start) & 7)
    for i in range(start, whole, 8):
        eight = data[i : i + 8]
        block = np.uint64(0)
        for k in range(8):
            block |= np.uint64(eight[k]) << np.uint64(8 * k)
        value = (value ^ block) * _MIX
        value ^= value >> _HALF
    block = np.uint64(0)
    for i in range(whole, stop):
        block = block << _BYTE | np.uint64(data[i])
    return mix(value ^ block)


@inlined
def _joins(before: int, mid: int, after: int) -> bool:
    """Return whether punctuation of class ``mid`` joins what stands around it (UAX 29, WB6, WB7, WB11, WB12)."""
    if LETTER <= before <= HEBREW and LETTER <= after <= HEBREW:
        if mid == DOUBLE_QUOTE:
            return before == HEBREW and after == HEBREW
        return mid != MID_NUMBER
    return before == NUMBER and after == NUMBER and MID_NUMBER <= mid <= MID_BOTH


@inlined
def _class_after(data: Array, i: Integer, stop: Integer, breaks: Array) -> Integer:
    """Return the class of the first character from ``i`` on that is neither EXTEND nor FORMAT, or 0."""
    while i < stop:
        point, width = decode(data, i)
        if breaks[point] != EXTEND and breaks[point] != FORMAT:
            return breaks[point]
        i += width
    return 0


@inlined
def word_flags(some: Integer, every: Integer, ends: bool) -> Integer:
    """Return a word's flags, of the classes that any of its characters is in, and of those that all are in."""
    closes = every & PUNCTUATION != 0
    return (some & ALPHA != 0) * HAS_ALPHA | (not closes) * HAS_TEXT | ends * ENDS | closes * CLOSES


@kernel
def unicode_words(data: Array, offsets: Array, tables: tuple[Array, Array], counts: Array, words: Any) -> int:
    """Fill in the hash, length and flags of each word of each row; return their number.

    ``tables`` are ``character_classes()`` and ``word_breaks()``. What may follow the characters so far depends on
    the first: a letter that stands alone, a letter or digit, or a symbol.
    """
    classes, breaks = tables
    hashes, lengths, flags = words
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        while i < stop:
            point, width = decode(data, i)
            kind = breaks[point]
            if kind <= FORMAT:
                i += width
                continue
            alone = kind == SINGLE
            symbol = not alone and (kind < LETTER or kind > JOINER)
            before = kind
            starts = classes[point] & ALPHANUMERIC != 0
            value = START
            length = 0
            some = np.uint8(0)
            every = np.uint8(0xFF)
            marked = False
            other = point ^ _DOT  # 0 as long as there are only full stops
            while True:
                value = (value ^ np.uint64(point)) * PRIME
                length += 1
                some |= classes[point]
                every &= classes[point]
                other |= point ^ _DOT
                marked |= (point == _HASH) | (point == _ELLIPSIS)
                i += width
                if i >= stop:
                    break
                point, width = decode(data, i)
                kind = breaks[point]
                if LETTER <= kind <= JOINER:
                    if symbol or alone:
                        break
                    before = kind
                elif kind in (BLANK, SINGLE) or (alone and kind >= OTHER):
                    break
                elif symbol or kind < OTHER:
                    continue
                elif kind == OTHER or not _joins(before, kind, _class_after(data, i + width, stop, breaks)):
                    break
            hashes[n] = mix(value)
            lengths[n] = length
            ends = symbol and some & TERMINAL != 0 and (length == 1 or other != 0)
            flags[n] = word_flags(some, every, ends) | marked * HAS_SYMBOL | starts * ALNUM_FIRST
            n += 1
        counts[row + 1] = n
    return n


@kernel
def whitespace_words(data: Array, offsets: Array, tables: tuple[Array, Array], counts: Array, words: Any) -> int:
    """Fill in the hash, length and flags of each run of characters that are not white space; return their number.

    ``tables`` are ``character_classes()`` and ``word_breaks()``; the second is not read.
    """
    classes = tables[0]
    hashes, lengths, flags = words
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        while i < stop:
            value = START
            length = 0
            some = np.uint8(0)
            every = np.uint8(0xFF)
            ends = False
            marked = False
            starts = False
            before = np.int64(0)
            while i < stop:
                point, width = decode(data, i)
                i += width
                if classes[point] & SPACE:
                    break
                marked |= (point == _HASH) | (point == _ELLIPSIS)
                if classes[point] & TERMINAL:
                    ends = point != _DOT or before != _DOT
                elif not classes[point] & PUNCTUATION:
                    ends = False
                before = point
                if length == 0:
                    starts = classes[point] & ALPHANUMERIC != 0
                value = (value ^ np.uint64(point)) * PRIME
                length += 1
                some |= classes[point]
                every &= classes[point]
            if length:
                hashes[n] = mix(value)
                lengths[n] = length
                flags[n] = word_flags(some, every, ends) | marked * HAS_SYMBOL | starts * ALNUM_FIRST
                n += 1
        counts[row + 1] = n
    return n


@inlined
def _break_width(data: Array, i: int, stop: int) -> int:
    """Return the bytes of the line break at ``i``, as ``str.splitlines`` has it, or 0 if there is none."""
    byte = data[i]
    if byte == 0x0D:
        return 2 if i + 1 < stop and data[i + 1] == 0x0A else 1
    if 0x0A <= byte <= 0x0C or 0x1C <= byte <= 0x1E:
        return 1
    if byte == 0xC2:
        return 2 if data[i + 1] == 0x85 else 0
    if byte == 0xE2:
        return 3 if data[i + 1] == 0x80 and 0xA8 <= data[i + 2] <= 0xA9 else 0
    return 0


@kernel
def lines(data: Array, offsets: Array, counts: Array, spans: tuple[Array, Array]) -> int:
    """Fill in the spans of ``str.splitlines`` without the line breaks; return their number."""
    starts, ends = spans
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        base = offsets[row]
        text = data[base : offsets[row + 1]]
        start = 0
        for i in range(text.shape[0]):
            if text[i] > 0x1E and text[i] & 0xDF != 0xC2:  # the bytes that a break starts with: controls, C2, E2
                continue
            width = _break_width(text, i, text.shape[0])
            if width and i >= start:  # else no break, or the line feed after a carriage return
                starts[n] = base + start
                ends[n] = base + i
                n += 1
                start = i + width
        if start < text.shape[0]:
            starts[n] = base + start
            ends[n] = base + text.shape[0]
            n += 1
        counts[row + 1] = n
    return n


@inlined
def strip(data: Array, start: Integer, stop: Integer, classes: Array) -> tuple[Integer, Integer]:
    """Return the span without the white space at its ends."""
    while start < stop:
        point, width = decode(data, start)
        if not classes[point] & SPACE:
            break
        start += width
    while stop > start:
        last = stop - 1
        while data[last] & 0xC0 == 0x80:
            last -= 1
        point, width = decode(data, last)
        if not classes[point] & SPACE:
            break
        stop = last
    return start, stop


@kernel
def stripped_spans(data: Array, spans: tuple[Array, Array], classes: Array, begins: Array, stops: Array) -> None:
    """Fill in each span without the white space at its ends; all white space gives an empty span."""
    for k in range(begins.shape[0]):
        begins[k], stops[k] = strip(data, np.int64(spans[0][k]), np.int64(spans[1][k]), classes)


@kernel
def split_at_line_feeds(feeds: Array, rows: tuple[Array, Array], least: int, counts: Array, spans: Any) -> int:
    """Fill in the spans between runs of at least ``least`` line feeds, empty ones too; return their number.

    ``feeds`` are the positions of all line feeds, ``rows`` where each row starts and ends. A row has one span more
    than such runs.
    """
    begins, stops = rows
    starts, ends = spans
    n = 0
    i = 0
    counts[0] = 0
    for row in range(begins.shape[0]):
        starts[n] = begins[row]
        while i < feeds.shape[0] and feeds[i] < begins[row]:
            i += 1
        while i < feeds.shape[0] and feeds[i] < stops[row]:
            run = i
            i += 1
            while i < feeds.shape[0] and feeds[i] == feeds[i - 1] + 1 and feeds[i] < stops[row]:
                i += 1
            if i - run >= least:
                ends[n] = feeds[run]
                n += 1
                starts[n] = feeds[i - 1] + 1
        ends[n] = stops[row]
        n += 1
        counts[row + 1] = n
    return n
