"""A phase: items that can be done in any order, in any process, any number of times, with the same outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from gristmill import schema
from gristmill.errors import MisalignedError
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter

Counts = Mapping[str, int] | None


@dataclass(frozen=True)
class Phase:
    """Work on items: shards, partitions or output files.

    ``items`` may depend on what earlier phases wrote, so it is asked for only when they are done. ``by_shard`` is true
    if the items are shards: then one that failed does not stop the others. ``needs_all`` is true if a phase rests on
    every shard: then it waits until none has failed.
    """

    name: str
    items: Callable[[], Sequence[str]]
    is_done: Callable[[str], bool]
    perform: Callable[[str, Progress], None]
    by_shard: bool = True
    needs_all: bool = False


def shard_phase(run: Run, step: Step, perform: Callable[[Shard, Progress], None]) -> Phase:
    """Return the phase that writes a step's file for each shard."""
    by_name = {shard.name: shard for shard in run.plan.shards}
    return Phase(
        name="shards",
        items=lambda: list(by_name),
        is_done=lambda item: run.is_done(step, by_name[item]),
        perform=lambda item, progress: perform(by_name[item], progress),
    )


def whole_phase(
    name: str,
    items: Callable[[], Sequence[str]],
    is_done: Callable[[str], bool],
    perform: Callable[[str, Progress], None],
) -> Phase:
    """Return a phase that rests on every shard."""
    return Phase(name, items, is_done, perform, by_shard=False, needs_all=True)


def annotate(
    run: Run, step: Step, columns: pa.Schema, measure: Callable[..., pa.RecordBatch], reads: Sequence[str] = ()
) -> Callable[[Shard, Progress], None]:
    """Return the work that writes what ``measure`` says of each batch of documents as a layer.

    ``measure`` is given the texts, then each of the other columns that it ``reads``, as arrays.
    """

    def perform(shard: Shard, progress: Progress) -> None:
        def measured() -> Iterable[pa.RecordBatch]:
            rows = run.footer(run.plan.text_step, shard).rows
            done = 0
            for table in run.texts(step, shard, [schema.TEXT, *reads]):
                done += table.num_rows
                yield measure(*(table.column(name).combine_chunks() for name in (schema.TEXT, *reads)))
                progress.update(table.num_rows, done / max(rows, 1))

        write_layer(run, step, shard, measured(), columns=columns)

    return perform


def write_layer(
    run: Run, step: Step, shard: Shard, batches: Iterable[pa.RecordBatch], *, columns: pa.Schema, counts: Counts = None
) -> None:
    """Write a step's row-aligned layer for a shard. Raises MisalignedError if the rows are not the documents'."""
    documents = run.footer(run.plan.text_step, shard)
    name = run.file(step, shard)
    with run.folder.writing(name) as sink:
        writer = ShardWriter(sink, columns, run.digest(step, shard))
        for batch in batches:
            writer.write(batch)
        if writer.rows != documents.rows:
            raise MisalignedError(
                f"step '{step.name}' gave {writer.rows} rows for the {documents.rows} documents of shard '{shard.name}'"
            )
        writer.order = documents.order
        writer.counts = dict(counts or {})
        writer.close()


def as_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
