"""How large a Bloom filter must be, and how often it errs.

Bloom 1970; for n keys in m bits with k hashes, a key that is not among them is taken for one of them with a probability
of (1 - e^(-kn/m))^k. The least m for a rate p is -n ln p / (ln 2)^2, with k = m/n ln 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_FEWEST_BITS = 64


@dataclass(frozen=True)
class Size:
    """Bits of a filter, and how many of them a key sets at most."""

    bits: int
    hashes: int

    @property
    def words(self) -> int:
        """64-bit words that hold the bits."""
        return -(-self.bits // 64)


def size_for(count: int, rate: float) -> Size:
    """Return the size for that many keys and that rate of false positives; at least 64 bits.

    >>> size_for(1_000_000, 0.01)
    Size(bits=9585059, hashes=7)
    """
    bits = math.ceil(-max(count, 1) * math.log(rate) / math.log(2) ** 2)
    return Size(max(bits, _FEWEST_BITS), max(1, round(bits / max(count, 1) * math.log(2))))


def rate_of(size: Size, count: int) -> float:
    """Return the rate of false positives of a filter that holds that many keys.

    >>> round(rate_of(size_for(1_000_000, 0.01), 1_000_000), 5), rate_of(Size(64, 7), 0)
    (0.01004, 0.0)
    """
    return float(-math.expm1(-size.hashes * count / size.bits)) ** size.hashes
