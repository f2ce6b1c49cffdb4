"""A file of the columnar index, read as little as its footer allows: the stretches and columns that can matter.

A Parquet file consists of row groups, and the footer tells each column's least and greatest value in each of them. A
row group that cannot hold what is asked for is not read; of the others, the columns of conditions are read first,
and the addresses and places of records only if a row satisfies them. Memory is bounded by a batch of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.crawl.index.conditions import FILE, LENGTH, OFFSET, URL, Bounds, Condition, Mask
from gristmill.crawl.index.scan import Scan
from gristmill.errors import CorruptError

_BATCH_ROWS = 1 << 16
_BUFFER_BYTES = 1 << 22
_ANSWER = (URL, FILE, OFFSET, LENGTH)
_NAMES = {URL: schema.URL, FILE: schema.WARC, OFFSET: schema.OFFSET, LENGTH: schema.LENGTH}


class IndexFile:
    """One Parquet file of the index, and what reading it came to (``scan``)."""

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        """``file``: open for reading, seekable; ``size``: its bytes; ``name``: for messages. Raises CorruptError."""
        self._name = name
        try:
            self._file = pq.ParquetFile(
                pa.PythonFile(file, mode="r"),
                pre_buffer=False,
                buffer_size=_BUFFER_BYTES,
                coerce_int96_timestamp_unit="ms",
                read_dictionary=[FILE],
            )
        except (pa.ArrowException, OSError) as error:
            raise _corrupt(name, error) from error
        self._metadata = self._file.metadata
        self._columns = {name: index for index, name in enumerate(self._metadata.schema.names)}
        self.scan = Scan(1, self._metadata.num_row_groups, 0, size, self._metadata.serialized_size)

    def rows(self, conditions: Sequence[Condition]) -> Iterator[pa.Table]:
        """Yield the records that satisfy all conditions, as `schema.RANGES`. Raises CorruptError."""
        self._check_columns([*_ANSWER, *(condition.column for condition in conditions)])
        self.scan.left |= {condition.name: 0 for condition in conditions}
        try:
            for group in range(self._metadata.num_row_groups):
                if self._can_hold(group, conditions):
                    self.scan.groups_read += 1
                    yield from self._rows_of(group, conditions)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _corrupt(self._name, error) from error

    def _check_columns(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._columns:
                raise CorruptError(f"{self._name} has no column {name}; this crawl's index cannot be asked for it")

    def _can_hold(self, group: int, conditions: Sequence[Condition]) -> bool:
        """Return whether a row group can hold a row for all conditions; count its rows for those that it can."""
        facts = self._metadata.row_group(group)
        possible: list[str] = []
        for condition in conditions:
            bounds = self._bounds(facts, condition.bounded)
            if bounds is not None and not condition.can_hold(bounds):
                for name in possible:
                    self.scan.left[name] += facts.num_rows
                return False
            possible.append(condition.name)
        return True

    def _bounds(self, facts: Any, column: str) -> Bounds | None:
        """Return a column's bounds in a row group, texts as bytes; None if the footer does not tell them."""
        if column not in self._columns:
            return None
        statistics = facts.column(self._columns[column]).statistics
        if statistics is None or not statistics.has_min_max:
            return None
        if statistics.physical_type == "BYTE_ARRAY":
            return Bounds(statistics.min_raw, statistics.max_raw)
        return Bounds(statistics.min, statistics.max)

    def _rows_of(self, group: int, conditions: Sequence[Condition]) -> Iterator[pa.Table]:
        """Yield a row group's records; its columns are read in passes, as long as any row is left."""
        mask = np.ones(self._metadata.row_group(group).num_rows, np.bool_)
        for condition in conditions:
            if condition.column != URL:
                self._narrow(group, condition, mask)
                if not mask.any():
                    return
        last = [condition for condition in conditions if condition.column == URL]
        for start, batch in self._batches(group, list(_ANSWER)):
            chosen = mask[start : start + batch.num_rows]
            if not chosen.any():
                continue
            table = pa.Table.from_batches([batch.filter(pa.array(chosen))])
            for condition in last:
                holds = condition.holds(table.column(URL).combine_chunks())
                self.scan.left[condition.name] += int(holds.sum())
                table = table.filter(pa.array(holds))
            if table.num_rows:
                yield as_ranges(table)

    def _narrow(self, group: int, condition: Condition, mask: Mask) -> None:
        """Take the rows out of the mask that do not satisfy a condition."""
        for start, batch in self._batches(group, [condition.column]):
            stretch = slice(start, start + batch.num_rows)
            if mask[stretch].any():
                mask[stretch] &= condition.holds(batch.column(0))
        self.scan.left[condition.name] += int(mask.sum())

    def _batches(self, group: int, columns: list[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield columns of a row group in batches, each with the number of rows before it."""
        facts = self._metadata.row_group(group)
        self.scan.bytes_read += sum(facts.column(self._columns[name]).total_compressed_size for name in columns)
        start = 0
        for batch in self._file.iter_batches(_BATCH_ROWS, [group], columns, use_threads=False):
            yield start, batch.select(columns)
            start += batch.num_rows


def as_ranges(table: pa.Table) -> pa.Table:
    """Return rows of an index as `schema.RANGES`; files may be dictionary-encoded, numbers smaller."""
    table = table.select(_ANSWER)
    return table.rename_columns([_NAMES[name] for name in table.column_names]).select(schema.RANGES.names)


def _corrupt(name: str, error: Exception) -> CorruptError:
    return CorruptError(f"{name} is not a readable Parquet file of an index: {error}")
