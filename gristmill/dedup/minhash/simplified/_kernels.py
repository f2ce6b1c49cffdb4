"""The loop that simplifies a text and splits it into spaCy's words.

An *entry* of a character is its kind, what stands for it, and bits. ``letters`` are the lower case of those bytes that
are letters, else 0: no rule but those of special cases names them. A *piece* is what stands between white space in the
simplified text. Arguments are otherwise as in gristmill._kernels and gristmill.spacy_words._kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer, decode
from gristmill.dedup._kernels import encode
from gristmill.jit import kernel
from gristmill.spacy_words._kernels import special_case, split_chunk
from gristmill.spacy_words.traits import DECIMAL, ENDS_UNIT, INERT

LONGEST_PIECE = 1_000

# kinds of entries
KIND_AT = 24
PLAIN = 0  # one character stands for it
SPACE = 1  # white space, or punctuation, which becomes white space
DROPPED = 2
DIGIT = 3
SEVERAL = 4  # a sequence stands for it
SIGMA = 5  # the capital: a final one is another letter
COMBINES = 6  # one character, which changes places with another like it before it
ODD = 7  # such characters stand for it

# bits of entries; those below are the code point, or the place of the sequence
STANDS = (1 << 21) - 1
SEPARATOR = 1 << 21  # joins the two parts of a number
CASED = 1 << 22
IGNORABLE = 1 << 23  # looked past to find what has case

_BLANK = 0x20
_ZERO = 0x30
_FINAL_SIGMA = 0x3C2
_SMALL_SIGMA = 0x3C3


def work() -> Any:
    """Return what spaCy's words of a part of a piece need: hashes, lengths and flags, and sizes of suffixes."""
    words = np.empty(LONGEST_PIECE, np.uint64), np.empty(LONGEST_PIECE, np.int32), np.empty(LONGEST_PIECE, np.uint8)
    return words, np.empty(LONGEST_PIECE, np.int32)


@kernel
def _is_final(data: Array, span: tuple[int, int], i: int, entries: Array) -> bool:
    """Return whether the capital sigma at ``i`` is final: after a letter with case, and not before one."""
    start, stop = span
    before = i
    while before > start:
        before -= 1
        while data[before] & 0xC0 == 0x80:
            before -= 1
        point, _ = decode(data, before)
        if not entries[point] & IGNORABLE:
            if not entries[point] & CASED:
                return False
            break
        if before == start:
            return False
    if before == i:
        return False
    after = i + 2
    while after < stop:
        point, width = decode(data, after)
        if not entries[point] & IGNORABLE:
            return not entries[point] & CASED
        after += width
    return True


@kernel
def _split(points: Array, size: int, rules: Any, place: tuple[int, int], out: Any) -> tuple[int, int]:
    """Write spaCy's words of a piece, in parts of ``LONGEST_PIECE``; return how many words and bytes there are then."""
    n, at = place
    text, bounds, found = out
    for first in range(0, size, LONGEST_PIECE):
        part = points[first : min(first + LONGEST_PIECE, size)]
        count = split_chunk(part, rules, found)
        i = 0
        for k in range(count):
            for _ in range(found[0][1][k]):
                at = encode(part[i], text, at)
                i += 1
            text[at] = _BLANK
            at += 1
            n += 1
            bounds[n] = at
    return n, at


@kernel
def simplified_words(column: tuple[Array, Array], tables: Any, rows: tuple[Array, Array], room: Any, out: Any) -> int:
    """Write the words of each row, a space after each; fill in where each starts; return their number.

    ``column``: data and offsets. ``tables``: entries, sequences and letters, and the rules. ``rows``: which are
    simplified already, and, to fill in, which are odd: what is found for these is not right. ``room``: for the points
    of the longest row, and ``work()``.
    """
    data, offsets = column
    (entries, sequences, letters), rules = tables
    traits, specials = rules[0], rules[1]
    done, odd = rows
    points, found = room
    counts, text, bounds = out
    n = 0
    at = 0
    counts[0] = 0
    bounds[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        begun = at
        size = 0
        some = np.uint32(0)
        every = np.uint32(0xFFFFFFFF)
        parts = 0
        combines = False
        while i <= stop:
            while i < stop and letters[data[i]]:
                points[size] = letters[data[i]]
                text[at] = letters[data[i]]
                size += 1
                at += 1
                i += 1
                parts = 0
                combines = False
            point, width = _BLANK, 1
            if i < stop:
                point, width = decode(data, i)
            entry: Integer = np.int64(entries[point])
            if done[row]:
                entry = SPACE << KIND_AT if point == _BLANK else point
            kind = entry >> KIND_AT
            here = i
            i += width
            if parts:
                if kind == DIGIT:
                    continue
                if parts == 1 and entry & SEPARATOR and i < stop:
                    after, _ = decode(data, i)
                    if np.int64(entries[after]) >> KIND_AT == DIGIT:
                        parts = 2
                        continue
                parts = 0
            if kind == DROPPED:
                continue
            if kind == SPACE:
                if size:
                    plain = every & INERT and not (traits[points[size - 1]] & ENDS_UNIT and some & DECIMAL)
                    if plain and size <= LONGEST_PIECE and special_case(points, 0, size, specials) < 0:
                        text[at] = _BLANK
                        at += 1
                        n += 1
                        bounds[n] = at
                    else:
                        n, at = _split(points, size, rules, (n, begun), (text, bounds, found))
                    size = 0
                    some = np.uint32(0)
                    every = np.uint32(0xFFFFFFFF)
                begun = at
                combines = False
                continue
            stands: Integer = entry & STANDS
            count: Integer = 1
            if kind != PLAIN:
                if kind == DIGIT:
                    stands = _ZERO
                    parts = 1
                elif kind == SEVERAL:
                    count = sequences[stands]
                elif kind == SIGMA:
                    stands = _FINAL_SIGMA if _is_final(data, (offsets[row], stop), here, entries) else _SMALL_SIGMA
                elif kind == ODD or combines:
                    odd[row] = True
            combines = kind == COMBINES
            for k in range(count):
                one = stands if kind != SEVERAL else np.int64(sequences[stands + 1 + k])
                points[size] = one
                some |= traits[one]
                every &= traits[one]
                size += 1
                at = encode(one, text, at)
        counts[row + 1] = n
    return n
