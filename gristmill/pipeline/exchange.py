"""The exchange: keys go out from the shards, are reduced by partition, and decisions go back to their shards.

    keys       shard      -> its keys, split among P partitions by their top bits
    reduce     partition  -> what becomes of the rows with its keys, sorted by shard and row
    decide     shard      -> its layer, from what every partition says of its rows

A key is a uniform uint64, so partitions are even, and a partition is a range of keys. The number of partitions
follows from the number of shards and bounds memory; no result depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill import schema
from gristmill.pipeline import shards
from gristmill.pipeline.phases import Phase, shard_phase, whole_phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter

_SHARDS_PER_PARTITION = 32
_FEWEST_PARTITIONS = 4
_MOST_PARTITIONS = 1024

Keys = Callable[[Shard, Progress], Iterable[pa.Table]]


def partition_count(shard_count: int) -> int:
    """Return the power of two of partitions for that many shards: 4 up to 128 shards, 1024 from 16,385 on.

    >>> partition_count(6), partition_count(100_000)
    (4, 1024)
    """
    wanted = -(-shard_count // _SHARDS_PER_PARTITION)
    power = 1 << max(0, wanted - 1).bit_length()
    return min(_MOST_PARTITIONS, max(_FEWEST_PARTITIONS, power))


@dataclass(frozen=True)
class KeyFiles:
    """The keys of every shard, split among partitions: written shard by shard, read partition by partition.

    ``corpus`` is true if a shard's keys depend on other shards, as those of a trained tokenizer do; ``name`` tells
    apart the keys of a step that has several; ``repeats`` is false for hashes (see `ShardWriter`).
    """

    run: Run
    step: Step
    columns: pa.Schema
    corpus: bool = False
    name: str = "keys"
    repeats: bool = True

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return partition_count(len(self.run.plan.shards))

    def file(self, shard: Shard) -> str:
        """Return the name of a shard's keys."""
        return f"{self.step.folder}/{self.name}/{shard.name}.parquet"

    def digest(self, shard: Shard) -> str:
        """Return the digest of what a shard's keys are computed from."""
        inputs = [self.run.digest(self.run.plan.step(name), shard) for name in self.step.inputs]
        corpus = self.run.corpus_digest(self.step) if self.corpus else None
        return digest_of(self.name, self.step.digest, inputs, corpus, self.partitions)

    def phase(self, keys: Keys, name: str | None = None) -> Phase:
        """Return the phase, by default of the keys' name, that writes what ``keys`` yields for each shard."""
        by_name = {shard.name: shard for shard in self.run.plan.shards}
        return Phase(
            name=name or self.name,
            items=lambda: list(by_name),
            is_done=lambda item: shards.is_current(
                self.run.folder, self.file(by_name[item]), self.digest(by_name[item])
            ),
            perform=lambda item, progress: self.write(by_name[item], keys(by_name[item], progress)),
        )

    def write(self, shard: Shard, tables: Iterable[pa.Table], counts: Mapping[str, int] = MappingProxyType({})) -> None:
        """Write a shard's keys, one row group for each partition that has any, and counts into the footer."""
        split = Split(self.columns, self.digest(shard), self.partitions, self.repeats)
        write_split(self.run, self.file(shard), split, tables, counts)

    def read(self, partition: int, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield each shard's rows of one partition, shards in order. Raises StaleError, CorruptError, MissingError."""
        for shard in self.run.plan.shards:
            yield from self.of(shard, partition, columns)

    def of(self, shard: Shard, partition: int, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield a shard's rows of one partition, if it has any. Raises as `read` does."""
        return read_split(self.run, self.file(shard), self.digest(shard), partition, columns)

    def count(self, partition: int) -> int:
        """Return how many rows a partition has, from the footers alone. Raises as `read` does."""
        return sum(
            split_rows(self.run, self.file(shard), self.digest(shard), partition) for shard in self.run.plan.shards
        )

    def partition(self, partition: int) -> pa.Table:
        """Return all rows of one partition."""
        return pa.concat_tables([self.columns.empty_table(), *self.read(partition)])


@dataclass(frozen=True)
class Reduction:
    """What is made of each partition's rows: written partition by partition, read shard by shard.

    ``reduce`` takes a partition's rows and returns rows of ``decided``, which holds SHARD and ROW, sorted by them.
    ``folder`` holds its files, and tells apart the reductions of a step that has several. ``rows`` returns those of a
    partition's rows that are reduced; by default all.
    """

    keys: KeyFiles
    decided: pa.Schema
    reduce: Callable[[pa.Table], pa.Table]
    folder: str = "reduced"
    rows: Callable[[int], pa.Table] | None = None

    def phase(self, name: str = "reduce") -> Phase:
        """Return the phase that reduces each partition."""
        folder = self.keys.run.folder
        return whole_phase(
            name,
            items=lambda: [f"{p:05d}" for p in range(self.keys.partitions)],
            is_done=lambda item: shards.is_current(folder, self._file(int(item)), self._digest(int(item))),
            perform=lambda item, progress: self._reduce(int(item), progress),
        )

    def on(self, shard: Shard) -> pa.Table:
        """Return what every partition decided on a shard's rows, sorted by row."""
        found = [self.decided.empty_table()]
        for partition in range(self.keys.partitions):
            found += self._rows_of(partition, shard)
        return pa.concat_tables(found).sort_by(schema.ROW)

    def _file(self, partition: int) -> str:
        return f"{self.keys.step.folder}/{self.folder}/{partition:05d}.parquet"

    def _digest(self, partition: int) -> str:
        return digest_of(self.folder, self.keys.run.corpus_digest(self.keys.step), partition, self.keys.partitions)

    def _reduce(self, partition: int, progress: Progress) -> None:
        rows = (self.rows or self.keys.partition)(partition)
        reduced = self.reduce(rows)
        with self.keys.run.folder.writing(self._file(partition)) as sink:
            writer = ShardWriter(sink, self.decided, self._digest(partition))
            for batch in reduced.cast(self.decided).to_batches(max_chunksize=shards.ROW_GROUP_ROWS):
                writer.write(batch)
            writer.close()
        progress.update(rows.num_rows, 1.0)

    def _rows_of(self, partition: int, shard: Shard) -> list[pa.Table]:
        name = self._file(partition)
        folder = self.keys.run.folder
        shards.check(shards.read_footer(folder, name), folder.path(name), self._digest(partition))
        with folder.source(name) as source, shards.reading(name):
            file = pq.ParquetFile(source)
            column = file.schema_arrow.get_field_index(schema.SHARD)
            found = []
            for group in range(file.num_row_groups):
                statistics = file.metadata.row_group(group).column(column).statistics
                if statistics is None or statistics.min <= shard.name <= statistics.max:
                    table = file.read_row_group(group, use_threads=False)
                    found.append(table.filter(pc.equal(table.column(schema.SHARD), shard.name)))
        return found


@dataclass(frozen=True)
class Exchange:
    """One exchange of a step.

    ``reduce`` is that of a `Reduction`; ``decide`` takes what was decided on a shard's rows and writes its layer.
    """

    keys: KeyFiles
    decided: pa.Schema
    emit: Keys
    reduce: Callable[[pa.Table], pa.Table]
    decide: Callable[[Shard, pa.Table], None]

    def phases(self) -> tuple[Phase, ...]:
        """Return the three phases, in order."""
        reduction = Reduction(self.keys, self.decided, self.reduce)
        return self.keys.phase(self.emit), reduction.phase(), deciding_phase(reduction, self.decide)


def deciding_phase(reduction: Reduction, decide: Callable[[Shard, pa.Table], None]) -> Phase:
    """Return the phase in which ``decide`` takes what was decided on each shard's rows and writes its layer."""
    run, step = reduction.keys.run, reduction.keys.step

    def perform(shard: Shard, progress: Progress) -> None:
        decide(shard, reduction.on(shard))
        progress.update(run.footer(run.plan.text_step, shard).rows, 1.0)

    return shard_phase(run, step, perform)


@dataclass(frozen=True)
class Split:
    """A file whose rows are split among partitions by their key: its columns, its digest, how many partitions."""

    columns: pa.Schema
    digest: str
    partitions: int
    repeats: bool = True


def write_split(
    run: Run, name: str, split: Split, tables: Iterable[pa.Table], counts: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Write tables as one row group for each partition that has any rows, in the order they came."""
    parts = _split(tables, split.partitions, split.columns)
    with run.folder.writing(name) as sink:
        writer = ShardWriter(sink, split.columns, split.digest, repeats=split.repeats)
        groups: list[int] = []
        for part in parts:
            groups.append(len(groups) - groups.count(-1) if part.num_rows else -1)
            writer.write_group(part)
        writer.counts = {"partitions": groups, **counts}
        writer.close()


def read_split(
    run: Run, name: str, digest: str, partition: int, columns: list[str] | None = None
) -> Iterator[pa.Table]:
    """Yield columns of a file's rows of one partition, if it has any. Raises StaleError, CorruptError, MissingError."""
    footer = shards.read_footer(run.folder, name)
    shards.check(footer, run.folder.path(name), digest)
    group = footer.counts["partitions"][partition]
    if group >= 0:
        with run.folder.source(name) as source, shards.reading(name):
            table = pq.ParquetFile(source).read_row_group(group, columns=columns, use_threads=False)
        yield table


def split_rows(run: Run, name: str, digest: str, partition: int) -> int:
    """Return how many rows of a file belong to a partition. Raises StaleError, CorruptError, MissingError."""
    with run.folder.source(name) as source, shards.reading(name):
        file = pq.ParquetFile(source)
        footer = shards.footer_of(file, name)
        shards.check(footer, run.folder.path(name), digest)
        group = footer.counts["partitions"][partition]
        return int(file.metadata.row_group(group).num_rows) if group >= 0 else 0


def partition_of(keys: pa.ChunkedArray | pa.Array, partitions: int) -> np.ndarray:
    """Return the partition of each uint64 key: its top bits; ``partitions`` is a power of two."""
    bits = partitions.bit_length() - 1
    values = np.asarray(keys, dtype=np.uint64)
    return (values >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(len(values), np.int64)


def _split(tables: Iterable[pa.Table], partitions: int, columns: pa.Schema) -> Iterator[pa.Table]:
    """Yield one table for each partition, rows in the order they came."""
    table = pa.concat_tables([columns.empty_table(), *tables])
    of = partition_of(table.column(schema.KEY), partitions)
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(partitions + 1))
    for low, high in pairwise(bounds):
        yield table.take(pa.array(order[low:high]))
