"""Contamination: which documents hold n words in a row of an evaluation item.

Words are lower-cased runs of letters and digits, with their combining marks. Punctuation separates words and is not
compared, so that text which was re-cased, re-punctuated or re-wrapped is still found. Numbers are kept: two sums with
other numbers are two items. Matches are exact: words are compared, not only their hashes.

An n-gram is looked for only if three distinct words of it have two letters: ``1 2 3 4 ...`` is in every calendar, and
``a b c d ...`` in every index. An item is found only if a field of it has such an n-gram; ``short_items`` names the
others. Text that is written without spaces has few words by this count, and so most of its items are short.

Differs from datatrove's ``NGramsDecontFilter``, which makes every number 0, compares hashes only, and joins the end of
a question with the start of its answer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill.characters import ALPHANUMERIC, UNICODE_VERSION, character_classes, lower_case
from gristmill.columns import TextColumn, text_column
from gristmill.dedup import _kernels
from gristmill.dedup._kernels import Alphabet, NgramTable, Work
from gristmill.dedup.benchmarks import ITEMS, read_items
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.errors import CorruptError, MissingError
from gristmill.schema import BENCHMARK, BENCHMARK_ITEM, CONTAMINATION_LAYER, TEXT

SLOTS_PER_NGRAM: Final = 2
FILTER_BITS_PER_NGRAM: Final = 16
_VERSION: Final = "1"
_METADATA: Final = b"gristmill.benchmarks"


def versions() -> dict[str, str]:
    """Return the versions of what decides contamination; they belong into the stage's hash."""
    return {"contamination": _VERSION, "unicode": UNICODE_VERSION}


@dataclass(frozen=True)
class BenchmarkIndex:
    """The n-grams of evaluation items, ready to be looked for.

    ``items`` and ``short_items``: tables of ``benchmark`` and ``benchmark_item``; the latter are those that cannot be
    found, since no field of theirs has an n-gram. ``ngram_count``: the unlike n-grams. ``digest``: hexadecimal; equal
    for two indexes exactly when they find the same.
    """

    ngram: int
    items: pa.Table
    short_items: pa.Table
    ngram_count: int
    digest: str
    _table: NgramTable
    _bounds: npt.NDArray[np.int64]  # where each text starts in the table's text
    _item: npt.NDArray[np.int64]  # the item of each text

    @staticmethod
    def build(settings: DecontaminateSettings) -> BenchmarkIndex:
        """Return the index of a recipe's benchmarks, read from their files. Raises what ``read_items`` raises."""
        return index_items(read_items(settings.benchmarks), settings.ngram)

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
        index = index_items(items, facts["ngram"]) if facts else None
        if index is None or index.digest != facts["digest"]:
            raise CorruptError(f"{source} is not what was saved as a benchmark index: build it again")
        return index

    def save(self, sink: str | Path | BinaryIO) -> None:
        """Write the index as Parquet: its items; the table of n-grams is made again when it is loaded."""
        facts = json.dumps({"ngram": self.ngram, "digest": self.digest})
        items = self.items.append_column(ITEMS.field(TEXT), self._texts()).replace_schema_metadata({_METADATA: facts})
        pq.write_table(items, sink, compression="zstd")

    def scan(self, texts: pa.Array | pa.ChunkedArray) -> pa.RecordBatch:
        """Return how much of each text is in a benchmark, and the first item found: ``CONTAMINATION_LAYER``.

        A null text gives nulls; a text of fewer than n words gives 0 and 0.0.
        """
        column = text_column(texts)
        longest = int(np.diff(column.offsets).max(initial=0))
        results = np.zeros((3, column.rows), np.int64)
        _kernels.scan(column, _alphabet(), self._table, _work(self.ngram, longest), results)
        total, found, first = results
        absent = np.asarray(texts.is_null())
        hit = self.items.take(self._owners(first)).combine_chunks()
        columns = [
            pa.array(found, pa.int64(), mask=absent),
            pa.array(found / np.maximum(total, 1), pa.float64(), mask=absent),
            hit[BENCHMARK].combine_chunks(),
            hit[BENCHMARK_ITEM].combine_chunks(),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=CONTAMINATION_LAYER)

    def _owners(self, places: npt.NDArray[np.int64]) -> pa.Array:
        """Return the item of each place in the table's text; null for -1."""
        found = places >= 0
        owners = np.zeros(len(places), np.int64)
        owners[found] = self._item[np.searchsorted(self._bounds, places[found], side="right") - 1]
        return pa.array(owners, mask=~found)

    def _texts(self) -> pa.Array:
        """Return the normalised texts of each item; normalised again, they stay as they are."""
        buffers = [None, pa.py_buffer(self._bounds), pa.py_buffer(self._table.text)]
        texts = pa.Array.from_buffers(pa.large_string(), len(self._item), buffers)
        starts = np.searchsorted(self._item, np.arange(len(self.items) + 1)).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(starts), texts)


