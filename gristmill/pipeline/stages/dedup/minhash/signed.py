"""A shard's signatures, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.components import Nodes
from gristmill.dedup.minhash.bands import band_keys, node_keys
from gristmill.dedup.minhash.curve import Banding, banding_of
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.minhash.shingles import Shingles, shingles
from gristmill.dedup.minhash.signatures import as_column, from_column, signatures, value_type
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.stages.dedup.members import members
from gristmill.pipeline.stages.dedup.minhash.tables import BANDS, SETS
from gristmill.pipeline.stages.dedup.minhash.tables import members as members_table
from gristmill.pipeline.stages.dedup.signed import Signatures, SignedShards


@dataclass(frozen=True)
class Signed(SignedShards):
    """The signatures of each shard's documents that have shingles."""

    folder: ClassVar[str] = "signatures"
    column: ClassVar[str] = schema.SIGNATURE

    settings: MinHashSettings

    @property
    def banding(self) -> Banding:
        """Bands and rows."""
        return banding_of(self.settings)

    @property
    def width(self) -> int:
        """Bytes of a signature."""
        return self.banding.size * value_type(self.settings.scheme).itemsize

    @property
    def joined(self) -> pa.Schema:
        """The table of `members`; SHINGLES is null unless Jaccard is exact."""
        return members_table(self.width)

    def signatures(self, texts: pa.ChunkedArray, scopes: Nodes) -> Signatures:
        """Return the signatures of texts; one without shingles is not compared."""
        found = self._shingles(texts)
        values = signatures(found, self.settings.scheme, self.banding.size, self.settings.seed)
        has_any = np.diff(found.counts) > 0
        return Signatures(as_column(values, has_any), node_keys(values, scopes), has_any)

    def bands(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the keys of the bands of a shard's signatures; what has the same signature gives them once."""
        for table in self.firsts(shard):
            values = from_column(table.column(schema.SIGNATURE), self.settings.scheme)
            keys = band_keys(values, self.banding, np.asarray(table.column(schema.SCOPE))).ravel()
            nodes = np.repeat(np.asarray(table.column(schema.NODE)), self.banding.bands)
            yield pa.table([keys, nodes], schema=BANDS)
            progress.update(table.num_rows, 0.5)

    def members(self, shard: Shard, labels: pa.Table, progress: Progress) -> Iterator[pa.Table]:
        """Yield a shard's documents in components: ``labels`` has their rows, in order, with the components' keys."""
        rows = labels.column(schema.ROW).to_numpy()
        sets = self._sets(shard, rows, progress) if self.settings.is_exact else None
        for part in self.labelled(shard, labels, sets):
            yield part
            progress.update(part.num_rows, 0.5)

    def labelled(self, shard: Shard, labels: pa.Table, sets: pa.ChunkedArray | None = None) -> Iterator[pa.Table]:
        """Yield those of a shard's signatures that ``labels`` has; ``sets`` are the shingles of each of these."""
        for part, places in self.chosen(shard, labels):
            shingled = pa.nulls(len(part), SETS) if sets is None else sets.take(places)
            yield part.append_column(schema.SHINGLES, shingled).select(self.joined.names)

    def _sets(self, shard: Shard, rows: npt.NDArray[np.int64], progress: Progress) -> pa.ChunkedArray:
        """Return the shingles of some of a shard's documents, sorted, each once."""
        found = [pa.array([], SETS)]
        for table in members(self.run, self.step, shard, [schema.TEXT], progress):
            chosen = table.filter(pa.array(np.isin(np.asarray(table.column(schema.ROW)), rows)))
            found.append(_as_sets(self._shingles(chosen.column(schema.TEXT))))
        return pa.chunked_array(found)

    def _shingles(self, texts: pa.ChunkedArray) -> Shingles:
        column = texts.cast(pa.large_string()).combine_chunks()
        return shingles(column, self.settings.kind_of_shingles, self.settings.ngram)


def _as_sets(found: Shingles) -> pa.Array:
    """Return each row's shingles, sorted, each once: list<uint64>."""
    of = np.repeat(np.arange(len(found.counts) - 1), np.diff(found.counts))
    order = np.lexsort((found.hashes, of))
    of, hashes = of[order], found.hashes[order]
    first = np.ones(len(of), np.bool_)
    first[1:] = (of[1:] != of[:-1]) | (hashes[1:] != hashes[:-1])
    offsets = np.searchsorted(of[first], np.arange(len(found.counts))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(hashes[first], pa.uint64()))
