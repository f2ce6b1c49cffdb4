"""The loops of importance resampling: n-grams of words into buckets, and noise from hashes.

An n-gram's hash is made of its words' hashes, one after the other; a word alone keeps its own. ``counts``:
int64[rows + 1]; the words of row *i* are ``counts[i]`` to ``counts[i + 1]``. Arithmetic is modulo 2^64.
"""

from __future__ import annotations

import numpy as np

from gristmill._kernels import Array, mix
from gristmill.jit import kernel

_STEP = np.uint64(0x9E3779B97F4A7C15)
_UNUSED_BITS = np.uint64(12)
_RANGE = 2.0**-52


@kernel
def count_ngrams(counts: Array, hashes: Array, longest: int, found: Array) -> None:
    """Add the n-grams of 1 to ``longest`` words of every row to the buckets ``found``: int64."""
    buckets = np.uint64(found.shape[0])
    for row in range(counts.shape[0] - 1):
        stop = counts[row + 1]
        for i in range(counts[row], stop):
            value = hashes[i]
            found[value % buckets] += 1
            for j in range(i + 1, min(i + longest, stop)):
                value = mix(value * _STEP ^ hashes[j])
                found[value % buckets] += 1


@kernel
def sum_ngrams(counts: Array, hashes: Array, longest: int, of_bucket: Array, found: Array) -> None:
    """Fill in, for each row, the sum of what the buckets of its n-grams have: ``of_bucket``, float64.

    Terms are added in the order of their first words, the shorter n-gram first. A row without words has 0.0.
    """
    buckets = np.uint64(of_bucket.shape[0])
    for row in range(counts.shape[0] - 1):
        stop = counts[row + 1]
        total = 0.0
        for i in range(counts[row], stop):
            value = hashes[i]
            total += of_bucket[value % buckets]
            for j in range(i + 1, min(i + longest, stop)):
                value = mix(value * _STEP ^ hashes[j])
                total += of_bucket[value % buckets]
        found[row] = total


@kernel
def gumbel(hashes: Array, found: Array) -> None:
    """Fill in a standard Gumbel variate for each hash: -log(-log(u)), u in (0, 1) from its first 52 bits."""
    for i in range(hashes.shape[0]):
        u = (float(hashes[i] >> _UNUSED_BITS) + 0.5) * _RANGE
        found[i] = -np.log(-np.log(u))