def index_items(items: pa.Table, ngram: int) -> BenchmarkIndex:
    """Return the index of a table of ``ITEMS``. An n-gram that several items have belongs to the first of them."""
    lists = items[TEXT].combine_chunks()
    item = np.asarray(pc.list_parent_indices(lists))
    text, bounds = _normalised(text_column(pc.list_flatten(lists)))
    table = _empty_table(text, _ngrams_at_most(text, bounds, ngram))
    eligible = np.zeros(len(item), np.int64)
    count = _kernels.fill(table, bounds, _alphabet(), _work(ngram, 0), eligible)
    for array in table:
        array.flags.writeable = False
    named = items.select([BENCHMARK, BENCHMARK_ITEM])
    short = np.bincount(item, eligible, len(items)) == 0
    digest = _digest(ngram, named, text, bounds, item)
    return BenchmarkIndex(ngram, named, named.filter(pa.array(short)), count, digest, table, bounds, item)


def normalised_words(texts: pa.Array | pa.ChunkedArray) -> list[list[str]]:
    """Return the words of each text as they are compared; none for a null text. For looking at, not for speed."""
    text, bounds = _normalised(text_column(texts))
    rows = np.split(text, bounds[1:-1])
    return [row.tobytes().decode().split() for row in rows][: len(texts)]


def _normalised(column: TextColumn) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the normalised rows, one after another, and where each starts: uint8[bytes], int64[rows + 1]."""
    size = int(column.offsets[-1] - column.offsets[0])
    out = np.empty(2 * size, np.uint8)
    bounds = np.zeros(column.rows + 1, np.int64)
    _kernels.normalise_rows(column, _alphabet(), out, bounds)
    return out[: bounds[-1]].copy(), bounds


def _ngrams_at_most(text: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64], ngram: int) -> int:
    """Return how many n-grams the rows have, equal ones counted again."""
    words = np.diff(np.searchsorted(np.flatnonzero(text == _kernels.SPACE), bounds))
    return int(np.maximum(words - ngram + 1, 0).sum())


def _empty_table(text: npt.NDArray[np.uint8], ngrams: int) -> NgramTable:
    slots = SLOTS_PER_NGRAM * ngrams + 1
    bits = max(64, 1 << (FILTER_BITS_PER_NGRAM * ngrams).bit_length())
    return NgramTable(text, np.zeros(slots, np.uint64), np.full(slots, -1, np.int64), np.zeros(bits // 64, np.uint64))


def _work(ngram: int, longest: int) -> Work:
    """Return room for reading n-grams of rows of so many bytes at most."""
    words = np.zeros((2, ngram), np.uint64)
    return Work(words[0], np.zeros(ngram, np.int64), words[1], np.empty(2 * longest, np.uint8))


@cache
def _alphabet() -> Alphabet:
    """Return the tables that texts are normalised with."""
    classes, lower = character_classes(), lower_case()
    ascii_lower = np.where(classes[:128] & ALPHANUMERIC, lower[:128], 0).astype(np.uint8)
    ascii_lower.flags.writeable = False
    return Alphabet(ascii_lower, classes, lower)


def _digest(
    ngram: int, items: pa.Table, text: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64], item: npt.NDArray[np.int64]
) -> str:
    digest = hashlib.blake2b(digest_size=16)
    head = [_VERSION, ngram, items[BENCHMARK].to_pylist(), items[BENCHMARK_ITEM].to_pylist(), len(text)]
    digest.update(json.dumps(head).encode())
    for array in (text, bounds, item):
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
