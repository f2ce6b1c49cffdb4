"""What a benchmark consists of, once its items are read: fields, lengths, items that are too short to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.dedup.benchmarks.items import FIELDS, KINDS, SPLIT
from gristmill.dedup.benchmarks.read import read_items
from gristmill.dedup.benchmarks.settings import BenchmarkSettings
from gristmill.dedup.contamination import normalised_words
from gristmill.schema import BENCHMARK_ITEM, TEXT


@dataclass(frozen=True)
class FieldSummary:
    """Texts of one field and kind. ``words``: the least, the median and the most that one has."""

    name: str
    kind: str
    texts: int
    words: tuple[int, int, int]


@dataclass(frozen=True)
class ShownItem:
    """An item, to be looked at."""

    id: str
    fields: Sequence[str]
    texts: Sequence[str]


@dataclass(frozen=True)
class Summary:
    """What a benchmark consists of. ``short``: items without a text of an n-gram's words; ``train``: to be ignored."""

    items: int
    short: int
    train: int
    fields: tuple[FieldSummary, ...]
    _read: pa.Table

    def sample(self, count: int) -> list[ShownItem]:
        """Return so many items, or all, evenly spread and in their order."""
        places = np.unique(np.linspace(0, self.items - 1, min(count, self.items)).astype(np.int64))
        rows = self._read.select([BENCHMARK_ITEM, FIELDS, TEXT]).take(pa.array(places)).to_pylist()
        return [ShownItem(row[BENCHMARK_ITEM], row[FIELDS], row[TEXT]) for row in rows]


def summarized(benchmark: BenchmarkSettings, ngram: int) -> Summary:
    """Return what a benchmark consists of. Raises what ``read_items`` raises."""
    read = read_items([benchmark])
    texts = read[TEXT].combine_chunks()
    words = np.array([len(each) for each in normalised_words(pc.list_flatten(texts))], np.int64)
    most = np.zeros(len(read), np.int64)
    np.maximum.at(most, np.asarray(pc.list_parent_indices(texts)), words)
    train = pc.sum(pc.equal(read[SPLIT], "train")).as_py() or 0
    return Summary(len(read), int((most < ngram).sum()), train, _fields(read, words), read)


def _fields(read: pa.Table, words: npt.NDArray[np.int64]) -> tuple[FieldSummary, ...]:
    """Return the fields in the order in which they come."""
    names = pc.list_flatten(read[FIELDS].combine_chunks()).to_pylist()
    kinds = pc.list_flatten(read[KINDS].combine_chunks()).to_pylist()
    counts: dict[tuple[str, str], list[int]] = {}
    for name, kind, count in zip(names, kinds, words.tolist(), strict=True):
        counts.setdefault((name, kind), []).append(count)
    return tuple(
        FieldSummary(name, kind, len(each), (min(each), int(np.median(each)), max(each)))
        for (name, kind), each in counts.items()
    )
