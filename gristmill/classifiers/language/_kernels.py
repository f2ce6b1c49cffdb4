"""The loops over the lines of texts: their letters, and which of them are equal."""

from __future__ import annotations

import numpy as np

from gristmill._kernels import Array, decode, hash_bytes
from gristmill.characters import ALPHA
from gristmill.jit import kernel


@kernel
def count_letters(data: Array, starts: Array, stops: Array, classes: Array, letters: Array) -> None:
    """Fill in the letters (``str.isalpha``) of each span of bytes."""
    for span in range(starts.shape[0]):
        i = starts[span]
        count = 0
        while i < stops[span]:
            point, width = decode(data, i)
            count += classes[point] & ALPHA != 0
            i += width
        letters[span] = count


@kernel
def number_spans(data: Array, starts: Array, stops: Array, numbers: Array, firsts: Array) -> int:
    """Fill in the number of each span, the same for equal ones, and the first span of each number.

    Numbers are given in the order in which spans are met. Returns how many there are.
    """
    slots = np.full(1 << 4, -1, np.int64)
    while slots.shape[0] < 2 * starts.shape[0]:
        slots = np.full(2 * slots.shape[0], -1, np.int64)
    mask = np.uint64(slots.shape[0] - 1)
    used = 0
    for span in range(starts.shape[0]):
        start, length = starts[span], stops[span] - starts[span]
        slot = hash_bytes(data, start, stops[span]) & mask
        number = slots[slot]
        while number >= 0:
            other = starts[firsts[number]]
            same = stops[firsts[number]] - other == length
            if same:
                for i in range(length):
                    if data[start + i] != data[other + i]:
                        same = False
                        break
            if same:
                break
            slot = (slot + np.uint64(1)) & mask
            number = slots[slot]
        if number < 0:
            number = used
            slots[slot] = number
            firsts[number] = span
            used += 1
        numbers[span] = number
    return used
