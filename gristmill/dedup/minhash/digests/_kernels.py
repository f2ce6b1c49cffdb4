"""The loops of digests: the first 64 bits of SHA-1, and XXH64, of many spans of the same bytes.

Bytes are indexed by uint64: numba would otherwise allow for negative indices at each, and eight bytes would not be read
as one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer
from gristmill.jit import inlined, kernel

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_FOUR, _EIGHT, _BLOCK = np.uint64(4), np.uint64(8), np.uint64(32)

# xxHash's primes
_XX1, _XX2, _XX3 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_XX4, _XX5 = np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)

LANES = 16
"""Messages that SHA-1 takes at a time: as many 32-bit numbers as the widest registers hold."""

_FULL, _STOP = np.uint32(0xFFFFFFFF), np.uint32(0x80000000)
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_STATE = 5 * LANES


@inlined
def _rotated64(value: np.uint64, bits: np.uint64) -> np.uint64:
    return (value << bits) | (value >> (np.uint64(64) - bits))


@inlined
def _eight_bytes(data: Array, at: np.uint64) -> np.uint64:
    """Return eight bytes as a little-endian number."""
    value = np.uint64(data[at])
    for k in range(1, 8):
        value |= np.uint64(data[at + np.uint64(k)]) << np.uint64(8 * k)
    return value


@inlined
def _four_bytes(data: Array, at: np.uint64) -> np.uint64:
    """Return four bytes as a little-endian number."""
    value = np.uint64(data[at])
    for k in range(1, 4):
        value |= np.uint64(data[at + np.uint64(k)]) << np.uint64(8 * k)
    return value


@inlined
def _xx_round(value: np.uint64, block: np.uint64) -> np.uint64:
    return _rotated64(value + block * _XX2, np.uint64(31)) * _XX1


@inlined
def _xx_merge(value: np.uint64, lane: np.uint64) -> np.uint64:
    return (value ^ _xx_round(_ZERO, lane)) * _XX1 + _XX4


@inlined
def _xxh64(data: Array, start: Integer, stop: Integer) -> np.uint64:
    """Return XXH64 with seed 0 of a span of bytes."""
    i, end = np.uint64(start), np.uint64(stop)
    size = end - i
    value = _XX5
    if size >= _BLOCK:
        one, two = _XX1 + _XX2, _XX2
        three, four = _ZERO, _ZERO - _XX1
        while i + _BLOCK <= end:
            one = _xx_round(one, _eight_bytes(data, i))
            two = _xx_round(two, _eight_bytes(data, i + _EIGHT))
            three = _xx_round(three, _eight_bytes(data, i + np.uint64(16)))
            four = _xx_round(four, _eight_bytes(data, i + np.uint64(24)))
            i += _BLOCK
        value = _rotated64(one, _ONE) + _rotated64(two, np.uint64(7))
        value += _rotated64(three, np.uint64(12)) + _rotated64(four, np.uint64(18))
        value = _xx_merge(_xx_merge(_xx_merge(_xx_merge(value, one), two), three), four)
    value += size
    while i + _EIGHT <= end:
        value = _rotated64(value ^ _xx_round(_ZERO, _eight_bytes(data, i)), np.uint64(27)) * _XX1 + _XX4
        i += _EIGHT
    if i + _FOUR <= end:
        value = _rotated64(value ^ _four_bytes(data, i) * _XX1, np.uint64(23)) * _XX2 + _XX3
        i += _FOUR
    while i < end:
        value = _rotated64(value ^ np.uint64(data[i]) * _XX5, np.uint64(11)) * _XX1
        i += _ONE
    value = (value ^ (value >> np.uint64(33))) * _XX2
    value = (value ^ (value >> np.uint64(29))) * _XX3
    return value ^ (value >> np.uint64(32))


@kernel
def xxh64_ngrams(text: Array, bounds: Array, rows: tuple[Array, Array], n: int, found: Array) -> None:
    """Fill in XXH64 of each n words in a row, from the first's start to the last's end.

    ``bounds``: where each word starts, one more than there are; each is followed by one byte that is not its own.
    ``rows``: the counts of the words and of what is found. A row of fewer than n words has none.
    """
    counts, firsts = rows
    for row in range(counts.shape[0] - 1):
        for i in range(firsts[row + 1] - firsts[row]):
            first = counts[row] + i
            found[firsts[row] + i] = _xxh64(text, bounds[first], bounds[first + n] - 1)


@inlined
def _rotated32(value: np.uint32, bits: int) -> np.uint32:
    return np.uint32(np.uint32(value << np.uint32(bits)) | np.uint32(value >> np.uint32(32 - bits)))


@inlined
def _choice(b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    return np.uint32(d ^ np.uint32(b & np.uint32(c ^ d)))


@inlined
def _parity(b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    return np.uint32(b ^ c ^ d)


@inlined
def _majority(b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    return np.uint32(np.uint32(b & c) | np.uint32(d & np.uint32(b | c)))


@inlined
def _step(a: np.uint32, e: np.uint32, f: np.uint32, word: np.uint32, key: np.uint32) -> np.uint32:
    return np.uint32(_rotated32(a, 5) + f + e + key + word)


@inlined
def _next_word(a: np.uint32, b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    return _rotated32(np.uint32(np.uint32(a ^ b) ^ np.uint32(c ^ d)), 1)


@inlined
def _extend(words: Array) -> None:
    """Fill in words 16 to 79 of each lane's block, four at a time, so that the loop over lanes is one of vectors."""
    for t in range(0, 64, 4):
        for k in range(LANES):
            i = t * LANES + k
            one = _next_word(words[13 * LANES + i], words[8 * LANES + i], words[2 * LANES + i], words[i])
            two = _next_word(words[14 * LANES + i], words[9 * LANES + i], words[3 * LANES + i], words[LANES + i])
            three = _next_word(words[15 * LANES + i], words[10 * LANES + i], words[4 * LANES + i], words[2 * LANES + i])
            four = _next_word(one, words[11 * LANES + i], words[5 * LANES + i], words[3 * LANES + i])
            words[16 * LANES + i], words[17 * LANES + i] = one, two
            words[18 * LANES + i], words[19 * LANES + i] = three, four


