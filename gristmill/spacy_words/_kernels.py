"""The loops of spaCy's words: its tokenizer's algorithm, over tables of its rules.

spaCy splits a text at white space; from each such chunk it takes prefixes and suffixes, one of each at a time, until
none is left or the rest is a special case; the rest is a special case, an address, or is split at infixes. Then it puts
those special cases together whose parts stand in a row. Every loop here goes over a text once, whatever it holds.

``rules`` are those of gristmill.spacy_words.rules.Rules. ``words`` are the hashes, lengths and flags to fill in.
Arguments are otherwise as in gristmill._kernels. ``points`` are the code points of a chunk, ``lo`` and ``hi`` where
what is left of it starts and ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import (
    ALNUM_FIRST,
    CLOSES,
    GAP,
    HAS_SYMBOL,
    PRIME,
    SPACED,
    START,
    Array,
    Integer,
    decode,
    mix,
    word_flags,
)
from gristmill.characters import ALPHANUMERIC, SPACE
from gristmill.jit import inlined, kernel
from gristmill.spacy_words.addresses._kernels import is_address
from gristmill.spacy_words.affixes._kernels import hash_points, infix_length, place_of, prefix_length, suffix_length
from gristmill.spacy_words.traits import (
    DECIMAL,
    ENDS_UNIT,
    INERT,
    MARK_CLOSES,
    MARK_ENDS,
    SYMBOL,
)

_SIEVE = np.uint64(49)
_DOT = 0x2E


@inlined
def _shape(first: Integer, last: Integer, size: Integer) -> np.uint64:
    """Return 15 bits of a chunk's ends and length."""
    return (np.uint64(first) * PRIME ^ np.uint64(last) * START + np.uint64(size)) * PRIME >> _SIEVE


@inlined
def _pair(first: np.uint64, second: np.uint64) -> np.uint64:
    """Return a hash of two words, or of words and one more."""
    return (first ^ (second >> np.uint64(7))) * PRIME ^ second


@kernel
def slot_of(keys: Array, key: np.uint64) -> Integer:
    """Return the slot of a key in a table, or the free one (0) where it belongs."""
    return np.int64(place_of(keys, key))


@kernel
def fill_shapes(points: Array, lengths: Array, sieve: Array) -> None:
    """Mark the shapes of chunks of the given lengths, whose points follow each other."""
    start = 0
    for length in lengths:
        sieve[_shape(points[start], points[start + length - 1], length)] = 1
        start += length


@kernel
def add_gram(hashes: Array, number: int, grams: Any) -> None:
    """Add the words that a special case is made of, when they stand in a row; one word alone is none."""
    sieve, keys, numbers = grams
    value = hashes[0]
    for i in range(1, hashes.shape[0]):
        value = _pair(value, hashes[i])
        slot = place_of(keys, value)
        keys[slot] = value
        if i == 1:
            sieve[value >> _SIEVE] = 1
        if i == hashes.shape[0] - 1:
            numbers[slot] = number


@kernel
def special_case(points: Array, lo: int, hi: int, specials: Any) -> Integer:
    """Return the number of the special case that the points are, or -1."""
    longest, sieve, keys, numbers = specials
    if hi <= lo or hi - lo > longest or sieve[_shape(points[lo], points[hi - 1], hi - lo)] == 0:
        return -1
    slot = place_of(keys, hash_points(points, lo, hi))
    return np.int64(numbers[slot]) if keys[slot] != 0 else -1


@kernel
def _word(points: Array, lo: int, hi: int, traits: Array, n: int, words: Any) -> int:
    """Add a word; return how many there are then."""
    some = np.uint32(0)
    every = np.uint32(0xFFFFFFFF)
    for i in range(lo, hi):
        some |= traits[points[i]]
        every &= traits[points[i]]
    words[0][n] = hash_points(points, lo, hi)
    words[1][n] = hi - lo
    words[2][n] = _flags(some, every, traits[points[lo]], hi - lo)
    return n + 1


@kernel
def describe_words(points: Array, lengths: Array, traits: Array, words: Any) -> None:
    """Fill in the hash, length and flags of words of the given lengths, whose points follow each other."""
    start = 0
    for n in range(lengths.shape[0]):
        _word(points, start, start + lengths[n], traits, n, words)
        start += lengths[n]


