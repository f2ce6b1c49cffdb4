"""Parquet files that say what they were computed from, hold a digest of themselves, and line up row by row.

Metadata of each file's footer:

    gristmill.digest    what the file was computed from (see `plan`): a stale file is an error
    gristmill.order     digest of the document ids, in order: a layer that does not line up is an error
    gristmill.content   SHA-256 of every byte before the footer: an altered file is found by `audit`
    gristmill.counts    what the writer counted, as JSON
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.errors import CorruptError, MisalignedError, StaleError
from gristmill.pipeline.storage import Folder

ROW_GROUP_ROWS = 4096
ROW_GROUP_BYTES = 16 << 20

DIGEST = b"gristmill.digest"
ORDER = b"gristmill.order"
CONTENT = b"gristmill.content"
COUNTS = b"gristmill.counts"


@dataclass(frozen=True)
class Footer:
    """What a file says of itself, read without its columns; ``seal`` is a digest of all of it, ``content`` included."""

    rows: int
    digest: str
    order: str
    content: str
    seal: str
    counts: dict[str, Any]
    schema: pa.Schema
    row_groups: int


class _HashingSink:
    """A binary sink that hashes what passes through it."""

    def __init__(self, sink: BinaryIO) -> None:
        self.sink = sink
        self.hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        if self.sink.closed:  # a writer that was abandoned still writes its footer when it is collected
            return len(data)
        self.hash.update(data)
        written = self.sink.write(data)
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self.sink.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def order_digest(ids: Iterable[pa.Array]) -> str:
    """Return 32 hex digits of the ids in order, whatever the batches.

    >>> order_digest([pa.array(["a"]), pa.array(["b"])]) == order_digest([pa.array(["a", "b"])])
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for batch in ids:
        for value in batch.to_pylist():
            digest.update(value.encode() + b"\0")
    return digest.hexdigest()


