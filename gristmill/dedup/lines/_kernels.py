"""The loops of lines: sentences found in them, spans brought into a form, digests of spans, n-grams of words.

``data`` is uint8, and valid UTF-8 where characters are read; ``starts`` and ``ends`` are positions in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import CLOSES, ENDS, GAP, decode, mix, strip
from gristmill.characters import CODE_POINTS
from gristmill.dedup._kernels import encode
from gristmill.jit import inlined, kernel

Array = Any  # a NumPy array; its items are ints to a reader and machine integers to a kernel

_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
_BLOCK = 64
_START = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], np.uint32)
_FIRST, _SECOND = np.uint32(0x5A827999), np.uint32(0x6ED9EBA1)
_THIRD, _FOURTH = np.uint32(0x8F1BBCDC), np.uint32(0xCA62C1D6)


@inlined
def _turned(value: np.uint32, left: np.uint32, right: np.uint32) -> np.uint32:
    """Return the 32 bits rotated to the left; ``left`` and ``right`` are 32 together."""
    return np.uint32(np.uint32(value << left) | np.uint32(value >> right))


@inlined
def _mixed(a: np.uint32, e: np.uint32, chosen: np.uint32, word: np.uint32) -> np.uint32:
    """Return the next ``a`` of a round."""
    return np.uint32(_turned(a, np.uint32(5), np.uint32(27)) + chosen + e + word)


@kernel
def _add_block(block: Array, words: Array, state: Array) -> None:
    """Add a block of 64 bytes to the state of a SHA-1 (FIPS 180-4, 6.1.2); ``words``: uint32[80], to work in."""
    one, two, thirty = np.uint32(1), np.uint32(2), np.uint32(30)
    for i in range(16):
        at = 4 * i
        high = np.uint32(block[at]) << np.uint32(24) | np.uint32(block[at + 1]) << np.uint32(16)
        words[i] = np.uint32(high | np.uint32(block[at + 2]) << np.uint32(8) | np.uint32(block[at + 3]))
    for i in range(16, 80):
        value = np.uint32(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16])
        words[i] = _turned(value, one, np.uint32(31))
    a, b, c, d, e = state[0], state[1], state[2], state[3], state[4]
    for i in range(20):
        chosen = np.uint32(d ^ (b & (c ^ d)))
        a, b, c, d, e = _mixed(a, e, chosen, np.uint32(words[i] + _FIRST)), a, _turned(b, thirty, two), c, d
    for i in range(20, 40):
        chosen = np.uint32(b ^ c ^ d)
        a, b, c, d, e = _mixed(a, e, chosen, np.uint32(words[i] + _SECOND)), a, _turned(b, thirty, two), c, d
    for i in range(40, 60):
        chosen = np.uint32((b & c) | (d & (b | c)))
        a, b, c, d, e = _mixed(a, e, chosen, np.uint32(words[i] + _THIRD)), a, _turned(b, thirty, two), c, d
    for i in range(60, 80):
        chosen = np.uint32(b ^ c ^ d)
        a, b, c, d, e = _mixed(a, e, chosen, np.uint32(words[i] + _FOURTH)), a, _turned(b, thirty, two), c, d
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e


@kernel
def sha1_heads(data: Array, starts: Array, ends: Array, heads: Array) -> None:
    """Fill in the first 8 bytes of each span's SHA-1, read as a little-endian number."""
    words, state, tail = np.empty(80, np.uint32), np.empty(5, np.uint32), np.empty(_BLOCK, np.uint8)
    for n in range(starts.shape[0]):
        at, stop = np.int64(starts[n]), np.int64(ends[n])
        bits = np.uint64(stop - at) << np.uint64(3)
        state[:] = _START
        while stop - at >= _BLOCK:
            _add_block(data[at : at + _BLOCK], words, state)
            at += _BLOCK
        left = stop - at
        tail[:] = 0
        for i in range(left):
            tail[i] = data[at + i]
        tail[left] = 0x80
        if left >= _BLOCK - 8:
            _add_block(tail, words, state)
            tail[:] = 0
        for i in range(8):
            tail[_BLOCK - 1 - i] = np.uint8((bits >> np.uint64(8 * i)) & np.uint64(0xFF))
        _add_block(tail, words, state)
        head = np.uint64(0)
        for i in range(8):
            byte = np.uint64(state[i // 4] >> np.uint32(24 - 8 * (i % 4))) & np.uint64(0xFF)
            head |= byte << np.uint64(8 * i)
        heads[n] = head


@kernel
def normal_spans(
    data: Array, spans: tuple[Array, Array], tables: tuple[Array, Array], out: Array, bounds: Array
) -> None:
    """Fill in each span, stripped, with every character replaced by what a table has for it.

    ``tables``: the classes of characters, by which white space is known, uint8[0x110000], and the replacements,
    uint32[0x110000]: 0x110000 leaves a character out. ``out``: uint8, half as long again as the spans, since no
    character grows by more. ``bounds``: int64[spans + 1], where each span starts in ``out``.
    """
    classes, table = tables
    n = 0
    bounds[0] = 0
    for k in range(bounds.shape[0] - 1):
        i, stop = strip(data, np.int64(spans[0][k]), np.int64(spans[1][k]), classes)
        while i < stop:
            point, width = decode(data, i)
            i += width
            value = np.int64(table[point])
            if value < CODE_POINTS:
                n = encode(value, out, n)
        bounds[k + 1] = n


@kernel
def sentences(data: Array, lines: tuple[Array, Array], words: tuple[Array, ...], between: Array, spans: Any) -> int:
    """Fill in the line, start and end of each sentence; return their number.

    ``lines``: where each starts and ends. ``words``: where those of each line start in the other two, int64[lines + 1];
    their lengths in characters, and their flags. ``between``: uint8[0x110000], not 0 for what no word starts with.
    A sentence ends at a word that ends one, and takes what closes it along; a line ends one too.
    """
    counts, lengths, flags = words
    of, starts, ends = spans
    n = 0
    for line in range(counts.shape[0] - 1):
        i = np.int64(lines[0][line])
        ended = True
        for w in range(counts[line], counts[line + 1]):
            point, width = decode(data, i)
            while between[point]:
                i += width
                point, width = decode(data, i)
            goes_on = flags[w] & (ENDS | CLOSES) != 0 and flags[w] & GAP == 0
            if w == counts[line] or (ended and not goes_on):
                of[n] = line
                starts[n] = i
                n += 1
                ended = False
            ended = ended or flags[w] & ENDS != 0
            for _ in range(lengths[w]):
                point, width = decode(data, i)
                i += width
            ends[n - 1] = i
    return n


@kernel
def ngrams(counts: Array, hashes: Array, sizes: tuple[int, int], keys: Array, lines: Array) -> int:
    """Fill in the key and the line of each n-gram of words; return their number.

    Words of line *i* are ``hashes[counts[i]:counts[i + 1]]``. ``sizes``: the words of an n-gram, and the fewest words
    of a line that has any; a line of fewer than the first is one n-gram. Room is needed for one n-gram a word.
    """
    ngram, fewest = sizes
    power = np.uint64(1)
    for _ in range(ngram):
        power *= _STEP
    n = 0
    for line in range(counts.shape[0] - 1):
        start, stop = counts[line], counts[line + 1]
        if stop - start < fewest:
            continue
        rolling = np.uint64(0)
        for w in range(start, stop):
            rolling = rolling * _STEP + hashes[w]
            if w - start >= ngram:
                rolling -= power * hashes[w - ngram]
            if w - start >= ngram - 1 or w == stop - 1:
                keys[n] = mix(rolling)
                lines[n] = line
                n += 1
    return n
