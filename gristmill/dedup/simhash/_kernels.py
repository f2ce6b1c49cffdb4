"""The loops of SimHash: hashes into fingerprints, fingerprints into pairs that are near each other.

A fingerprint is a row of uint64: one for 64 bits, two for 128. Two are near if at most ``k`` of their bits differ.
"""

from __future__ import annotations

import numpy as np

from gristmill._kernels import Array, Integer, mix
from gristmill.dedup.near._kernels import add_leader, no_leaders
from gristmill.jit import inlined, kernel

_ONE, _ZERO = np.uint64(1), np.uint64(0)
_PLANES = 8
_FULL = 255

_PAIRS, _FOURS, _BYTES = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM = np.uint64(0x0101010101010101)


@kernel
def majorities(hashes: Array, counts: Array, found: Array) -> None:
    """Fill in the bits that more than half of each row's hashes have.

    ``counts``: int64[rows + 1]; the hashes of row *i* are ``counts[i]`` to ``counts[i + 1]``. ``found``: uint64[rows];
    0 for a row without any. Bits are counted side by side: bit *b* of plane *p* is digit *p* of the count of bit *b*.
    """
    planes = np.zeros(_PLANES, np.uint64)
    ones = np.zeros(64, np.int64)
    for row in range(counts.shape[0] - 1):
        start, stop = counts[row], counts[row + 1]
        ones[:] = 0
        for base in range(start, stop, _FULL):
            planes[:] = _ZERO
            for i in range(base, min(base + _FULL, stop)):
                carry = hashes[i]
                for p in range(_PLANES):
                    both = planes[p] & carry
                    planes[p] ^= carry
                    carry = both
                    if carry == _ZERO:
                        break
            for p in range(_PLANES):
                for b in range(64):
                    ones[b] += np.int64((planes[p] >> np.uint64(b)) & _ONE) << p
        value = _ZERO
        for b in range(64):
            if 2 * ones[b] > stop - start:
                value |= _ONE << np.uint64(b)
        found[row] = value


@inlined
def _bit_count(value: np.uint64) -> Integer:
    value = value - ((value >> _ONE) & _PAIRS)
    value = (value & _FOURS) + ((value >> np.uint64(2)) & _FOURS)
    value = (value + (value >> np.uint64(4))) & _BYTES
    return np.int64((value * _SUM) >> np.uint64(56))


@inlined
def _distance(prints: Array, one: Integer, other: Integer) -> Integer:
    """Return in how many bits two fingerprints differ."""
    found = np.int64(0)
    for word in range(prints.shape[1]):
        found += _bit_count(prints[one, word] ^ prints[other, word])
    return found


SMALL = 64
_KEY_BITS = 12
_DEPTH = 128


@kernel
def _root(parents: Array, row: Integer) -> Integer:
    """Return the least row of a row's set; the way there becomes shorter."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@kernel
def _join(parents: Array, one: Integer, other: Integer) -> None:
    """Make two rows' sets one."""
    a, b = _root(parents, one), _root(parents, other)
    parents[max(a, b)] = min(a, b)


@kernel
def _is_joined(parents: Array, rows: Array) -> bool:
    """Return whether rows are all of one set."""
    first = _root(parents, rows[0])
    i = 1
    while i < rows.shape[0] and _root(parents, rows[i]) == first:
        i += 1
    return bool(i == rows.shape[0])


@kernel
def _sweep(prints: Array, rows: Array, k: int, parents: Array) -> int:
    """Join what is near among rows, which it puts in another order; return how many pairs were compared.

    What is reached from a row is compared with what is not reached yet: at most all pairs, and if all are near each
    other, each once.
    """
    compared = 0
    reached = 0
    for i in range(rows.shape[0]):
        reached = max(reached, i + 1)
        for j in range(reached, rows.shape[0]):
            compared += 1
            if _distance(prints, rows[i], rows[j]) <= k:
                _join(parents, rows[i], rows[j])
                rows[j], rows[reached] = rows[reached], rows[j]
                reached += 1
    return compared


