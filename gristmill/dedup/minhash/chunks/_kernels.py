"""The loops of chunks: text into what stands between white space, and that into its numbers.

Arguments are as in gristmill._kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import GAP, Array, Integer, decode, hash_bytes
from gristmill.characters import SPACE
from gristmill.jit import inlined, kernel

_HALF = np.uint64(32)
_BLANK = 0x20


@kernel
def chunks(data: Array, offsets: Array, classes: Array, counts: Array, spans: Any) -> int:
    """Fill in where each run of characters that are not white space starts and ends; return their number.

    The third of ``spans`` is ``GAP`` where white space that is not one space stands before the run in its row.
    """
    starts, ends, gaps = spans
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        stop = offsets[row + 1]
        free = i
        inside = False
        while i < stop:
            point, width = decode(data, i)
            if classes[point] & SPACE:
                if inside:
                    ends[n] = i
                    n += 1
                    inside = False
                    free = i
            elif not inside:
                starts[n] = i
                one = i == free or (i == free + 1 and data[free] == 0x20 and free > offsets[row])
                gaps[n] = 0 if one else GAP
                inside = True
            i += width
        if inside:
            ends[n] = stop
            n += 1
        counts[row + 1] = n
    return n


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
def joined(tokens: Array, known: tuple[Array, Array], text: Array, spans: tuple[Array, Array]) -> None:
    """Write tokens one after another, a space after each; fill in where each starts and ends.

    ``known``: the bytes of all tokens, and where each starts, one more than there are. ``tokens``: their numbers.
    """
    pool, firsts = known
    starts, ends = spans
    at = 0
    for i in range(tokens.shape[0]):
        starts[i] = at
        for j in range(firsts[tokens[i]], firsts[tokens[i] + 1]):
            text[at] = pool[j]
            at += 1
        ends[i] = at
        text[at] = _BLANK
        at += 1


@kernel
def expand(rows: Array, numbers: Array, known: tuple[Array, Array], counts: Array, tokens: Array) -> None:
    """Fill in the tokens of each row's chunks: those that ``known`` has for their numbers."""
    firsts, known_tokens = known
    n = 0
    counts[0] = 0
    for row in range(rows.shape[0] - 1):
        for k in range(rows[row], rows[row + 1]):
            for i in range(firsts[numbers[k]], firsts[numbers[k] + 1]):
                tokens[n] = known_tokens[i]
                n += 1
        counts[row + 1] = n