class ShardWriter:
    """Writes one shard or layer: batches in, bounded row groups out, the footer's facts at the end."""

    def __init__(self, sink: BinaryIO, columns: pa.Schema, digest: str, *, repeats: bool = True) -> None:
        """``columns``: schema of every batch; ``digest``: what the file is computed from.

        ``repeats`` is false for columns of hashes, whose values a dictionary would only make longer.
        """
        self._sink = _HashingSink(sink)
        self._schema = columns
        self._digest = digest
        self._writer = pq.ParquetWriter(
            self._sink, columns, compression="zstd", compression_level=3, use_dictionary=repeats
        )
        self._order = hashlib.blake2b(digest_size=16)
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self.rows = 0
        self.counts: dict[str, Any] = {}
        self.order: str | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch; it is written when a row group is full."""
        if schema.ID in batch.schema.names:
            for value in batch.column(schema.ID).to_pylist():
                self._order.update(value.encode() + b"\0")
        self._pending.append(batch.cast(self._schema) if batch.schema != self._schema else batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._pending_rows >= ROW_GROUP_ROWS or self._pending_bytes >= ROW_GROUP_BYTES:
            self.end_row_group()

    def write_group(self, table: pa.Table) -> None:
        """Write a table as one row group of its own, whatever its size; an empty one writes none."""
        self.end_row_group()
        if table.num_rows:
            self._writer.write_table(table.cast(self._schema), row_group_size=table.num_rows)
        self.rows += table.num_rows

    def end_row_group(self) -> None:
        """Write what is pending as one row group."""
        if self._pending_rows:
            table = pa.Table.from_batches(self._pending, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0

    def close(self) -> None:
        """Write the pending rows and the footer."""
        self.end_row_group()
        facts = {
            DIGEST: self._digest,
            ORDER: self.order if self.order is not None else self._order.hexdigest(),
            CONTENT: self._sink.hash.hexdigest(),
            COUNTS: json.dumps(self.counts, sort_keys=True),
        }
        self._writer.add_key_value_metadata(facts)
        self._writer.close()

    @property
    def sha256(self) -> str:
        """SHA-256 of the whole file, once it is closed."""
        return self._sink.hash.hexdigest()

    @property
    def bytes(self) -> int:
        """Bytes written so far."""
        return self._sink.size


def read_footer(folder: Folder, name: str) -> Footer:
    """Return what a file says of itself. Raises MissingError, CorruptError."""
    with folder.source(name) as source, reading(folder.path(name)):
        return footer_of(pq.ParquetFile(source), folder.path(name))


def is_current(folder: Folder, name: str, digest: str) -> bool:
    """Return whether a complete file is there that was computed from exactly what ``digest`` names."""
    if not folder.exists(name):
        return False
    try:
        return read_footer(folder, name).digest == digest
    except CorruptError:
        return False


def check(footer: Footer, path: str, digest: str) -> None:
    """Raise StaleError unless the file was computed from what ``digest`` names."""
    if footer.digest != digest:
        raise StaleError(
            f"{path} was computed from {footer.digest[:8] or 'something unknown'}, but the plan needs {digest[:8]}; "
            "run the recipe again to bring it up to date"
        )


def check_aligned(layer: Footer, path: str, documents: Footer) -> None:
    """Raise MisalignedError unless the layer has the documents' rows in the documents' order."""
    if (layer.rows, layer.order) != (documents.rows, documents.order):
        raise MisalignedError(
            f"{path} has {layer.rows} rows in order {layer.order[:8]}, its documents have {documents.rows} in order "
            f"{documents.order[:8]}; remove the file and run the recipe again"
        )


def read_table(folder: Folder, name: str, columns: list[str] | None, digest: str) -> pa.Table:
    """Return some columns of a whole file. Raises MissingError, CorruptError, StaleError."""
    with folder.source(name) as source, reading(folder.path(name)):
        file = pq.ParquetFile(source)
        check(footer_of(file, folder.path(name)), folder.path(name), digest)
        return file.read(columns=columns, use_threads=False)


def iterate(folder: Folder, name: str, columns: list[str], digest: str) -> Iterator[pa.Table]:
    """Yield some columns of a file, one row group at a time. Raises MissingError, CorruptError, StaleError."""
    with folder.source(name) as source:
        with reading(folder.path(name)):
            file = pq.ParquetFile(source)
            check(footer_of(file, folder.path(name)), folder.path(name), digest)
        for index in range(file.num_row_groups):
            with reading(folder.path(name)):
                table = file.read_row_group(index, columns=columns, use_threads=False)
            yield table


def content_digest(folder: Folder, name: str) -> str:
    """Return the SHA-256 of every byte before a file's footer. Raises MissingError, CorruptError."""
    size = folder.size(name)
    with folder.source(name) as source:
        if size < 12:
            raise CorruptError(f"{folder.path(name)} is too short ({size} bytes) to be a Parquet file")
        source.seek(size - 8)
        remaining = size - 8 - int(struct.unpack("<I", source.read(4))[0])
        source.seek(0)
        digest = hashlib.sha256()
        while remaining > 0 and (block := source.read(min(remaining, 1 << 20))):
            digest.update(block)
            remaining -= len(block)
    return digest.hexdigest()


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn what Arrow and Python make of a damaged file into CorruptError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, AttributeError) as error:
        raise CorruptError(f"{path} is not a readable Parquet file of gristmill: {error}") from error


def footer_of(file: pq.ParquetFile, path: str) -> Footer:
    """Return what an open file says of itself; ``path`` names it in messages. Raises CorruptError."""
    facts: Mapping[bytes, bytes] = file.metadata.metadata or {}
    if DIGEST not in facts:
        raise CorruptError(f"{path} was not written by gristmill: its footer has no {DIGEST.decode()}")
    return Footer(
        rows=file.metadata.num_rows,
        digest=facts[DIGEST].decode(),
        order=facts.get(ORDER, b"").decode(),
        content=facts.get(CONTENT, b"").decode(),
        seal=_seal(file),
        counts=json.loads(facts.get(COUNTS, b"{}")),
        schema=file.schema_arrow,
        row_groups=file.num_row_groups,
    )


def _seal(file: pq.ParquetFile) -> str:
    """Return 16 hex digits of a file's footer: every field of it, as Arrow writes it."""
    sink = pa.BufferOutputStream()
    file.metadata.write_metadata_file(sink)
    return hashlib.blake2b(sink.getvalue(), digest_size=8).hexdigest()
