"""The arithmetic of order statistics: how much weight lies on which bits, and in which range a wanted place lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema

_BITS: Final = 64
_ROWS_AT_ONCE: Final = 1 << 21
_KEYS: Final = [schema.COLUMN, schema.GROUP, schema.KEY]

COUNTS = pa.schema(
    [
        (schema.COLUMN, pa.int64()),
        (schema.GROUP, pa.string()),
        (schema.KEY, pa.uint64()),
        (schema.WEIGHT, pa.int64()),
        (schema.DOCUMENT_COUNT, pa.int64()),
    ]
)
"""How much weight, and how many documents, have which first bits of the value of a column, in a group."""

NARROWED = pa.schema(
    [
        *COUNTS,
        (schema.PLACE, pa.int64()),
        (schema.BELOW, pa.int64()),
        (schema.TOTAL, pa.int64()),
    ]
)
"""The range in which each wanted place lies: its bits, what lies in it, the cumulative weight that is wanted, the
weight below the range, and the weight of the group."""


class Round(NamedTuple):
    """A round that reads all but the last ``shift`` bits, within the ranges of the round before, if there was one."""

    shift: int
    shift_before: int | None
    narrowed: pa.Table | None


def counted(column: int, keys: pa.Array, weights: pa.Array, groups: pa.Array) -> pa.Table:
    """Return one row of `COUNTS` for each document."""
    rows = len(keys)
    ones = pa.array(np.ones(rows, np.int64))
    return pa.table([pa.array(np.full(rows, column, np.int64)), groups, keys, weights, ones], schema=COUNTS)


def at_round(rows: pa.Table, at: Round) -> pa.Table:
    """Return what documents put on the bits of a round: rows of `COUNTS`, sorted, their keys without the last bits."""
    if at.narrowed is not None and at.shift_before is not None:
        rows = _only_within(rows, at.narrowed, at.shift_before)
    keys = np.asarray(rows.column(schema.KEY)) >> np.uint64(at.shift)
    return _summed(rows.set_column(rows.column_names.index(schema.KEY), schema.KEY, pa.array(keys, pa.uint64())))


def summed(tables: Iterable[pa.Table]) -> pa.Table:
    """Return the sum of tables of `COUNTS`, sorted; memory is bounded by the sum and one batch of tables."""
    waiting, rows = [COUNTS.empty_table()], 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        if rows > _ROWS_AT_ONCE:
            waiting, rows = [_summed(pa.concat_tables(waiting))], 0
    return _summed(pa.concat_tables(waiting))


def narrowed(counts: pa.Table, at: Round, wanted: Callable[[int], Sequence[int]]) -> pa.Table:
    """Return the ranges of a round in which the wanted places lie, in the order in which they were wanted."""
    before = dict(_groups(at.narrowed)) if at.narrowed is not None else {}
    found = [NARROWED.empty_table()]
    for of, part in _groups(counts):
        asked = _asked_again(before[of], at.shift_before or 0) if before else _asked(part, wanted)
        found.append(_within(part, asked, at.shift))
    return pa.concat_tables(found)


def documents_in(ranges: pa.Table) -> int:
    """Return how many documents lie in the ranges, each range counted once."""
    once = ranges.group_by(_KEYS, use_threads=False).aggregate([(schema.DOCUMENT_COUNT, "max")])
    return int(pc.sum(once.column(f"{schema.DOCUMENT_COUNT}_max")).as_py() or 0)


class _Asked(NamedTuple):
    """Wanted places of a group, the weight below the range of each, the ranges' bits and shift; the group's weight."""

    places: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]
    ranges: npt.NDArray[np.uint64]
    shift: int
    total: int


def _asked(part: pa.Table, wanted: Callable[[int], Sequence[int]]) -> _Asked:
    """Return the places that are wanted of a group, before anything is known of where they lie."""
    total = int(pc.sum(part.column(schema.WEIGHT)).as_py())
    places = np.array(wanted(total), np.int64)
    zeros = np.zeros(len(places), np.int64)
    return _Asked(places, zeros, zeros.astype(np.uint64), _BITS, total)


def _asked_again(rows: pa.Table, shift: int) -> _Asked:
    places, below, keys = (np.asarray(rows.column(name)) for name in (schema.PLACE, schema.BELOW, schema.KEY))
    return _Asked(places, below, keys, shift, int(rows.column(schema.TOTAL)[0].as_py()))


def _within(part: pa.Table, asked: _Asked, shift: int) -> pa.Table:
    """Return the narrower range of each place, from the sorted counts of a group."""
    keys, weights = np.asarray(part.column(schema.KEY)), np.asarray(part.column(schema.WEIGHT))
    cumulative = np.concatenate([[0], np.cumsum(weights)])
    starts = asked.ranges << np.uint64(asked.shift - shift)
    first = np.searchsorted(keys, starts)
    rows = np.searchsorted(cumulative[1:], asked.places - asked.below + cumulative[first])
    chosen = part.take(pa.array(rows))
    columns = [asked.places, asked.below + cumulative[rows] - cumulative[first], np.full(len(rows), asked.total)]
    return pa.table([*chosen.columns, *map(pa.array, columns)], schema=NARROWED)


def _only_within(rows: pa.Table, ranges: pa.Table, shift: int) -> pa.Table:
    """Return the documents, in any order, that lie in one of the ranges of their column and group."""
    groups = pc.unique(ranges.column(schema.GROUP).combine_chunks())
    heads = pa.array(np.asarray(rows.column(schema.KEY)) >> np.uint64(shift), pa.uint64())
    documents = rows.append_column("of", pc.index_in(rows.column(schema.GROUP), groups)).append_column("head", heads)
    wanted = ranges.select([schema.COLUMN]).append_column("of", pc.index_in(ranges.column(schema.GROUP), groups))
    wanted = wanted.append_column("head", ranges.column(schema.KEY))
    found = documents.join(wanted, [schema.COLUMN, "of", "head"], join_type="left semi", use_threads=False)
    return found.select(COUNTS.names)


def _groups(table: pa.Table) -> Iterator[tuple[tuple[int, str | None], pa.Table]]:
    """Yield the parts of a table whose rows stand together by column and group."""
    starts = [0]
    if table.num_rows:
        pairs = table.select([schema.COLUMN, schema.GROUP])
        column = np.asarray(pairs.column(0))
        group = np.asarray(pc.fill_null(pairs.column(1).combine_chunks().dictionary_encode().indices, -1))
        starts += (np.flatnonzero((np.diff(column) != 0) | (np.diff(group) != 0)) + 1).tolist()
    for start, stop in zip(starts, [*starts[1:], table.num_rows], strict=True):
        part = table.slice(start, stop - start)
        if part.num_rows:
            yield (part.column(schema.COLUMN)[0].as_py(), part.column(schema.GROUP)[0].as_py()), part


def _summed(table: pa.Table) -> pa.Table:
    """Return one row for each column, group and key, sorted."""
    sums = [(schema.WEIGHT, "sum"), (schema.DOCUMENT_COUNT, "sum")]
    found = table.group_by(_KEYS, use_threads=False).aggregate(sums)
    ordered = found.select([*_KEYS, *(f"{name}_{how}" for name, how in sums)]).rename_columns(COUNTS.names)
    return ordered.cast(COUNTS).sort_by([(name, "ascending") for name in _KEYS]).combine_chunks()
