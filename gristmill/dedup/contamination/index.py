"""The index of benchmarks: what of evaluation items is looked for in documents.

Matches are exact: words are compared, not only their hashes. Words are those of `normal`: text that was re-cased,
re-punctuated, re-wrapped or written in other compatible characters is still found. Numbers are kept: two sums with
other numbers are two items.

An n-gram is looked for only if three distinct words of it have two letters: ``1 2 3 4 ...`` is in every calendar, and
``a b c d ...`` in every index. A text of an item that has no such n-gram is looked for as a whole, if it has
enough words, three of them telling. ``short_items`` names the items of which nothing can be found. Text that is
written without spaces has few words by this count, and so most of its items are short.

Differs from datatrove's ``NGramsDecontFilter``, which makes every number 0, compares hashes only, and joins the end of
a question with the start of its answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill.columns import TextColumn, text_column
from gristmill.dedup.benchmarks import FIELDS, ITEMS, SPLIT, read_items
from gristmill.dedup.contamination import _kernels, normal
from gristmill.dedup.contamination._kernels import Marks, Output, Page
from gristmill.dedup.contamination.hits import Found, Owned, Spans, hits_table, spans_of
from gristmill.dedup.contamination.tables import Sizes, Tables, tables
from gristmill.dedup.settings import ACTIONS, DecontaminateSettings
from gristmill.errors import CorruptError, MissingError
from gristmill.schema import BENCHMARK, BENCHMARK_ITEM, CONTAMINATION_LAYER, TEXT
from gristmill.text import Integers

_VERSION: Final = "2"
_METADATA: Final = b"gristmill.benchmarks"
_ROOM: Final = 1024


def versions() -> dict[str, str]:
    """Return the versions of what decides contamination; they belong into the stage's hash."""
    return {"contamination": _VERSION, **normal.versions()}


