"""The loops that measure lines. Called by the scans of gristmill.filters.signals.lines, which allocate what they fill.

Lines of row *i* are those from ``counts[i]`` to ``counts[i + 1]``; ``out`` has a line per row. Hash tables are as in
gristmill.filters.signals._kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import CLOSES, ENDS, GAP, Array, Integer, decode, hash_bytes
from gristmill.characters import ALPHANUMERIC, NUMBER, SPACE, TERMINAL
from gristmill.filters.signals._kernels import mask_for, slot_of
from gristmill.jit import inlined, kernel

# bits of phrases
LOREM = 1
JAVASCRIPT = 2
POLICY = 4

_SHORT = 30  # characters of a short line
_LONG = 200  # characters of a long one
_LONG_WORD = 1_000
_QUOTE = 0x22
_APOSTROPHE = 0x27
_DOT = 0x2E
_MARKS = (0x21, _QUOTE, _APOSTROPHE, _DOT, 0x3F)
_DOTTED_I = 0x130  # its lower case is "i" and a dot above, which is in no phrase


@inlined
def characters_in(data: Array, start: Integer, end: Integer) -> Integer:
    """Return the code points of a span."""
    characters = 0
    for i in range(start, end):
        characters += data[i] & 0xC0 != 0x80
    return characters


@inlined
def is_blank(data: Array, start: Integer, end: Integer, classes: Array) -> bool:
    """Return whether a span has nothing but white space."""
    while start < end:
        point, width = decode(data, start)
        if not classes[point] & SPACE:
            return False
        start += width
    return True


@inlined
def last_point(data: Array, end: Integer) -> Integer:
    """Return the code point that ends before byte ``end``."""
    end -= 1
    while data[end] & 0xC0 == 0x80:
        end -= 1
    point, _ = decode(data, end)
    return point


@kernel
def nonblank_lines(
    data: Array, classes: Array, counts: Array, spans: tuple[Array, Array], table: Any, out: Array
) -> None:
    """Fill in four counts of the lines of each row that are not blank, then how many lines have 200 characters.

    The four: their number, those that end in a terminal mark, those of at most 30 characters, and the characters of
    those that occurred before in the row.
    """
    starts, ends = spans
    keys, stamps, _ = table
    for row in range(counts.shape[0] - 1):
        lines = 0
        terminal = 0
        short = 0
        repeated = 0
        long = 0
        mask = mask_for(counts[row + 1] - counts[row])
        for line in range(counts[row], counts[row + 1]):
            start = np.int64(starts[line])
            end = np.int64(ends[line])
            length = characters_in(data, start, end)
            long += length >= _LONG
            if is_blank(data, start, end, classes):
                continue
            lines += 1
            terminal += classes[last_point(data, end)] & TERMINAL != 0
            short += length <= _SHORT
            key = hash_bytes(data, start, end)
            slot = slot_of(keys, stamps, mask, row + 1, key)
            if stamps[slot] == row + 1:
                repeated += length
            else:
                stamps[slot] = row + 1
                keys[slot] = key
        out[row, 0] = lines
        out[row, 1] = terminal
        out[row, 2] = short
        out[row, 3] = repeated
        out[row, 4] = long


@kernel
def sentences(counts: Array, flags: Array, out: Array) -> None:
    """Fill in the sentences of each row: one ends at a mark, and takes what closes it along."""
    for row in range(counts.shape[0] - 1):
        found = 0
        ended = True
        for i in range(counts[row], counts[row + 1]):
            goes_on = flags[i] & (ENDS | CLOSES) != 0 and flags[i] & GAP == 0
            if found == 0 or (ended and not goes_on):
                found += 1
                ended = False
            ended = ended or flags[i] & ENDS != 0
        out[row] = found


@inlined
def _ascii_lower(byte: Integer) -> Integer:
    """Return a byte, an ASCII capital as its small letter."""
    return byte | 0x20 if 0x41 <= byte <= 0x5A else byte


@kernel
def count_phrase(data: Array, offsets: Array, phrase: Array, steps: Array, out: Array) -> None:
    """Fill in how often the phrase is in each row, whatever the case of ASCII letters; occurrences do not overlap.

    ``steps`` says how far to go on from each byte when it stands at the phrase's end.
    """
    size = phrase.shape[0]
    for row in range(offsets.shape[0] - 1):
        out[row] = 0
        i = offsets[row] + size - 1
        while i < offsets[row + 1]:
            k = 0
            while k < size and _ascii_lower(data[i - k]) == phrase[size - 1 - k]:
                k += 1
            out[row] += k == size
            i += size if k == size else np.int64(steps[data[i]])


@inlined
def _matches(text: Array, i: Integer, end: Integer, lower: Array, phrase: Array) -> bool:
    """Return whether the text at ``i`` is the phrase (ASCII), but for case."""
    k = 0
    while k < phrase.shape[0] and i < end:
        point, width = decode(text, i)
        if lower[point] != phrase[k] or point == _DOTTED_I:
            return False
        i += width
        k += 1
    return bool(k == phrase.shape[0])


@kernel
def _phrases_in(text: Array, start: int, end: int, lower: Array, phrases: Any) -> int:
    """Return the bits of all phrases that are in the span, but for case.

    ``phrases`` are their letters, where each starts in them, its bit, and how far one may go on from each pair of bytes
    (their last five bits): 0 where a phrase may have that pair as its 9th and 10th letters; none is shorter. Last,
    which bytes begin any.
    """
    letters, firsts, bits, steps, _ = phrases
    found = 0
    i = start + 9
    while i < end:
        step = steps[(text[i - 1] & 31) << 5 | text[i] & 31]
        if step == 0:
            for p in range(bits.shape[0]):
                if _matches(text, i - 9, end, lower, letters[firsts[p] : firsts[p + 1]]):
                    found |= bits[p]
            step = 1
        i += step
    return found


@kernel
def _wide_phrases_in(text: Array, start: int, end: int, lower: Array, phrases: Any) -> int:
    """Return the same, where there may be a letter of several bytes whose lower case is ASCII; more slowly."""
    letters, firsts, bits, _, begins = phrases
    found = 0
    for i in range(start, end):
        if begins[text[i]]:
            for p in range(bits.shape[0]):
                if _matches(text, i, end, lower, letters[firsts[p] : firsts[p + 1]]):
                    found |= bits[p]
    return found


@kernel
def _line_bytes(data: Array, start: int, end: int) -> tuple[bool, bool, bool]:
    """Return whether a line has a ``[``, a ``{`` and a kelvin sign, whose lower case is ``k``."""
    line = data[start:end]
    bracket = False
    brace = False
    kelvin = False
    for i in range(line.shape[0]):
        bracket |= line[i] == 0x5B
        brace |= line[i] == 0x7B
        kelvin |= line[i] == 0xAA
    if kelvin:  # only its last byte so far
        kelvin = False
        for i in range(line.shape[0] - 2):
            kelvin |= (line[i] == 0xE2) & (line[i + 1] == 0x84) & (line[i + 2] == 0xAA)
    return bracket, brace, kelvin


@inlined
def _citation_end(data: Array, i: Integer, end: Integer, tables: Any, phrases: Any) -> Integer:
    """Return where the citation ends that begins at ``i`` (``[``), or ``i`` if none does."""
    classes, breaks = tables
    letters, firsts = phrases
    for p in range(firsts.shape[0] - 1):
        size = firsts[p + 1] - firsts[p]
        k = 0
        while k < size and i + k < end and data[i + k] == letters[firsts[p] + k]:
            k += 1
        if k == size:
            return i + size
    after = i + 1
    while after < end:
        point, width = decode(data, after)
        if point == 0x5D:
            return after + 1
        if breaks[point] != NUMBER or not classes[point] & ALPHANUMERIC:
            break
        after += width
    return i


@kernel
def _has_good_words(data: Array, start: int, end: int, classes: Array) -> bool:
    """Return whether a line has at least three words, none of which is too long."""
    words = 0
    length = 0
    may_be_long = end - start > _LONG_WORD
    while start < end:
        point, width = decode(data, start)
        start += width
        if classes[point] & SPACE:
            length = 0
            continue
        words += length == 0
        length += 1
        if length > _LONG_WORD:
            return False
        if words == 3 and not may_be_long:
            return True
    return words >= 3


@kernel
def _ends_well(text: Array, start: int, end: int) -> bool:
    """Return whether the span ends in one of C4's marks, but not in an ellipsis."""
    if end == start or text[end - 1] not in _MARKS:
        return False
    if end - start < 3:
        return True
    return bool(text[end - 1] != _DOT or text[end - 2] != _DOT or text[end - 3] != _DOT)


@kernel
def _cut_citations(data: Array, start: int, end: int, tables: Any, text: Array, n: int) -> int:
    """Write a line without its citations from ``n`` on; return where it ends."""
    classes, breaks, _, citations = tables
    i = start
    while i < end:
        after = _citation_end(data, i, end, (classes, breaks), citations) if data[i] == 0x5B else i
        if after == i:
            text[n] = data[i]
            n += 1
            i += 1
        else:
            i = after
    return n


@kernel
def c4_lines(data: Array, tables: Any, lines: Any, phrases: Any, cleaned: Any, out: Array) -> int:
    """Fill in the lines that C4's cleaning changes, which those are, which it keeps, and five counts of each row.

    ``tables`` are the classes, word breaks and lower case of characters, then the citations, as letters and where each
    starts in them; ``lines`` their counts, starts and ends without white space at the ends; ``phrases`` are as in
    ``_phrases_in``, with the bits ``LOREM``, ``JAVASCRIPT`` and ``POLICY``. ``cleaned`` are the text of the lines from
    which citations are cut, where each line starts there (the others are empty), which lines those are, and which are
    kept. The counts: kept lines, lines with lorem ipsum and with a brace that decide on the page, lines with
    javascript, lines with a policy. Returns the number of changed lines.
    """
    classes, lower = tables[0], tables[2]
    counts, starts, ends = lines
    text, offsets, changed, kept = cleaned
    n = 0
    changes = 0
    offsets[0] = 0
    for row in range(counts.shape[0] - 1):
        out[row] = 0
        for line in range(counts[row], counts[row + 1]):
            start = starts[line]
            end = ends[line]
            bracket, brace, kelvin = _line_bytes(data, start, end)
            after = n
            if bracket or kelvin:
                after = _cut_citations(data, start, end, tables, text, n)
            changed[line] = bracket and after - n < end - start
            if changed[line] or kelvin:
                found = _wide_phrases_in(text, n, after, lower, phrases)
            else:
                found = _phrases_in(data, start, end, lower, phrases)
            if changed[line]:
                changes += 1
                ends_well = _ends_well(text, n, after)
                n = after
            else:
                ends_well = _ends_well(data, start, end)
            offsets[line + 1] = n
            good = ends_well and _has_good_words(data, start, end, classes)
            kept[line] = good and found & (JAVASCRIPT | POLICY) == 0
            out[row, 0] += kept[line]
            out[row, 1] += good and found & LOREM != 0
            out[row, 2] += good and found & JAVASCRIPT == 0 and brace
            out[row, 3] += found & JAVASCRIPT != 0
            out[row, 4] += found & POLICY != 0
    return changes
