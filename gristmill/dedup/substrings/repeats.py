"""Which windows of snippets stand somewhere before: found by a suffix array, compared byte by byte.

Snippets that are equal are compared once. Of the others a suffix array is made over their words, one after another;
equal windows are neighbours in it (Lee et al. 2022, section 4.1; the array is libdivsufsort's). No array of common
prefixes is needed, since neighbours are compared only up to a window's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.substrings.anchors import Hashes
from gristmill.dedup.substrings.compared import Snippets, compared_spans
from gristmill.text import Integers

REPEATS: Final = pa.schema(
    [(schema.SHARD, pa.string()), (schema.ROW, pa.int64()), (schema.START, pa.int64()), (schema.END, pa.int64())]
)
"""Words of a document, from START to before END, that lie in windows which stand before; spans may overlap."""

CHUNK_BYTES: Final = 16 << 20
"""What goes into one suffix array, but for the last anchor's rest; an anchor with more is divided."""


def repeats(found: pa.Table, n: int, chunk_bytes: int = CHUNK_BYTES) -> pa.Table:
    """Return the words of `SNIPPETS` that lie in windows of which an equal one stands before: `REPEATS`, sorted.

    Before is what comes first by (order, id, place). No result depends on ``chunk_bytes``. Memory follows from the
    rows given.
    """
    is_known = np.asarray(found.column(schema.TEXT).is_null())
    spans = [_spans(found.filter(pa.array(is_known)))]
    found = found.filter(pa.array(~is_known)).sort_by([(name, "ascending") for name in _ORDER])
    texts = found.column(schema.TEXT).combine_chunks().dictionary_encode()
    found = found.drop_columns([schema.TEXT])
    keys, codes = np.asarray(found.column(schema.KEY)), np.asarray(texts.indices)
    first = _firsts(keys, codes)
    spans.append(_spans(found.filter(pa.array(~first))))
    for chosen, parts in _chunks(np.flatnonzero(first), keys, _sizes(texts)[codes], chunk_bytes):
        rows = found.take(pa.array(chosen))
        snippets = Snippets.of_rows(rows, texts.dictionary.take(texts.indices.take(pa.array(chosen))))
        for part in snippets.parts(n, parts):
            of, starts, ends = compared_spans(part, n)
            spans.append(_spans(rows.take(pa.array(of)), starts, ends))
    return pa.concat_tables(spans).sort_by([(schema.SHARD, "ascending"), (schema.ROW, "ascending")])


_ORDER: Final = (schema.ORDER, schema.ID, schema.START)


def _spans(rows: pa.Table, starts: Integers | None = None, ends: Integers | None = None) -> pa.Table:
    """Return spans of words of some snippets' documents, by default the snippets themselves."""
    columns = [
        rows.column(schema.SHARD),
        rows.column(schema.ROW),
        rows.column(schema.START) if starts is None else starts,
        rows.column(schema.END) if ends is None else ends,
    ]
    return pa.table(columns, names=REPEATS.names).cast(REPEATS)


def _sizes(texts: pa.DictionaryArray) -> Integers:
    return np.asarray(pc.binary_length(texts.dictionary), np.int64)


def _firsts(keys: Hashes, codes: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Return whether each row is the first with its key and its code."""
    order = np.lexsort((keys, codes))
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (keys[order][1:] != keys[order][:-1]) | (codes[order][1:] != codes[order][:-1])
    first = np.zeros(len(order), np.bool_)
    first[order[is_new]] = True
    return first


def _chunks(rows: Integers, keys: Hashes, sizes: Integers, chunk_bytes: int) -> Iterator[tuple[Integers, int]]:
    """Yield rows whose keys several of them have, all of a key together, in their order; and into how many parts.

    A key with more than ``chunk_bytes`` is a chunk of its own.
    """
    rows = rows[np.argsort(keys[rows], kind="stable")]
    _, of, count = np.unique(keys[rows], return_inverse=True, return_counts=True)
    rows, of = rows[count[of] > 1], of[count[of] > 1]
    if not len(rows):
        return
    _, of = np.unique(of, return_inverse=True)
    size = np.bincount(of, sizes[rows]).astype(np.int64)
    parts = -(-size // chunk_bytes)
    alone = parts > 1
    chunk = (np.cumsum(size) - size) // chunk_bytes
    number = np.cumsum(np.append(False, (chunk[1:] != chunk[:-1]) | alone[1:] | alone[:-1]))
    bounds = np.flatnonzero(np.append(True, number[of][1:] != number[of][:-1]))
    for low, high in zip(bounds, np.append(bounds[1:], len(rows)), strict=True):
        yield rows[low:high], int(parts[of[low]]) if alone[of[low]] else 1
