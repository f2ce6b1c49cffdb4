"""The slow twin of Bloom filters: a set of keys for each bit."""

from __future__ import annotations

from collections import defaultdict

_MASK = 2**64 - 1
_MIX = 0xD6E8FEB86659FD93


def mix(value):
    for _ in range(2):
        value = (value ^ (value >> 32)) * _MIX & _MASK
    return value ^ (value >> 32)


def places(key, bits, hashes):
    """The bits of a key: a + ib + C(i+1, 3)c in the ring of 64 bits, scaled to the filter."""
    a, b, c = mix(key), mix(key ^ 0x9E3779B97F4A7C15), 0xD1B54A32D192ED03
    return [(a + i * b + (i + 1) * i * (i - 1) // 6 * c & _MASK) * bits >> 64 for i in range(hashes)]


class Filter:
    def __init__(self, bits, hashes, keys):
        self.bits, self.hashes = bits, hashes
        self.givers = defaultdict(set)
        for giver, key in enumerate(keys):
            for place in places(key, bits, hashes):
                self.givers[place].add(giver)

    def has(self, key):
        return all(self.givers[place] for place in places(key, self.bits, self.hashes))

    def has_twice(self, key):
        return all(len(self.givers[place]) > 1 for place in places(key, self.bits, self.hashes))
