"""The loops that find spaCy's prefixes, suffixes and infixes, and that hash what is left.

``points`` are code points, ``lo`` and ``hi`` where a chunk starts and ends in them, ``traits`` what
gristmill.spacy_words.traits says of each character.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import PRIME, START, Array, Integer, mix
from gristmill.jit import inlined, kernel
from gristmill.spacy_words.addresses._kernels import is_digit
from gristmill.spacy_words.traits import (
    BEFORE_DOT,
    ENDS_UNIT,
    ICON,
    LETTER,
    LOWER,
    PREFIX,
    QUOTE,
    STARTS_PREFIX,
    SUFFIX,
    UPPER,
)

_HASH_BITS = np.uint64(40)
_DOT = 0x2E
_ELLIPSIS = 0x2026
_HYPHEN = 0x2D
_APOSTROPHES = (0x27, 0x2019)
_ESSES = (0x53, 0x73)
_DEGREES = (0x43, 0x46, 0x4B, 0x63, 0x66, 0x6B)
_OPERATORS = (0x2A, 0x2B, 0x2D, 0x5E)
_JOINERS = (0x2F, 0x3A, 0x3C, 0x3D, 0x3E)
_HYPHENS = (0x2D, 0x2013, 0x2014, 0x7E)


@inlined
def place_of(keys: Array, key: np.uint64) -> Integer:
    """Return the slot of a key, or the free one (0) where it belongs."""
    mask = keys.shape[0] - 1
    slot = np.int64(key >> _HASH_BITS) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@inlined
def hash_points(points: Array, lo: Integer, hi: Integer) -> np.uint64:
    """Return a word's hash, as all kinds of words have it."""
    value = START
    for i in range(lo, hi):
        value = (value ^ np.uint64(points[i])) * PRIME
    return mix(value)


@inlined
def _run(points: Array, i: Integer, hi: Integer) -> Integer:
    """Return the full stops in a row from ``i`` on, or 0 if there are not two."""
    end = i
    while end < hi and points[end] == _DOT:
        end += 1
    return end - i if end - i > 1 else 0


@kernel
def prefix_length(points: Array, lo: int, hi: int, traits: Array, pieces: Any) -> Integer:
    """Return the length of the prefix, or 0."""
    trait = traits[points[lo]]
    if trait & PREFIX:
        return 1
    if points[lo] == _DOT:
        return np.int64(_run(points, lo, hi))
    if points[lo] == 0x2B:
        return 0 if hi - lo > 1 and is_digit(points[lo + 1]) else 1
    if trait & STARTS_PREFIX:
        longest, keys = pieces
        for size in range(2, min(longest, hi - lo) + 1):
            if keys[place_of(keys, hash_points(points, lo, lo + size))] != 0:
                return size
    return 0


@inlined
def _single_dot(points: Array, lo: Integer, hi: Integer, traits: Array) -> Integer:
    """Return 1 if the full stop at the end is a suffix, else 0."""
    if hi - lo < 2:
        return 0
    before = traits[points[hi - 2]]
    if before & BEFORE_DOT:
        return 1
    if hi - lo < 3:
        return 0
    degree = points[hi - 3] == 0xB0 and points[hi - 2] in _DEGREES
    return 1 if degree or (before & UPPER and traits[points[hi - 3]] & UPPER) else 0


@kernel
def suffix_length(points: Array, lo: int, hi: int, traits: Array, units: Any) -> Integer:
    """Return the length of the longest suffix, or 0."""
    if hi <= lo:
        return 0
    last = points[hi - 1]
    trait = traits[last]
    if last == _DOT:
        run = hi
        while run > lo and points[run - 1] == _DOT:
            run -= 1
        return hi - run if hi - run > 1 else np.int64(_single_dot(points, lo, hi, traits))
    size = 1 if trait & SUFFIX else 0
    if hi - lo > 1:
        before = points[hi - 2]
        if (last in _ESSES and before in _APOSTROPHES) or (last == _ELLIPSIS and before == _ELLIPSIS):
            size = 2
        if last == 0x2B and is_digit(before):
            size = 1
    if trait & ENDS_UNIT:
        longest, keys = units
        for length in range(1, min(longest, hi - lo - 1) + 1):
            if is_digit(points[hi - length - 1]):
                if keys[place_of(keys, hash_points(points, hi - length, hi))] != 0:
                    size = max(size, length)
                break
    return size


@kernel
def infix_length(points: Array, i: int, span: tuple[int, int], traits: Array) -> Integer:
    """Return the length of the infix that starts at ``i``, or 0."""
    lo, hi = span
    point = points[i]
    trait = traits[point]
    run = np.int64(_run(points, i, hi)) if point == _DOT else 0
    if run or point == _ELLIPSIS or trait & ICON:
        return max(run, 1)
    if i == lo or i + 1 >= hi:
        return 0
    before, after = traits[points[i - 1]], traits[points[i + 1]]
    if point == _DOT:
        return 1 if before & (LOWER | QUOTE) and after & (UPPER | QUOTE) else 0
    if point == 0x2C:
        return 1 if before & LETTER and after & LETTER else 0
    digit = is_digit(points[i - 1])
    if point in _OPERATORS and digit and (is_digit(points[i + 1]) or points[i + 1] == _HYPHEN):
        return 1
    if not (before & LETTER or digit):
        return 0
    if point in _JOINERS:
        return 1 if after & LETTER else 0
    if point not in _HYPHENS:
        return 0
    most = 3 if point == _HYPHEN else 2 if point == 0x2014 else 1
    size = 1
    while size < most and i + size < hi and points[i + size] == point:
        size += 1
    return size if i + size < hi and traits[points[i + size]] & LETTER else 0
