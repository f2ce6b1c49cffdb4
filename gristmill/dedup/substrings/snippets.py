"""Snippets: the words around an anchor that the corpus has several times, on their way to be compared.

A *snippet* holds all windows of a document that have one anchor, and no others; so each window is in one snippet, and
those that are equal come to one place by their anchor's key.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.substrings import _kernels
from gristmill.dedup.substrings.anchors import Anchors, Hashes, Words, find_anchors, find_words
from gristmill.text import Integers

SNIPPETS: Final = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (schema.ORDER, pa.uint64()),
        (schema.ID, pa.string()),
        (schema.SHARD, pa.string()),
        (schema.ROW, pa.int64()),
        (schema.START, pa.int64()),
        (schema.END, pa.int64()),
        (schema.POSITION, pa.int64()),
        (schema.TEXT, pa.large_binary()),
    ]
)
"""START and END are the words of the document that a snippet has, POSITION the anchor's first word. TEXT is null where
all windows of these words are known to stand before in the same batch: then they are copies, and not compared again."""

_MEMBER: Final = (schema.ORDER, schema.ID, schema.SHARD, schema.ROW)


def keys_of(texts: pa.Array, n: int, scopes: Hashes | None = None) -> Hashes:
    """Return the key of each anchor of windows of n words, repeated ones too."""
    return find_anchors(find_words(texts), n, scopes).keys


def snippets(documents: pa.Table, repeated: Hashes, n: int, scopes: Hashes | None = None) -> pa.Table:
    """Return the snippets of documents whose anchors are repeated: `SNIPPETS`.

    ``documents`` has ORDER, ID, SHARD, ROW and TEXT; ``repeated`` are keys, sorted. Of equal snippets the first by
    (order, id, place) has its words; the others are joined where they touch, and have none.
    """
    words = find_words(documents.column(schema.TEXT).combine_chunks())
    found = find_anchors(words, n, scopes)
    chosen = np.flatnonzero(is_among(found.keys, repeated))
    chosen = chosen[np.argsort(_ranks(documents)[found.rows[chosen]], kind="stable")]
    ordered = found.take(chosen)
    same = np.empty(len(chosen), np.int64)
    table = np.full(1 << max(1, (2 * len(chosen)).bit_length()), -1, np.int64)
    _kernels.first_equals(words.data, words[3:], (ordered.keys, ordered.firsts, ordered.stops), table, same)
    is_first = same == np.arange(len(same))
    firsts = ordered.take(is_first)
    compared = _rows(documents, words, firsts, _joined(words, firsts))
    return pa.concat_tables([compared, _rows(documents, words, _runs(ordered.take(~is_first)), None)])


def is_among(keys: Hashes, wanted: Hashes) -> npt.NDArray[np.bool_]:
    """Return whether each key is one of the wanted, which are sorted."""
    if not len(wanted):
        return np.zeros(len(keys), np.bool_)
    found: npt.NDArray[np.bool_] = wanted[np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)] == keys
    return found


def run_starts(rows: Integers, firsts: Integers, stops: Integers) -> npt.NDArray[np.bool_]:
    """Return whether each span begins a run of spans that touch or overlap; they are sorted by row, start and stop."""
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = (rows[1:] != rows[:-1]) | (firsts[1:] > stops[:-1])
    return starts


def _runs(found: Anchors) -> Anchors:
    """Return snippets of one row that touch as one, with the key and the position of the first."""
    starts = run_starts(found.rows, found.firsts, found.stops)
    ends = np.append(np.flatnonzero(starts)[1:], len(starts)) - 1 if len(starts) else np.empty(0, np.int64)
    return found.take(starts)._replace(stops=found.stops[ends])


def _ranks(documents: pa.Table) -> Integers:
    """Return the place of each document by (order, id)."""
    indices = pc.sort_indices(documents, [(schema.ORDER, "ascending"), (schema.ID, "ascending")])
    ranks = np.empty(documents.num_rows, np.int64)
    ranks[np.asarray(indices)] = np.arange(documents.num_rows)
    return ranks


def _rows(documents: pa.Table, words: Words, found: Anchors, texts: pa.Array | None) -> pa.Table:
    """Return the rows of some snippets."""
    bases = words.counts[found.rows]
    places = {
        schema.KEY: found.keys,
        schema.START: found.firsts - bases,
        schema.END: found.stops - bases,
        schema.POSITION: found.positions - bases,
        schema.TEXT: pa.nulls(len(found.rows), pa.large_binary()) if texts is None else texts,
    }
    taken = documents.select(list(_MEMBER)).take(pa.array(found.rows))
    columns = {name: taken.column(name) for name in _MEMBER} | places
    return pa.table([columns[name] for name in SNIPPETS.names], names=SNIPPETS.names).cast(SNIPPETS)


def _joined(words: Words, found: Anchors) -> pa.Array:
    """Return the words of each snippet, each followed by a separator: large_binary."""
    sizes = np.concatenate([[0], np.cumsum(words.ends.astype(np.int64) - words.starts + 1)])
    offsets = np.concatenate([[0], np.cumsum(sizes[found.stops] - sizes[found.firsts])])
    out = np.empty(offsets[-1], np.uint8)
    _kernels.join_words(words.data, (words.starts, words.ends), (found.firsts, found.stops), out)
    return pa.Array.from_buffers(pa.large_binary(), len(found.rows), [None, pa.py_buffer(offsets), pa.py_buffer(out)])
