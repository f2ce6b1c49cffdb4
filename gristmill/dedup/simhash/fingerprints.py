"""Fingerprints: 64 or 128 bits of which two texts have the more in common, the more alike they are.

Each shingle has as many bits, evenly spread; a bit of the fingerprint is 1 if more of the text's shingles have a 1
there than a 0, so a shingle weighs as often as it occurs (Charikar 2002, section 3; Manku, Jain, Das Sarma 2007,
section 2). A bit differs between two texts with a probability of angle / pi, where the angle is that between the texts'
vectors of counts: see `curve`.

The first 64 bits of a shingle are its hash (`gristmill.dedup.minhash.shingles`), and the other 64 are that hash mixed.
Given the first, the PyPI package ``simhash`` 2.1 makes the same fingerprints; where as many shingles have a 1 as have a
0, it says 0 too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.dedup.minhash.shingles import Shingles
from gristmill.dedup.near.mixing import mixed
from gristmill.dedup.simhash import _kernels

Array = npt.NDArray[Any]
Fingerprints = npt.NDArray[np.uint64]

WORD_BITS: Final = 64
_STEP: Final = 0x9E3779B97F4A7C15


def fingerprints(shingles: Shingles, bits: int) -> Fingerprints:
    """Return the fingerprints, uint64[rows, bits / 64], the first 64 bits first; 0 for a text without shingles."""
    counts, hashes = shingles
    found = np.empty((bits // WORD_BITS, len(counts) - 1), np.uint64)
    for number, word in enumerate(found):
        apart = np.uint64(number * _STEP % 2**WORD_BITS)
        _kernels.majorities(mixed(hashes + apart) if number else hashes, counts, word)
    return np.ascontiguousarray(found.T)


def as_column(values: Fingerprints) -> pa.Array:
    """Return fingerprints as bytes, little-endian: fixed_size_binary."""
    data = np.ascontiguousarray(values, np.dtype(np.uint64).newbyteorder("<"))
    return pa.Array.from_buffers(pa.binary(8 * values.shape[1]), len(values), [None, pa.py_buffer(data)])


def from_column(column: pa.Array | pa.ChunkedArray) -> Fingerprints:
    """Return the fingerprints in a column of bytes without nulls, uint64[rows, words]."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    words = array.type.byte_width // 8
    values = np.frombuffer(array.buffers()[1], "<u8") if len(array) else np.empty(0, np.uint64)
    return values.reshape(-1, words)[array.offset : array.offset + len(array)].astype(np.uint64)
