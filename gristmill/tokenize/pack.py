"""Documents to training sequences: their tokens end to end, cut into rows of one length.

Every token of every document is in exactly one row, in order. Nothing is padded and nothing is dropped: the last row
may be shorter. A document longer than a row continues in the next, and its id stands in each row that holds a part of
it. This wastes no position; what it costs is that a row's first document may begin before it.

Rows come out in batches of about a million tokens, cut at the same places however the documents came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from gristmill import schema

BATCH_TOKENS = 1 << 20


class _Documents(NamedTuple):
    """Whole documents, but for the first, which may have lost its head: ``tokens`` are end to end, ``lengths`` each."""

    ids: pa.Array
    lengths: npt.NDArray[np.int64]
    tokens: npt.NDArray[Any]


def pack(documents: Iterable[pa.RecordBatch], sequence_length: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `schema.packed` for documents (ID, TOKENS) that come in their final order.

    All rows hold ``sequence_length`` tokens but the last. Without documents nothing is yielded. Raises ValueError for
    a document without tokens, since no row could hold it.
    """
    batch_tokens = max(1, BATCH_TOKENS // sequence_length) * sequence_length
    waiting: list[_Documents] = []
    waiting_tokens = 0
    for batch in documents:
        waiting.append(_documents(batch))
        waiting_tokens += len(waiting[-1].tokens)
        if waiting_tokens >= batch_tokens:
            rest = _joined(waiting)
            while len(rest.tokens) >= batch_tokens:
                head, rest = _split(rest, batch_tokens)
                yield _rows(head, sequence_length)
            waiting, waiting_tokens = [rest], len(rest.tokens)
    if waiting_tokens:
        yield _rows(_joined(waiting), sequence_length)


def unpack(shard: pa.Table) -> pa.Table:
    """Return the whole documents (ID, TOKENS) of a token shard, in order: what `pack` was given.

    A document goes on in the next row where that row begins with the id that this one ends with.
    """
    ids, lengths = _flat(shard.column(schema.DOCUMENT_IDS)), _flat(shard.column(schema.DOCUMENT_LENGTHS))
    per_row = pc.list_value_length(shard.column(schema.DOCUMENT_IDS)).to_numpy()
    row_starts = (np.cumsum(per_row) - per_row)[1:]
    goes_on = pc.equal(ids.take(pa.array(row_starts)), ids.take(pa.array(row_starts - 1)))
    first = np.ones(len(ids), np.bool_)
    first[row_starts[goes_on.to_numpy(zero_copy_only=False)]] = False
    starts = np.flatnonzero(first)
    totals = np.add.reduceat(lengths.to_numpy().astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)
    tokens = _lists(np.append(0, np.cumsum(totals)), _flat(shard.column(schema.TOKENS)))
    return pa.table({schema.ID: ids.take(pa.array(starts)), schema.TOKENS: tokens})


def tokens_digests(tokens: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return xxh3_64 of each row's tokens as little-endian bytes: uint64, null for a null row."""
    array = _one_chunk(tokens)
    values = array.values.to_numpy()
    view = values.astype(values.dtype.newbyteorder("<"), copy=False).view(np.uint8).data
    bounds = (array.offsets.to_numpy().astype(np.int64) * values.itemsize).tolist()
    digests = np.fromiter((xxh3_64_intdigest(view[a:b]) for a, b in pairwise(bounds)), np.uint64, count=len(array))
    return pa.array(digests, pa.uint64(), mask=np.asarray(array.is_null()))


def _documents(batch: pa.RecordBatch) -> _Documents:
    ids, tokens = batch.column(schema.ID), batch.column(schema.TOKENS)
    lengths = pc.fill_null(pc.list_value_length(tokens), 0).to_numpy().astype(np.int64)
    if empty := int(np.count_nonzero(lengths == 0)):
        example = ids[int(np.argmin(lengths))]
        raise ValueError(f"{empty} documents have no tokens, such as {example}: encode ends each with end-of-text")
    return _Documents(ids.cast(pa.string()), lengths, tokens.flatten().to_numpy())


def _joined(parts: list[_Documents]) -> _Documents:
    if len(parts) == 1:
        return parts[0]
    ids, lengths, tokens = zip(*parts, strict=True)
    return _Documents(pa.concat_arrays(ids), np.concatenate(lengths), np.concatenate(tokens))


def _split(documents: _Documents, count: int) -> tuple[_Documents, _Documents]:
    """Return the first ``count`` tokens and the rest; the document at the cut is in both, with its part."""
    ends = np.cumsum(documents.lengths)
    last = int(np.searchsorted(ends, count))
    head, tail = documents.lengths[: last + 1].copy(), documents.lengths[last:].copy()
    tail[0] = ends[last] - count
    head[-1] -= tail[0]
    whole = int(tail[0] == 0)  # a document that ends at the cut is not in the rest
    return (
        _Documents(documents.ids[: last + 1], head, documents.tokens[:count]),
        _Documents(documents.ids[last + whole :], tail[whole:], documents.tokens[count:]),
    )


def _rows(documents: _Documents, sequence_length: int) -> pa.RecordBatch:
    count = len(documents.tokens)
    row_starts = np.arange(0, count, sequence_length)
    ends = np.cumsum(documents.lengths)
    part_starts = np.union1d(row_starts, ends - documents.lengths)
    ids = documents.ids.take(pa.array(np.searchsorted(ends, part_starts, side="right")))
    lengths = np.diff(part_starts, append=count).astype(np.int32)
    parts_of_rows = np.searchsorted(part_starts, np.append(row_starts, count))
    return pa.record_batch(
        [
            _lists(np.append(row_starts, count), pa.array(documents.tokens)),
            _lists(parts_of_rows, ids),
            _lists(parts_of_rows, pa.array(lengths)),
        ],
        schema=schema.packed(pa.from_numpy_dtype(documents.tokens.dtype)),
    )


def _lists(offsets: npt.NDArray[np.int64], values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values)


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return _one_chunk(column).flatten()
