"""The curve: how likely two texts have fingerprints within a distance.

Two texts whose vectors of shingles' counts have a cosine of c differ in each bit with a probability of acos(c) / pi
(Goemans, Williamson 1995; Charikar 2002). Bits are drawn apart, so their number follows the binomial distribution.
Texts in which every shingle occurs once, and that have as many of them, have a cosine of 2J / (1 + J) at a Jaccard
similarity of J.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

_STEPS: Final = (1.0, 0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5)
_WIDTH: Final = 40


def probability(cosine: float, bits: int, distance: int) -> float:
    """Return how likely the fingerprints of two texts with a cosine differ in at most ``distance`` of ``bits``.

    >>> round(probability(0.99, 64, 3), 3)
    0.686
    """
    differs = math.acos(max(-1.0, min(1.0, cosine))) / math.pi
    return math.fsum(
        math.comb(bits, n) * math.pow(differs, n) * math.pow(1.0 - differs, bits - n) for n in range(distance + 1)
    )


def chance_pairs(documents: int, bits: int, distance: int) -> float:
    """Return how many pairs of so many unlike documents are expected within a distance.

    >>> f"{chance_pairs(1_000_000_000, 64, 3):,.0f}"
    '1,186'
    """
    near = sum(math.comb(bits, n) for n in range(distance + 1))
    return documents * (documents - 1) / 2 * math.ldexp(near, -bits)


def drawing(bits: int, distance: int) -> Iterator[str]:
    """Yield a line for each of some Jaccard similarities, from 1 to 0.5: the probability, as a number and a bar."""
    for jaccard in _STEPS:
        value = probability(2 * jaccard / (1 + jaccard), bits, distance)
        yield f"{jaccard:10.3f}  {value:.4f}  {'█' * round(_WIDTH * value)}".rstrip()