@kernel
def _blocks(prints: Array, rows: Array, masks: Array) -> Integer:
    """Fill in the bits of each block: those that differ among rows, evenly shared out; return how many they are.

    ``masks``: uint64[blocks, words].
    """
    words = prints.shape[1]
    varying = np.zeros(words, np.uint64)
    for i in range(1, rows.shape[0]):
        for word in range(words):
            varying[word] |= prints[rows[i], word] ^ prints[rows[0], word]
    total = np.int64(0)
    for word in range(words):
        total += _bit_count(varying[word])
    masks[:] = _ZERO
    number = 0
    for bit in range(64 * words):
        one = _ONE << np.uint64(bit & 63)
        if varying[bit >> 6] & one:
            masks[number * masks.shape[0] // total, bit >> 6] |= one
            number += 1
    return total


@inlined
def _key(prints: Array, row: Integer, masks: Array) -> Integer:
    """Return a short hash of a fingerprint's bits in a block."""
    value = _ZERO
    for word in range(prints.shape[1]):
        value = mix(value ^ (prints[row, word] & masks[word]))
    return np.int64(value >> np.uint64(64 - _KEY_BITS))


@kernel
def _crowding(prints: Array, rows: Array, masks: Array, sizes: Array) -> float:
    """Return the sum of the squares of how many rows have each key of a block; ``sizes`` holds these in the end."""
    sizes[:] = 0
    for row in rows:
        sizes[_key(prints, row, masks)] += 1
    total = 0.0
    for size in sizes:
        total += np.float64(size) * np.float64(size)
    return total


@kernel
def _sort(prints: Array, rows: Array, masks: Array, work: tuple[Array, Array]) -> None:
    """Bring rows into the order of their keys in a block."""
    sizes, scratch = work
    _crowding(prints, rows, masks, sizes)
    start = 0
    for key in range(sizes.shape[0]):
        start += sizes[key]
        sizes[key] = start - sizes[key]
    for row in rows:
        key = _key(prints, row, masks)
        scratch[sizes[key]] = row
        sizes[key] += 1
    rows[:] = scratch[: rows.shape[0]]


@kernel
def _begin(prints: Array, rows: Array, k: int, masks: Array, out: tuple[Array, Array]) -> int:
    """Settle some rows if that is quick, else fill in the blocks that part them; return the pairs compared, or -1.

    They are quick if they are few, if they are joined already, or if so few bits differ that all are near each other.
    If no parting would halve the pairs that are left, all are compared.
    """
    parents, sizes = out
    if rows.shape[0] < 2 or _is_joined(parents, rows):
        return 0
    if rows.shape[0] <= SMALL * (k + 1):
        return _sweep(prints, rows, k, parents)
    if _blocks(prints, rows, masks) <= k:
        for row in rows:
            _join(parents, rows[0], row)
        return 0
    most = 0.5 * np.float64(rows.shape[0]) * np.float64(rows.shape[0])
    crowding = 0.0
    for block in range(k + 1):
        crowding += _crowding(prints, rows, masks[block], sizes)
        if crowding > most:
            return _sweep(prints, rows, k, parents)
    return -1


@kernel
def near_sets(prints: Array, starts: Array, k: int, parents: Array) -> int:
    """Fill in, for each row, the least row of its bucket that chains of near ones lead to; return the pairs compared.

    ``prints``: uint64[rows, words]; a bucket's rows are ``starts[b]`` to ``starts[b + 1]``. ``parents``: int64[rows].

    A bucket of many rows is parted: the bits that differ in it are shared out among k + 1 blocks, and what is near
    agrees in one of them at least, so for each block the rows that agree in it are parted in their turn. Each parting
    at least halves the pairs that are left.
    """
    rows = np.arange(prints.shape[0])
    parents[:] = rows
    sizes, scratch = np.empty(1 << _KEY_BITS, np.int64), np.empty(prints.shape[0], np.int64)
    frames = np.empty((_DEPTH, 4), np.int64)  # first row, end, block, where its next rows begin
    masks = np.empty((_DEPTH, k + 1, prints.shape[1]), np.uint64)
    compared = 0
    for bucket in range(starts.shape[0] - 1):
        depth = 0
        start, stop = starts[bucket], starts[bucket + 1]
        while True:
            found = _begin(prints, rows[start:stop], k, masks[depth], (parents, sizes))
            if found < 0:
                frames[depth, 0], frames[depth, 1], frames[depth, 2], frames[depth, 3] = start, stop, -1, stop
                depth += 1
            compared += max(found, 0)
            while depth and frames[depth - 1, 3] == frames[depth - 1, 1]:
                first, end = frames[depth - 1, 0], frames[depth - 1, 1]
                frames[depth - 1, 2] += 1
                block = frames[depth - 1, 2]
                if block > k or (block and _is_joined(parents, rows[first:end])):
                    depth -= 1
                    continue
                _sort(prints, rows[first:end], masks[depth - 1, block], (sizes, scratch))
                frames[depth - 1, 3] = first
            if not depth:
                break
            start, end = frames[depth - 1, 3], frames[depth - 1, 1]
            block_masks = masks[depth - 1, frames[depth - 1, 2]]
            key = _key(prints, rows[start], block_masks)
            stop = start + 1
            while stop < end and _key(prints, rows[stop], block_masks) == key:
                stop += 1
            frames[depth - 1, 3] = stop
    for row in range(parents.shape[0]):
        parents[row] = _root(parents, row)
    return compared


@kernel
def leaders(prints: Array, buckets: Array, rule: tuple[int, int, Array], out: tuple[Array, Array]) -> int:
    """Fill in each document's leader, and its distance to it; return how many pairs were compared.

    Documents come in the order in which they survive. One joins the nearest leader that it shares a bucket with, the
    first of equals, if at most ``rule[0]`` bits differ; one that finds none is a leader. A bucket shows its first
    ``rule[1]`` leaders. Where ``rule[2]``, bool[documents], is true, a document is a leader however near it is to one.
    ``buckets``: int64[documents, blocks], numbered from 0.
    """
    k, shown, settled = rule
    leader, distance = out
    blocks = buckets.shape[1]
    lists = no_leaders(buckets)
    firsts, _, _, following = lists
    compared = 0
    for i in range(buckets.shape[0]):
        best, found = np.int64(-1), np.int64(k + 1)
        for b in range(0 if settled[i] else blocks):
            entry = firsts[buckets[i, b]]
            while entry >= 0:
                other = entry // blocks
                entry = following[entry]
                compared += 1
                value = _distance(prints, i, other)
                if value < found or (value == found and other < best):
                    best, found = other, value
        if best >= 0:
            leader[i], distance[i] = best, found
            continue
        leader[i], distance[i] = i, 0
        add_leader(lists, buckets, i, shown)
    return compared
