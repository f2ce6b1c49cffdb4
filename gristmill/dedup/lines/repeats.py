"""Repeats: of what has one key, that which goes, or that which something before it has.

Both take a table with the columns KEY, ORDER, TIE, SHARD, ROW and PLACE. Before another comes what is in the document
that is first by (order, tie), and in that document by place. Neither the order of the rows nor their chunks change a
result.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.dedup.lines.settings import Meaning
from gristmill.schema import HITS, KEY, ORDER, PLACE, ROW, SHARD, TIE

Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

_STEP = np.uint64(0xD6E8FEB86659FD93)


def repeats(units: pa.Table, meaning: Meaning, documents: int) -> pa.Table:
    """Return SHARD, ROW and PLACE of the units that go, sorted by shard and row.

    ``documents`` is how many were compared in all: they are counted in as many buckets as they fill, and the copies of
    a unit in another bucket are none.
    """
    buckets = -(-documents // meaning.bucket_documents) if meaning.bucket_documents else 1
    keys = _bucketed(np.asarray(units.column(KEY)), np.asarray(units.column(TIE)), buckets)
    order = np.argsort(keys, kind="stable")
    counts = _run_lengths(keys[order])
    often = order[np.repeat(counts > meaning.most, counts)]
    found = units.take(pa.array(often))
    if meaning.copies_kept == "first":
        order, starts = _ordered(found, keys[often])
        found = found.take(pa.array(order[~starts]))
    return _named(found, [SHARD, ROW, PLACE])


def seen(ngrams: pa.Table) -> pa.Table:
    """Return SHARD, ROW, PLACE, and as HITS how many n-grams of that place stand before it; sorted by shard and row."""
    keys = np.asarray(ngrams.column(KEY))
    order = np.argsort(keys, kind="stable")
    counts = _run_lengths(keys[order])
    often = order[np.repeat(counts > 1, counts)]
    found = ngrams.take(pa.array(often))
    order, starts = _ordered(found, keys[often])
    found = found.take(pa.array(order))
    later = np.zeros(len(order), np.bool_)
    firsts = np.repeat(np.flatnonzero(starts), _lengths(starts))
    for name in (ORDER, TIE, PLACE):
        values = np.asarray(found.column(name))
        later |= values != values[firsts]
    places = found.filter(pa.array(later)).group_by([SHARD, ROW, PLACE]).aggregate([([], "count_all")])
    return _named(places.rename_columns([SHARD, ROW, PLACE, HITS]), [SHARD, ROW, PLACE, HITS])


def _bucketed(keys: Keys, ties: Keys, buckets: int) -> Keys:
    """Return keys that are equal only within a bucket; a document's bucket follows from its tie."""
    return keys if buckets == 1 else keys ^ ties % np.uint64(buckets) * _STEP


def _starts(keys: Keys) -> Mask:
    """Return where a key differs from the one before it; the first does."""
    starts = np.ones(len(keys), np.bool_)
    starts[1:] = keys[1:] != keys[:-1]
    return starts


def _lengths(starts: Mask) -> npt.NDArray[np.int64]:
    return np.diff(np.append(np.flatnonzero(starts), len(starts)))


def _run_lengths(keys: Keys) -> npt.NDArray[np.int64]:
    """Return the length of each run of equal keys."""
    return _lengths(_starts(keys))


def _ordered(rows: pa.Table, keys: Keys) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return the order by key, then by what comes before what; and where in it a key starts."""
    by = [np.asarray(rows.column(name)) for name in (PLACE, TIE, ORDER)]
    order = np.lexsort((*by, keys))
    return order, _starts(keys[order])


def _named(rows: pa.Table, columns: list[str]) -> pa.Table:
    """Return columns of rows, sorted by the name of the shard, and by row."""
    table = rows.select(columns)
    table = table.set_column(0, SHARD, table.column(SHARD).cast(pa.string()))
    return table.sort_by([(SHARD, "ascending"), (ROW, "ascending")])
