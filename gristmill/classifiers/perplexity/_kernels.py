"""The loops of n-gram counting: words of a text, and the n-grams that end at a word."""

from __future__ import annotations

import numpy as np

from gristmill._kernels import Array
from gristmill.jit import kernel

_LF = 0x0A


@kernel
def words(data: Array, is_space: Array, found: tuple[Array, Array, Array]) -> tuple[int, int]:
    """Fill in where each word starts and ends, and how many words come before the end of each line.

    Return the numbers of words and of lines. ``data``: uint8, UTF-8; a line ends at LF, the last one at its end.
    ``is_space``: uint8[256].
    """
    starts, ends, lines = found
    n = line = 0
    start = -1
    for i in range(data.shape[0]):
        byte = data[i]
        if is_space[byte]:
            if start >= 0:
                starts[n], ends[n] = start, i
                n += 1
                start = -1
            if byte == _LF:
                lines[line] = n
                line += 1
        elif start < 0:
            start = i
    if start >= 0:
        starts[n], ends[n] = start, data.shape[0]
        n += 1
    if data.shape[0] and data[-1] != _LF:
        lines[line] = n
        line += 1
    return n, line


@kernel
def gather(data: Array, starts: Array, ends: Array, out: Array) -> None:
    """Copy spans of bytes, one behind the other."""
    at = 0
    for span in range(starts.shape[0]):
        for i in range(starts[span], ends[span]):
            out[at] = data[i]
            at += 1


@kernel
def depths(tokens: Array, positions: Array, begin: int, most: int, found: Array) -> None:
    """Fill in how many tokens there are from the start of the sentence to each position: 1 at its ``begin``.

    No more than ``most`` are counted.
    """
    for i in range(positions.shape[0]):
        at = positions[i]
        depth = 1
        while depth < most and tokens[at] != begin:
            at -= 1
            depth += 1
        found[i] = depth


@kernel
def add_by_context(contexts: Array, counts: Array, taken: Array, sums: tuple[Array, Array]) -> None:
    """Add each n-gram's count, and what is taken from it, to those of its context.

    ``sums``: int64[contexts] and float64[contexts]; they are added to in the order of the n-grams.
    """
    total, held = sums
    for i in range(contexts.shape[0]):
        total[contexts[i]] += counts[i]
        held[contexts[i]] += taken[i]


@kernel
def murmur(data: Array, offsets: Array, hashes: Array) -> None:
    """Fill in MurmurHash64A of each word, with seed 0."""
    factor, shift = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)
    for row in range(offsets.shape[0] - 1):
        start, stop = offsets[row], offsets[row + 1]
        found = np.uint64(stop - start) * factor
        whole = start + (stop - start) // 8 * 8
        for at in range(start, whole, 8):
            part = np.uint64(0)
            for byte in range(8):
                part |= np.uint64(data[at + byte]) << np.uint64(8 * byte)
            part *= factor
            part ^= part >> shift
            found = (found ^ (part * factor)) * factor
        if whole < stop:
            for at in range(whole, stop):
                found ^= np.uint64(data[at]) << np.uint64(8 * (at - whole))
            found *= factor
        found = (found ^ (found >> shift)) * factor
        hashes[row] = found ^ (found >> shift)


@kernel
def insert(keys: Array, values: Array, table: Array) -> None:
    """Put entries into a hash table with linear probing, in their order.

    ``keys``: uint64, none of them 0 nor there already; ``values``: uint32[keys, w]. ``table``: uint32[buckets, 2 + w],
    the key's low half, its high half, the value; a free bucket has the key 0.
    """
    buckets = np.uint64(table.shape[0])
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for i in range(keys.shape[0]):
        bucket = np.int64(keys[i] % buckets)
        while table[bucket, 0] or table[bucket, 1]:
            bucket = np.int64(bucket + 1)
            if bucket == table.shape[0]:
                bucket = np.int64(0)
        table[bucket, 0] = np.uint32(keys[i] & low)
        table[bucket, 1] = np.uint32(keys[i] >> half)
        for word in range(values.shape[1]):
            table[bucket, 2 + word] = values[i, word]
