"""The items of evaluation sets, read from their files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from gristmill.dedup.benchmarks.fields import Item, Part, every_text, parts_of, texts_at
from gristmill.dedup.benchmarks.items import ITEMS, Split
from gristmill.dedup.benchmarks.rows import Row, format_of, rows_of, unpacked
from gristmill.dedup.benchmarks.settings import BenchmarkSettings
from gristmill.dedup.benchmarks.sources import Definition, File, content, definition
from gristmill.errors import UsageError

_DEFAULT_ID: Final = "id"


class _Read(NamedTuple):
    id: str
    parts: list[Part]
    split: Split


def read_items(benchmarks: Sequence[BenchmarkSettings]) -> pa.Table:
    """Return the items of the benchmarks, in the order of the recipe and of their files: a table of ``ITEMS``.

    Raises MissingError for a name that is not registered and a file that cannot be opened, AccessError for one that a
    server does not give, CorruptError for one that cannot be read to its end, and UsageError for a line that is no
    item or lacks a field, and for a benchmark without items.
    """
    return pa.concat_tables([_read(benchmark) for benchmark in benchmarks])


def _read(benchmark: BenchmarkSettings) -> pa.Table:
    said = definition(benchmark)
    found = [item for file in said.files for item in _items(file, benchmark, said)]
    if not any(item.parts for item in found):
        where = ", ".join(file.address for file in said.files)
        raise UsageError(f"benchmark {benchmark.name!r}: {where} has {len(found)} items, and none has a text")
    columns = [
        pa.repeat(pa.scalar(benchmark.name), len(found)),
        pa.array([item.id for item in found], pa.string()),
        pa.array([[_encodable(part.text) for part in item.parts] for item in found], pa.list_(pa.large_string())),
        pa.array([[_encodable(part.field) for part in item.parts] for item in found], pa.list_(pa.string())),
        pa.array([[part.kind for part in item.parts] for item in found], pa.list_(pa.string())),
        pa.array([item.split for item in found], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=ITEMS)


def _items(file: File, benchmark: BenchmarkSettings, said: Definition) -> Iterator[_Read]:
    found = unpacked(content(file, benchmark.name), file.address)
    for row in rows_of(found, file.address, benchmark.format or format_of(file.address)):
        try:
            parts = _parts(row.item, said)
            split = _split(row.item, benchmark)
            yield _Read(f"{file.prefix}{_id(row, said)}", parts, split)
        except UsageError as error:
            raise type(error)(f"{row.where}: {error}") from error


def _parts(item: Item, said: Definition) -> list[Part]:
    if said.fields is None:
        return every_text(item, said.kind)
    return [part for field in said.fields for part in parts_of(item, field, said.kind)]


def _split(item: Item, benchmark: BenchmarkSettings) -> Split:
    is_train = any(value in values for name, values in benchmark.train.items() for value in texts_at(item, name))
    return "train" if is_train else benchmark.split


def _id(row: Row, said: Definition) -> str:
    """Return an item's id, or its number in the file. Raises UsageError if it lacks the field that holds it."""
    if said.id is not None and said.id not in row.item:
        raise UsageError(f"the item has no field {said.id!r} for its id; it has {', '.join(map(str, row.item))}")
    given = row.item.get(said.id or _DEFAULT_ID)
    if given is None:
        return str(row.number)
    return _encodable(given if isinstance(given, str) else json.dumps(given, default=str))


def _encodable(text: str) -> str:
    """Return the text with its lone surrogates, which JSON can write and UTF-8 cannot, as question marks."""
    return text.encode("utf-8", "replace").decode()
