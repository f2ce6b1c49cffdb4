"""Empty hash tables of the size that the kernels' open addressing needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill.text import Integers


def most(counts: Integers) -> int:
    """Return the items of the row that has the most of them."""
    return int(np.diff(counts).max(initial=0))


def slots(items: int) -> int:
    """Return a power of two that is over twice the items, and at least 16."""
    return max(16, 1 << (2 * items).bit_length())


def table(items: int) -> tuple[Any, ...]:
    """Return the arrays of an empty hash table for so many items: keys, stamps, counts."""
    size = slots(items)
    return np.empty(size, np.uint64), np.zeros(size, np.int32), np.empty(size, np.int32)
