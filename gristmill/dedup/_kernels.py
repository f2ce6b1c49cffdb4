"""Kernels of texts in one form for deduplication."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gristmill._kernels import decode
from gristmill.jit import inlined, kernel

Array = npt.NDArray[Any]


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
