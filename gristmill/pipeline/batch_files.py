"""Files of record batches, each read alone: what shards and partitions tell each other.

They are in Arrow's IPC file format, compressed by LZ4 unless they have nothing but numbers, which are hashes and do not
shrink. Opening one and reading a batch takes a fifth of what Parquet takes, and an exchange of S shards in P partitions
reads S x P batches. Metadata of the schema:

    gristmill.digest    what the file was computed from (see `plan`): a stale file is an error
    gristmill.index     where what is in which batch, as its writer has it, in JSON
    gristmill.counts    what the writer counted, in JSON
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from gristmill.errors import CorruptError, StaleError
from gristmill.pipeline.storage import Folder

SUFFIX: Final = ".arrow"

_DIGEST: Final = b"gristmill.digest"
_INDEX: Final = b"gristmill.index"
_COUNTS: Final = b"gristmill.counts"

Counts = Mapping[str, int]
NO_COUNTS: Final[Counts] = MappingProxyType({})


@dataclass(frozen=True)
class BatchFile:
    """One such file: in which folder, under which name, and what it must have been computed from."""

    folder: Folder
    name: str
    digest: str

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.folder.path(self.name)

    def is_current(self) -> bool:
        """Return whether it is there, whole, and computed from just that."""
        if not self.folder.exists(self.name):
            return False
        try:
            with self.open():
                return True
        except (CorruptError, StaleError):
            return False

    def write(self, columns: pa.Schema, batches: Iterable[pa.Table], index: Any, counts: Counts = NO_COUNTS) -> None:
        """Write tables as one batch each; an empty one writes none, so that ``index`` must count without it."""
        facts = {_DIGEST: self.digest, _INDEX: json.dumps(index), _COUNTS: json.dumps(dict(counts), sort_keys=True)}
        with (
            self.folder.writing(self.name) as sink,
            pa.ipc.new_file(sink, columns.with_metadata(facts), options=_options(columns)) as writer,
        ):
            for table in batches:
                if table.num_rows:
                    writer.write_batch(_as_one(table.cast(columns)))

    @contextmanager
    def open(self, columns: list[str] | None = None) -> Iterator[OpenBatchFile]:
        """Open it to read some columns, by default all. Raises MissingError, CorruptError, StaleError."""
        with self.folder.source(self.name, mapped=False) as source:
            yield self._opened(source, columns)

    def counts(self) -> dict[str, int]:
        """Return what its writer counted. Raises as `open` does."""
        with self.open() as file:
            return dict(file.counts)

    def _opened(self, source: pa.NativeFile, columns: list[str] | None) -> OpenBatchFile:
        with _reading(self.path):
            reader = pa.ipc.open_file(source)
            facts = reader.schema.metadata or {}
            found = facts[_DIGEST].decode()
            index, counts = json.loads(facts[_INDEX]), json.loads(facts[_COUNTS])
            if columns is not None:
                chosen = [reader.schema.get_field_index(name) for name in columns]
                reader = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=chosen))
        if found != self.digest:
            raise StaleError(
                f"{self.path} was computed from {found[:8] or 'something unknown'}, but the plan needs "
                f"{self.digest[:8]}; run the recipe again to bring it up to date"
            )
        return OpenBatchFile(self.path, reader, index, counts)


@dataclass(frozen=True)
class OpenBatchFile:
    """A file while it is open: what its writer says of it, and its batches."""

    path: str
    reader: pa.RecordBatchFileReader
    index: Any
    counts: Counts

    def read(self, batch: int) -> pa.Table:
        """Return a batch. Raises CorruptError."""
        with _reading(self.path):
            return pa.Table.from_batches([self.reader.get_batch(batch)]).replace_schema_metadata(None)


def _options(columns: pa.Schema) -> pa.ipc.IpcWriteOptions:
    numbers = all(pa.types.is_integer(field.type) for field in columns)
    return pa.ipc.IpcWriteOptions(compression=None if numbers else "lz4", use_threads=False)


def _as_one(table: pa.Table) -> pa.RecordBatch:
    """Return a table's rows as one batch, whose dictionaries are whole."""
    return table.unify_dictionaries().combine_chunks().to_batches()[0]


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Turn what Arrow and Python make of a damaged file into CorruptError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{path} is not a readable file of gristmill's exchange: {error}") from error
