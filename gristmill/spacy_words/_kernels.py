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

<<<<<<< HEAD
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
=======
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
>>>>>>> b04cc7c (spaCy's words: its tokenizer as compiled loops over its rules, instead of a dictionary of chunks)
from gristmill.jit import inlined, kernel

# Bits of a character, above those of ``character_classes()``.
MARK_ENDS = 1 << 8  # spaCy's sentencizer ends a sentence at it
MARK_CLOSES = 1 << 9  # of a category of punctuation
PREFIX = 1 << 10
SUFFIX = 1 << 11
ICON = 1 << 12  # a symbol that splits what it stands in
LETTER = 1 << 13
LOWER = 1 << 14  # letters without case are both
UPPER = 1 << 15
QUOTE = 1 << 16
BEFORE_DOT = 1 << 17  # a full stop after it is a suffix
HOST = 1 << 18  # may be in the name of a host
DECIMAL = 1 << 19
WORD = 1 << 20  # \w of re
SYMBOL = 1 << 21  # "#" or U+2026
INERT = 1 << 22  # no rule but those of special cases names it
ENDS_UNIT = 1 << 23  # a unit or currency ends with it
STARTS_PREFIX = 1 << 24  # a prefix of several characters starts with it

_HASH_BITS = np.uint64(40)
_SIEVE = np.uint64(49)
_DOT = 0x2E
_ELLIPSIS = 0x2026
_HYPHEN = 0x2D
_AT = 0x40
_APOSTROPHES = (0x27, 0x2019)
_ESSES = (0x53, 0x73)
_DEGREES = (0x43, 0x46, 0x4B, 0x63, 0x66, 0x6B)
_OPERATORS = (0x2A, 0x2B, 0x2D, 0x5E)
_JOINERS = (0x2F, 0x3A, 0x3C, 0x3D, 0x3E)
_HYPHENS = (0x2D, 0x2013, 0x2014, 0x7E)
_PATHS = (0x23, 0x2F, 0x3F)


@inlined
def _place(keys: Array, key: np.uint64) -> Integer:
    """Return the slot of a key, or the free one (0) where it belongs."""
    mask = keys.shape[0] - 1
    slot = np.int64(key >> _HASH_BITS) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@inlined
def _hash(points: Array, lo: Integer, hi: Integer) -> np.uint64:
    """Return a word's hash, as all kinds of words have it."""
    value = START
    for i in range(lo, hi):
        value = (value ^ np.uint64(points[i])) * PRIME
    return mix(value)


@inlined
def _shape(first: Integer, last: Integer, size: Integer) -> np.uint64:
    """Return 15 bits of a chunk's ends and length."""
    return (np.uint64(first) * PRIME ^ np.uint64(last) * START + np.uint64(size)) * PRIME >> _SIEVE


@inlined
def _pair(first: np.uint64, second: np.uint64) -> np.uint64:
    """Return a hash of two words, or of words and one more."""
    return (first ^ (second >> np.uint64(7))) * PRIME ^ second


@kernel
def slot_of(keys: Array, key: np.uint64) -> int:
    """Return the slot of a key in a table, or the free one (0) where it belongs."""
    return np.int64(_place(keys, key))


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
        slot = _place(keys, value)
        keys[slot] = value
        if i == 1:
            sieve[value >> _SIEVE] = 1
        if i == hashes.shape[0] - 1:
            numbers[slot] = number


@kernel
def _special(points: Array, lo: int, hi: int, specials: Any) -> int:
    """Return the number of the special case that the points are, or -1."""
    longest, sieve, keys, numbers = specials
    if hi <= lo or hi - lo > longest or sieve[_shape(points[lo], points[hi - 1], hi - lo)] == 0:
        return -1
    slot = _place(keys, _hash(points, lo, hi))
    return np.int64(numbers[slot]) if keys[slot] != 0 else -1


@inlined
def _is_digit(point: Integer) -> bool:
    return 0x30 <= point <= 0x39


@inlined
def _run(points: Array, i: Integer, hi: Integer) -> Integer:
    """Return the full stops in a row from ``i`` on, or 0 if there are not two."""
    end = i
    while end < hi and points[end] == _DOT:
        end += 1
    return end - i if end - i > 1 else 0


@kernel
def _prefix(points: Array, lo: int, hi: int, traits: Array, pieces: Any) -> int:
    """Return the length of the prefix, or 0."""
    trait = traits[points[lo]]
    if trait & PREFIX:
        return 1
    if points[lo] == _DOT:
        return np.int64(_run(points, lo, hi))
    if points[lo] == 0x2B:
        return 0 if hi - lo > 1 and _is_digit(points[lo + 1]) else 1
    if trait & STARTS_PREFIX:
        longest, keys = pieces
        for size in range(2, min(longest, hi - lo) + 1):
            if keys[_place(keys, _hash(points, lo, lo + size))] != 0:
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
def _suffix(points: Array, lo: int, hi: int, traits: Array, units: Any) -> int:
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
        if last == 0x2B and _is_digit(before):
            size = 1
    if trait & ENDS_UNIT:
        longest, keys = units
        for length in range(1, min(longest, hi - lo - 1) + 1):
            if _is_digit(points[hi - length - 1]):
                if keys[_place(keys, _hash(points, hi - length, hi))] != 0:
                    size = max(size, length)
                break
    return size


@kernel
def _infix(points: Array, i: int, span: tuple[int, int], traits: Array) -> int:
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
    digit = _is_digit(points[i - 1])
    if point in _OPERATORS and digit and (_is_digit(points[i + 1]) or points[i + 1] == _HYPHEN):
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


@inlined
def _octet(points: Array, lo: Integer, hi: Integer, traits: Array, place: int) -> bool:
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
        if not _is_digit(points[i]):
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
def _is_address(points: Array, lo: int, hi: int, traits: Array) -> bool:
    """Return whether the points are an address of the web or of mail."""
    if _is_host(points, lo, hi, traits):
        return True
    i = lo
    while i < hi and (traits[points[i]] & WORD or points[i] in (0x2B, _HYPHEN, _DOT)):
        i += 1
    scheme = i - lo >= 2 and i + 3 <= hi and points[i] == 0x3A and points[i + 1] == points[i + 2] == 0x2F
    if scheme and _is_host(points, i + 3, hi, traits):
        return True
    for i in range(lo + 1, hi):
        if points[i] == _AT and _is_host(points, i + 1, hi, traits):
            return True
    return False


@kernel
def _word(points: Array, lo: int, hi: int, traits: Array, n: int, words: Any) -> int:
    """Add a word; return how many there are then."""
    some = np.uint32(0)
    every = np.uint32(0xFFFFFFFF)
    for i in range(lo, hi):
        some |= traits[points[i]]
        every &= traits[points[i]]
    words[0][n] = _hash(points, lo, hi)
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
def _special_words(number: int, parts: Any, n: int, words: Any) -> int:
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
    if dots and _is_address(points, lo, hi, traits):
        return _word(points, lo, hi, traits, n, words)
    while i < hi:
        size = 0 if traits[points[i]] & INERT else _infix(points, i, span, traits)
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
        number = _special(points, lo, hi, specials)
        if number >= 0:
            break
        before = _prefix(points, lo, hi, traits, pieces)
        if before:
            number = _special(points, lo + before, hi, specials)
            if number >= 0:
                n = _word(points, lo, lo + before, traits, n, words)
                lo += before
                break
        after = _suffix(points, lo + before, hi, traits, units)
        if after:
            sizes[suffixes] = after
            suffixes += 1
            hi -= after
            number = _special(points, lo, hi, specials)
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
def _gram(k: int, end: int, words: Any, grams: Any, most: int) -> tuple[int, int]:
    """Return the longest run of words from ``k`` on, of at most ``most``, that some special case is made of.

    It is the number of its words, and the special case; (0, -1) if there is none.
    """
    _, keys, numbers, _, _ = grams
    hashes, _, flags = words
    value = hashes[k]
    size = 0
    number = -1
    i = k + 1
    while i < end and i - k < most and not flags[i] & GAP:
        value = _pair(value, hashes[i])
        slot = _place(keys, value)
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
                slot = _place(specials[2], value)
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
<<<<<<< HEAD


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
=======
>>>>>>> b04cc7c (spaCy's words: its tokenizer as compiled loops over its rules, instead of a dictionary of chunks)
