"""Hits: which spans of a page are whose, how much of an item the page has, and its longest match.

A span is a run of words of the page all of whose n-grams one text of an item has, or a short text as a whole. The share
of an item that a page has is the words of its texts which lie in n-grams that the page has, or in whole short texts, by
all words of its texts (as Llama 3 measures an evaluation example; Dubey et al. 2024, 5.1.4, with 8-grams of tokens).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.columns import TextColumn
from gristmill.dedup.contamination._kernels import Output
from gristmill.schema import BENCHMARK, BENCHMARK_ITEM, END, ROW, START, column
from gristmill.text import Integers

FIELD: Final = "field"
CHARACTER_START: Final = "character_start"
CHARACTER_END: Final = "character_end"
MATCHED_WORD_COUNT: Final = "matched_word_count"
ITEM_RATIO: Final = "item_ratio"
LONGEST_MATCH: Final = "longest_match"

HITS: Final = pa.schema(
    [
        column(ROW, pa.int64(), "row of the document in its shard, from 0", nullable=False),
        column(BENCHMARK, pa.string(), "benchmark of the item", nullable=False),
        column(BENCHMARK_ITEM, pa.string(), "the item", nullable=False),
        column(FIELD, pa.string(), "field of the item that has the span", nullable=False),
        column(START, pa.int64(), "byte of the text that the step read, where the span starts", nullable=False),
        column(END, pa.int64(), "byte after the span", nullable=False),
        column(CHARACTER_START, pa.int64(), "character where the span starts", nullable=False),
        column(CHARACTER_END, pa.int64(), "character after the span", nullable=False),
        column(MATCHED_WORD_COUNT, pa.int64(), "words of the span", nullable=False),
        column(ITEM_RATIO, pa.float64(), "words of the item that the document has / words of the item", nullable=False),
        column(LONGEST_MATCH, pa.int64(), "words of the longest span of this item in the document", nullable=False),
    ]
)
"""What is found in a shard: in order of rows, of spans, and of items as the recipe has them."""


class Owned(NamedTuple):
    """What is known of each text that is looked for.

    ``item``: int64, the item that it is of. ``field``: string. ``words``: int64.
    """

    item: Integers
    field: pa.Array
    words: Integers


class Found(NamedTuple):
    """What a batch has: its layer, and its hits, whose rows are those of the batch.

    ``matches``: int64[2, any], rows and matches, each once in a row; a match is a number of the index for an n-gram or
    for a short text, by which documents are counted.
    """

    layer: pa.RecordBatch
    hits: pa.Table
    matches: Integers


class Spans(NamedTuple):
    """Spans in order of rows, of where they start and of texts, with what is known of the items that they are of.

    All are int64[spans] but ``ratios``: float64.
    """

    rows: Integers
    texts: Integers
    items: Integers
    starts: Integers
    ends: Integers
    words: Integers
    longest: Integers
    ratios: npt.NDArray[np.float64]


def spans_of(out: Output, owned: Owned) -> Spans:
    """Return the spans that a scan has found."""
    row, text, first, words, start, end = out.spans[:, : out.counts[0]]
    order = np.lexsort((text, first, row))
    row, text, words, start, end = (values[order] for values in (row, text, words, start, end))
    item = owned.item[text]
    covered_row, covered_text, covered = out.texts[:, : out.counts[1]]
    item_words = np.bincount(owned.item, owned.words).astype(np.int64)
    pairs, of = np.unique(_pairs(covered_row, owned.item[covered_text], len(item_words)), return_inverse=True)
    ratios = np.bincount(of, covered, minlength=len(pairs)) / item_words[pairs % max(len(item_words), 1)]
    here = np.searchsorted(pairs, _pairs(row, item, len(item_words)))
    longest = np.zeros(len(pairs), np.int64)
    np.maximum.at(longest, here, words)
    return Spans(row, text, item, start, end, words, longest[here], ratios[here])


def _pairs(rows: Integers, items: Integers, count: int) -> Integers:
    return rows * count + items


def hits_table(spans: Spans, column: TextColumn, items: pa.Table, owned: Owned) -> pa.Table:
    """Return the table of hits; ``items`` has BENCHMARK and BENCHMARK_ITEM."""
    named = items.take(pa.array(spans.items))
    columns: list[Any] = [
        spans.rows,
        named[BENCHMARK],
        named[BENCHMARK_ITEM],
        owned.field.take(pa.array(spans.texts)),
        spans.starts,
        spans.ends,
        *_characters(spans, column),
        spans.words,
        spans.ratios,
        spans.longest,
    ]
    return pa.table(columns, schema=HITS)


def _characters(spans: Spans, column: TextColumn) -> tuple[Integers, Integers]:
    """Return the characters of each row before its spans' starts and before their ends."""
    rows, of = np.unique(spans.rows, return_inverse=True)
    sizes = np.diff(column.offsets)[rows]
    bases = np.concatenate([[0], np.cumsum(sizes)])
    before = np.zeros(bases[-1] + 1, np.int64)
    for row, base, size in zip(rows.tolist(), bases.tolist(), sizes.tolist(), strict=False):
        at = column.offsets[row]
        before[base + 1 : base + size + 1] = column.data[at : at + size] & 0xC0 != 0x80
    np.cumsum(before, out=before)
    at = bases[:-1][of]
    return before[at + spans.starts] - before[at], before[at + spans.ends] - before[at]