@inlined
def _flags(some: Integer, every: Integer, first: Integer, size: Integer) -> Integer:
    """Return a word's flags, of the traits that any of its characters has, that all have, that the first has."""
    ends = size == 1 and every & MARK_ENDS != 0
    closes = CLOSES if every & MARK_CLOSES else 0
    symbol = HAS_SYMBOL if some & SYMBOL else 0
    starts = ALNUM_FIRST if first & ALPHANUMERIC else 0
    return word_flags(some, every, ends) & ~CLOSES | closes | symbol | starts


@kernel
def _special_words(number: Integer, parts: Any, n: int, words: Any) -> int:
    """Add the words of a special case; return how many there are then."""
    firsts, hashes, lengths, flags = parts
    for i in range(firsts[number], firsts[number + 1]):
        words[0][n] = hashes[i]
        words[1][n] = lengths[i]
        words[2][n] = flags[i]
        n += 1
    return n


@kernel
def _split_at_infixes(points: Array, span: tuple[int, int], traits: Array, n: int, words: Any) -> int:
    """Add the words of what has neither prefix nor suffix; return how many there are then."""
    lo, hi = span
    dots = False
    start = lo
    i = lo
    for k in range(lo, hi):
        dots |= points[k] == _DOT
    if dots and is_address(points, lo, hi, traits):
        return _word(points, lo, hi, traits, n, words)
    while i < hi:
        size = 0 if traits[points[i]] & INERT else infix_length(points, i, span, traits)
        if size and i > lo:
            if i > start:
                n = _word(points, start, i, traits, n, words)
            n = _word(points, i, i + size, traits, n, words)
            start = i + size
        i += max(size, 1)
    return _word(points, start, hi, traits, n, words) if start < hi else n


@kernel
def _split(points: Array, size: int, rules: Any, n: int, found: Any) -> int:
    """Add the words of a chunk; return how many there are then."""
    traits, specials, parts, pieces, units, _ = rules
    words, sizes = found
    lo, hi = 0, size
    suffixes = 0
    number = -1
    while lo < hi:
        number = special_case(points, lo, hi, specials)
        if number >= 0:
            break
        before = prefix_length(points, lo, hi, traits, pieces)
        if before:
            number = special_case(points, lo + before, hi, specials)
            if number >= 0:
                n = _word(points, lo, lo + before, traits, n, words)
                lo += before
                break
        after = suffix_length(points, lo + before, hi, traits, units)
        if after:
            sizes[suffixes] = after
            suffixes += 1
            hi -= after
            number = special_case(points, lo, hi, specials)
            if number >= 0:
                break
        if before:
            n = _word(points, lo, lo + before, traits, n, words)
            lo += before
        if before == 0 and after == 0:
            break
    if lo < hi:
        if number >= 0:
            n = _special_words(number, parts, n, words)
        else:
            n = _split_at_infixes(points, (lo, hi), traits, n, words)
    while suffixes:
        suffixes -= 1
        n = _word(points, hi, hi + sizes[suffixes], traits, n, words)
        hi += sizes[suffixes]
    return n


@kernel
def split_chunk(points: Array, rules: Any, found: Any) -> int:
    """Fill in the words of a chunk that stands by itself; return their number.

    The words' lengths, in characters, add up to the chunk's.
    """
    parts, grams = rules[2], rules[5]
    n = _split(points, points.shape[0], rules, 0, found)
    if _changes(0, n, found[0], grams):
        return _put_together(0, n, found[0], parts, grams)
    return n


@kernel
def _gram(k: int, end: int, words: Any, grams: Any, most: int) -> tuple[int, Integer]:
    """Return the longest run of words from ``k`` on, of at most ``most``, that some special case is made of.

    It is the number of its words, and the special case; (0, -1) if there is none.
    """
    _, keys, numbers, _, _ = grams
    hashes, _, flags = words
    value = hashes[k]
    size = 0
    number: Integer = -1
    i = k + 1
    while i < end and i - k < most and not flags[i] & GAP:
        value = _pair(value, hashes[i])
        slot = place_of(keys, value)
        if keys[slot] == 0:
            break
        i += 1
        if numbers[slot] >= 0:
            size = i - k
            number = np.int64(numbers[slot])
    return size, number


