"""The loops that split text into words and look each up among those seen before.

Text is ``data`` (uint8, valid UTF-8) and ``offsets`` (int64, rows + 1). A *word* is what the pattern of a tokenizer
splits off: a word, a few digits, symbols, white space.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gristmill._kernels import decode, hash_bytes
from gristmill.jit import inlined, kernel

Array = Any  # a NumPy array; its items are ints to a reader and machine integers to a kernel
Integer = Any  # an int or a NumPy integer: the same to a kernel

# patterns, as `words.PATTERNS` has them
GPT2 = 0
GPT4 = 1

# classes of characters
OTHER = 0
LETTER = 1
NUMBER = 2
SPACE = 3  # white space, but for the next
NEWLINE = 4  # CR and LF, where the pattern tells them from other white space

# what `find_words` remembers between calls
ROW = 0  # the row that it has come to
BYTE = 1  # the byte
FOUND = 2  # words found so far
KNOWN = 3  # words in the table

_APOSTROPHE = 0x27
_BLANK = 0x20


class WordTable(NamedTuple):
    """Distinct words: ``arena`` holds their bytes, word *w* from ``starts[w]`` to ``starts[w + 1]``.

    ``slots`` (int32) find a word by its hash; -1 is free. They are a power of two, at least twice as many as there is
    room for words (``hashes``), so that a search ends.
    """

    slots: Array
    hashes: Array
    starts: Array
    arena: Array


@inlined
def _contraction(data: Array, i: Integer, stop: Integer, fold: int) -> int:
    """Return how many bytes at ``i`` follow the apostrophe of 's, 'd, 'm, 't, 'll, 've or 're, else 0.

    ``fold`` is 0x20 to take capital letters too.
    """
    if i < stop:
        first = data[i] | fold
        if first in (0x73, 0x64, 0x6D, 0x74):
            return 1
        if i + 1 < stop:
            second = data[i + 1] | fold
            if (first == 0x6C and second == 0x6C) or (second == 0x65 and first in (0x76, 0x72)):
                return 2
    return 0


@kernel
def _run_end(data: Array, i: Integer, stop: Integer, classes: Array, kind: int) -> Integer:
    """Return where the characters of one class that begin at ``i`` end."""
    while i < stop:
        point, width = decode(data, i)
        if classes[point] != kind:
            return i
        i += width
    return i


@kernel
def _space_end(data: Array, i: Integer, stop: Integer, classes: Array) -> Integer:
    """Return where the word of white space that begins at ``i`` ends.

    Behind its last line break if it has any; else before its last character, which belongs to the word that follows;
    else where it ends.
    """
    end = i
    last = i
    behind_break = i - 1
    while end < stop:
        point, width = decode(data, end)
        kind = classes[point]
        if kind != SPACE and kind != NEWLINE:
            break
        last = end
        end += width
        if kind == NEWLINE:
            behind_break = end
    if behind_break >= i:
        return behind_break
    if end == stop or last == i:
        return end
    return last


@kernel
def word_end(data: Array, i: Integer, stop: Integer, classes: Array, pattern: int) -> Integer:
    """Return where the word that begins at ``i`` ends: what the pattern matches there."""
    point, width = decode(data, i)
    kind = classes[point]
    behind = i + width
    if point == _APOSTROPHE:
        more = _contraction(data, behind, stop, 0x20 if pattern == GPT4 else 0)
        if more:
            return behind + more
    follows = NEWLINE
    if behind < stop:
        follows = classes[decode(data, behind)[0]]
    if pattern == GPT2:
        run = follows if point == _BLANK else kind
        if run in (LETTER, NUMBER, OTHER):
            return _run_end(data, behind, stop, classes, run)
        return _space_end(data, i, stop, classes)
    if kind == LETTER or (follows == LETTER and kind in (OTHER, SPACE)):
        return _run_end(data, behind, stop, classes, LETTER)
    if kind == NUMBER:
        for _ in range(2):
            if behind < stop:
                point, width = decode(data, behind)
                if classes[point] == NUMBER:
                    behind += width
                else:
                    break
        return behind
    if kind == OTHER or (point == _BLANK and follows == OTHER):
        return _run_end(data, _run_end(data, behind, stop, classes, OTHER), stop, classes, NEWLINE)
    return _space_end(data, i, stop, classes)


@kernel
def find_words(
    text: tuple[Array, Array], rules: tuple[Array, int], table: WordTable, out: tuple[Array, Array], at: Array
) -> bool:
    """Find the words of each row in the table, into which new ones are put.

    ``out``: the word's number for each word found (room for as many as there are bytes), and where each row's begin.
    Returns False when the table is full; called again with a larger one it goes on where it was (``at``).
    """
    data, offsets = text
    classes, pattern = rules
    found, bounds = out
    mask = table.slots.shape[0] - 1
    row, i, n, known = at
    full = False
    while row < offsets.shape[0] - 1 and not full:
        stop = offsets[row + 1]
        while i < stop:
            end = word_end(data, i, stop, classes, pattern)
            value = hash_bytes(data, i, end)
            slot = np.int64(value) & mask
            word = table.slots[slot]
            while word >= 0 and not (table.hashes[word] == value and _same(table, word, data, i, end)):
                slot = (slot + 1) & mask
                word = table.slots[slot]
            if word < 0:
                start = table.starts[known]
                full = known == table.hashes.shape[0] or start + end - i > table.arena.shape[0]
                if full:
                    break
                for k in range(end - i):
                    table.arena[start + k] = data[i + k]
                word = known
                table.slots[slot] = word
                table.hashes[word] = value
                known += 1
                table.starts[known] = start + end - i
            found[n] = word
            n += 1
            i = end
        if not full:
            row += 1
            bounds[row] = n
    at[ROW] = row
    at[BYTE] = i
    at[FOUND] = n
    at[KNOWN] = known
    return not full


@kernel
def _same(table: WordTable, word: Integer, data: Array, start: Integer, stop: Integer) -> bool:
    begin = table.starts[word]
    if table.starts[word + 1] - begin != stop - start:
        return False
    for k in range(stop - start):  # noqa: SIM110 (numba compiles no generators)
        if table.arena[begin + k] != data[start + k]:
            return False
    return True


@kernel
def place_words(hashes: Array, slots: Array) -> None:
    """Fill empty slots with the words of these hashes."""
    mask = slots.shape[0] - 1
    for word in range(hashes.shape[0]):
        slot = np.int64(hashes[word]) & mask
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = word


@kernel
def spell(found: Array, firsts: Array, tokens: Array, out: Array) -> None:
    """Fill in the tokens of each word found: those of word *w* are ``tokens[firsts[w]:firsts[w + 1]]``."""
    n = 0
    for i in range(found.shape[0]):
        word = found[i]
        for k in range(firsts[word], firsts[word + 1]):
            out[n] = tokens[k]
            n += 1
