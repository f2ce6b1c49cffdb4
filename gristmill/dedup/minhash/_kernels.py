"""The loops of MinHash: words and characters into shingles, shingles into signatures, candidates into clusters.

A shingle is n words or characters in a row. Its hash is 64 bits; which ones depends on the scheme. A *signature* holds
for each of K permutations the least value that any shingle of a text has under it. Arithmetic is modulo 2^32 or 2^64,
as the machine does it. ``counts``: int64[rows + 1]; the items of row *i* are ``counts[i]`` to ``counts[i + 1]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import Array, Integer, decode, mix
from gristmill.characters import ALPHANUMERIC, MARK
from gristmill.dedup.near._kernels import add_leader, no_leaders
from gristmill.jit import inlined, kernel

SPACE = 0x20

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ZERO = np.uint64(0)
_PRIME = np.uint64((1 << 61) - 1)
_PRIME_BITS = np.uint64(61)

# MurmurHash3's last step
_FIRST_32, _SECOND_32 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_FIRST_64, _SECOND_64 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_THIRTEEN, _SIXTEEN = np.uint32(13), np.uint32(16)
_THIRTY_THREE = np.uint64(33)


@kernel
def letters(data: Array, offsets: Array, classes: Array, counts: Array, found: Array) -> None:
    """Fill in a hash for each character of each row: letters, digits and marks, and one space for all between them.

    ``data``, ``offsets``: UTF-8 and int64[rows + 1]. ``found`` holds as many as there are bytes. No row starts or ends
    with a space.
    """
    n = 0
    counts[0] = 0
    for row in range(offsets.shape[0] - 1):
        i = offsets[row]
        first = n
        apart = False
        while i < offsets[row + 1]:
            point, width = decode(data, i)
            i += width
            if not classes[point] & (ALPHANUMERIC | MARK):
                apart = n > first
                continue
            if apart:
                found[n] = mix(np.uint64(SPACE))
                n += 1
                apart = False
            found[n] = mix(np.uint64(point))
            n += 1
        counts[row + 1] = n


@kernel
def ngrams(hashes: Array, counts: Array, n: int, ends: Array, found: Array) -> None:
    """Fill in a hash for each run of ``n`` items of a row; fewer items than that are one run, none give none.

    ``ends``: int64[rows + 1], the counts of what is found; ``found`` holds as many as there are ``hashes``. A run's
    hash is the polynomial of its items' hashes, mixed; it is rolled on from one run to the next.
    """
    power = np.uint64(1)
    for _ in range(n):
        power = power * _STEP
    out = 0
    ends[0] = 0
    for row in range(counts.shape[0] - 1):
        value = _ZERO
        start, stop = counts[row], counts[row + 1]
        for i in range(start, stop):
            value = value * _STEP + hashes[i]
            if i - start >= n:
                value -= hashes[i - n] * power
            if i - start >= n - 1:
                found[out] = mix(value)
                out += 1
        if start < stop < start + n:
            found[out] = mix(value)
            out += 1
        ends[row + 1] = out


@kernel
def affine32(shingles: Array, counts: Array, factors: Array, addends: Array, least: Array) -> None:
    """Fill in the least of a·h + b modulo 2^32 of each row's shingles, h being 32 bits, mixed.

    ``factors``, ``addends``: uint32[K]. ``least``: uint32[rows, K], all ones before.
    """
    for row in range(counts.shape[0] - 1):
        out = least[row]
        for i in range(counts[row], counts[row + 1]):
            h = np.uint32(shingles[i] & np.uint64(0xFFFFFFFF))
            h = np.uint32((h ^ np.uint32(h >> _SIXTEEN)) * _FIRST_32)
            h = np.uint32((h ^ np.uint32(h >> _THIRTEEN)) * _SECOND_32)
            h = np.uint32(h ^ np.uint32(h >> _SIXTEEN))
            for k in range(out.shape[0]):
                value = np.uint32(np.uint32(h * factors[k]) + addends[k])
                out[k] = min(value, out[k])


@kernel
def affine64(shingles: Array, counts: Array, factors: Array, addends: Array, least: Array) -> None:
    """Fill in the least of a·h + b modulo 2^64 of each row's shingles, mixed.

    ``factors``, ``addends``: uint64[K]. ``least``: uint64[rows, K], all ones before.
    """
    for row in range(counts.shape[0] - 1):
        out = least[row]
        for i in range(counts[row], counts[row + 1]):
            h = shingles[i]
            h = (h ^ (h >> _THIRTY_THREE)) * _FIRST_64
            h = (h ^ (h >> _THIRTY_THREE)) * _SECOND_64
            h ^= h >> _THIRTY_THREE
            for k in range(out.shape[0]):
                out[k] = min(h * factors[k] + addends[k], out[k])


@kernel
def mersenne(shingles: Array, counts: Array, parameters: tuple[Array, Array], bits: np.uint64, least: Array) -> None:
    """Fill in the least of (a·h + b modulo 2^64 modulo 2^61 - 1) & ``bits`` of each row's shingles.

    ``parameters``: a and b, uint64[K]. ``least``: uint64[rows, K], all ones before.
    """
    factors, addends = parameters
    for row in range(counts.shape[0] - 1):
        out = least[row]
        for i in range(counts[row], counts[row + 1]):
            h = shingles[i]
            for k in range(out.shape[0]):
                value = h * factors[k] + addends[k]
                value = (value & _PRIME) + (value >> _PRIME_BITS)
                value = min(value, value - _PRIME)  # what is less than the prime becomes huge
                out[k] = min(value & bits, out[k])


@inlined
def _jaccard(shingles: Array, bounds: Array, one: Integer, other: Integer) -> float:
    """Return the Jaccard similarity of two sets, each sorted; of two empty ones 0."""
    i, i_stop = bounds[one], bounds[one + 1]
    j, j_stop = bounds[other], bounds[other + 1]
    total = (i_stop - i) + (j_stop - j)
    both = 0
    while i < i_stop and j < j_stop:
        a, b = shingles[i], shingles[j]
        both += a == b
        i += a <= b
        j += b <= a
    return np.float64(both) / np.float64(total - both) if total else 0.0


@inlined
def _agreement(signatures: Array, one: Integer, other: Integer) -> float:
    """Return the share of equal values of two signatures."""
    equal = 0
    for k in range(signatures.shape[1]):
        equal += signatures[one, k] == signatures[other, k]
    return np.float64(equal) / np.float64(signatures.shape[1])


@kernel
def leaders(
    signatures: Array, sets: tuple[Array, Array], buckets: Array, rule: tuple[float, int, Array], out: Any
) -> int:
    """Fill in each document's leader, and its similarity to it; return how many pairs were compared.

    Documents come in the order in which they survive. One joins the leader that it is most like, of those that it
    shares a bucket with and is at least ``rule[0]`` like, the first of equals; one that finds none is a leader.
    A bucket shows its first ``rule[1]`` leaders. Where ``rule[2]``, bool[documents], is true, a document is a leader
    whatever it is like. ``buckets``: int64[documents, bands], numbered from 0. ``sets``: the
    documents' shingles, sorted, and where each one's start; without them (no bounds) signatures are compared.
    """
    shingles, bounds = sets
    least, shown, settled = rule
    leader, similarity = out
    bands = buckets.shape[1]
    lists = no_leaders(buckets)
    firsts, _, _, following = lists
    seen = np.full(buckets.shape[0], -1, np.int64)
    compared = 0
    for i in range(buckets.shape[0]):
        best, found = np.int64(-1), 0.0
        for b in range(0 if settled[i] else bands):
            entry = firsts[buckets[i, b]]
            while entry >= 0:
                other = entry // bands
                entry = following[entry]
                if seen[other] == i:
                    continue
                seen[other] = i
                compared += 1
                exact = bounds.shape[0] > 0
                value = _jaccard(shingles, bounds, i, other) if exact else _agreement(signatures, i, other)
                if value >= least and (value > found or (value == found and (best < 0 or other < best))):
                    best, found = other, value
        if best >= 0:
            leader[i], similarity[i] = best, found
            continue
        leader[i], similarity[i] = i, 1.0
        add_leader(lists, buckets, i, shown)
    return compared
