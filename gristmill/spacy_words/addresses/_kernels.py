"""The loops that tell what spaCy takes for an address of the web or of mail.

Its pattern, in one pass: a scheme or none, a user or none, then numbers or a host that ends in letters of lower case,
a port or none, a path or none. ``points`` are code points, ``lo`` and ``hi`` where they start and end, ``traits`` what
gristmill.spacy_words.traits says of each character.
"""

from __future__ import annotations

from gristmill._kernels import Array, Integer
from gristmill.jit import inlined, kernel
from gristmill.spacy_words.traits import DECIMAL, HOST, LOWER, WORD

_DOT = 0x2E
_HYPHEN = 0x2D
_AT = 0x40
_PATHS = (0x23, 0x2F, 0x3F)


@inlined
def is_digit(point: Integer) -> Integer:
    return 0x30 <= point <= 0x39


@inlined
def _octet(points: Array, lo: Integer, hi: Integer, traits: Array, place: int) -> Integer:
    """Return whether the points are a part of an address, of the 1st, 2nd, 3rd or 4th ``place``, as spaCy has it."""
    size = hi - lo
    if not 1 <= size <= 3 or not traits[points[hi - 1]] & DECIMAL:
        return False
    outer = place in (1, 4)
    if size == 1:
        return 0x31 <= points[lo] <= 0x39 if outer else True
    if size == 2:
        return 0x31 <= points[lo] <= 0x39 if outer else traits[points[lo]] & DECIMAL != 0
    if points[lo] == 0x31:
        return traits[points[lo + 1]] & DECIMAL != 0
    if points[lo] != 0x32:
        return False
    middle = points[lo + 1]
    if place == 1:
        return 0x30 <= middle <= 0x31 or (middle == 0x32 and 0x30 <= points[lo + 2] <= 0x33)
    top = 0x34 if place == 4 else 0x35
    return 0x30 <= middle <= 0x34 or (middle == 0x35 and 0x30 <= points[lo + 2] <= top)


@inlined
def _value(points: Array, lo: Integer, hi: Integer) -> Integer:
    """Return the number that ASCII digits make, or -1."""
    value = 0
    for i in range(lo, hi):
        if not is_digit(points[i]):
            return -1
        value = value * 10 + points[i] - 0x30
    return value


@kernel
def _is_numbers(points: Array, lo: int, end: int, traits: Array) -> bool:
    """Return whether the points are four numbers that are an address on the internet, as spaCy has it."""
    place = 1
    start = lo
    first = -1
    for i in range(lo, end + 1):
        if i < end and points[i] != _DOT:
            continue
        if place > 4 or not _octet(points, start, i, traits, place):
            return False
        if place == 1:
            first = _value(points, start, i)
            if first in (10, 127):
                return False
        if place == 2:
            second = _value(points, start, i)
            if (first == 169 and second == 254) or (first == 192 and second == 168):
                return False
            twenty = i - start == 2 and points[start] == 0x32
            if first == 172 and i - start == 2 and (16 <= second <= 19 or 30 <= second <= 31 or twenty):
                return False
        place += 1
        start = i + 1
    return place == 5


@kernel
def _is_host(points: Array, lo: int, hi: int, traits: Array) -> bool:
    """Return whether an address without scheme and user starts at ``lo`` and ends at ``hi``."""
    end = lo
    start = lo
    named = True
    while end < hi and points[end] != 0x3A and points[end] not in _PATHS:
        if points[end] == _AT:
            return False
        if points[end] == _DOT:
            named = named and 1 <= end - start <= 64
            named = named and points[start] not in (0x5F, _HYPHEN) and points[end - 1] not in (0x5F, _HYPHEN)
            start = end + 1
        end += 1
    return start > lo and _ends_host(points, (lo, start, end, hi), traits, named)


@kernel
def _ends_host(points: Array, places: tuple[int, int, int, int], traits: Array, named: bool) -> bool:
    """Return whether what stands between two places is a host, and what stands after it a port and a path."""
    lo, last, end, hi = places
    if named:
        named = 2 <= end - last <= 63
        for i in range(last, end):
            named = named and traits[points[i]] & LOWER != 0
        for i in range(lo, last):
            named = named and (traits[points[i]] & HOST != 0 or points[i] in (0x5F, _HYPHEN, _DOT))
    if not named and not _is_numbers(points, lo, end, traits):
        return False
    if end < hi and points[end] == 0x3A:
        port = end + 1
        while port < hi and traits[points[port]] & DECIMAL:
            port += 1
        if not 2 <= port - end - 1 <= 5:
            return False
        end = port
    return end == hi or points[end] in _PATHS


@kernel
def is_address(points: Array, lo: int, hi: int, traits: Array) -> bool:
    """Return whether the points are an address of the web or of mail."""
    if _is_host(points, lo, hi, traits):
        return True
    i = lo
    while i < hi and (traits[points[i]] & WORD or points[i] in (0x2B, _HYPHEN, _DOT)):
        i += 1
    scheme = i - lo >= 2 and i + 3 <= hi and points[i] == 0x3A and points[i + 1] == points[i + 2] == 0x2F
    if scheme and _is_host(points, i + 3, hi, traits):
        return True
    i = lo + 1
    while i < hi and not (points[i] == _AT and _is_host(points, i + 1, hi, traits)):
        i += 1
    return i < hi
