"""Signatures: for each of K permutations, the least that a text's shingles have under it.

Schemes are named after whose values they have:

    affine32, affine64, legacy    datasketch 2.0's: ``MinHash(num_perm=K, seed=seed, scheme=…)``, given the shingles'
                                  hashes: their low 32 bits, for affine64 all 64
    fineweb, datatrove            datatrove 0.10's ``MinhashConfig(seed=seed)`` with 64 bits, on shingles of that name

Of two texts, the share of equal values estimates the Jaccard similarity of their sets of shingles, without bias and
with a standard deviation of sqrt(J(1 - J) / K): 0.04 at 0.75 for K = 112 (Broder 1997).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.dedup.minhash import _kernels
from gristmill.dedup.minhash.shingles import Shingles

Array = npt.NDArray[Any]

SCHEMES: Final = ("affine32", "affine64", "legacy", "fineweb", "datatrove")
_MERSENNE: Final = np.uint64((1 << 61) - 1)
_LOW: Final = np.uint64(0xFFFFFFFF)
_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_TYPES: Final = {"affine32": np.dtype(np.uint32)}


def value_type(scheme: str) -> np.dtype[Any]:
    """Return the type of a signature's values: uint32 for affine32, else uint64."""
    return _TYPES.get(scheme, np.dtype(np.uint64))


def signatures(shingles: Shingles, scheme: str, size: int, seed: int) -> Array:
    """Return the signatures, [rows, size]; a text without shingles has all ones, the greatest value there is."""
    hashes, counts = shingles.hashes, shingles.counts
    factors, addends = permutations(scheme, size, seed)
    least = np.full((len(counts) - 1, size), ~value_type(scheme).type(0), value_type(scheme))
    if scheme == "affine32":
        _kernels.affine32(hashes, counts, factors, addends, least)
    elif scheme == "affine64":
        _kernels.affine64(hashes, counts, factors, addends, least)
    else:
        given = hashes & _LOW if scheme == "legacy" else hashes
        _kernels.mersenne(given, counts, (factors, addends), _LOW if scheme == "legacy" else _ALL, least)
    return least


@cache
def permutations(scheme: str, size: int, seed: int) -> tuple[Array, Array]:
    """Return a and b of each permutation, as the scheme's own project draws them. Raises ValueError."""
    draw = np.random.RandomState(seed).randint
    prime = int(_MERSENNE)
    if scheme in ("affine32", "affine64"):
        kind = value_type(scheme).type
        width = 8 * value_type(scheme).itemsize
        factors = draw(0, 1 << (width - 1), size, dtype=kind) * kind(2) + kind(1)
        return factors, draw(0, 1 << width, size, dtype=kind)
    if scheme == "legacy":
        pairs = [(draw(1, prime, dtype=np.uint64), draw(0, prime, dtype=np.uint64)) for _ in range(size)]
        factors, addends = np.array(pairs, np.uint64).T.copy()
        return factors, addends
    if scheme in ("fineweb", "datatrove"):
        return draw(1, prime, size, dtype=np.uint64), draw(0, prime, size, dtype=np.uint64)
    raise ValueError(f"there is no scheme {scheme!r}; there are: {', '.join(SCHEMES)}")


def as_column(values: Array, has_shingles: Array) -> pa.Array:
    """Return signatures as bytes, little-endian: fixed_size_binary, null for a text without shingles."""
    width = values.shape[1] * values.dtype.itemsize
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    present = pa.array(has_shingles, pa.bool_()).buffers()[1]
    return pa.Array.from_buffers(pa.binary(width), len(values), [present, pa.py_buffer(data)])


def from_column(column: pa.Array | pa.ChunkedArray, scheme: str) -> Array:
    """Return the signatures in a column of bytes, [rows, K]; what a null gives is not defined."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = value_type(scheme).newbyteorder("<")
    size = array.type.byte_width // kind.itemsize
    values = np.frombuffer(array.buffers()[1], kind) if len(array) else np.empty(0, kind)
    return values.reshape(-1, size)[array.offset : array.offset + len(array)].astype(value_type(scheme), copy=False)
