"""Items as they lie in files: JSON Lines, JSON, Parquet, CSV and TSV."""

from __future__ import annotations

import csv
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import Any, Final
from zipfile import BadZipFile

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.compression import compr
from fsspec.utils import infer_compression

from gristmill.dedup.benchmarks.settings import Format
from gristmill.errors import CorruptError, MissingError, UsageError

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError

_FORMATS: Final[dict[str, Format]] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
}
_LONGEST_VALUE: Final = 1 << 27
MOST_BYTES: Final = 1 << 32


@dataclass(frozen=True)
class Row:
    """An item of a file. ``number``: of its line from 1, or of its row from 0; ``where``: file and number."""

    item: Mapping[str, Any]
    number: int
    where: str


def format_of(address: str) -> Format:
    """Return what a file's name says, packed or not; JSON Lines if it says nothing.

    >>> format_of("a.csv.gz"), format_of("test/0000.parquet"), format_of("a")
    ('csv', 'parquet', 'jsonl')
    """
    suffixes = PurePosixPath(address.split("?", 1)[0]).suffixes
    if suffixes and infer_compression(f"x{suffixes[-1]}") is not None:
        suffixes.pop()
    return _FORMATS.get(suffixes[-1].lower() if suffixes else "", "jsonl")


def unpacked(content: bytes, address: str) -> bytes:
    """Return what a file holds, unpacked if its name says that it is packed. Raises CorruptError, MissingError."""
    packing = infer_compression(address.split("?", 1)[0])
    if packing is None:
        return content
    try:
        with compr[packing](io.BytesIO(content), mode="rb") as file:
            found = bytes(file.read(MOST_BYTES + 1))
    except (EOFError, zlib.error) as error:
        raise CorruptError(f"{address} cannot be unpacked to its end: {error}") from error
    except (OSError, ValueError, RuntimeError, LZMAError, BadZipFile, ZstdError) as error:
        raise MissingError(f"{address} cannot be read as {packing}: {error}") from error
    if len(found) > MOST_BYTES:
        raise UsageError(f"{address} holds more than {MOST_BYTES:,} bytes, which is too much for an evaluation set")
    return found


def rows_of(content: bytes, address: str, form: Format) -> Iterator[Row]:
    """Yield the items of an unpacked file. Raises UsageError for what is no item, CorruptError for half a file."""
    if form == "parquet":
        return _numbered(_parquet(content, address), address)
    if form == "json" and content.lstrip()[:1] == b"[":
        return _numbered(_array(content, address), address)
    if form in ("csv", "tsv"):
        return _numbered(_separated(content, address, "," if form == "csv" else "\t"), address)
    return _lines(content, address)


def _lines(content: bytes, address: str) -> Iterator[Row]:
    for number, line in enumerate(io.BytesIO(content), start=1):
        if line.strip():
            where = f"{address}:{number}"
            yield Row(_object(_parsed(line, where, "a line of JSON"), where), number, where)


def _numbered(items: Iterator[Any], address: str) -> Iterator[Row]:
    for number, item in enumerate(items):
        where = f"{address}, row {number}"
        yield Row(_object(item, where), number, where)


def _parsed(text: bytes, where: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not {what}: {error}") from error


def _object(item: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise UsageError(f"{where}: an item is a JSON object with fields, not {type(item).__name__}")
    return item


def _array(content: bytes, address: str) -> Iterator[Any]:
    yield from _parsed(content, address, "JSON")


def _parquet(content: bytes, address: str) -> Iterator[Any]:
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorruptError(f"{address} is no whole Parquet file: {error}") from error


def _separated(content: bytes, address: str, separator: str) -> Iterator[Any]:
    """Yield the rows of a table with a header. Raises UsageError."""
    before = csv.field_size_limit(_LONGEST_VALUE)
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator, strict=True)
        for number, item in enumerate(table):
            if None in item or None in item.values():
                raise UsageError(f"{address}, row {number}: it has not as many values as the header has names")
            yield item
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{address} is no table of {separator!r}-separated values: {error}") from error
    finally:
        csv.field_size_limit(before)
