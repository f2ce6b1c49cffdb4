"""The loops that find listed words and phrases in a text, whatever its case."""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer, decode
from gristmill.characters import ALPHANUMERIC
from gristmill.jit import inlined, kernel

_DOTTED_I = 0x130  # its lower case is "i" and a dot above
_DOT_ABOVE = 0x307
_UNDERSCORE = 0x5F
_STATE_BITS = 21  # of a code point
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HIGH = np.uint64(32)


@inlined
def slot_of(key: np.uint64, mask: Integer) -> Integer:
    """Return the slot where the search for an edge of the trie begins."""
    return np.int64((key * _SPREAD) >> _HIGH) & mask


@kernel
def fill_edges(edges: Array, targets: Array, keys: Array, values: Array) -> None:
    """Put a trie's edges into an open-addressed table that has twice as many slots; 0 is a free slot."""
    mask = keys.shape[0] - 1
    for i in range(edges.shape[0]):
        slot = slot_of(edges[i], mask)
        while keys[slot] != 0:
            slot = (slot + 1) & mask
        keys[slot] = edges[i]
        values[slot] = targets[i]


@inlined
def _lowered(data: Array, start: Integer, stop: Integer, lower: Array, points: Array) -> Integer:
    """Fill in the code points of a text in lower case, character by character; return their number."""
    size = 0
    i = start
    while i < stop:
        point, width = decode(data, i)
        i += width
        points[size] = lower[point]
        size += 1
        if point == _DOTTED_I:
            points[size] = _DOT_ABOVE
            size += 1
    return size


@inlined
def _is_word(point: Integer, classes: Array) -> bool:
    r"""Return whether a character is one of a pattern's ``\w``."""
    return bool(point == _UNDERSCORE or classes[point] & ALPHANUMERIC != 0)


@inlined
def _longest(points: Array, start: Integer, size: Integer, trie: Any, classes: Array, bounded: bool) -> Any:
    """Return where the longest entry that starts here ends, and its number from 1; the start and 0 if none does."""
    keys, values, entries = trie
    mask = keys.shape[0] - 1
    state = np.int64(0)
    end = start
    found = np.int64(0)
    i = start
    while i < size:
        key = np.uint64((state << _STATE_BITS | np.int64(points[i])) + 1)
        slot = slot_of(key, mask)
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + 1) & mask
        if keys[slot] == 0:
            break
        state = np.int64(values[slot])
        i += 1
        if entries[state] and not (bounded and i < size and _is_word(np.int64(points[i]), classes)):
            end = i
            found = np.int64(entries[state])
    return end, found


@kernel
def listed_phrases(text: Any, rows: Array, tables: Any, trie: Any, bounded: bool, work: Any, out: Array) -> None:
    r"""Fill in, for each of some rows: occurrences of a trie's entries, and how many different entries occur.

    ``text`` is data and offsets, ``tables`` are classes and lower case, ``trie`` is the edges' keys and targets, and
    the entry that ends in each state, from 1. From the left, the longest entry counts, and the search goes on behind
    it. If ``bounded``, no ``\w`` may stand on either side. ``work``: code points of the longest row, and a stamp for
    each entry.
    """
    data, offsets = text
    classes, lower = tables
    points, stamps = work
    for place in range(rows.shape[0]):
        row = rows[place]
        size = _lowered(data, offsets[row], offsets[row + 1], lower, points)
        times = 0
        distinct = 0
        i = 0
        while i < size:
            end = i
            found = np.int64(0)
            if not (bounded and i > 0 and _is_word(np.int64(points[i - 1]), classes)):
                end, found = _longest(points, i, size, trie, classes, bounded)
            if found:
                times += 1
                if stamps[found] != place + 1:
                    stamps[found] = place + 1
                    distinct += 1
            i = end if found else i + 1
        out[place, 0] = times
        out[place, 1] = distinct
