"""Sizes of components beside those of the clusters that they were split into, counted from layers.

A layer says of each document how many its component has, not which component that is. So components are counted by
size: those of one size are told of together. Memory is bounded by the number of different sizes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc


class OfSize(NamedTuple):
    """The components of one size: documents in each, how many there are, and how many of their documents survive."""

    size: int
    components: int
    survivors: int

    @property
    def is_split(self) -> bool:
        """Whether more documents survive than there are components."""
        return self.survivors > self.components


class ComponentSizes:
    """How many components there are of each size, added up over shards."""

    def __init__(self) -> None:
        self._documents: Counter[int] = Counter()
        self._survivors: Counter[int] = Counter()

    def add(self, component_size: pa.ChunkedArray, duplicate_of: pa.ChunkedArray) -> None:
        """Count a shard's documents; those without a component are in none."""
        self._documents.update(_counted(component_size))
        self._survivors.update(_counted(component_size.filter(pc.is_null(duplicate_of))))

    def __iter__(self) -> Iterator[OfSize]:
        """Yield each size that components have, the largest first."""
        for size in sorted(self._documents, reverse=True):
            yield OfSize(size, self._documents[size] // size, self._survivors[size])


def _counted(sizes: pa.ChunkedArray) -> dict[int, int]:
    return {entry["values"]: entry["counts"] for entry in sizes.drop_null().value_counts().to_pylist()}
