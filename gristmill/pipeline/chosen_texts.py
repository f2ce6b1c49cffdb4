"""Documents that a classifier is trained on: of files and finished runs, with what says which host each is of.

A source is written ``PATH [text COLUMN] [by COLUMN] [where CONDITION]``; ``by`` may come before ``text``. PATH is a
file, a pattern, an fsspec URL or a run's folder; ``text`` names the column of the text where it is not that of the
other sources, ``by`` what stands for the host where a document's URL does not; the condition is read by `where.parse`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Literal

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.dedup.urls import host_of
from gristmill.errors import UsageError
from gristmill.pipeline.chosen_of_runs import tables_of_run
from gristmill.pipeline.recipe import nearest
from gristmill.pipeline.run import is_run, open_run
from gristmill.pipeline.training_texts import JSON_KINDS, as_text, blocks, json_table, kind_of, naming, paths_of
from gristmill.pipeline.where.conditions import Condition, columns
from gristmill.pipeline.where.evaluate import HOST, Chooser
from gristmill.pipeline.where.parse import parse_condition

NAME: Final = "name"
FILE: Final = "file"
CHOSEN: Final = pa.schema([(schema.TEXT, pa.large_string()), (NAME, pa.string()), (HOST, pa.string())])
"""``name`` tells a reader which document it is; ``host`` is null for one that is its own host."""

Unit = Literal["line", "paragraph", "file"]

_ROWS: Final = 8192
_PART: Final = re.compile(r"(?P<rest>.*\S)\s+(?P<word>text|by)\s+(?P<column>\S+)", re.DOTALL)
_WHERE: Final = re.compile(r"\s+where(?:\s+|$)")
_BLANK_LINES: Final = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True)
class TextSource:
    """Where documents are read: ``written`` as the user did. ``by`` is what stands for their hosts."""

    written: str
    path: str
    text: str | None = None
    by: str | None = None
    where: Condition | None = None


@dataclass(frozen=True)
class Reading:
    """The column or key that holds the text, and what a document of a text file is."""

    text_column: str = schema.TEXT
    unit: Unit = "line"


def parse_source(written: str) -> TextSource:
    """Return the source that a user wrote. Raises UsageError for a condition that cannot be read.

    >>> parse_source("a.jsonl by site where score >= 3").by
    'site'
    """
    path, *conditions = _WHERE.split(written.strip(), maxsplit=1)
    where = parse_condition(conditions[0]) if conditions else None
    if not path:
        raise UsageError("a source is empty; name a file, a pattern or a run's folder")
    parts: dict[str, str] = {}
    while not _is_there(path) and (match := _PART.fullmatch(path)):  # the name of a file may have spaces
        if match["word"] in parts:
            raise UsageError(f"{written}: `{match['word']}` stands there twice")
        path, parts[match["word"]] = match["rest"], match["column"]
    return TextSource(written, path, parts.get("text"), parts.get("by"), where)


def _is_there(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 (of a name that is too long for a file Path raises an error)


def chosen_texts(source: TextSource, reading: Reading) -> Iterator[pa.Table]:
    """Yield the documents of a source that its condition chooses: tables of `CHOSEN`.

    Of a run without a condition, what every stage kept. A document whose text is null is none. Raises MissingError,
    UsageError and CorruptError naming the source.
    """
    chooser = Chooser(source.where) if source.where is not None else None
    reading = replace(reading, text_column=source.text or reading.text_column)
    try:
        if is_run(source.path):
            run = open_run(source.path)
            if source.text is not None:
                raise UsageError(f"a run has one text of each document; leave out `text {source.text}`")
            if source.by == FILE:
                raise UsageError("a run is no file; leave out `by file`, or name a column")
            wanted = _wanted(source, ())
            for table in tables_of_run(run, chooser, tuple(sorted(wanted))):
                yield _documents(table, source, run.plan.name, schema.TEXT)
            return
        for path in paths_of(source.path):
            with naming(path):
                for table in _of_file(path, source, reading):
                    yield _documents(_filtered(table, chooser), source, path, reading.text_column)
    except UsageError as error:
        if source.path not in str(error):
            error.args = (f"{source.path}: {error}",)
        raise


def _wanted(source: TextSource, there: Sequence[str]) -> set[str]:
    """Return the columns that a source's condition and its ``by`` read; the URL for a host that is no column there."""
    named = set(columns(source.where)) if source.where is not None else set()
    named |= {source.by} if source.by is not None and source.by != FILE else set()
    return (named - {HOST}) | {schema.URL} if HOST in named and HOST not in there else named


def _filtered(table: pa.Table, chooser: Chooser | None) -> pa.Table:
    if chooser is None:
        return table
    given = {name: table.column(name).combine_chunks() for name in table.column_names}
    return table.filter(chooser.chosen(given, None, table.num_rows))


