"""The loops of MinHash: words and characters into shingles, shingles into hashes, hashes into signatures.

A shingle is n words or characters in a row. Its hash is 64 bits; which ones depends on the scheme. A *signature* holds
for each of K permutations the least value that any shingle of a text has under it. Arithmetic is modulo 2^32 or 2^64,
as the machine does it. ``counts``: int64[rows + 1]; the items of row *i* are ``counts[i]`` to ``counts[i + 1]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer, decode, mix
from gristmill.characters import ALPHANUMERIC, MARK
from gristmill.jit import inlined, kernel

SPACE = 0x20

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ZERO = np.uint64(0)
_PRIME = np.uint64((1 << 61) - 1)
_PRIME_BITS = np.uint64(61)

# MurmurHash3's last step
_FIRST_32, _SECOND_32 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_FIRST_64, _SECOND_64 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_THIRTEEN, _SIXTEEN = np.uint32(13), np.uint32(16)
_THIRTY_THREE = np.uint64(33)

# xxHash's primes
_XX1, _XX2, _XX3 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_XX4, _XX5 = np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)


@kernel
def letters(data: Array, offsets: Array, classes: Array, counts: Array, found: Array) -> None:
    """Fill in a hash for each character of each row: letters, digits and marks, and one space for all between them.

    ``data``, ``offsets``: UTF-8 and int64[rows + 1]. ``found`` holds as many as there are bytes. No row starts or ends
    with a space.
    """
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        first = n
        apart = False
        while i < offsets[row + 1]:
            point, width = decode(data, i)
            i += width
            if not classes[point] & (ALPHANUMERIC | MARK):
                apart = n > first
                continue
            if apart:
                found[n] = mix(np.uint64(SPACE))
                n += 1
                apart = False
            found[n] = mix(np.uint64(point))
            n += 1
        counts[row + 1] = n


@kernel
def ngrams(hashes: Array, counts: Array, n: int, ends: Array, found: Array) -> None:
    """Fill in a hash for each run of ``n`` items of a row; fewer items than that are one run, none give none.

    ``ends``: int64[rows + 1], the counts of what is found; ``found`` holds as many as there are ``hashes``. A run's
    hash is the polynomial of its items' hashes, mixed; it is rolled on from one run to the next.
    """
    power = np.uint64(1)
    for _ in range(n):
        power = power * _STEP
    out = 0
    ends[0] = 0
    for row in range(counts.shape[0] - 1):
        value = _ZERO
        start, stop = counts[row], counts[row + 1]
        for i in range(start, stop):
            value = value * _STEP + hashes[i]
            if i - start >= n:
                value -= hashes[i - n] * power
            if i - start >= n - 1:
                found[out] = mix(value)
                out += 1
        if start < stop < start + n:
            found[out] = mix(value)
            out += 1
        ends[row + 1] = out


@kernel
def affine32(shingles: Array, counts: Array, factors: Array, addends: Array, least: Array) -> None:
    """Fill in the least of a·h + b modulo 2^32 of each row's shingles, h being 32 bits, mixed.

    ``factors``, ``addends``: uint32[K]. ``least``: uint32[rows, K], all ones before.
    """
    for row in range(counts.shape[0] - 1):
        out = least[row]
        for i in range(counts[row], counts[row + 1]):
            h = np.uint32(shingles[i] & np.uint64(0xFFFFFFFF))
            h = np.uint32((h ^ np.uint32(h >> _SIXTEEN)) * _FIRST_32)
            h = np.uint32((h ^ np.uint32(h >> _THIRTEEN)) * _SECOND_32)
            h = np.uint32(h ^ np.uint32(h >> _SIXTEEN))
            for k in range(out.shape[0]):
                value = np.uint32(np.uint32(h * factors[k]) + addends[k])
                out[k] = min(value, out[k])


@kernel
def affine64(shingles: Array, counts: Array, factors: Array, addends: Array, least: Array) -> None:
    """Fill in the least of a·h + b modulo 2^64 of each row's shingles, mixed.

    ``factors``, ``addends``: uint64[K]. ``least``: uint64[rows, K], all ones before.
    """
    for row in range(counts.shape[0] - 1):
        out = least[row]
        for i in range(counts[row], counts[row + 1]):
            h = shingles[i]
            h = (h ^ (h >> _THIRTY_THREE)) * _FIRST_64
            h = (h ^ (h >> _THIRTY_THREE)) * _SECOND_64
            h ^= h >> _THIRTY_THREE
            for k in range(out.shape[0]):
                out[k] = min(h * factors[k] + addends[k], out[k])


@kernel
def mersenne(shingles: Array, counts: Array, parameters: tuple[Array, Array], bits: np.uint64, least: Array) -> None:
    """Fill in the least of (a·h + b modulo 2^64 modulo 2^61 - 1) & ``bits`` of each row's shingles.

    ``parameters``: a and b, uint64[K]. ``least``: uint64[rows, K], all ones before.
    """
    factors, addends = parameters
    for row in range(counts.shape[0] - 1):
        out = least[row]
        for i in range(counts[row], counts[row + 1]):
            h = shingles[i]
            for k in range(out.shape[0]):
                value = h * factors[k] + addends[k]
                value = (value & _PRIME) + (value >> _PRIME_BITS)
                value = min(value, value - _PRIME)  # what is less than the prime becomes huge
                out[k] = min(value & bits, out[k])


@inlined
def _rotated64(value: np.uint64, bits: np.uint64) -> np.uint64:
    return (value << bits) | (value >> (np.uint64(64) - bits))


@inlined
def _little(data: Array, start: Integer, size: int) -> np.uint64:
    """Return ``size`` bytes as a little-endian number."""
    value = _ZERO
    for k in range(size):
        value |= np.uint64(data[start + k]) << np.uint64(8 * k)
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
    i = start
    if stop - start >= 32:
        one, two = _XX1 + _XX2, _XX2
        three, four = _ZERO, _ZERO - _XX1
        while i + 32 <= stop:
            one = _xx_round(one, _little(data, i, 8))
            two = _xx_round(two, _little(data, i + 8, 8))
            three = _xx_round(three, _little(data, i + 16, 8))
            four = _xx_round(four, _little(data, i + 24, 8))
            i += 32
        value = _rotated64(one, np.uint64(1)) + _rotated64(two, np.uint64(7))
        value += _rotated64(three, np.uint64(12)) + _rotated64(four, np.uint64(18))
        value = _xx_merge(_xx_merge(_xx_merge(_xx_merge(value, one), two), three), four)
    else:
        value = _XX5
    value += np.uint64(stop - start)
    while i + 8 <= stop:
        value = _rotated64(value ^ _xx_round(_ZERO, _little(data, i, 8)), np.uint64(27)) * _XX1 + _XX4
        i += 8
    if i + 4 <= stop:
        value = _rotated64(value ^ _little(data, i, 4) * _XX1, np.uint64(23)) * _XX2 + _XX3
        i += 4
    while i < stop:
        value = _rotated64(value ^ np.uint64(data[i]) * _XX5, np.uint64(11)) * _XX1
        i += 1
    value = (value ^ (value >> np.uint64(33))) * _XX2
    value = (value ^ (value >> np.uint64(29))) * _XX3
    return value ^ (value >> np.uint64(32))


@kernel
def xxh64_ngrams(text: Array, spans: tuple[Array, Array], rows: tuple[Array, Array], n: int, found: Array) -> None:
    """Fill in XXH64 of each n tokens in a row, the bytes from the first's start to the last's end.

    ``rows``: the counts of the tokens and of what is found. A row of fewer than n tokens has none.
    """
    starts, ends = spans
    counts, firsts = rows
    for row in range(counts.shape[0] - 1):
        for i in range(firsts[row + 1] - firsts[row]):
            first = counts[row] + i
            found[firsts[row] + i] = _xxh64(text, starts[first], ends[first + n - 1])


LANES = 16
_SHA_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)


@inlined
def _rotated32(value: np.uint32, bits: int) -> np.uint32:
    return np.uint32(np.uint32(value << np.uint32(bits)) | np.uint32(value >> np.uint32(32 - bits)))


@kernel
def _sha1_block(words: Array, state: Array) -> None:
    """Take one block of each lane into its state.

    ``words``: uint32[80 x LANES], the block's 16 words of each lane first; the others are filled in for all lanes at
    once. ``state``: uint32[5, LANES].
    """
    for i in range(16 * LANES, 80 * LANES):
        early = np.uint32(words[i - 3 * LANES] ^ words[i - 8 * LANES])
        words[i] = _rotated32(np.uint32(early ^ words[i - 14 * LANES] ^ words[i - 16 * LANES]), 1)
    for k in range(LANES):
        a, b, c, d, e = state[0, k], state[1, k], state[2, k], state[3, k], state[4, k]
        for t in range(20):
            f = np.uint32(d ^ np.uint32(b & np.uint32(c ^ d)))
            f = np.uint32(_rotated32(a, 5) + f + e + np.uint32(0x5A827999) + words[t * LANES + k])
            e, d, c, b, a = d, c, _rotated32(b, 30), a, f
        for t in range(20, 40):
            f = np.uint32(_rotated32(a, 5) + np.uint32(b ^ c ^ d) + e + np.uint32(0x6ED9EBA1) + words[t * LANES + k])
            e, d, c, b, a = d, c, _rotated32(b, 30), a, f
        for t in range(40, 60):
            f = np.uint32(np.uint32(b & c) | np.uint32(d & np.uint32(b | c)))
            f = np.uint32(_rotated32(a, 5) + f + e + np.uint32(0x8F1BBCDC) + words[t * LANES + k])
            e, d, c, b, a = d, c, _rotated32(b, 30), a, f
        for t in range(60, 80):
            f = np.uint32(_rotated32(a, 5) + np.uint32(b ^ c ^ d) + e + np.uint32(0xCA62C1D6) + words[t * LANES + k])
            e, d, c, b, a = d, c, _rotated32(b, 30), a, f
        state[0, k] += a
        state[1, k] += b
        state[2, k] += c
        state[3, k] += d
        state[4, k] += e


@inlined
def _byte_of(text: Array, start: Integer, size: Integer, i: Integer) -> np.uint32:
    """Return byte ``i`` of a message padded as SHA-1 pads it, its length apart."""
    if i < size:
        return np.uint32(text[start + i])
    return np.uint32(0x80) if i == size else np.uint32(0)


@kernel
def _fill_block(text: Array, span: tuple[int, int], number: int, lane: int, words: Array) -> None:
    """Fill in a lane's block of a message, padded, the last with its length in bits."""
    start, size = span
    for w in range(16):
        at = 64 * number + 4 * w
        if at + 4 <= size:
            p = start + at
            word = np.uint32(text[p]) << np.uint32(24) | np.uint32(text[p + 1]) << np.uint32(16)
            words[w * LANES + lane] = np.uint32(word | np.uint32(text[p + 2]) << np.uint32(8) | np.uint32(text[p + 3]))
            continue
        word = np.uint32(0)
        for k in range(4):
            word = np.uint32(np.uint32(word << np.uint32(8)) | _byte_of(text, start, size, at + k))
        words[w * LANES + lane] = word
    if 64 * (number + 1) >= size + 9:
        words[14 * LANES + lane] = np.uint32(size >> 29)
        words[15 * LANES + lane] = np.uint32((size << 3) & 0xFFFFFFFF)


