"""Token shards as NumPy arrays: a small reader for anyone who has a run's ``tokens/`` folder.

    shards = TokenShards("runs/quickstart/tokens")
    shards.verify()
    for sequence in shards.sequences():
        inputs, targets = sequence.tokens[:-1], sequence.tokens[1:]

It reads in the order of the files, which is already shuffled, one row group at a time. It does not batch, shuffle
again, split among processes or remember where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import fsspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.errors import CorruptError, MissingError
from gristmill.tokenize.shards import INDEX_FORMAT

INDEX_FILE: Final = "index.json"


class Sequence(NamedTuple):
    """One row: ``tokens`` (uint16 or uint32); the documents in it, in order, and how many of the tokens are theirs.

    The first document may have begun in an earlier sequence, and the last may go on in the next.
    """

    tokens: npt.NDArray[Any]
    document_ids: list[str]
    document_lengths: npt.NDArray[np.int32]


class TokenShards:
    """The token shards of a folder: a path or an fsspec URL."""

    def __init__(self, folder: str | Path) -> None:
        """Read the index. Raises MissingError without one, CorruptError for one that this version cannot read."""
        self._filesystem, self._root = fsspec.core.url_to_fs(str(folder))
        self.index: dict[str, Any] = self._read_index()

    def __len__(self) -> int:
        """Return the number of sequences."""
        return int(self.index["sequences"])

    @property
    def token_type(self) -> np.dtype[Any]:
        """The type of the token ids: uint16 or uint32."""
        kind: np.dtype[Any] = np.dtype(str(self.index["token_type"]))
        return kind

    @property
    def sequence_length(self) -> int:
        """Tokens of every sequence but the last of each shard, which may have fewer."""
        return int(self.index["sequence_length"])

    @property
    def vocabulary_size(self) -> int:
        """The largest token id and one: the rows that an embedding needs."""
        return int(self.index["vocabulary_size"])

    @property
    def end_of_text_id(self) -> int:
        """The token that ends each document."""
        return int(self.index["end_of_text"]["id"])

    def verify(self) -> None:
        """Read every file and compare its digest. Raises CorruptError naming each that is missing or altered."""
        expected = {shard["file"]: shard["sha256"] for shard in self.index["shards"]}
        tokenizer = self.index["tokenizer"]
        expected[tokenizer["file"]] = tokenizer["sha256"]
        wrong = [name for name, digest in expected.items() if self._sha256(name) != digest]
        if wrong:
            raise CorruptError(
                f"{len(wrong)} of {len(expected)} files of {self._root} are missing or not what index.json says: "
                f"{', '.join(wrong[:10])}; run the recipe again or copy them again"
            )

    def sequences(self) -> Iterator[Sequence]:
        """Yield every sequence of every shard, in order. Raises MissingError, CorruptError."""
        for shard in self.index["shards"]:
            with self._parquet(shard["file"]) as file:
                if file.metadata.num_rows != shard["sequences"]:
                    raise CorruptError(
                        f"{self._root}/{shard['file']} holds {file.metadata.num_rows} sequences, "
                        f"but index.json says {shard['sequences']}; copy it again"
                    )
                for group in range(file.num_row_groups):
                    yield from _sequences(file.read_row_group(group, use_threads=False))

    def _read_index(self) -> dict[str, Any]:
        path = f"{self._root}/{INDEX_FILE}"
        try:
            index = json.loads(self._filesystem.cat_file(path))
        except FileNotFoundError as error:
            raise MissingError(f"{self._root} holds no token shards: it has no {INDEX_FILE}") from error
        except ValueError as error:
            raise CorruptError(f"{path} is not readable: {error}") from error
        if not isinstance(index, dict) or index.get("format") != INDEX_FORMAT:
            found = index.get("format") if isinstance(index, dict) else None
            raise CorruptError(f"{path} has format {found}; this version of gristmill reads format {INDEX_FORMAT}")
        return index

    def _sha256(self, name: str) -> str | None:
        try:
            with self._filesystem.open(f"{self._root}/{name}", "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    @contextmanager
    def _parquet(self, name: str) -> Iterator[pq.ParquetFile]:
        path = f"{self._root}/{name}"
        try:
            source = self._filesystem.open(path, "rb")
        except FileNotFoundError as error:
            raise MissingError(f"{path} does not exist, though index.json names it; copy the folder again") from error
        with source:
            try:
                file = pq.ParquetFile(source)
            except pa.ArrowInvalid as error:
                raise CorruptError(f"{path} is not a readable Parquet file: {error}") from error
            yield file


def _sequences(rows: pa.Table) -> Iterator[Sequence]:
    table = rows.combine_chunks()
    tokens, lengths = (_arrays(table.column(name)) for name in (schema.TOKENS, schema.DOCUMENT_LENGTHS))
    ids = table.column(schema.DOCUMENT_IDS).to_pylist()
    for row in zip(tokens, ids, lengths, strict=True):
        yield Sequence(*row)


def _arrays(column: pa.ChunkedArray) -> Iterator[npt.NDArray[Any]]:
    """Yield each list of a column as an array that shares its memory."""
    for chunk in column.chunks:
        values = chunk.values.to_numpy()
        for start, stop in pairwise(chunk.offsets.to_numpy().tolist()):
            yield values[start:stop]