@inlined
def _in_one_chunk(k: Integer, size: Integer, flags: Array) -> bool:
    one = True
    for i in range(k + 1, k + size):
        one = one and not flags[i] & SPACED
    return one


@kernel
def _changes(first: int, end: int, words: Any, grams: Any) -> bool:
    """Return whether special cases are to be put together in a row's words."""
    sieve, _, _, same, longest = grams
    hashes, _, flags = words
    for k in range(first, end - 1):
        if sieve[_pair(hashes[k], hashes[k + 1]) >> _SIEVE] and not flags[k + 1] & GAP:
            most = longest
            while most > 1:
                size, number = _gram(k, end, words, grams, most)
                if size and not same[number] and _in_one_chunk(k, size, flags):
                    return True
                most = min(size, most) - 1
    return False


@kernel
def _put_together(first: int, end: int, words: Any, parts: Any, grams: Any) -> int:
    """Put special cases together whose parts stand in a row: longer ones first, then earlier ones.

    A run of words that another one overlaps is left as it is. Returns how many words there are then.
    """
    seen = np.zeros(end - first, np.bool_)
    chosen = np.full(end - first, -1, np.int64)
    covered = np.zeros(end - first, np.int64)
    for size in range(grams[4], 1, -1):
        for k in range(first, end - size + 1):
            if grams[0][_pair(words[0][k], words[0][k + 1]) >> _SIEVE] == 0:
                continue
            length, number = _gram(k, end, words, grams, size)
            if length != size:
                continue
            if not seen[k - first] and not seen[k - first + size - 1] and _in_one_chunk(k, size, words[2]):
                chosen[k - first] = number
                covered[k - first] = size
            seen[k - first : k - first + size] = True
    hashes, lengths, flags = words[0][first:end].copy(), words[1][first:end].copy(), words[2][first:end].copy()
    n = first
    k = 0
    while k < end - first:
        kept = flags[k] & (GAP | SPACED)
        before = n
        if chosen[k] >= 0:
            n = _special_words(chosen[k], parts, n, words)
            words[2][before] |= kept
            k += covered[k]
            continue
        words[0][n] = hashes[k]
        words[1][n] = lengths[k]
        words[2][n] = flags[k]
        n += 1
        k += 1
    return n


@kernel
def spacy_words(data: Array, offsets: Array, rules: Any, counts: Array, found: Any) -> int:
    """Fill in the hash, length and flags of each word of each row; return their number.

    ``found`` are those, and room for the sizes of suffixes; and for the points of the longest row.
    """
    traits, specials, parts, _, _, grams = rules
    words, sizes, points = found
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        free = i
        while i < stop:
            point, width = decode(data, i)
            if traits[point] & SPACE:
                i += width
                continue
            one = i == free or (i == free + 1 and data[free] == 0x20 and free > offsets[row])
            gap = SPACED if one else SPACED | GAP
            size = 0
            some = np.uint32(0)
            every = np.uint32(0xFFFFFFFF)
            value = START
            last = np.uint32(0)
            while True:
                points[size] = point
                last = traits[point]
                some |= last
                every &= last
                value = (value ^ np.uint64(point)) * PRIME
                size += 1
                i += width
                if i >= stop:
                    break
                point, width = decode(data, i)
                if traits[point] & SPACE:
                    break
            free = i
            first = n
            if not every & INERT or (last & ENDS_UNIT and some & DECIMAL):
                n = _split(points, size, rules, n, (words, sizes))
            else:
                value = mix(value)
                slot = place_of(specials[2], value)
                if size <= specials[0] and specials[2][slot] != 0:
                    n = _special_words(np.int64(specials[3][slot]), parts, n, words)
                else:
                    words[0][n] = value
                    words[1][n] = size
                    words[2][n] = _flags(some, every, traits[points[0]], size)
                    n += 1
            words[2][first] |= gap
        if _changes(counts[row], n, words, grams):
            n = _put_together(counts[row], n, words, parts, grams)
        counts[row + 1] = n
    return n