@inlined
def _twenty_rounds(words: Array, state: Array, first: int, key: np.uint32, mixed: Any) -> None:
    """Take 20 words of each lane into its state, five at a time: then a to e are at their places again."""
    for t in range(first, first + 20, 5):
        for k in range(LANES):
            a, b, c = state[k], state[LANES + k], state[2 * LANES + k]
            d, e = state[3 * LANES + k], state[4 * LANES + k]
            e = _step(a, e, mixed(b, c, d), words[t * LANES + k], key)
            b = _rotated32(b, 30)
            d = _step(e, d, mixed(a, b, c), words[(t + 1) * LANES + k], key)
            a = _rotated32(a, 30)
            c = _step(d, c, mixed(e, a, b), words[(t + 2) * LANES + k], key)
            e = _rotated32(e, 30)
            b = _step(c, b, mixed(d, e, a), words[(t + 3) * LANES + k], key)
            d = _rotated32(d, 30)
            a = _step(b, a, mixed(c, d, e), words[(t + 4) * LANES + k], key)
            c = _rotated32(c, 30)
            state[k], state[LANES + k], state[2 * LANES + k] = a, b, c
            state[3 * LANES + k], state[4 * LANES + k] = d, e


@kernel
def _sha1_block(words: Array, state: Array, work: Array) -> None:
    """Take one block of each lane into its state.

    ``words``: uint32[80 x LANES], the block's 16 words of each lane first; the others are filled in. ``state``,
    ``work``: uint32[5 x LANES].
    """
    _extend(words)
    for i in range(_STATE):
        work[i] = state[i]
    _twenty_rounds(words, work, 0, np.uint32(0x5A827999), _choice)
    _twenty_rounds(words, work, 20, np.uint32(0x6ED9EBA1), _parity)
    _twenty_rounds(words, work, 40, np.uint32(0x8F1BBCDC), _majority)
    _twenty_rounds(words, work, 60, np.uint32(0xCA62C1D6), _parity)
    for i in range(_STATE):
        state[i] += work[i]


