"""Kernels that normalise texts: words of UTF-8, each followed by one space."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill._kernels import Integer, decode
from gristmill.characters import COMBINES_AT, POINT, SEVERAL
from gristmill.columns import TextColumn
from gristmill.dedup._kernels import encode
from gristmill.jit import kernel

Array = npt.NDArray[Any]

SPACE = 0x20
LETTER = 1 << 29  # of a form: belongs to a word, and begins one
MARK = 1 << 31  # of a form: belongs to the word before it; with LETTER, is left out
LONGEST_RUN = 30  # marks in a row that are put in order; UAX 15, Stream-Safe Text Format

_KIND = LETTER | MARK


class Alphabet(NamedTuple):
    """What stands for characters in normalised text.

    ``ascii``: uint8[128], the lower case of a letter or digit, else 0. ``forms``: uint32[0x110000], a code point with
    LETTER, MARK or both, and its combining class; 0 for what separates words; or SEVERAL and a place in ``sequences``:
    uint32, their number, then each. ``classes``: uint8[0x110000].
    """

    ascii: Array
    forms: Array
    sequences: Array
    classes: Array


class Work(NamedTuple):
    """What a page is read in: for each of its words, at most.

    ``text``: uint8, its normalised text. ``starts``: int64, where each word starts in that. ``begins``, ``ends``:
    int64, the bytes of the page from which it comes. ``hashes``: uint64.
    """

    text: Array
    starts: Array
    begins: Array
    ends: Array
    hashes: Array


@kernel
def _put_mark(entry: Integer, forms: Array, out: Array, start: int, size: int) -> int:
    """Write a mark behind those of ``out[start:size]`` whose classes are no higher; return where the next one goes."""
    combines = (entry >> COMBINES_AT) & 0xFF
    place = start
    while place < size:
        code, width = decode(out, place)
        if (np.int64(forms[code]) >> COMBINES_AT) & 0xFF > combines:
            break
        place += width
    code = entry & POINT
    width = 2 if code < 0x800 else 3 if code < 0x10000 else 4
    for i in range(size - 1, place - 1, -1):
        out[i + width] = out[i]
    encode(code, out, place)
    return size + width


@kernel
def normalise(data: Array, alphabet: Alphabet, work: Work) -> int:
    """Write a page's normalised text and where its words come from; return the bytes of that text."""
    out, begins, ends = work.text, work.begins, work.ends
    stop = data.shape[0]
    at, size, word = 0, 0, 0
    first: Integer = 0
    count: Integer = 1
    run, run_end, marks = 0, -1, 0
    in_word = False
    before = at
    while at < stop:
        byte = data[at]
        here = at
        if byte < 0x80:
            at += 1
            letter = alphabet.ascii[byte]
            if letter:
                if not in_word:
                    begins[word] = here
                    in_word = True
                out[size] = letter
                size += 1
                before = at
            elif in_word:
                out[size] = SPACE
                size += 1
                ends[word] = before
                word += 1
                in_word = False
            continue
        code, width = decode(data, at)
        at += width
        entry = np.int64(alphabet.forms[code])
        first = 0
        count = 1
        if entry & SEVERAL:
            first = (entry & POINT) + 1
            count = np.int64(alphabet.sequences[first - 1])
        for k in range(count):
            if first:
                entry = np.int64(alphabet.sequences[first + k])
            kind = entry & _KIND
            if kind == _KIND:
                continue
            if kind == LETTER:
                if not in_word:
                    begins[word] = here
                    in_word = True
                size = encode(entry & POINT, out, size)
                before = at
            elif kind == MARK and in_word:
                if (entry >> COMBINES_AT) & 0xFF:
                    if size != run_end or marks == LONGEST_RUN:
                        run, marks = size, 0
                    size = _put_mark(entry, alphabet.forms, out, run, size)
                    marks += 1
                    run_end = size
                else:
                    size = encode(entry & POINT, out, size)
                before = at
            elif in_word and kind == 0:
                out[size] = SPACE
                size += 1
                ends[word] = before
                word += 1
                in_word = False
    if in_word:
        out[size] = SPACE
        size += 1
        ends[word] = before
    return size


@kernel
def normalise_rows(column: TextColumn, alphabet: Alphabet, work: Work, out: Array, bounds: Array) -> None:
    """Write the normalised rows one after another; row i becomes ``out[bounds[i]:bounds[i + 1]]``.

    ``out``: uint8; ``bounds``: int64[rows + 1].
    """
    data, offsets = column
    bounds[0] = 0
    for row in range(offsets.shape[0] - 1):
        size = normalise(data[offsets[row] : offsets[row + 1]], alphabet, work)
        out[bounds[row] : bounds[row] + size] = work.text[:size]
        bounds[row + 1] = bounds[row] + size