@inlined
def _swapped(value: np.uint32) -> np.uint64:
    v = np.uint64(value)
    low = (v >> np.uint64(24)) | ((v >> np.uint64(8)) & np.uint64(0xFF00))
    return low | ((v << np.uint64(8)) & np.uint64(0xFF0000)) | ((v & np.uint64(0xFF)) << np.uint64(24))


@kernel
def sha1_spans(text: Array, starts: Array, ends: Array, found: Array) -> None:
    """Fill in the first 8 bytes of SHA-1 of each span of bytes, as a little-endian number.

    Spans go through in groups of LANES, block by block: a lane whose message is over keeps its state.
    """
    words = np.zeros(80 * LANES, np.uint32)
    state = np.zeros((5, LANES), np.uint32)
    saved = np.zeros((2, LANES), np.uint32)
    for base in range(0, starts.shape[0], LANES):
        group = min(LANES, starts.shape[0] - base)
        blocks = 0
        for k in range(5):
            state[k] = np.uint32(_SHA_START[k])
        for lane in range(group):
            blocks = max(blocks, (ends[base + lane] - starts[base + lane] + 72) >> 6)
        for number in range(blocks):
            for lane in range(group):
                start = starts[base + lane]
                if number < (ends[base + lane] - start + 72) >> 6:
                    _fill_block(text, (start, ends[base + lane] - start), number, lane, words)
            _sha1_block(words, state)
            for lane in range(group):
                if number + 1 == (ends[base + lane] - starts[base + lane] + 72) >> 6:
                    saved[0, lane], saved[1, lane] = state[0, lane], state[1, lane]
        for lane in range(group):
            found[base + lane] = _swapped(saved[0, lane]) | _swapped(saved[1, lane]) << np.uint64(32)


