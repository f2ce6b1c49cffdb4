"""The loops of Bloom filters.

A key's bits are ``(a + sum of b, b + c, b + 3c, …) mod 2^64``, each brought into [0, bits) by multiplying and keeping
the high half of the product (Lemire 2019): reduced, never masked. *a* and *b* are two mixtures of the whole key, since
partitions are made by its top bits. That is double hashing (Kirsch & Mitzenmacher 2008) with a step that grows, so that
the bits of two keys do not overlap in a row (enhanced double hashing, Dillinger & Manolios 2004).
"""

from __future__ import annotations

import numpy as np

from gristmill._kernels import Array, Integer, mix
from gristmill.jit import inlined, kernel

MOST_HASHES = 64

_OTHER = np.uint64(0x9E3779B97F4A7C15)  # makes the second mixture another one
_GROWTH = np.uint64(0xD1B54A32D192ED03)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_ONE, _SIX, _PLACE = np.uint64(1), np.uint64(6), np.uint64(63)


@inlined
def _reduced(value: Integer, bits: Integer) -> Integer:
    """Return the high 64 bits of the product of two numbers of 64 bits."""
    low, high = value & _LOW, value >> _HALF
    of_low, of_high = bits & _LOW, bits >> _HALF
    middle = high * of_low + ((low * of_low) >> _HALF)
    other = low * of_high + (middle & _LOW)
    return high * of_high + (middle >> _HALF) + (other >> _HALF)


@kernel
def tally(keys: Array, words: Array, bits: Integer, hashes: int) -> None:
    """Set in ``words`` the bits of each key: in column 0, and in column 1 where another key had set it before.

    ``keys``: uint64; ``words``: uint64[words, 2]; ``bits``: uint64; at most `MOST_HASHES` hashes. What is set depends
    on the keys alone, not on their order: column 1 has the bits that two keys or more set.
    """
    places = np.empty(MOST_HASHES, np.uint64)
    for key in keys:
        a, b, c = mix(key), mix(key ^ _OTHER), _GROWTH
        for i in range(hashes):
            place = _reduced(a, bits)
            places[i] = place
            word, bit = place >> _SIX, _ONE << (place & _PLACE)
            words[word, 1] |= words[word, 0] & bit
            a += b
            b += c
            c += _GROWTH
        for i in range(hashes):
            words[places[i] >> _SIX, 0] |= _ONE << (places[i] & _PLACE)


@kernel
def holds(keys: Array, words: Array, column: int, size: tuple[Integer, int], found: Array) -> None:
    """Fill in for each key whether all its bits are set in a column of ``words``.

    ``size``: bits (uint64) and hashes; ``found``: bool[keys].
    """
    bits, hashes = size
    for row in range(keys.shape[0]):
        a, b, c = mix(keys[row]), mix(keys[row] ^ _OTHER), _GROWTH
        here = True
        for _ in range(hashes):
            place = _reduced(a, bits)
            if not (words[place >> _SIX, column] >> (place & _PLACE)) & _ONE:
                here = False
                break
            a += b
            b += c
            c += _GROWTH
        found[row] = here
