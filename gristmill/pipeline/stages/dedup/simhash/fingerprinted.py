"""A shard's fingerprints, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.keys import partition_key, scope_digests
from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.simhash.blocks import block_keys, node_keys
from gristmill.dedup.simhash.fingerprints import as_column, fingerprints, from_column
from gristmill.dedup.simhash.settings import SimHashSettings
from gristmill.pipeline import shards
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.stages.dedup.members import MEMBER, members
from gristmill.pipeline.stages.dedup.rounds import NODES
from gristmill.pipeline.stages.dedup.simhash import tables


@dataclass(frozen=True)
class Fingerprinted:
    """The fingerprints of each shard's documents that are long enough, in files beside the layers.

    ``within`` is the scope in which documents are compared.
    """

    run: Run
    step: Step
    settings: SimHashSettings
    within: str = "corpus"

    @property
    def width(self) -> int:
        """Bytes of a fingerprint."""
        return self.settings.bits // 8

    def phase(self) -> Phase:
        """Return the phase that writes them."""
        by_name = {shard.name: shard for shard in self.run.plan.shards}
        return Phase(
            name="fingerprints",
            items=lambda: list(by_name),
            is_done=lambda item: shards.is_current(
                self.run.folder, self._file(by_name[item]), self._digest(by_name[item])
            ),
            perform=lambda item, progress: self._write(by_name[item], progress),
        )

    def rows(self, shard: Shard) -> npt.NDArray[np.int64]:
        """Return the rows of a shard's documents that have one. Raises StaleError, CorruptError, MissingError."""
        tables = shards.iterate(self.run.folder, self._file(shard), [schema.ROW], self._digest(shard))
        return np.concatenate([np.empty(0, np.int64), *(table.column(0).to_numpy() for table in tables)])

    def blocks(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the keys of the blocks of a shard's fingerprints; each fingerprint gives them once."""
        known: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        times = self.settings.distance + 1
        for table in self._read(shard):
            node, first = np.unique(np.asarray(table.column(schema.NODE)), return_index=True)
            new = ~np.isin(node, known)
            known = np.concatenate([known, node[new]])
            chosen = table.take(pa.array(first[new]))
            prints = from_column(chosen.column(schema.FINGERPRINT))
            keys = block_keys(prints, self.settings.distance, np.asarray(chosen.column(schema.SCOPE))).ravel()
            repeated = [np.repeat(node[new], times), as_column(np.repeat(prints, times, axis=0))]
            yield pa.table([keys, *repeated], schema=tables.blocks(self.width))
            progress.update(table.num_rows, 0.5)

    def nodes(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the fingerprints' nodes, with where they are."""
        for table in self._read(shard):
            yield table.select([schema.NODE, schema.SHARD, schema.ROW]).rename_columns(NODES.names)
            progress.update(table.num_rows, 0.5)

    def members(self, shard: Shard, labels: pa.Table, progress: Progress) -> Iterator[pa.Table]:
        """Yield a shard's documents in components: ``labels`` has their rows, in order, with the components' keys."""
        rows, keys = labels.column(schema.ROW).to_numpy(), labels.column(schema.KEY).to_numpy()
        for table in self._read(shard):
            found = np.asarray(table.column(schema.ROW))
            chosen = np.isin(found, rows)
            part = table.filter(pa.array(chosen)).select([*MEMBER.names, schema.FINGERPRINT])
            yield part.add_column(0, schema.KEY, pa.array(keys[np.searchsorted(rows, found[chosen])], pa.uint64()))
            progress.update(table.num_rows, 0.5)

    def _write(self, shard: Shard, progress: Progress) -> None:
        with self.run.folder.writing(self._file(shard)) as sink:
            writer = ShardWriter(sink, tables.fingerprinted(self.width), self._digest(shard))
            for table in members(self.run, self.step, shard, [schema.TEXT], progress):
                for batch in self._fingerprinted(table).to_batches():
                    writer.write(batch)
            writer.close()

    def _fingerprinted(self, table: pa.Table) -> pa.Table:
        """Return the documents that are long enough, with their fingerprints."""
        texts = table.column(schema.TEXT).cast(pa.large_string()).combine_chunks()
        found = shingles(texts, self.settings.shingles, self.settings.ngram)
        prints, scopes = fingerprints(found, self.settings.bits), self._scopes(table)
        columns = {name: table.column(name) for name in MEMBER.names}
        columns |= {schema.SCOPE: scopes, schema.NODE: node_keys(prints, scopes), schema.FINGERPRINT: as_column(prints)}
        is_long = np.diff(found.counts) >= self.settings.min_ngrams
        return pa.table(columns).filter(pa.array(is_long)).cast(tables.fingerprinted(self.width)).combine_chunks()

    def _scopes(self, table: pa.Table) -> npt.NDArray[np.uint64]:
        """Return a number for the scope of each document."""
        if self.within == "corpus":
            return np.zeros(table.num_rows, np.uint64)
        return np.asarray(partition_key(scope_digests(table.column(schema.SCOPE).combine_chunks())))

    def _read(self, shard: Shard) -> Iterable[pa.Table]:
        names = tables.fingerprinted(self.width).names
        return shards.iterate(self.run.folder, self._file(shard), names, self._digest(shard))

    def _file(self, shard: Shard) -> str:
        return f"{self.step.folder}/fingerprints/{shard.name}.parquet"

    def _digest(self, shard: Shard) -> str:
        inputs = [self.run.digest(self.run.plan.step(name), shard) for name in self.step.inputs]
        return digest_of("fingerprints", self.step.digest, inputs)