@inlined
def _jaccard(shingles: Array, bounds: Array, one: Integer, other: Integer) -> float:
    """Return the Jaccard similarity of two sets, each sorted; of two empty ones 0."""
    i, i_stop = bounds[one], bounds[one + 1]
    j, j_stop = bounds[other], bounds[other + 1]
    total = (i_stop - i) + (j_stop - j)
    both = 0
    while i < i_stop and j < j_stop:
        a, b = shingles[i], shingles[j]
        both += a == b
        i += a <= b
        j += b <= a
    return np.float64(both) / np.float64(total - both) if total else 0.0


@inlined
def _agreement(signatures: Array, one: Integer, other: Integer) -> float:
    """Return the share of equal values of two signatures."""
    equal = 0
    for k in range(signatures.shape[1]):
        equal += signatures[one, k] == signatures[other, k]
    return np.float64(equal) / np.float64(signatures.shape[1])


@kernel
def leaders(
    signatures: Array, sets: tuple[Array, Array], buckets: Array, rule: tuple[float, int, Array], out: Any
) -> int:
    """Fill in each document's leader, and its similarity to it; return how many pairs were compared.

    Documents come in the order in which they survive. One joins the leader that it is most like, of those that it
    shares a bucket with and is at least ``rule[0]`` like, the first of equals; one that finds none is a leader.
    A bucket shows its first ``rule[1]`` leaders. Where ``rule[2]``, bool[documents], is true, a document is a leader
    whatever it is like. ``buckets``: int64[documents, bands], numbered from 0. ``sets``: the
    documents' shingles, sorted, and where each one's start; without them (no bounds) signatures are compared.
    """
    shingles, bounds = sets
    least, shown, settled = rule
    leader, similarity = out
    bands = buckets.shape[1]
    count = 0
    for i in range(buckets.shape[0]):
        for b in range(bands):
            count = max(count, buckets[i, b] + 1)
    heads = np.full(count, -1, np.int64)
    tails = np.full(count, -1, np.int64)
    sizes = np.zeros(count, np.int64)
    following = np.full(buckets.shape[0] * bands, -1, np.int64)
    seen = np.full(buckets.shape[0], -1, np.int64)
    compared = 0
    for i in range(buckets.shape[0]):
        best, found = np.int64(-1), 0.0
        for b in range(0 if settled[i] else bands):
            entry = heads[buckets[i, b]]
            while entry >= 0:
                other = entry // bands
                entry = following[entry]
                if seen[other] == i:
                    continue
                seen[other] = i
                compared += 1
                exact = bounds.shape[0] > 0
                value = _jaccard(shingles, bounds, i, other) if exact else _agreement(signatures, i, other)
                if value >= least and (value > found or (value == found and (best < 0 or other < best))):
                    best, found = other, value
        if best >= 0:
            leader[i], similarity[i] = best, found
            continue
        leader[i], similarity[i] = i, 1.0
        for b in range(bands):
            bucket = buckets[i, b]
            if sizes[bucket] == shown:
                continue
            entry = i * bands + b
            if sizes[bucket]:
                following[tails[bucket]] = entry
            else:
                heads[bucket] = entry
            tails[bucket] = entry
            sizes[bucket] += 1
    return compared
