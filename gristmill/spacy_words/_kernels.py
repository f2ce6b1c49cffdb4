"""The loops of spaCy's words: text into chunks, chunks into their numbers, numbers into words.

Arguments are as in gristmill._kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import (
    ALNUM_FIRST,
    CLOSES,
    ENDS,
    GAP,
    HAS_SYMBOL,
    PRIME,
    START,
    Array,
    Integer,
    decode,
    hash_bytes,
    mix,
    word_flags,
)
from gristmill.characters import ALPHANUMERIC, SPACE
from gristmill.jit import inlined, kernel

_HALF = np.uint64(32)
_HASH = 0x23
_ELLIPSIS = 0x2026


@kernel
def chunks(data: Array, offsets: Array, classes: Array, counts: Array, spans: Any) -> int:
    """Fill in where each run of characters that are not white space starts and ends; return their number.

    The third of ``spans`` is ``GAP`` where white space that is not one space stands before the run in its row.
    """
    starts, ends, gaps = spans
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        free = i
        inside = False
        while i < stop:
            point, width = decode(data, i)
            if classes[point] & SPACE:
                if inside:
                    ends[n] = i
                    n += 1
                    inside = False
                    free = i
            elif not inside:
                starts[n] = i
                one = i == free or (i == free + 1 and data[free] == 0x20 and free > offsets[row])
                gaps[n] = 0 if one else GAP
                inside = True
            i += width
        if inside:
            ends[n] = stop
            n += 1
        counts[row + 1] = n
    return n


@inlined
def _chunk_slot(text: Array, starts: Array, slots: Array, data: Array, start: Integer, end: Integer) -> Integer:
    """Return the slot of the chunk with the span's bytes, or the free one where it belongs."""
    mask = slots.shape[0] - 1
    slot = np.int64(hash_bytes(data, start, end) >> _HALF) & mask
    while slots[slot] >= 0:
        known = starts[slots[slot]]
        same = starts[slots[slot] + 1] - known == end - start
        i = 0
        while same and i < end - start:
            same = text[known + i] == data[start + i]
            i += 1
        if same:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def chunk_numbers(data: Array, spans: tuple[Array, Array], known: int, table: Any, numbers: Array) -> int:
    """Fill in the number of each chunk; add those that are new to the table; return how many it holds then."""
    text, starts, slots = table
    for k in range(numbers.shape[0]):
        start = np.int64(spans[0][k])
        end = np.int64(spans[1][k])
        slot = _chunk_slot(text, starts, slots, data, start, end)
        if slots[slot] < 0:
            slots[slot] = known
            first = starts[known]
            text[first : first + end - start] = data[start:end]
            known += 1
            starts[known] = first + end - start
        numbers[k] = slots[slot]
    return known


@kernel
def fill_slots(text: Array, starts: Array, known: int, slots: Array) -> None:
    """Put the numbers of known chunks into an empty table."""
    for number in range(known):
        slots[_chunk_slot(text, starts, slots, text, starts[number], starts[number + 1])] = number


@kernel
def describe_words(text: Array, start: int, tables: tuple[Array, Array], lengths: Array, words: Any) -> None:
    """Fill in the hash and flags of words of the given characters that follow each other from ``start`` on.

    ``tables`` are ``character_classes()`` and the marks of sentences: a word ends one if it is one such mark.
    """
    classes, marks = tables
    hashes, flags = words
    i = start
    for n in range(lengths.shape[0]):
        value = START
        some = np.uint8(0)
        every = np.uint8(0xFF)
        marks_all = np.uint8(0xFF)
        symbol = False
        starts = False
        for k in range(lengths[n]):
            point, width = decode(text, i)
            i += width
            if k == 0:
                starts = classes[point] & ALPHANUMERIC != 0
            value = (value ^ np.uint64(point)) * PRIME
            some |= classes[point]
            every &= classes[point]
            marks_all &= marks[point]
            symbol |= (point == _HASH) | (point == _ELLIPSIS)
        hashes[n] = mix(value)
        ends = lengths[n] == 1 and marks_all & ENDS != 0
        own = symbol * HAS_SYMBOL | starts * ALNUM_FIRST
        flags[n] = word_flags(some, every, ends) & ~CLOSES | marks_all & CLOSES | own


@kernel
def expand_chunks(rows: Array, chunked: tuple[Array, Array], known: Any, counts: Array, words: Any) -> None:
    """Fill in the words of each row's chunks: those that ``known`` has for their numbers."""
    numbers, gaps = chunked
    firsts, known_hashes, known_lengths, known_flags = known
    hashes, lengths, flags = words
    n = 0
    counts[0] = 0
    for row in range(rows.shape[0] - 1):
        for k in range(rows[row], rows[row + 1]):
            first = firsts[numbers[k]]
            last = firsts[numbers[k] + 1]
            for i in range(first, last):
                hashes[n] = known_hashes[i]
                lengths[n] = known_lengths[i]
                flags[n] = known_flags[i]
                n += 1
            flags[n - (last - first)] |= gaps[k]
        counts[row + 1] = n
