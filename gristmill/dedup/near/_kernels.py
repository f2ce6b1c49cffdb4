"""Leaders of buckets: documents that others may join, in the order in which they came.

A *bucket* holds the documents that share a band or a block. Of each, the leaders are a list: an entry is
``document * buckets of a document + which of them``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer
from gristmill.jit import kernel


@kernel
def no_leaders(buckets: Array) -> Any:
    """Return the lists of buckets without leaders: their first and last entries, their sizes, and what follows each.

    ``buckets``: int64[documents, buckets of each], numbered from 0.
    """
    count = 0
    for i in range(buckets.shape[0]):
        for b in range(buckets.shape[1]):
            count = max(count, buckets[i, b] + 1)
    firsts = np.full(count, -1, np.int64)
    lasts = np.full(count, -1, np.int64)
    sizes = np.zeros(count, np.int64)
    following = np.full(buckets.shape[0] * buckets.shape[1], -1, np.int64)
    return firsts, lasts, sizes, following


@kernel
def add_leader(lists: Any, buckets: Array, document: Integer, shown: int) -> None:
    """Put a document at the end of the list of each of its buckets that has fewer than ``shown``."""
    firsts, lasts, sizes, following = lists
    for b in range(buckets.shape[1]):
        bucket = buckets[document, b]
        if sizes[bucket] == shown:
            continue
        entry = document * buckets.shape[1] + b
        if sizes[bucket]:
            following[lasts[bucket]] = entry
        else:
            firsts[bucket] = entry
        lasts[bucket] = entry
        sizes[bucket] += 1
