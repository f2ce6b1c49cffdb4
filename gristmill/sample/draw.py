"""Choices that look random and are not: each is a hash of a key, so that the same key always chooses the same.

Python's own generators are not used because they promise the same numbers, not the same choices, across versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def draw(bound: int, *key: object) -> int:
    """Return a whole number from 0 up to, not including, ``bound`` that the key determines.

    >>> draw(10, "seed", 0) == draw(10, "seed", 0)
    True
    """
    return int.from_bytes(digest(*key)[:8], "big") % bound


def choose(items: Sequence[T], *key: object) -> T:
    """Return the item that the key determines; ``items`` must not be empty."""
    return items[draw(len(items), *key)]


def shuffled(items: Iterable[T], *key: object) -> list[T]:
    """Return the items in an order that the key and their places determine."""
    chosen = list(items)
    return [chosen[place] for place in sorted(range(len(chosen)), key=lambda place: digest(*key, place))]


def digest(*key: object) -> bytes:
    """Return 16 bytes that the key determines; keys of different parts never run together."""
    parts = (str(part).encode() for part in key)
    return hashlib.blake2b(b"".join(len(part).to_bytes(4, "big") + part for part in parts), digest_size=16).digest()
