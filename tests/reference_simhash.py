"""Slow, obvious twins of gristmill/dedup/simhash."""

from __future__ import annotations

from itertools import combinations

import reference_minhash

STEP = 0x9E3779B97F4A7C15


def fingerprint(hashes: list[int], bits: int) -> int:
    """The bits that more than half of the hashes have; of 128, the second 64 are those of the hashes mixed."""
    wide = [h | reference_minhash.mix((h + STEP) % 2**64) << 64 for h in hashes]
    return sum(1 << b for b in range(bits) if 2 * sum(h >> b & 1 for h in wide) > len(wide))


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def near_pairs(prints: list[int], k: int) -> list[tuple[int, int]]:
    """All pairs of positions within ``k`` bits: every one is looked at."""
    return [(i, j) for (i, one), (j, other) in combinations(enumerate(prints), 2) if distance(one, other) <= k]


def components(prints: list[int], k: int) -> list[int]:
    """The first position that chains of near ones lead to from each."""
    found = reference_minhash.components(near_pairs(prints, k))
    return [found.get(i, i) for i in range(len(prints))]


def led(prints: list[int], k: int) -> tuple[list[int], list[int]]:
    """Each document's leader and its distance: the nearest of those before it that lead, the first of equals."""
    leaders: list[int] = []
    distances: list[int] = []
    for i, mine in enumerate(prints):
        nearest = min(((distance(mine, prints[j]), j) for j in range(i) if leaders[j] == j), default=(k + 1, -1))
        leads = nearest[0] > k
        leaders.append(i if leads else nearest[1])
        distances.append(0 if leads else nearest[0])
    return leaders, distances
