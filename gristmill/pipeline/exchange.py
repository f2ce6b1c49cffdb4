"""The exchange: keys go out from the shards, are reduced by partition, and decisions go back to their shards.

    keys       shard      -> its keys, split among P partitions by their top bits
    reduce     partition  -> what becomes of the rows with its keys, sorted by shard and row
    decide     shard      -> its layer, from what every partition says of its rows

A key is a uniform uint64, so partitions are even, and a partition is a range of keys. The number of partitions
follows from the number of shards and bounds memory; no result depends on it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.pipeline.batch_files import NO_COUNTS, SUFFIX, BatchFile, Counts
from gristmill.pipeline.phases import Phase, shard_phase, whole_phase
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run

_LEAST_ROWS_OF_A_BATCH = 256
_MOST_BATCHES = 512
_SHARDS_PER_PARTITION = 16
_FEWEST_PARTITIONS = 4
_MOST_PARTITIONS = 1024

Keys = Callable[[Shard, Progress], Iterable[pa.Table]]


def partition_count(shard_count: int, finer: int = 1) -> int:
    """Return the power of two of partitions for that many shards: 4 up to 64 shards, 1024 from 8,193 on.

    ``finer``, a power of two, is how many times as many it is, but four for each shard at most.

    >>> partition_count(6), partition_count(100_000)
    (4, 1024)
    >>> partition_count(1, 8), partition_count(8, 8), partition_count(100_000, 8)
    (4, 32, 8192)
    """
    whole = min(_MOST_PARTITIONS, max(_FEWEST_PARTITIONS, _power(-(-shard_count // _SHARDS_PER_PARTITION))))
    return min(finer * whole, _FEWEST_PARTITIONS * _power(shard_count))


def _power(count: int) -> int:
    """Return the least power of two that is no less."""
    return 1 << max(0, count - 1).bit_length()


@dataclass(frozen=True)
class KeyFiles:
    """The keys of every shard, split among partitions: written shard by shard, read partition by partition.

    ``corpus`` is true if a shard's keys depend on other shards, as those of a trained tokenizer do; ``name`` tells
    apart the keys of a step that has several. ``finer`` is by how much more partitions there are than otherwise, where
    much travels with each key.
    """

    run: Run
    step: Step
    columns: pa.Schema
    corpus: bool = False
    name: str = "keys"
    finer: int = 1

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return partition_count(len(self.run.plan.shards), self.finer)

    def file(self, shard: Shard) -> SplitFile:
        """Return the file of a shard's keys."""
        name = f"{self.step.folder}/{self.name}/{shard.name}{SUFFIX}"
        return SplitFile(BatchFile(self.run.folder, name, self.digest(shard)), self.columns, self.partitions)

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
            is_done=lambda item: self.file(by_name[item]).is_current(),
            perform=lambda item, progress: self.write(by_name[item], keys(by_name[item], progress)),
        )

    def write(self, shard: Shard, tables: Iterable[pa.Table], counts: Counts = NO_COUNTS) -> None:
        """Write a shard's keys, with what was counted."""
        self.file(shard).write(tables, counts)

    def read(self, partition: int, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield each shard's rows of one partition, shards in order. Raises StaleError, CorruptError, MissingError."""
        for shard in self.run.plan.shards:
            yield from self.of(shard, partition, columns)

    def of(self, shard: Shard, partition: int, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield a shard's rows of one partition, if it has any. Raises as `read` does."""
        return self.file(shard).read(partition, columns)

    def count(self, partition: int) -> int:
        """Return how many rows a partition has, which no row is read for. Raises as `read` does."""
        return sum(self.file(shard).rows(partition) for shard in self.run.plan.shards)

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
        return whole_phase(
            name,
            items=lambda: [f"{p:05d}" for p in range(self.keys.partitions)],
            is_done=lambda item: self._file(int(item)).is_current(),
            perform=lambda item, progress: self._reduce(int(item), progress),
        )

    def on(self, shard: Shard) -> pa.Table:
        """Return what every partition decided on a shard's rows, sorted by row."""
        found = [self.decided.empty_table()]
        for partition in range(self.keys.partitions):
            found += self._rows_of(partition, shard)
        return pa.concat_tables(found).sort_by(schema.ROW)

    def _file(self, partition: int) -> BatchFile:
        step, run = self.keys.step, self.keys.run
        digest = digest_of(self.folder, run.corpus_digest(step), partition, self.keys.partitions)
        return BatchFile(run.folder, f"{step.folder}/{self.folder}/{partition:05d}{SUFFIX}", digest)

    def _reduce(self, partition: int, progress: Progress) -> None:
        rows = (self.rows or self.keys.partition)(partition)
        reduced = self.reduce(rows).cast(self.decided)
        starts = _starts_of_batches(reduced.column(schema.SHARD))
        batches = (reduced.slice(start, stop - start) for start, stop in pairwise([*starts, reduced.num_rows]))
        firsts = reduced.column(schema.SHARD).take(pa.array(starts, pa.int64())).to_pylist()
        self._file(partition).write(self.decided, batches, index=firsts)
        progress.update(rows.num_rows, 1.0)

    def _rows_of(self, partition: int, shard: Shard) -> Iterator[pa.Table]:
        """Yield a shard's rows of a partition: ``index`` has the shard that each batch starts with, in order."""
        with self._file(partition).open() as file:
            number = bisect_right(file.index, shard.name) - 1
            if number >= 0:
                table = file.read(number)
                yield table.filter(pc.equal(table.column(schema.SHARD), shard.name))


def _starts_of_batches(shards: pa.ChunkedArray) -> list[int]:
    """Return where batches start in rows that are sorted by shard: a shard's rows are all in one.

    A batch has 256 rows, or a 512th of all if that is more, and then what is left of its last shard.
    """
    ends = np.asarray(pc.run_end_encode(shards.combine_chunks()).run_ends) if len(shards) else np.empty(0, np.int64)
    least = max(_LEAST_ROWS_OF_A_BATCH, len(shards) // _MOST_BATCHES)
    starts = [0] if len(ends) else []
    for end in ends[:-1].tolist():
        if end - starts[-1] >= least:
            starts.append(end)
    return starts


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
class SplitFile:
    """A file whose rows are split among partitions by their KEY: a batch for each partition that has any."""

    file: BatchFile
    columns: pa.Schema
    partitions: int

    def is_current(self) -> bool:
        """Return whether it is there, whole, and computed from what its digest names."""
        return self.file.is_current()

    def write(self, tables: Iterable[pa.Table], counts: Counts = NO_COUNTS) -> None:
        """Write tables, in each partition in the order they came, and what was counted."""
        rows, parts = _split(tables, self.partitions, self.columns)
        self.file.write(self.columns, parts, index=rows, counts=counts)

    def read(self, partition: int, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows of one partition, if it has any. Raises StaleError, CorruptError, MissingError."""
        with self.file.open(columns) as file:
            if file.index[partition]:
                yield file.read(sum(rows > 0 for rows in file.index[:partition]))

    def rows(self, partition: int) -> int:
        """Return how many rows a partition has. Raises as `read` does."""
        with self.file.open() as file:
            return int(file.index[partition])

    def counts(self) -> dict[str, int]:
        """Return what was counted. Raises as `read` does."""
        return self.file.counts()


def partition_of(keys: pa.ChunkedArray | pa.Array, partitions: int) -> np.ndarray:
    """Return the partition of each uint64 key: its top bits; ``partitions`` is a power of two."""
    bits = partitions.bit_length() - 1
    values = np.asarray(keys, dtype=np.uint64)
    return (values >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(len(values), np.int64)


def _split(tables: Iterable[pa.Table], partitions: int, columns: pa.Schema) -> tuple[list[int], Iterator[pa.Table]]:
    """Return how many rows each partition has, and their tables, rows in the order they came."""
    table = pa.concat_tables([columns.empty_table(), *tables]).combine_chunks()
    of = partition_of(table.column(schema.KEY), partitions).astype(np.uint16)
    rows = np.bincount(of, minlength=partitions)
    ordered = table.take(pa.array(np.argsort(of, kind="stable")))
    bounds = np.concatenate([[0], np.cumsum(rows)]).tolist()
    return rows.tolist(), (ordered.slice(low, high - low) for low, high in pairwise(bounds))
