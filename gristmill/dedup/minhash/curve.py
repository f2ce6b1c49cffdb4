"""The S-curve: how likely two texts share a band, by their similarity.

Texts of Jaccard similarity s share one given band of r rows with a probability of s^r, and any of b bands with one of
1 - (1 - s^r)^b (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.dedup.minhash.settings import MinHashSettings

_STEPS = 1000


class Banding(NamedTuple):
    """How a signature is divided: ``bands`` of ``rows`` values."""

    bands: int
    rows: int

    @property
    def size(self) -> int:
        """Values of a signature."""
        return self.bands * self.rows

    @property
    def threshold(self) -> float:
        """The similarity near which the curve is steepest: (1/b)^(1/r)."""
        return float((1 / self.bands) ** (1 / self.rows))


def probability(similarity: npt.ArrayLike, banding: Banding) -> npt.NDArray[np.float64]:
    """Return the probability that texts of such a similarity share a band.

    >>> round(float(probability(0.8, Banding(14, 8))), 3)
    0.924
    """
    s = np.asarray(similarity, np.float64)
    return 1 - (1 - s**banding.rows) ** banding.bands


def banding_of(settings: MinHashSettings) -> Banding:
    """Return the bands and rows that a recipe gives, or that suit its threshold."""
    if settings.threshold is not None:
        return for_threshold(settings.threshold, settings.permutations)
    return Banding(settings.bands or 14, settings.rows or 8)


def signed_as(settings: MinHashSettings) -> dict[str, str | int]:
    """Return what two runs must have in common for the signatures of one to be compared with the other's."""
    bands, rows = banding_of(settings)
    return {
        "scheme": settings.scheme,
        "shingles": settings.shingles,
        "ngram": settings.ngram,
        "bands": bands,
        "rows": rows,
        "seed": settings.seed,
    }


@cache
def for_threshold(threshold: float, permutations: int) -> Banding:
    """Return the bands and rows, of at most so many values, that err least at a threshold.

    The error is the area under the curve below the threshold, plus the area over it above the threshold. Among equals
    the fewest bands, then the fewest rows. Differs from datasketch only in the steps of the integral (a thousand each).

    >>> for_threshold(0.8, 128)
    Banding(bands=9, rows=13)
    """
    below = (np.arange(_STEPS) + 0.5) / _STEPS * threshold
    above = threshold + (np.arange(_STEPS) + 0.5) / _STEPS * (1 - threshold)

    def error(banding: Banding) -> float:
        missed = np.mean(1 - probability(above, banding)) * (1 - threshold)
        return float(np.mean(probability(below, banding)) * threshold + missed)

    choices = [Banding(b, r) for b in range(1, permutations + 1) for r in range(1, permutations // b + 1)]
    return min(choices, key=error)


def drawing(banding: Banding) -> Iterator[str]:
    """Yield the lines of a table of the curve: a similarity, the probability, a bar."""
    for step in range(20, 41):
        similarity = step / 40
        found = float(probability(similarity, banding))
        yield f"{similarity:10.3f}  {found:6.4f}  {'█' * round(40 * found)}".rstrip()