@inlined
def _swapped(value: Integer) -> np.uint32:
    """Return the four bytes of a number in the other order."""
    v = np.uint32(value)
    ends = np.uint32(v >> np.uint32(24)) | np.uint32(v << np.uint32(24))
    return np.uint32(
        ends | np.uint32(v >> np.uint32(8)) & np.uint32(0xFF00) | np.uint32(v & np.uint32(0xFF00)) << np.uint32(8)
    )


@kernel
def _fill_block(text: Array, span: tuple[int, int], number: int, lane: int, words: Array) -> None:
    """Fill in a lane's block of a message, padded as SHA-1 pads it, the last with its length in bits.

    All of a block is read, where so much of the text follows, and then what is not the message's is taken out: so no
    branch depends on the length.
    """
    start, size = span
    at = 64 * number
    whole = (size - at) >> 2
    if start + at + 64 <= text.shape[0]:
        for w in range(16):
            word = _swapped(_four_bytes(text, np.uint64(start + at + 4 * w)))
            words[w * LANES + lane] = word if w <= whole else np.uint32(0)
    else:
        for w in range(16):
            word = np.uint32(0)
            for i in range(at + 4 * w, at + 4 * w + 4):
                word = np.uint32(np.uint32(word << np.uint32(8)) | np.uint32(text[start + i] if i < size else 0))
            words[w * LANES + lane] = word
    if 0 <= whole < 16:
        kept = np.uint32(8 * ((size - at) & 3))
        own = np.uint32(words[whole * LANES + lane] & np.uint32(~np.uint32(_FULL >> kept)))
        words[whole * LANES + lane] = np.uint32(own | np.uint32(_STOP >> kept))
    if at + 64 >= size + 9:
        words[14 * LANES + lane] = np.uint32(size >> 29)
        words[15 * LANES + lane] = np.uint32((size << 3) & 0xFFFFFFFF)


@kernel
def _sha1_group(text: Array, spans: tuple[Array, Array], group: int, work: Any, out: Array) -> None:
    """Fill in the first 8 bytes of SHA-1 of up to LANES spans of bytes, each as a little-endian number.

    They go through block by block: a lane whose message is over goes on with what is left there.
    """
    starts, ends = spans
    words, state, copy = work
    blocks = 0
    for k in range(_STATE):
        state[k] = np.uint32(_START[k // LANES])
    for lane in range(group):
        blocks = max(blocks, (ends[lane] - starts[lane] + 72) >> 6)
    for number in range(blocks):
        for lane in range(group):
            if number < (ends[lane] - starts[lane] + 72) >> 6:
                _fill_block(text, (starts[lane], ends[lane] - starts[lane]), number, lane, words)
        _sha1_block(words, state, copy)
        for lane in range(group):
            if number + 1 == (ends[lane] - starts[lane] + 72) >> 6:
                low, high = _swapped(state[lane]), _swapped(state[LANES + lane])
                out[lane] = np.uint64(low) | np.uint64(high) << np.uint64(32)


@kernel
def sha1_ngrams(text: Array, bounds: Array, rows: tuple[Array, Array], n: int, found: Array) -> None:
    """Fill in the first 8 bytes of SHA-1 of each n words in a row, as a little-endian number.

    Arguments are those of ``xxh64_ngrams``.
    """
    counts, firsts = rows
    work = np.zeros(80 * LANES, np.uint32), np.zeros(_STATE, np.uint32), np.zeros(_STATE, np.uint32)
    starts, ends = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    lane = 0
    for row in range(counts.shape[0] - 1):
        for i in range(firsts[row], firsts[row + 1]):
            first = counts[row] + i - firsts[row]
            starts[lane] = bounds[first]
            ends[lane] = bounds[first + n] - 1
            lane += 1
            if lane == LANES:
                _sha1_group(text, (starts, ends), lane, work, found[i + 1 - LANES : i + 1])
                lane = 0
    if lane:
        total = firsts[counts.shape[0] - 1]
        _sha1_group(text, (starts, ends), lane, work, found[total - lane : total])
