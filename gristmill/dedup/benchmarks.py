"""Evaluation sets as they lie in JSON Lines files: the texts of their items."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import fsspec
import pyarrow as pa

from gristmill.dedup.settings import BenchmarkSettings
from gristmill.errors import CorruptError, MissingError, UsageError
from gristmill.schema import BENCHMARK, BENCHMARK_ITEM, TEXT, column

ITEMS: Final = pa.schema(
    [
        column(BENCHMARK, pa.string(), "benchmark as the recipe names it", nullable=False),
        column(
            BENCHMARK_ITEM, pa.string(), "the item's `id`, or the number of its line if it has none", nullable=False
        ),
        column(TEXT, pa.list_(pa.large_string()), "the texts of its fields; no n-gram spans two", nullable=False),
    ]
)
_NOT_TEXT: Final = ("id", "benchmark")


def read_items(benchmarks: Sequence[BenchmarkSettings]) -> pa.Table:
    """Return the items of the benchmarks, in the order of the recipe and of their files: a table of ``ITEMS``.

    Raises MissingError for a file that cannot be opened, CorruptError for one that cannot be read to its end, and
    UsageError for a line that is no item or lacks a field, and for a benchmark without items.
    """
    return pa.concat_tables([_read(benchmark) for benchmark in benchmarks])


def _read(benchmark: BenchmarkSettings) -> pa.Table:
    ids, texts = [], []
    for number, line in enumerate(_lines(benchmark), start=1):
        if line.strip():
            where = f"{benchmark.path}:{number}"
            item = _parse(line, where)
            ids.append(_id(item, number))
            texts.append([_encodable(text) for text in _texts(item, benchmark, where)])
    if not any(texts):
        raise UsageError(f"benchmark {benchmark.name!r}: {benchmark.path} has {len(ids)} items, and none has a text")
    names = pa.repeat(pa.scalar(benchmark.name), len(ids))
    return pa.Table.from_arrays([names, pa.array(ids), pa.array(texts, ITEMS.field(TEXT).type)], schema=ITEMS)


def _lines(benchmark: BenchmarkSettings) -> Iterator[bytes]:
    where = f"benchmark {benchmark.name!r}: {benchmark.path}"
    try:
        with fsspec.open(benchmark.path, "rb", compression="infer") as file:
            yield from file
    except FileNotFoundError as error:
        raise MissingError(f"{where} does not exist") from error
    except (EOFError, zlib.error) as error:
        raise CorruptError(f"{where} cannot be unpacked to its end: {error}") from error
    except (OSError, ImportError, ValueError) as error:
        raise MissingError(f"{where} cannot be read: {error}") from error


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not a line of JSON: {error}") from error
    if not isinstance(item, dict):
        raise UsageError(f"{where}: an item is a JSON object with fields, not {type(item).__name__}")
    return item


def _id(item: dict[str, Any], number: int) -> str:
    given = item.get("id")
    if given is None:
        return str(number)
    return _encodable(given if isinstance(given, str) else json.dumps(given))


def _texts(item: dict[str, Any], benchmark: BenchmarkSettings, where: str) -> list[str]:
    """Return the texts of the fields that are looked for, each by itself."""
    if benchmark.fields is None:
        values = (value for name, value in item.items() if name not in _NOT_TEXT)
        return [text for value in values for text in _text_or_list(value) or ()]
    texts = []
    for name in benchmark.fields:
        if name not in item:
            raise UsageError(f"{where}: the item has no field {name!r}; it has {', '.join(item)}")
        found = _text_or_list(item[name])
        if found is None:
            raise UsageError(f"{where}: field {name!r} is neither text nor a list of texts")
        texts += found
    return texts


def _text_or_list(value: Any) -> list[str] | None:
    """Return a text, or a list of texts, as a list; null as an empty list; None for anything else."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return values if all(isinstance(v, str) for v in values) else None


def _encodable(text: str) -> str:
    """Return the text with its lone surrogates, which JSON can write and UTF-8 cannot, as question marks."""
    return text.encode("utf-8", "replace").decode()
