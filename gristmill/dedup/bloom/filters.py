"""A Bloom filter that tells which keys it has, and which of them it was given twice.

It has two planes of bits: what one key or more set, and what two or more set. A key that was given twice has all its
bits in both. A key that was given once has them in the second only if other keys set each of them, which is as likely
as that a filter of the others takes it for one of them: so the rate of false positives is the same, and neither plane
depends on the order in which keys come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gristmill.dedup.bloom._kernels import holds, tally
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.bloom.sizes import Size

_VERSION = "1"

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Filter:
    """A filter: ``words`` is uint64[words, planes]; one that was read again may lack the second plane."""

    size: Size
    words: npt.NDArray[np.uint64]

    @classmethod
    def empty(cls, size: Size) -> Filter:
        """Return a filter without keys: 2 bits of memory for each bit of its size."""
        return cls(size, np.zeros((size.words, 2), np.uint64))

    def add(self, keys: Keys) -> None:
        """Add keys: uint64."""
        tally(_fixed(keys), self.words, np.uint64(self.size.bits), self.size.hashes)

    def has(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Return whether it has each key: always true for those that were added, for others at its rate."""
        return self._holds(keys, 0)

    def has_twice(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Return whether it was given each key twice: always true for those that were, for others at its rate."""
        return self._holds(keys, 1)

    def _holds(self, keys: Keys, plane: int) -> npt.NDArray[np.bool_]:
        found = np.empty(len(keys), np.bool_)
        size = (np.uint64(self.size.bits), self.size.hashes)
        holds(_fixed(keys), self.words, plane, size, found)
        return found


def _fixed(keys: Keys) -> Keys:
    """Return keys that cannot be written to, wherever they are from: each type would be compiled for."""
    fixed = np.ascontiguousarray(keys).view()
    fixed.flags.writeable = False
    return fixed


def versions(settings: BloomSettings | None) -> dict[str, str]:
    """Return the version of what decides which keys a filter claims to have; none without filters."""
    return {"bloom": _VERSION} if settings is not None else {}
