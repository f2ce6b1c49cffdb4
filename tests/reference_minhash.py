"""Slow, obvious twins of gristmill/dedup/minhash."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict

import xxhash

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15


def mix(value: int) -> int:
    for _ in range(2):
        value = (value ^ value >> 32) * 0xD6E8FEB86659FD93 & MASK
    return value ^ value >> 32


def fnv(word: str) -> int:
    """The hash that gristmill's words have."""
    value = 0x243F6A8885A308D3
    for character in word:
        value = (value ^ ord(character)) * STEP & MASK
    return mix(value)


def letters(text: str) -> list[int]:
    """A hash for each letter, digit or mark, and one for a space between what stands apart."""
    kept = "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in text)
    return [mix(ord(character)) for character in " ".join(piece for piece in kept.split(" ") if piece)]


def ngrams(hashes: list[int], n: int) -> list[int]:
    found = []
    for i in range(max(len(hashes) - n + 1, 1)):
        run = hashes[i : i + n]
        if run:
            value = 0
            for item in run:
                value = (value * STEP + item) & MASK
            found.append(mix(value))
    return found


def permuted(shingle: int, scheme: str, a: int, b: int) -> int:
    if scheme in ("affine32", "affine64"):
        width = 32 if scheme == "affine32" else 64
        shifts = (16, 13, 16) if width == 32 else (33, 33, 33)
        factors = (0x85EBCA6B, 0xC2B2AE35) if width == 32 else (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
        ones = 2**width - 1
        h = shingle & ones
        h = (h ^ h >> shifts[0]) * factors[0] & ones
        h = (h ^ h >> shifts[1]) * factors[1] & ones
        h ^= h >> shifts[2]
        return (a * h + b) & ones
    given = shingle & 0xFFFFFFFF if scheme == "legacy" else shingle
    value = (a * given + b & MASK) % (2**61 - 1)
    return value & 0xFFFFFFFF if scheme == "legacy" else value


def signature(shingles: list[int], scheme: str, permutations: list[tuple[int, int]]) -> list[int]:
    most = 2**32 - 1 if scheme == "affine32" else MASK
    return [min((permuted(s, scheme, a, b) for s in shingles), default=most) for a, b in permutations]


def hashed(shingle: bytes, kind: str) -> int:
    if kind == "fineweb":
        return int.from_bytes(hashlib.sha1(shingle).digest()[:8], "little")
    return xxhash.xxh64_intdigest(shingle)


def components(edges: list[tuple[int, int]]) -> dict[int, int]:
    """The least node that each node is joined to."""
    near = defaultdict(set)
    for a, b in edges:
        near[a].add(b)
        near[b].add(a)
    found: dict[int, int] = {}
    for least in sorted(near):
        queue = [least]
        while queue:
            node = queue.pop()
            if node not in found:
                found[node] = least
                queue += near[node]
    return found


def led(similarity, buckets: list[list[int]], least: float, shown: int) -> tuple[list[int], list[float], int]:
    """Each document's leader, its similarity, and the pairs compared; ``similarity`` is a function of two documents."""
    shows = defaultdict(list)
    leaders, found, compared = [], [], 0
    for i, mine in enumerate(buckets):
        others = sorted({other for bucket in mine for other in shows[bucket]})
        compared += len(others)
        alike = [(-similarity(i, other), other) for other in others if similarity(i, other) >= least]
        if alike:
            value, leader = min(alike)
            leaders.append(leader)
            found.append(-value)
            continue
        leaders.append(i)
        found.append(1.0)
        for bucket in mine:
            if len(shows[bucket]) < shown:
                shows[bucket].append(i)
    return leaders, found, compared


def jaccard(one: set, other: set) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
