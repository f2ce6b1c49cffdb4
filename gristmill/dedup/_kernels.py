"""Kernels of contamination: normalised words, and a table of n-grams that answers exactly.

*Normalised* text is lower-cased words of UTF-8, each followed by one space. So an n-gram is a run of bytes that ends in
a space, and two n-grams are equal exactly when their bytes are. The table finds candidates by a 64-bit hash and then
compares bytes: no collision of hashes is ever taken for a match.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill._kernels import decode, mix
from gristmill.characters import ALPHA, ALPHANUMERIC, MARK
from gristmill.columns import TextColumn
from gristmill.jit import inlined, kernel

Array = npt.NDArray[Any]

SPACE = 0x20

_WORD_STEP = np.uint64(0x9E3779B97F4A7C15)
_GRAM_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)
_IN_WORD = np.uint64(63)
_WORD_BITS = np.uint64(6)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


class Alphabet(NamedTuple):
    """How characters are normalised; the tables of ``gristmill.characters``.

    ``ascii``: uint8[128], the lower case of a letter or digit, else 0. ``classes``: uint8[0x110000].
    ``lower``: uint32[0x110000].
    """

    ascii: Array
    classes: Array
    lower: Array


class NgramTable(NamedTuple):
    """The n-grams of normalised text, by hash.

    ``text``: uint8[bytes], the normalised text. ``hashes``: uint64[slots]. ``places``: int64[slots], where in ``text``
    the n-gram of a slot starts; -1 if the slot is empty, as at least one is. ``filter``: uint64[a power of two], a bit
    for each hash, so that most n-grams that are not there cost one look.
    """

    text: Array
    hashes: Array
    places: Array
    filter: Array


class Work(NamedTuple):
    """What a reader of n-grams works in: the last n words as rings, and a row's normalised text.

    ``hashes``: uint64[n]. ``starts``: int64[n]. ``telling``: uint64[n], the hashes of words that have two letters, else
    0. ``text``: uint8[twice the bytes of the longest row].
    """

    hashes: Array
    starts: Array
    telling: Array
    text: Array


@inlined
def encode(code: np.int64, out: Array, at: int) -> int:
    """Write a code point as UTF-8; return where the next one goes."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | (code >> 6)
        out[at + 1] = 0x80 | (code & 0x3F)
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | (code >> 12)
        out[at + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[at + 2] = 0x80 | (code & 0x3F)
        return at + 3
    out[at] = 0xF0 | (code >> 18)
    out[at + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[at + 3] = 0x80 | (code & 0x3F)
    return at + 4


@kernel
def normalise(data: Array, start: int, stop: int, alphabet: Alphabet, out: Array) -> int:
    """Write the normalised text of ``data[start:stop]`` into ``out``; return its bytes.

    ``data``, ``out``: uint8. ``out`` needs twice the bytes of the text: a letter grows by half at most, and
    a space follows each word.
    """
    at, size = start, 0
    in_word = False
    while at < stop:
        byte = data[at]
        if byte < 0x80:
            at += 1
            letter = alphabet.ascii[byte]
            if letter:
                out[size] = letter
                size += 1
                in_word = True
                continue
        else:
            code, width = decode(data, at)
            at += width
            kind = alphabet.classes[code]
            if kind & ALPHANUMERIC:
                size = encode(np.int64(alphabet.lower[code]), out, size)
                in_word = True
                continue
            if in_word and kind & MARK:
                size = encode(np.int64(code), out, size)
                continue
        if in_word:
            out[size] = SPACE
            size += 1
            in_word = False
    if in_word:
        out[size] = SPACE
        size += 1
    return size


@kernel
def normalise_rows(column: TextColumn, alphabet: Alphabet, out: Array, bounds: Array) -> None:
    """Write the normalised rows one after another; row i becomes ``out[bounds[i]:bounds[i + 1]]``.

    ``out``: uint8[twice the bytes of the rows]; ``bounds``: int64[rows + 1].
    """
    bounds[0] = 0
    data, offsets = column
    for row in range(offsets.shape[0] - 1):
        rest = out[bounds[row] :]
        bounds[row + 1] = bounds[row] + normalise(data, offsets[row], offsets[row + 1], alphabet, rest)


@inlined
def _word(text: Array, at: int) -> tuple[np.uint64, int]:
    """Return the hash of the word that starts at ``at``, and where its space is."""
    value = _ZERO
    while text[at] != SPACE:
        value = (value ^ np.uint64(text[at])) * _WORD_STEP
        at += 1
    return mix(value), at


@kernel
def _power(ngram: int) -> np.uint64:
    """Return the factor that the oldest of n + 1 words has in a rolling hash."""
    power = _ONE
    for _ in range(ngram):
        power *= _GRAM_STEP
    return power


@kernel
def _is_telling(text: Array, at: int, alphabet: Alphabet) -> bool:
    """Return whether the word that starts at ``at`` has two letters."""
    letters = 0
    while text[at] != SPACE and letters < 2:
        code, width = decode(text, at)
        letters += (alphabet.classes[code] & ALPHA) != 0
        at += width
    return letters == 2


@kernel
def _has_three(values: Array) -> bool:
    """Return whether there are three distinct values, zeros apart."""
    first, second = _ZERO, _ZERO
    for value in values:
        if value in (first, second, _ZERO):
            continue
        if first == _ZERO:
            first = value
        elif second == _ZERO:
            second = value
        else:
            return True
    return False


@inlined
def _slot(table: NgramTable, key: np.uint64, text: Array, start: int, size: int) -> np.int64:
    """Return the slot of the n-gram ``text[start:start + size]``, or the empty one where it would go."""
    slots = table.places.shape[0]
    slot = np.int64(((key >> _HALF) * np.uint64(slots)) >> _HALF)
    while table.places[slot] >= 0:
        if table.hashes[slot] == key and _equal(table.text, table.places[slot], text, start, size):
            break
        slot += 1
        if slot == slots:
            slot = np.int64(0)
    return slot


@kernel
def _equal(known: Array, place: int, text: Array, start: int, size: int) -> bool:
    if place + size > known.shape[0]:
        return False
    i = 0
    while i < size and known[place + i] == text[start + i]:
        i += 1
    return i == size


@kernel
def fill(table: NgramTable, bounds: Array, alphabet: Alphabet, work: Work, eligible: Array) -> int:
    """Put the n-grams of the table's text into it, the first of equals; return how many unlike ones there are.

    Row i is ``table.text[bounds[i]:bounds[i + 1]]``; no n-gram spans two rows. Only n-grams with three distinct words
    of two letters are put in; ``eligible``: int64[rows] receives how many each row has.
    """
    ngram = work.hashes.shape[0]
    power = _power(ngram)
    mask = np.uint64(table.filter.shape[0] * 64 - 1)
    unlike = 0
    for row in range(bounds.shape[0] - 1):
        work.hashes[:] = _ZERO
        at, ring, words, rolling = bounds[row], 0, 0, _ZERO
        eligible[row] = 0
        while at < bounds[row + 1]:
            value, end = _word(table.text, at)
            rolling = rolling * _GRAM_STEP + value - power * work.hashes[ring]
            work.hashes[ring] = value
            work.starts[ring] = at
            work.telling[ring] = value if _is_telling(table.text, at, alphabet) else _ZERO
            at, ring, words = end + 1, ring + 1, words + 1
            if ring == ngram:
                ring = 0
            if words < ngram or not _has_three(work.telling):
                continue
            eligible[row] += 1
            key = mix(rolling)
            start = work.starts[ring]
            slot = _slot(table, key, table.text, start, at - start)
            if table.places[slot] < 0:
                table.places[slot] = start
                table.hashes[slot] = key
                bit = key & mask
                table.filter[bit >> _WORD_BITS] |= _ONE << (bit & _IN_WORD)
                unlike += 1
    return unlike


@kernel
def _probe(table: NgramTable, size: int, work: Work) -> tuple[int, int, int]:
    """Return the n-grams of ``work.text[:size]``, how many of them the table has, and the place of the first found."""
    ngram = work.hashes.shape[0]
    power = _power(ngram)
    mask = np.uint64(table.filter.shape[0] * 64 - 1)
    work.hashes[:] = _ZERO
    at, ring, words, rolling = 0, 0, 0, _ZERO
    found, first = 0, -1
    while at < size:
        value, end = _word(work.text, at)
        rolling = rolling * _GRAM_STEP + value - power * work.hashes[ring]
        work.hashes[ring] = value
        work.starts[ring] = at
        at, ring, words = end + 1, ring + 1, words + 1
        if ring == ngram:
            ring = 0
        if words < ngram:
            continue
        key = mix(rolling)
        bit = key & mask
        if not table.filter[bit >> _WORD_BITS] & (_ONE << (bit & _IN_WORD)):
            continue
        start = work.starts[ring]
        place = table.places[_slot(table, key, work.text, start, at - start)]
        if place >= 0:
            found += 1
            if found == 1:
                first = place
    return max(words - ngram + 1, 0), found, first


@kernel
def scan(column: TextColumn, alphabet: Alphabet, table: NgramTable, work: Work, results: Array) -> None:
    """Look for a table's n-grams in each row.

    ``results``: int64[3, rows], receives a row's n-grams, those found, and the first one's place in ``table.text``,
    -1 if none is found.
    """
    for row in range(column.offsets.shape[0] - 1):
        size = normalise(column.data, column.offsets[row], column.offsets[row + 1], alphabet, work.text)
        results[0, row], results[1, row], results[2, row] = _probe(table, size, work)


@kernel
def normal_texts(data: Array, offsets: Array, table: Array, out: Array, bounds: Array) -> None:
    """Fill in each text with every character replaced by what ``table`` has for it, or left out where that is 0.

    ``table``: uint32[0x110000]. ``out``: uint8, half as long again as the texts, since no character grows by more.
    ``bounds``: int64[rows + 1], where each text starts in ``out``.
    """
    n = 0
    bounds[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        while i < stop:
            point, width = decode(data, i)
            i += width
            value = np.int64(table[point])
            if value == 0:
                continue
            if value < 0x80:
                out[n] = value
                n += 1
                continue
            if value < 0x800:
                out[n] = 0xC0 | value >> 6
                n += 1
            elif value < 0x10000:
                out[n] = 0xE0 | value >> 12
                out[n + 1] = 0x80 | value >> 6 & 0x3F
                n += 2
            else:
                out[n] = 0xF0 | value >> 18
                out[n + 1] = 0x80 | value >> 12 & 0x3F
                out[n + 2] = 0x80 | value >> 6 & 0x3F
                n += 3
            out[n] = 0x80 | value & 0x3F
            n += 1
        bounds[row + 1] = n
