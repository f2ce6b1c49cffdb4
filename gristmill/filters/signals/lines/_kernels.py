"""The loops that measure lines. Called by the scans of gristmill.filters.signals.lines, which allocate what they fill.

Lines of row *i* are those from ``counts[i]`` to ``counts[i + 1]``; ``out`` has a line per row. Hash tables are as in
gristmill.filters.signals._kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer, decode, hash_bytes
from gristmill.characters import SPACE, TERMINAL
from gristmill.filters.signals._kernels import mask_for, slot_of
from gristmill.jit import inlined, kernel

_SHORT = 30  # characters of a short line


@inlined
def characters_in(data: Array, start: Integer, end: Integer) -> Integer:
    """Return the code points of a span."""
    characters = 0
    for i in range(start, end):
        characters += data[i] & 0xC0 != 0x80
    return characters


@inlined
def is_blank(data: Array, start: Integer, end: Integer, classes: Array) -> bool:
    """Return whether a span has nothing but white space."""
    while start < end:
        point, width = decode(data, start)
        if not classes[point] & SPACE:
            return False
        start += width
    return True


@inlined
def last_point(data: Array, end: Integer) -> Integer:
    """Return the code point that ends before byte ``end``."""
    end -= 1
    while data[end] & 0xC0 == 0x80:
        end -= 1
    point, _ = decode(data, end)
    return point


@kernel
def nonblank_lines(
    data: Array, classes: Array, counts: Array, spans: tuple[Array, Array], table: Any, out: Array
) -> None:
    """Fill in four counts of the lines of each row that are not blank.

    Their number, those that end in a terminal mark, those of at most 30 characters, and the characters of those that
    occurred before in the row.
    """
    starts, ends = spans
    keys, stamps, _ = table
    for row in range(counts.shape[0] - 1):
        lines = 0
        terminal = 0
        short = 0
        repeated = 0
        mask = mask_for(counts[row + 1] - counts[row])
        for line in range(counts[row], counts[row + 1]):
            start = np.int64(starts[line])
            end = np.int64(ends[line])
            if is_blank(data, start, end, classes):
                continue
            lines += 1
            terminal += classes[last_point(data, end)] & TERMINAL != 0
            length = characters_in(data, start, end)
            short += length <= _SHORT
            key = hash_bytes(data, start, end)
            slot = slot_of(keys, stamps, mask, row + 1, key)
            if stamps[slot] == row + 1:
                repeated += length
            else:
                stamps[slot] = row + 1
                keys[slot] = key
        out[row, 0] = lines
        out[row, 1] = terminal
        out[row, 2] = short
        out[row, 3] = repeated
