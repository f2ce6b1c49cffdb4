"""The answer to a query: each record's place once, in the order of the files, and which records a limit leaves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from gristmill import schema
from gristmill.crawl.index.settings import MOST_RECORDS
from gristmill.errors import CorruptError, UsageError

_ORDER = [(name, "ascending") for name in (schema.WARC, schema.OFFSET, schema.LENGTH, schema.URL)]
_CHOICE = "choice"
_SPARE = 1 << 17
_PATH = re.compile(r"(?:[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,254}/){0,15}[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,254}")


class Answer:
    """Collects records; with a limit it keeps the records whose hashes of (seed, file, offset) are the smallest."""

    def __init__(self, limit: int | None, seed: int) -> None:
        """``limit``: most records, or None for all of them."""
        self._limit = limit
        self._seed = seed
        self._tables: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        """Take records (`schema.RANGES`).

        Raises CorruptError for a place that can be none, UsageError for more records than a query may have.
        """
        _check(table)
        table = _plain(table)
        if self._limit is not None:
            table = table.append_column(_CHOICE, _choices(table, self._seed))
        self._tables.append(table)
        self._rows += table.num_rows
        if self._rows > (self._limit or MOST_RECORDS) + _SPARE:
            self._settle()

    def finish(self) -> pa.Table:
        """Return the records sorted by file and offset (`schema.RANGES`). Raises UsageError."""
        self._settle()
        return self._tables[0].select(schema.RANGES.names).cast(schema.RANGES).combine_chunks()

    def _settle(self) -> None:
        """Bring the records so far into order, each once, and as many as there may be."""
        table = pa.concat_tables(self._tables) if self._tables else schema.RANGES.empty_table()
        table = _unique(table.sort_by(_ORDER))
        if self._limit is not None and table.num_rows > self._limit:
            order = [(_CHOICE, "ascending"), *_ORDER]
            table = table.sort_by(order).slice(0, self._limit).sort_by(_ORDER)
        if table.num_rows > MOST_RECORDS:
            raise UsageError(
                f"the index query matches more than {MOST_RECORDS:,} records, too many to be read one by one; narrow "
                "it, set source.index.limit, or take whole WARC files of the crawl"
            )
        self._tables, self._rows = [table], table.num_rows


def cut(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """Yield a sorted answer in pieces of so many rows at most; none for an empty one."""
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def digest_of_ranges(table: pa.Table) -> str:
    """Return 32 hex digits of records' places and addresses, in order."""
    digest = hashlib.blake2b(digest_size=16)
    for row in zip(*(table.column(name).to_pylist() for name in schema.RANGES.names), strict=True):
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def is_safe_path(path: str) -> bool:
    """Return whether a path that an index names can be nothing but a path below the place where the crawl lies.

    >>> is_safe_path("crawl-data/CC-MAIN-2024-51/a.warc.gz"), is_safe_path("../a")
    (True, False)
    """
    return _PATH.fullmatch(path) is not None


def _check(table: pa.Table) -> None:
    """Raise CorruptError for the first record whose place can be none."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise CorruptError(f"the index is no text where it should be: {error}") from error
    for path in pc.unique(table.column(schema.WARC)).to_pylist():
        if path is None or not is_safe_path(path):
            raise CorruptError(f"the index names a WARC file '{str(path)[:100]}', which is no path of a crawl")
    least = (pc.min(table.column(schema.OFFSET)).as_py(), pc.min(table.column(schema.LENGTH)).as_py())
    nulls = sum(table.column(name).null_count for name in schema.RANGES.names)
    if nulls or any(value is not None and value < bound for value, bound in zip(least, (0, 1), strict=True)):
        raise CorruptError(f"the index names a record without a place: offset {least[0]}, length {least[1]}")


def _plain(table: pa.Table) -> pa.Table:
    """Return records with plain text columns, which sort by their bytes."""
    return table.select(schema.RANGES.names).cast(schema.RANGES)


def _choices(table: pa.Table, seed: int) -> pa.Array:
    places = zip(table.column(schema.WARC).to_pylist(), table.column(schema.OFFSET).to_pylist(), strict=True)
    return pa.array(
        [xxhash.xxh3_64_intdigest(f"{seed}/{warc}/{offset}".encode()) for warc, offset in places], pa.uint64()
    )


def _unique(table: pa.Table) -> pa.Table:
    """Return sorted records, the first of each place."""
    if table.num_rows < 2:
        return table
    files, offsets = table.column(schema.WARC), table.column(schema.OFFSET)
    same_file = pc.equal(files[1:], files[:-1])
    same_place = pc.and_(same_file, pc.equal(offsets[1:], offsets[:-1]))
    return table.filter(pa.array(np.append(True, ~np.asarray(same_place))))
