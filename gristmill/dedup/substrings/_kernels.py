"""The loops of repeated substrings: where words lie, anchors of windows, equal snippets and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import decode, mix
from gristmill.characters import FORMAT, SPACE
from gristmill.jit import inlined, kernel

Array = Any
Integer = Any

SEPARATOR = 0xFF  # follows each word of a snippet; no byte of UTF-8 has this value

LINE_FEED = 0x0A

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ZERO = np.uint64(0)


@kernel
def word_spans(data: Array, rows: tuple[Array, Array], breaks: Array, lengths: Array, spans: Any) -> None:
    """Fill in where each word starts and ends in ``data``.

    ``rows``: where each row starts, and the counts of its words. Words are those of `unicode_words`, whose lengths are
    given: before each go only characters that can begin none.
    """
    offsets, counts = rows
    starts, ends = spans
    for row in range(counts.shape[0] - 1):
        i = offsets[row]
        for word in range(counts[row], counts[row + 1]):
            point, width = decode(data, i)
            while breaks[point] <= FORMAT:
                i += width
                point, width = decode(data, i)
            starts[word] = i
            for _ in range(lengths[word]):
                byte = data[i]
                i += 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            ends[word] = i


@kernel
def anchors(hashes: Array, counts: Array, sizes: tuple[int, int], grams: Array, found: Any) -> int:
    """Fill in the anchor of each window, once for all windows in a row that have it; return their number.

    ``sizes``: the words of a window, and of a gram, which are fewer or equal. A window's anchor is the gram of the
    least hash in it, of equal ones the last. ``grams`` is room for a hash for each word. ``found``: the anchor's hash,
    its row, its first word, the first word of the first window, the word after the last window.
    """
    window, gram = sizes
    span = window - gram  # a window that starts at s has the grams that start from s to s + span
    keys, rows, positions, firsts, stops = found
    power = np.uint64(1)
    for _ in range(gram):
        power = power * _STEP
    n = 0
    for row in range(counts.shape[0] - 1):
        start, stop = counts[row], counts[row + 1]
        value = _ZERO
        for i in range(start, stop):
            value = value * _STEP + hashes[i]
            if i - start >= gram:
                value -= hashes[i - gram] * power
            if i - start >= gram - 1:
                grams[i - gram + 1] = mix(value)
        least = start - 1
        for first in range(start, stop - window + 1):
            last = first + span
            if least < first:  # it has left the window, or there was none
                least = first
                for i in range(first + 1, last + 1):
                    if grams[i] <= grams[least]:
                        least = i
                is_new = True
            else:
                is_new = grams[last] <= grams[least]
                if is_new:
                    least = last
            if is_new:
                keys[n], rows[n], positions[n], firsts[n] = grams[least], row, least, first
                n += 1
            stops[n - 1] = first + window
    return n


@inlined
def _same_words(data: Array, starts: Array, ends: Array, one: Integer, other: Integer, count: Integer) -> bool:
    """Return whether so many words from one on are those from another on, byte by byte."""
    for k in range(count):
        a, b = starts[one + k], starts[other + k]
        size = ends[one + k] - a
        if ends[other + k] - b != size:
            return False
        for i in range(size):
            if data[a + i] != data[b + i]:
                return False
    return True


@kernel
def first_equals(data: Array, words: tuple[Array, Array, Array], snippets: Any, table: Array, same: Array) -> None:
    """Fill in, for each snippet, the first that has its key and its words: itself, if none does before it.

    ``words``: starts, ends and hashes. ``snippets``: keys, firsts, stops (in words). ``table`` holds -1 in all of its
    slots, which are a power of two and at least twice as many as the snippets.
    """
    starts, ends, hashes = words
    keys, firsts, stops = snippets
    mask = np.uint64(table.shape[0] - 1)
    for s in range(keys.shape[0]):
        value = keys[s]
        for word in range(firsts[s], stops[s]):
            value = value * _STEP + hashes[word]
        slot = mix(value) & mask
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = s
                same[s] = s
                break
            size = stops[s] - firsts[s]
            if (
                keys[other] == keys[s]
                and stops[other] - firsts[other] == size
                and _same_words(data, starts, ends, firsts[other], firsts[s], size)
            ):
                same[s] = other
                break
            slot = (slot + np.uint64(1)) & mask


@kernel
def join_words(data: Array, words: tuple[Array, Array], spans: tuple[Array, Array], out: Array) -> None:
    """Fill in the words of each snippet, one after another, each with a separator after it.

    ``words``: starts and ends; ``spans``: the first word of each snippet, and the word after its last.
    """
    starts, ends = words
    firsts, stops = spans
    at = 0
    for s in range(firsts.shape[0]):
        for word in range(firsts[s], stops[s]):
            for i in range(starts[word], ends[word]):
                out[at] = data[i]
                at += 1
            out[at] = SEPARATOR
            at += 1


@kernel
def equal_windows(data: Array, suffixes: Array, windows: tuple[Array, Array], order: Array, run: Array) -> int:
    """Fill in the windows in the order of their suffixes, and a number for each that equal ones share; return how many.

    ``windows``: for each byte the window that starts there, or -1; for each window the byte after it. Equal windows
    are neighbours in the suffix array, but for suffixes that are no window's.
    """
    at, stops = windows
    n = 0
    before = np.int64(-1)
    number = np.int64(-1)
    for k in range(suffixes.shape[0]):
        start = np.int64(suffixes[k])
        window = at[start]
        if window < 0:
            continue
        size = stops[window] - start
        is_same = before >= 0 and stops[at[before]] - before == size
        if is_same:
            for i in range(size):
                if data[start + i] != data[before + i]:
                    is_same = False
                    break
        if not is_same:
            number += 1
        order[n] = window
        run[n] = number
        n += 1
        before = start
    return n


@inlined
def _gap_strength(data: Array, start: Integer, stop: Integer, classes: Array) -> Integer:
    """Return twice the line feeds between two words, and one more if any white space is there."""
    feeds, spaces = 0, 0
    i = start
    while i < stop:
        point, width = decode(data, i)
        feeds += point == LINE_FEED
        if classes[point] & SPACE:
            spaces = 1
        i += width
    return 2 * feeds + spaces


@kernel
def cut_spans(data: Array, bounds: Any, spans: Any, classes: Array, cuts: Any) -> None:
    """Fill in the bytes that are cut for each span of words, and whether a space takes their place.

    ``bounds``: starts and ends of words, offsets of rows, counts of words. ``spans``: row, first word, word after the
    last: in order, at least a word apart. Of the white space around a span, the side with more line feeds stays, or
    else the left; where there is none a space is put; at the ends of the text all goes.
    """
    starts, ends, offsets, counts = bounds
    rows, firsts, stops = spans
    begins, finishes, spaced = cuts
    for k in range(rows.shape[0]):
        row, first, stop = rows[k], firsts[k], stops[k]
        begins[k], finishes[k], spaced[k] = starts[first], ends[stop - 1], False
        has_left, has_right = first > counts[row], stop < counts[row + 1]
        if not has_left:
            begins[k] = offsets[row]
        if not has_right:
            finishes[k] = offsets[row + 1]
        if has_left and has_right:
            left = _gap_strength(data, np.int64(ends[first - 1]), np.int64(starts[first]), classes)
            right = _gap_strength(data, np.int64(ends[stop - 1]), np.int64(starts[stop]), classes)
            if left == 0 and right == 0:
                spaced[k] = True
            elif right > left:
                begins[k] = ends[first - 1]
            else:
                finishes[k] = starts[stop]
        elif has_left:
            begins[k] = ends[first - 1]
        elif has_right:
            finishes[k] = starts[stop]


@kernel
def copy_spans(data: Array, spans: tuple[Array, Array], out: Array) -> None:
    """Fill in the bytes of spans, given where each starts and ends, one after another."""
    at = 0
    for k in range(spans[0].shape[0]):
        for i in range(spans[0][k], spans[1][k]):
            out[at] = data[i]
            at += 1
