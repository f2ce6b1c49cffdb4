"""Counting in bounded memory, with a result that depends on nothing but the values and the order of the shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_DECADES = range(-6, 12)
_MOST_BINS = 50
_LOG_STEPS = (10, 12, 16, 20, 25, 32, 40, 50, 63, 80)
_LOG_FROM = 100.0


def _grid() -> npt.NDArray[np.float64]:
    """Return ascending edges: 0 and ± every number of three significant digits from 1e-6 to 1e12."""
    positive = [float(f"{digits}e{decade - 2}") for decade in _DECADES for digits in range(100, 1000)]
    return np.array([-edge for edge in reversed(positive)] + [0.0] + positive)


GRID = _grid()


@dataclass
class Names:
    """How often each name occurs: exact up to ``capacity`` distinct names, then a Misra-Gries summary.

    No count is too high; each is too low by ``undercount`` at most (Misra and Gries 1982; merging as in Agarwal et
    al. 2012).
    """

    capacity: int = 65_536
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    undercount: int = 0

    def add(self, names: pa.Array | pa.ChunkedArray) -> None:
        """Count a column of text; nulls are not counted."""
        for entry in names.drop_null().value_counts().to_pylist():
            self.total += entry["counts"]
            self.counts[entry["values"]] = self.counts.get(entry["values"], 0) + entry["counts"]
        if len(self.counts) > self.capacity:
            cut = sorted(self.counts.values(), reverse=True)[self.capacity]
            self.counts = {name: count - cut for name, count in self.counts.items() if count > cut}
            self.undercount += cut

    def most(self, number: int) -> list[tuple[str, int]]:
        """Return the most frequent names with their counts; ties in the order of the names."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:number]


@dataclass
class Histogram:
    """How often values fall between the edges of `GRID`: exact for whole numbers below 1000, else to three digits."""

    bins: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(GRID) + 1, np.int64))
    least: float | None = None
    most: float | None = None

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Count values; those that are not finite are not counted."""
        values = values[np.isfinite(values)]
        if not len(values):
            return
        self.bins += np.bincount(np.searchsorted(GRID, values, side="right"), minlength=len(self.bins))
        low, high = float(values.min()), float(values.max())
        self.least = low if self.least is None else min(self.least, low)
        self.most = high if self.most is None else max(self.most, high)

    @property
    def total(self) -> int:
        """Values counted."""
        return int(self.bins.sum())

    def quantile(self, share: float) -> float | None:
        """Return the value that ``share`` of the values do not exceed, cut to three digits; None if there are none.

        >>> histogram = Histogram()
        >>> histogram.add(np.array([1.0, 2.0, 30.0]))
        >>> histogram.quantile(0.5)
        2.0
        """
        if self.least is None or self.most is None:
            return None
        rank = max(1, int(np.ceil(share * self.total)))
        index = int(np.searchsorted(np.cumsum(self.bins), rank))
        edge = float(GRID[index - 1]) if index else self.least
        return min(max(edge, self.least), self.most)

    def between(self, edges: Sequence[float]) -> list[int]:
        """Return how many values lie in each interval of ``edges``, which are on the grid; the ends are open."""
        inner = np.searchsorted(GRID, np.array(edges[1:-1], np.float64), side="left") + 1
        return [int(part.sum()) for part in np.split(self.bins, inner)]


def display_edges(histograms: Sequence[Histogram], bounds: Sequence[float], narrowest: float = 1e-6) -> list[float]:
    """Return about 60 edges at most, on the grid, that show the bulk of the values, and the bounds on them.

    Values of hundreds and more are shown on a logarithmic axis, all others on a linear one whose bins are not
    narrower than ``narrowest``: 1 for whole numbers.
    """
    whole = _together(histograms)
    low, high = whole.quantile(0.005) or 0.0, whole.quantile(0.995) or 0.0
    low, high = min([low, *bounds]), max([high, *bounds])
    positive = (whole.least or 0.0) >= 0
    if positive and high >= _LOG_FROM:
        return _logarithmic(max(low, 1.0), high)
    return _linear(0.0 if positive and low < (high - low) / 2 else low, high, narrowest)


def is_logarithmic(edges: Sequence[float]) -> bool:
    """Return whether edges are those of a logarithmic axis."""
    return edges[-1] >= _LOG_FROM and edges[0] >= 0


def _together(histograms: Sequence[Histogram]) -> Histogram:
    whole = Histogram()
    for histogram in histograms:
        whole.bins = whole.bins + histogram.bins
    whole.least = min((h.least for h in histograms if h.least is not None), default=None)
    whole.most = max((h.most for h in histograms if h.most is not None), default=None)
    return whole


def round_step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is not below ``least``, from 1e-6 to 1e12.

    >>> round_step(0.03), round_step(1.0)
    (0.05, 1.0)
    """
    steps = (float(f"{digit}e{decade}") for decade in _DECADES for digit in (1, 2, 5))
    return next((step for step in steps if step >= least), 1e12)


def _logarithmic(low: float, high: float) -> list[float]:
    edges = [float(f"{step}e{decade - 1}") for decade in range(12) for step in _LOG_STEPS]
    first = max((i for i, edge in enumerate(edges) if edge <= low), default=0)
    last = min((i for i, edge in enumerate(edges) if edge > high), default=len(edges) - 1)
    return edges[first : max(last, first + 1) + 1]


def _linear(low: float, high: float, narrowest: float) -> list[float]:
    if high - low < 2 * narrowest:
        high = low + 10 * max(narrowest, 0.1)
    digits = 10.0 ** (int(np.floor(np.log10(max(abs(low), abs(high), 1e-6)))) - 2)
    width = round_step(max((high - low) / _MOST_BINS, narrowest, digits * (1 - 1e-9)))
    first = int(np.floor(low / width + 1e-9))
    last = max(int(np.ceil(high / width - 1e-9)), first + 1)
    return [round(index * width, 9) for index in range(first, last + 1)]
