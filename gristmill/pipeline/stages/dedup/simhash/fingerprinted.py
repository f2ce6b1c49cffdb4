"""A shard's fingerprints, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.components import Nodes
from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.simhash.blocks import block_keys, node_keys
from gristmill.dedup.simhash.fingerprints import as_column, fingerprints, from_column
from gristmill.dedup.simhash.settings import SimHashSettings
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.stages.dedup.signed import Signatures, SignedShards
from gristmill.pipeline.stages.dedup.simhash import tables


@dataclass(frozen=True)
class Fingerprinted(SignedShards):
    """The fingerprints of each shard's documents that are long enough."""

    folder: ClassVar[str] = "fingerprints"
    column: ClassVar[str] = schema.FINGERPRINT

    settings: SimHashSettings

    @property
    def width(self) -> int:
        """Bytes of a fingerprint."""
        return self.settings.bits // 8

    def signatures(self, texts: pa.ChunkedArray, scopes: Nodes) -> Signatures:
        """Return the fingerprints of texts; one of fewer than ``min_ngrams`` shingles is not compared."""
        column = texts.cast(pa.large_string()).combine_chunks()
        found = shingles(column, self.settings.shingles, self.settings.ngram)
        prints = fingerprints(found, self.settings.bits)
        is_long = np.diff(found.counts) >= self.settings.min_ngrams
        return Signatures(as_column(prints), node_keys(prints, scopes), is_long)

    def blocks(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the keys of the blocks of a shard's fingerprints; each fingerprint gives them once."""
        times = self.settings.distance + 1
        for table in self.firsts(shard):
            prints = from_column(table.column(schema.FINGERPRINT))
            keys = block_keys(prints, self.settings.distance, np.asarray(table.column(schema.SCOPE))).ravel()
            nodes = np.repeat(np.asarray(table.column(schema.NODE)), times)
            repeated = as_column(np.repeat(prints, times, axis=0))
            yield pa.table([keys, nodes, repeated], schema=tables.blocks(self.width))
            progress.update(table.num_rows, 0.5)
