"""Texts as a step reads them: the documents' own, with the edits before the step made on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from gristmill import schema
from gristmill.errors import CorruptError
from gristmill.filters.edits.spans import apply_edits

Layer = Iterator[pa.Table]


def edited(documents: Iterator[pa.Table], layers: Sequence[Layer]) -> Iterator[pa.Table]:
    """Yield tables of documents with the edits of some layers made in order: TEXT and TEXT_BYTES, where they are there.

    The layers have the documents' rows in any tables; memory is bounded by a table of each. Raises CorruptError for
    edits that do not fit the texts.
    """
    rows = [_Rows(layer, schema.EDITS_LAYER.empty_table()) for layer in layers]
    for table in documents:
        taken = [one.take(table.num_rows) for one in rows]
        yield _made(table, taken) if taken else table


def beside(documents: Iterator[pa.Table], layer: Layer, empty: pa.Table) -> Iterator[pa.Table]:
    """Yield tables of documents with what a layer has for their rows, in any tables; ``empty`` has no row of it."""
    rows = _Rows(layer, empty)
    for table in documents:
        found = rows.take(table.num_rows)
        for field, column in zip(found.schema, found.columns, strict=True):
            table = table.append_column(field, column)
        yield table


def _made(documents: pa.Table, layers: list[pa.Table]) -> pa.Table:
    for name, value in ((schema.TEXT, _texts), (schema.TEXT_BYTES, _sizes)):
        if name in documents.column_names:
            position = documents.column_names.index(name)
            documents = documents.set_column(position, documents.field(position), value(documents, layers))
    return documents


def _texts(documents: pa.Table, layers: list[pa.Table]) -> pa.Array:
    texts = documents.column(schema.TEXT).combine_chunks()
    for layer in layers:
        try:
            texts = apply_edits(texts, layer.column(schema.EDITS).combine_chunks())
        except ValueError as error:
            raise CorruptError(f"a layer of edits is damaged: {error}; run `gristmill audit` to find it") from error
    return texts


def _sizes(_: pa.Table, layers: list[pa.Table]) -> pa.ChunkedArray:
    return layers[-1].column(schema.TEXT_BYTES)


class _Rows:
    """A layer's rows, taken in order, as many as are wanted."""

    def __init__(self, tables: Layer, empty: pa.Table) -> None:
        self._tables = tables
        self._empty = empty
        self._left: pa.Table | None = None

    def take(self, rows: int) -> pa.Table:
        """Return the next rows."""
        parts: list[pa.Table] = []
        while rows:
            table = self._left if self._left is not None else next(self._tables)
            part = table.slice(0, rows)
            self._left = table.slice(rows) if rows < table.num_rows else None
            rows -= part.num_rows
            parts.append(part)
        return pa.concat_tables(parts) if parts else self._empty
