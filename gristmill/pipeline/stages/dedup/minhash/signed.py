"""A shard's signatures, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.keys import partition_key, scope_digests
from gristmill.dedup.minhash.bands import band_keys, node_keys
from gristmill.dedup.minhash.curve import Banding, banding_of
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.minhash.shingles import Shingles, shingles
from gristmill.dedup.minhash.signatures import as_column, from_column, signatures, value_type
from gristmill.pipeline import shards
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.stages.dedup.members import MEMBER, members
from gristmill.pipeline.stages.dedup.minhash.tables import BANDS, SETS
from gristmill.pipeline.stages.dedup.minhash.tables import members as members_table
from gristmill.pipeline.stages.dedup.minhash.tables import signed as signed_table
from gristmill.pipeline.stages.dedup.rounds import NODES


@dataclass(frozen=True)
class Signed:
    """The signatures of each shard's documents that have shingles, in files beside the layers.

    ``within`` is the scope in which documents are compared.
    """

    run: Run
    step: Step
    settings: MinHashSettings
    within: str = "corpus"

    @property
    def banding(self) -> Banding:
        """Bands and rows."""
        return banding_of(self.settings)

    def phase(self) -> Phase:
        """Return the phase that writes them."""
        by_name = {shard.name: shard for shard in self.run.plan.shards}
        return Phase(
            name="signatures",
            items=lambda: list(by_name),
            is_done=lambda item: shards.is_current(
                self.run.folder, self._file(by_name[item]), self._digest(by_name[item])
            ),
            perform=lambda item, progress: self._write(by_name[item], progress),
        )

    def bands(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the keys of the bands of a shard's signatures; what has the same signature gives them once."""
        nodes = np.concatenate([np.empty(0, np.uint64), *map(_nodes, self._read(shard, [schema.NODE]))])
        first = np.zeros(len(nodes), np.bool_)
        first[np.unique(nodes, return_index=True)[1]] = True
        row = 0
        for table in self._read(shard):
            chosen = table.filter(pa.array(first[row : row + table.num_rows]))
            row += table.num_rows
            values = from_column(chosen.column(schema.SIGNATURE), self.settings.scheme)
            keys = band_keys(values, self.banding, np.asarray(chosen.column(schema.SCOPE))).ravel()
            yield pa.table([keys, np.repeat(_nodes(chosen), self.banding.bands)], schema=BANDS)
            progress.update(table.num_rows, 0.5)

    def nodes(self, shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        """Yield the signatures' keys, with where they are."""
        for table in self._read(shard):
            yield table.select([schema.NODE, schema.SHARD, schema.ROW]).rename_columns(NODES.names)
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
        rows, keys = labels.column(schema.ROW).to_numpy(), labels.column(schema.KEY).to_numpy()
        for table in self._read(shard):
            found = np.asarray(table.column(schema.ROW))
            places = np.searchsorted(rows, found)
            chosen = places < len(rows)
            chosen[chosen] = rows[places[chosen]] == found[chosen]
            part, places = table.filter(pa.array(chosen)), pa.array(places[chosen])
            shingled = pa.nulls(len(part), SETS) if sets is None else sets.take(places)
            columns = {schema.KEY: pa.array(keys).take(places), schema.SHINGLES: shingled}
            columns |= {name: part.column(name) for name in (*MEMBER.names, schema.SIGNATURE)}
            yield pa.table(columns).select(members_table(0).names)

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

    def _write(self, shard: Shard, progress: Progress) -> None:
        with self.run.folder.writing(self._file(shard)) as sink:
            writer = ShardWriter(sink, signed_table(self.width), self._digest(shard))
            for table in members(self.run, self.step, shard, [schema.TEXT], progress):
                for batch in self._signed(table).to_batches():
                    writer.write(batch)
            writer.close()

    @property
    def width(self) -> int:
        """Bytes of a signature."""
        return self.banding.size * value_type(self.settings.scheme).itemsize

    def _signed(self, table: pa.Table) -> pa.Table:
        """Return the documents that have shingles, with their signatures."""
        found = self._shingles(table.column(schema.TEXT))
        values = signatures(found, self.settings.scheme, self.banding.size, self.settings.seed)
        has_any = np.diff(found.counts) > 0
        columns = {name: table.column(name) for name in MEMBER.names}
        scopes = self._scopes(table)
        columns |= {schema.SCOPE: scopes, schema.NODE: node_keys(values, scopes)}
        columns[schema.SIGNATURE] = as_column(values, has_any)
        return pa.table(columns).filter(pa.array(has_any)).cast(signed_table(self.width)).combine_chunks()

    def _scopes(self, table: pa.Table) -> npt.NDArray[np.uint64]:
        """Return a number for the scope of each document: those of another are not its candidates."""
        if self.within == "corpus":
            return np.zeros(table.num_rows, np.uint64)
        return np.asarray(partition_key(scope_digests(table.column(schema.SCOPE).combine_chunks())))

    def _read(self, shard: Shard, columns: list[str] | None = None) -> Iterable[pa.Table]:
        names = columns or signed_table(0).names
        return shards.iterate(self.run.folder, self._file(shard), names, self._digest(shard))

    def _file(self, shard: Shard) -> str:
        return f"{self.step.folder}/signatures/{shard.name}.parquet"

    def _digest(self, shard: Shard) -> str:
        inputs = [self.run.digest(self.run.plan.step(name), shard) for name in self.step.inputs]
        return digest_of("signatures", self.step.digest, inputs)


def _nodes(table: pa.Table) -> npt.NDArray[np.uint64]:
    return np.asarray(table.column(schema.NODE))


def _as_sets(found: Shingles) -> pa.Array:
    """Return each row's shingles, sorted, each once: list<uint64>."""
    of = np.repeat(np.arange(len(found.counts) - 1), np.diff(found.counts))
    order = np.lexsort((found.hashes, of))
    of, hashes = of[order], found.hashes[order]
    first = np.ones(len(of), np.bool_)
    first[1:] = (of[1:] != of[:-1]) | (hashes[1:] != hashes[:-1])
    offsets = np.searchsorted(of[first], np.arange(len(found.counts))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(hashes[first], pa.uint64()))
