"""Labelled documents gathered from their sources: lines on a scratch disk, and some 50 bytes of memory for each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.quality.normal import training_lines
from gristmill.classifiers.quality.selection import Rows
from gristmill.classifiers.quality.sidecar import POSITIVE
from gristmill.dedup.keys import DIGEST_BYTES, text_digests
from gristmill.dedup.normal import normal_texts
from gristmill.errors import UsageError
from gristmill.pipeline.blobs import Blob
from gristmill.pipeline.chosen_texts import NAME, Reading, TextSource, chosen_texts
from gristmill.pipeline.where.evaluate import HOST
from gristmill.tokenize.order import keyed_hashes

_NOTHING: Final = hashlib.blake2b(b"", digest_size=DIGEST_BYTES).digest()

Watch = Callable[[str, int], None]
"""Is called with the name of a source and the documents read of it so far."""


@dataclass(frozen=True)
class SourceRead:
    """What one source gave. ``digest`` is that of its texts, whatever their order.

    ``without_host``: documents that are their own host, since they have no URL and nothing stands for one.
    """

    source: str
    label: str
    documents: int
    bytes: int
    without_host: int
    digest: str


@dataclass(frozen=True)
class Gathered:
    """All documents: what is known of each, their lines and names, and what each source gave."""

    rows: Rows
    lines: Blob
    names: Blob
    sources: tuple[SourceRead, ...]


@dataclass(frozen=True)
class Gathering:
    """How documents are read: what a text is, the form of its line, the seed of hashes, a folder for scratch."""

    reading: Reading
    form: str
    seed: int
    scratch: Path


def gather(sources: Sequence[tuple[str, TextSource]], gathering: Gathering, watch: Watch) -> Gathered:
    """Read every source, each with its label. Raises UsageError for one without a document; else as `chosen_texts`."""
    lines, names = Blob(gathering.scratch / "lines"), Blob(gathering.scratch / "names")
    parts, read = [], []
    for label, source in sources:
        given = _Given(label, source.written)
        for table in chosen_texts(source, gathering.reading):
            found = training_lines(table.column(schema.TEXT), gathering.form)
            keys = text_digests(normal_texts(found))
            lines.append(found)
            names.append(_one_array(table.column(NAME)))
            parts.append(_rows(label, found, keys, _one_array(table.column(HOST)), gathering.seed))
            given.count(table, keys)
            watch(source.written, given.documents)
        read.append(given.summary())
    return Gathered(_joined(parts), lines, names, tuple(read))


def _rows(label: str, lines: pa.Array, keys: pa.Array, hosts: pa.Array, seed: int) -> Rows:
    """Return what is known of some documents; one without a host has its text's digest for it."""
    digests = np.frombuffer(keys.buffers()[1], np.uint64).reshape(-1, 2)[: len(keys)]
    own = pa.array([f"text {digest.hex()}" for digest in keys.to_pylist()], pa.string())
    return Rows(
        positive=np.full(len(keys), label == POSITIVE),
        is_empty=np.asarray(pc.equal(keys, pa.scalar(_NOTHING, keys.type))),
        keys=digests.copy(),
        orders=keyed_hashes(lines, seed, "training"),
        hosts=keyed_hashes(pc.coalesce(hosts, own), seed, "held out"),
    )


def _joined(parts: Sequence[Rows]) -> Rows:
    fields = ("positive", "is_empty", "keys", "orders", "hosts")
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


class _Given:
    """What a source has given so far."""

    def __init__(self, label: str, written: str) -> None:
        self._label, self._written = label, written
        self.documents = self._bytes = self._without_host = 0
        self._sum = 0

    def count(self, table: pa.Table, keys: pa.Array) -> None:
        """Count a table of documents."""
        self.documents += table.num_rows
        self._bytes += int(pc.sum(pc.binary_length(table.column(schema.TEXT))).as_py() or 0)
        self._without_host += table.column(HOST).null_count
        self._sum += sum(int.from_bytes(key, "big") for key in keys.to_pylist())

    def summary(self) -> SourceRead:
        """Return what it gave. Raises UsageError if that is nothing."""
        if not self.documents:
            raise UsageError(f"{self._written}: no document; is it empty, or does no document fit the condition?")
        digest = hashlib.blake2b(f"{self.documents} {self._sum}".encode(), digest_size=DIGEST_BYTES).hexdigest()
        return SourceRead(self._written, self._label, self.documents, self._bytes, self._without_host, digest)