def _documents(table: pa.Table, source: TextSource, path: str, text: str) -> pa.Table:
    """Return the chosen rows that have a text, with their names and hosts."""
    table = table.filter(pc.is_valid(table.column(text)))
    rows = table.num_rows
    found = [as_text(_column(table, text), path, text), _column(table, NAME).cast(pa.string()), _hosts(table, source)]
    assert all(len(column) == rows for column in found)
    return pa.Table.from_arrays(found, schema=CHOSEN)


def _hosts(table: pa.Table, source: TextSource) -> pa.Array:
    if source.by is not None and source.by in table.column_names:
        return _column(table, source.by).cast(pa.string())
    if schema.URL not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    urls = _column(table, schema.URL).cast(pa.string()).dictionary_encode()
    return pa.array([host_of(url) or None for url in urls.dictionary.to_pylist()], pa.string()).take(urls.indices)


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return pa.array([], column.type) if not len(column) else pa.concat_arrays(column.chunks)


def _of_file(path: str, source: TextSource, reading: Reading) -> Iterator[pa.Table]:
    """Yield the rows of a file with the columns that are wanted, and NAME and FILE."""
    kind, row = kind_of(path), 0
    short = PurePosixPath(path).name
    for table in _read(path, kind, source, reading):
        names = _names(table, short, row)
        row += table.num_rows
        table = table.append_column(NAME, names) if NAME not in table.column_names else table
        if FILE not in table.column_names:
            table = table.append_column(FILE, pa.repeat(pa.scalar(short), table.num_rows))
        yield table


def _read(path: str, kind: str, source: TextSource, reading: Reading) -> Iterator[pa.Table]:
    if kind == ".parquet":
        yield from _of_parquet(path, source, reading.text_column)
        return
    with fsspec.open(path, "rb", compression="infer") as file:
        if kind in JSON_KINDS:
            yield from _of_json(file, path, source, reading.text_column)
            return
        for name in sorted(_wanted(source, ())):
            raise UsageError(f"{path} is text, which has no column '{name}'; JSONL and Parquet have columns")
        for texts in _of_text(file, reading.unit):
            yield pa.table({reading.text_column: pa.array(texts, pa.large_string())})


def _names(table: pa.Table, file: str, row: int) -> pa.Array:
    """Return a name for each row: its URL, its id, or its file and its number, from 1."""
    numbered = pa.array([f"{file}:{number}" for number in range(row + 1, row + 1 + table.num_rows)], pa.string())
    for name in (schema.ID, schema.URL):
        if name in table.column_names:
            numbered = pc.coalesce(_column(table, name).cast(pa.string()), numbered)
    return numbered


def _of_parquet(path: str, source: TextSource, text: str) -> Iterator[pa.Table]:
    with fsspec.open(path, "rb") as opened:
        file = pq.ParquetFile(opened)
        there = file.schema_arrow.names
        needed = {text, *_wanted(source, there)}
        for name in sorted(needed):
            if name not in there:
                raise UsageError(_no_column(path, "column", name, there))
        wanted = [name for name in there if name in {schema.URL, schema.ID, *needed}]
        for batch in file.iter_batches(_ROWS, columns=wanted):
            yield pa.table({name: _decoded(batch.column(name)) for name in wanted})


def _decoded(column: pa.Array) -> pa.Array:
    """Return a column with its values in place of numbers of a dictionary, as pandas writes categories."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _of_json(file: BinaryIO, path: str, source: TextSource, text: str) -> Iterator[pa.Table]:
    """Yield the rows of blocks; a key that a block lacks is null there. Raises UsageError if no block has it."""
    missing: dict[str, list[str]] = {}
    seen: set[str] = set()
    asked = {text, schema.URL, schema.ID, HOST, *_wanted(source, ())}
    for block in blocks(file):
        table = json_table(block, asked)
        if not table.num_rows:
            continue
        seen |= set(table.column_names)
        needed = {text, *_wanted(source, table.column_names)}
        for name in needed - set(table.column_names):
            missing[name] = table.column_names
            table = table.append_column(name, pa.nulls(table.num_rows))
        yield table.select([name for name in table.column_names if name in {schema.URL, schema.ID, *needed}])
    for name in sorted(missing.keys() - seen):
        raise UsageError(_no_column(path, "key", name, missing[name]))


def _no_column(path: str, what: str, name: str, there: list[str]) -> str:
    return f"{path} has no {what} '{name}'{nearest(name, there)}"


def _of_text(file: BinaryIO, unit: Unit) -> Iterator[list[str]]:
    """Yield the documents of a text file; bytes that are not UTF-8 become U+FFFD."""
    if unit == "file":
        yield [file.read().decode("utf-8", "replace")]
        return
    left = ""
    for block in blocks(file):
        text = block.decode("utf-8", "replace").replace("\r\n", "\n")
        if unit == "line":
            yield text.split("\n")[:-1]
        else:
            *whole, left = _BLANK_LINES.split(left + text)
            yield whole
    if left:
        yield [left]