@dataclass(frozen=True)
class BenchmarkIndex:
    """The n-grams and short texts of evaluation items, ready to be looked for.

    ``sizes``: words of an n-gram, and of a short text at least. ``items``: a table of ITEMS without TEXT.
    ``short_items``: ``benchmark`` and ``benchmark_item`` of those that cannot be found. ``ngram_count``: the unlike
    n-grams. ``digest``: hexadecimal; equal for two indexes exactly when they find the same.
    """

    sizes: Sizes
    items: pa.Table
    short_items: pa.Table
    ngram_count: int
    digest: str
    _tables: Tables
    _bounds: Integers  # where each text starts in the normalised text
    _owned: Owned

    @property
    def ngram(self) -> int:
        """How many words in a row must be equal."""
        return self.sizes.ngram

    @property
    def bytes(self) -> int:
        """The memory that what is looked for takes."""
        return self._tables.bytes

    @staticmethod
    def build(settings: DecontaminateSettings) -> BenchmarkIndex:
        """Return the index of a recipe's benchmarks, read from their files. Raises what ``read_items`` raises."""
        return index_items(read_items(settings.benchmarks), settings.ngram, settings.short_words)

    @staticmethod
    def load(source: str | Path | BinaryIO) -> BenchmarkIndex:
        """Return a saved index. Raises MissingError, or CorruptError if it is not what was saved."""
        try:
            with pq.ParquetFile(source) as file:
                items = file.read()
        except FileNotFoundError as error:
            raise MissingError(f"{source} does not exist") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise CorruptError(f"{source} is not a saved benchmark index: {error}") from error
        facts = json.loads((items.schema.metadata or {}).get(_METADATA, b"{}"))
        index = index_items(items, *facts["sizes"]) if facts else None
        if index is None or index.digest != facts["digest"]:
            raise CorruptError(f"{source} is not what was saved as a benchmark index: build it again")
        return index

    def save(self, sink: str | Path | BinaryIO) -> None:
        """Write the index as Parquet: its items; the tables are made again when it is loaded."""
        facts = json.dumps({"sizes": self.sizes, "digest": self.digest})
        place = ITEMS.get_field_index(TEXT)
        items = self.items.add_column(place, ITEMS.field(TEXT), self._texts())
        pq.write_table(items.replace_schema_metadata({_METADATA: facts}), sink, compression="zstd")

    def scan(self, texts: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
        """Return how much of each text is in a benchmark, and the first item found: ``CONTAMINATION_LAYER``.

        A null text gives nulls; a text of fewer than n words gives 0 and 0.0.
        """
        return self.find(texts).layer

    def find(
        self,
        texts: pa.Array | pa.ChunkedArray,
        actions: Mapping[str, str] | None = None,
        common: npt.NDArray[np.bool_] | None = None,
    ) -> Found:
        """Return what texts have of the items: the layer of `scan`, the hits, and the matches.

        ``actions``: what becomes of the documents that have an item of each benchmark; by default they are dropped.
        ``common``: the matches that are passed over, from `common_matches`; by default none.
        """
        column = text_column(texts)
        out, counted = self._scan(column, self._tables.known.common if common is None else common)
        spans = spans_of(out, self._owned)
        hits = hits_table(spans, column, self.items, self._owned)
        layer = self._layer(spans, counted, np.asarray(texts.is_null()), actions or {})
        return Found(layer, hits, out.matches[:, : out.counts[2]])

    def common_matches(self, matches: Integers) -> npt.NDArray[np.bool_]:
        """Return what `find` passes over: those of the matches that are named here."""
        common = np.zeros_like(self._tables.known.common)
        common[matches] = True
        return common

    def _scan(self, column: TextColumn, common: npt.NDArray[np.bool_]) -> tuple[Output, Integers]:
        """Return what is found, with room enough for it, and of each row its n-grams and those that are found."""
        known = self._tables.known._replace(common=common)
        work, room = normal.work(column), (_ROOM, _ROOM, _ROOM)
        while True:
            out = Output(
                np.zeros(4, np.int64), *(np.empty((w, n), np.int64) for w, n in zip((6, 3, 2), room, strict=True))
            )
            counted = np.zeros((2, column.rows), np.int64)
            _kernels.scan(column, normal.alphabet(), known, Page(work, self._marks(), out), counted)
            if (out.counts[:3] <= room).all():
                return out, counted
            room = tuple(np.maximum(out.counts[:3], _ROOM).tolist())

    def _marks(self) -> Marks:
        texts = len(self._owned.item)
        last, spans, opened, touched = np.zeros((4, max(texts, 1)), np.int64)
        return Marks(np.zeros(len(self._tables.known.items.owners), np.uint8), last, spans, opened, touched)

    def _layer(
        self, spans: Spans, counted: Integers, absent: npt.NDArray[np.bool_], actions: Mapping[str, str]
    ) -> pa.RecordBatch:
        """Return the layer of a batch of as many rows as ``absent`` has."""
        rows = len(absent)
        first = np.full(rows, -1)
        found, places = np.unique(spans.rows, return_index=True)
        first[found] = spans.items[places]
        hit = self.items.select([BENCHMARK, BENCHMARK_ITEM]).take(pa.array(first, mask=first < 0)).combine_chunks()
        short = spans.words < self.ngram
        longest, ratio = np.zeros(rows, np.int64), np.zeros(rows)
        np.maximum.at(longest, spans.rows, spans.longest)
        np.maximum.at(ratio, spans.rows, spans.ratios)
        columns = [
            pa.array(counted[1], pa.int64(), mask=absent),
            pa.array(counted[1] / np.maximum(counted[0], 1), pa.float64(), mask=absent),
            hit[BENCHMARK].combine_chunks(),
            hit[BENCHMARK_ITEM].combine_chunks(),
            pa.array(self._item_counts(spans.rows[short], spans.items[short], rows), mask=absent),
            pa.array(self._item_counts(spans.rows, spans.items, rows), mask=absent),
            pa.array(ratio, pa.float64(), mask=absent),
            pa.array(longest, pa.int64(), mask=absent),
            self._gravest(spans, rows, actions),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=CONTAMINATION_LAYER)

    def _item_counts(self, rows: Integers, items: Integers, count: int) -> Integers:
        """Return how many unlike items each of so many rows has."""
        size = max(len(self.items), 1)
        return np.bincount(np.unique(rows * size + items) // size, minlength=count)

    def _gravest(self, spans: Spans, rows: int, actions: Mapping[str, str]) -> pa.Array:
        """Return the gravest action of the items that each row has; null where it has none."""
        of_item = self.actions_of(actions)[spans.items]
        gravest = np.full(rows, -1)
        np.maximum.at(gravest, spans.rows, of_item)
        return pa.array(ACTIONS).take(pa.array(gravest, mask=gravest < 0))

    def actions_of(self, actions: Mapping[str, str]) -> Integers:
        """Return the place in `ACTIONS` of what becomes of documents that have each item."""
        names = self.items[BENCHMARK].to_pylist()
        return np.array([ACTIONS.index(actions.get(name, ACTIONS[-1])) for name in names], np.int64)

    def _texts(self) -> pa.Array:
        """Return the normalised texts of each item; normalised again, they stay as they are."""
        buffers = [None, pa.py_buffer(self._bounds), pa.py_buffer(self._tables.known.items.text)]
        texts = pa.Array.from_buffers(pa.large_string(), len(self._owned.item), buffers)
        starts = np.searchsorted(self._owned.item, np.arange(len(self.items) + 1)).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(starts), texts)


def index_items(items: pa.Table, ngram: int, short_words: int | None = None) -> BenchmarkIndex:
    """Return the index of a table of ``ITEMS``, those of test splits. An n-gram that several have is found for each.

    ``short_words``: how many words a text has at least that is looked for as a whole; none is if there is no number.
    """
    items = items.filter(pc.equal(items[SPLIT], "test")).combine_chunks()
    sizes = Sizes(ngram, min(short_words or ngram, ngram))
    lists = _one(items[TEXT])
    item = np.asarray(pc.list_parent_indices(lists))
    text, bounds = normal.normalised(pc.list_flatten(lists))
    made = tables(text, bounds, item, sizes)
    owned = Owned(item, pc.list_flatten(_one(items[FIELDS])), np.diff(made.known.items.bounds))
    named = items.drop_columns([TEXT])
    findable = np.zeros(len(items), np.bool_)
    findable[: len(made.findable)] = made.findable
    short = named.select([BENCHMARK, BENCHMARK_ITEM]).filter(pa.array(~findable))
    return BenchmarkIndex(
        sizes, named, short, made.ngram_count, _digest(sizes, named, (text, bounds, item)), made, bounds, owned
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _digest(sizes: Sizes, items: pa.Table, arrays: tuple[npt.NDArray[np.uint8], Integers, Integers]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    head = [_VERSION, sizes, *(items[name].to_pylist() for name in items.column_names), len(arrays[0])]
    digest.update(json.dumps(head).encode())
    for array in arrays:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
