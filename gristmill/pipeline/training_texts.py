"""Texts that a model is trained on: of files, and of what a finished run kept."""

from __future__ import annotations

import json
import lzma
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.columns import text_column
from gristmill.errors import CorruptError, MissingError, UsageError
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run, is_run, open_run

_BLOCK_BYTES: Final = 1 << 24
_ROWS: Final = 8192
JSON_KINDS: Final = frozenset({".jsonl", ".ndjson", ".json"})
PACKED: Final = frozenset({".gz", ".xz", ".bz2", ".zst", ".zstd", ".lzma"})


def training_texts(sources: Sequence[str], column: str = schema.TEXT) -> Iterator[pa.LargeStringArray]:
    """Yield the texts of files, globs and finished runs, in the order in which they are named.

    ``column``: the column of Parquet, or the key of JSONL, that holds the text. Any other file is text, a line of which
    is a text. Files may be packed, and lie at any fsspec URL. Of a run, what every stage kept is read as its last stage
    left it. A null is no text. Raises MissingError, UsageError and CorruptError naming the file.
    """
    for source in sources:
        if is_run(source):
            yield from _of_run(open_run(source))
        else:
            for path in paths_of(source):
                with naming(path):
                    yield from (texts.drop_null() for texts in _of_file(path, column))


def as_lines(texts: Iterable[pa.LargeStringArray]) -> Iterator[bytes]:
    """Yield blocks of lines: each text's, with a line feed at its end."""
    for array in texts:
        if len(array):
            nothing, end = (pa.scalar(text, pa.large_string()) for text in ("", "\n"))
            data, offsets = text_column(pc.binary_join_element_wise(array, nothing, end))
            yield data[offsets[0] : offsets[-1]].tobytes()


def paths_of(source: str) -> list[str]:
    """Return the files that a path, a URL or a pattern names, sorted. Raises MissingError if there is none."""
    with naming(source):
        filesystem, path = fsspec.core.url_to_fs(source)
        found = sorted(filesystem.glob(path)) if any(c in path for c in "*?[") else [path]
        names = [filesystem.unstrip_protocol(name) for name in found if filesystem.isfile(name)]
    if not names:
        raise MissingError(f"{source} is no file and no run, and no file has such a name")
    return names


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Let what goes wrong while a file is read end with its name."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingError(f"{path} does not exist") from error
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise CorruptError(f"{path} cannot be unpacked to its end: {error}") from error
    except (OSError, ImportError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def kind_of(path: str) -> str:
    """Return the suffix that says what a file holds, without those that say how it is packed.

    >>> kind_of("a.b.jsonl.gz"), kind_of("notes")
    ('.jsonl', '')
    """
    names = [suffix for suffix in PurePosixPath(path).suffixes if suffix not in PACKED]
    return names[-1] if names else ""


def _of_file(path: str, column: str) -> Iterator[pa.LargeStringArray]:
    kind = kind_of(path)
    if kind == ".parquet":
        yield from _of_parquet(path, column)
        return
    with fsspec.open(path, "rb", compression="infer") as file:
        read: Callable[[bytes], pa.Array] = _lines_of
        if kind in JSON_KINDS:
            read = lambda block: _values_of(block, path, column)  # noqa: E731
        for block in blocks(file):
            yield read(block)


def _of_parquet(path: str, column: str) -> Iterator[pa.LargeStringArray]:
    with fsspec.open(path, "rb") as source:
        file = pq.ParquetFile(source)
        if column not in file.schema_arrow.names:
            raise UsageError(f"{path} has no column '{column}'; it has: {', '.join(file.schema_arrow.names)}")
        for batch in file.iter_batches(_ROWS, columns=[column]):
            yield as_text(batch.column(0), path, column)


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield blocks of whole lines."""
    left = b""
    while read := file.read(_BLOCK_BYTES):
        whole, end, rest = (left + read).rpartition(b"\n")
        left = rest if end else left + read
        if end:
            yield whole + end
    if left:
        yield left + b"\n"


def _lines_of(block: bytes) -> pa.LargeStringArray:
    """Return the lines of a block; bytes that are not UTF-8 become U+FFFD."""
    text = block.decode("utf-8", "replace")
    return pa.array(text.split("\n")[:-1], pa.large_string())


def json_table(block: bytes, needed: Collection[str]) -> pa.Table:
    """Return the rows of whole lines of JSON; what is not ``needed`` may be null.

    Arrow refuses a key that is a number here and text there, as keys of metadata are that nobody asks for: then Python
    reads the lines, and of such keys nothing. Raises ArrowInvalid for what is no JSON, and for a key that is needed.
    """
    try:
        return pj.read_json(pa.BufferReader(block), pj.ReadOptions(block_size=len(block) + 1))
    except pa.ArrowInvalid as error:
        if "changed from" not in str(error):
            raise
    try:
        rows = [_object(line) for line in block.split(b"\n") if line.strip()]
        keys = dict.fromkeys(key for row in rows for key in row)
        columns = {key: [row.get(key) if key in needed else None for row in rows] for key in keys}
        return pa.table({key: pa.array(values) for key, values in columns.items()})
    except (ValueError, TypeError, OverflowError) as error:
        raise pa.ArrowInvalid(f"JSON parse error: {error}") from error


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise TypeError("a line is no object; JSONL has an object {…} on each line")
    return value


def _values_of(block: bytes, path: str, column: str) -> pa.LargeStringArray:
    table = json_table(block, {column})
    if column not in table.column_names:
        raise UsageError(f"{path} has no key '{column}'; it has: {', '.join(table.column_names)}")
    return as_text(pc.drop_null(table.column(column)).combine_chunks(), path, column)


def as_text(values: Any, path: str, column: str) -> pa.LargeStringArray:
    """Return a column as text. Raises UsageError if it is not."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_null(values.type)):
        raise UsageError(f"{path}: '{column}' is {values.type}, not text")
    return values.cast(pa.large_string())


def _of_run(run: Run) -> Iterator[pa.LargeStringArray]:
    """Yield what every stage of a run kept. Raises StaleError or MissingError for a run that is not finished."""
    inputs = tuple(dict.fromkeys(step.name for step in (*run.plan.deciders, *run.plan.edits)))
    reader = Step(name="reader", stage="reader", kind="reader", settings={}, inputs=inputs)
    for shard in run.plan.shards:
        kept = run.kept(run.plan.deciders, shard)
        row = 0
        for table in run.texts(reader, shard, [schema.TEXT]):
            chosen = kept.slice(row, table.num_rows).combine_chunks()
            row += table.num_rows
            yield table.column(schema.TEXT).combine_chunks().filter(chosen).cast(pa.large_string())
