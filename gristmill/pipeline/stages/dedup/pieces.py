"""What travels of the pieces of texts that are compared: lines, sentences or n-grams, 36 bytes each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.columns import text_column
from gristmill.dedup.keys import partition_key, scope_digests
from gristmill.dedup.lines.units import Compared, Keys, span_keys
from gristmill.pipeline.exchange import KeyFiles
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.run import Run
from gristmill.text import TextBatch

KEYS = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (schema.ORDER, pa.uint64()),
        (schema.TIE, pa.uint64()),
        (schema.SHARD, pa.dictionary(pa.int32(), pa.string())),
        (schema.ROW, pa.int32()),
        (schema.PLACE, pa.int32()),
    ]
)
"""TIE is a hash of the document's id: it decides between documents of one order."""

DECIDED = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int32()), (schema.PLACE, pa.int32())])
"""A piece that something was decided on, by its place in its document."""

_DOCUMENTS = "documents"


def batch_of(table: pa.Table, words: str = "unicode") -> TextBatch:
    """Return a table's texts."""
    return TextBatch(table.column(schema.TEXT).combine_chunks(), words)


def keys_of(members: pa.Table, compared: Compared) -> pa.Table:
    """Return the table that travels of what is compared of some members. In another scope keys are others."""
    counts = np.diff(compared.counts)
    of = pa.array(np.repeat(np.arange(members.num_rows), counts))
    ids = text_column(members.column(schema.ID))
    ties = span_keys(ids.data, ids.offsets[:-1], ids.offsets[1:])
    columns = {
        schema.KEY: pa.array(compared.keys ^ np.repeat(_scopes(members), counts)),
        schema.ORDER: members.column(schema.ORDER).take(of),
        schema.TIE: pa.array(ties).take(of),
        schema.SHARD: members.column(schema.SHARD).combine_chunks().dictionary_encode().take(of),
        schema.ROW: members.column(schema.ROW).take(of),
        schema.PLACE: pa.array(compared.places),
    }
    return pa.table(columns).cast(KEYS)


def _scopes(members: pa.Table) -> Keys:
    """Return 64 bits for the scope of each member; 0 for all where that is the corpus."""
    scopes = members.column(schema.SCOPE).combine_chunks()
    if scopes.null_count == len(scopes):
        return np.zeros(len(scopes), np.uint64)
    return np.asarray(partition_key(scope_digests(scopes)))


def write_keys(keys: KeyFiles, shard: Shard, tables: Iterator[tuple[int, pa.Table]]) -> None:
    """Write a shard's keys, from tables that each come with the number of documents compared."""
    parts = list(tables)
    keys.write(shard, (table for _, table in parts), {_DOCUMENTS: sum(documents for documents, _ in parts)})


def documents_in(keys: KeyFiles) -> int:
    """Return how many documents were compared in all, as the footers of the keys have it."""
    return sum(keys.file(shard).counts()[_DOCUMENTS] for shard in keys.run.plan.shards)


def rows_of(run: Run, shard: Shard) -> int:
    """Return how many rows a shard has."""
    return run.footer(run.plan.text_step, shard).rows
