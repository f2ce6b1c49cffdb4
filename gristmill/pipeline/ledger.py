"""The ledger: what became of every record, put together from the decisions of all stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter


@dataclass(frozen=True)
class Flow:
    """Documents and text bytes at one deciding stage: what came in, and what it kept of that."""

    stage: str
    documents_in: int
    documents_kept: int
    bytes_in: int
    bytes_kept: int

    @property
    def dropped(self) -> int:
        """Documents that came in and did not stay."""
        return self.documents_in - self.documents_kept


def finished_deciders(run: Run) -> tuple[Step, ...]:
    """Return the deciding steps, from the first on, whose files are there and current for every shard."""
    return tuple(takewhile(partial(_is_finished, run), run.plan.deciders))


def finished_edits(run: Run) -> tuple[Step, ...]:
    """Return the editing steps, from the first on, whose files are there and current for every shard."""
    return tuple(takewhile(partial(_is_finished, run), run.plan.edits))


def _is_finished(run: Run, step: Step) -> bool:
    return all(run.is_done(step, shard) for shard in run.plan.shards)


def fates(run: Run, shard: Shard, deciders: Sequence[Step]) -> pa.Table:
    """Return one row for each record of a shard: `schema.FATES`.

    The stage, reasons and duplicate are those of the first stage that dropped it.
    """
    documents = run.read(run.plan.text_step, shard, [schema.ID, schema.URL, schema.FATE, schema.FATE_DETAIL])
    rows = documents.num_rows
    stage = pa.nulls(rows, pa.string())
    reason = pa.nulls(rows, pa.string())
    reasons = pa.array([[]] * rows, pa.list_(pa.string()))
    duplicate = pa.nulls(rows, pa.string())
    for step in deciders:
        decided = decisions(run, step, shard)
        first = pc.and_(pc.invert(decided.column(schema.KEEP)), pc.is_null(stage)).combine_chunks()
        stage = pc.if_else(first, pa.scalar(step.stage), stage)
        reason = pc.if_else(first, decided.column(schema.REASON).combine_chunks(), reason)
        reasons = _choose_lists(first, decided.column(schema.REASONS).combine_chunks(), reasons)
        duplicate = pc.if_else(first, decided.column(schema.DUPLICATE_OF).combine_chunks(), duplicate)
    columns = {
        schema.ID: documents.column(schema.ID),
        schema.URL: documents.column(schema.URL),
        schema.SHARD: pa.repeat(pa.scalar(shard.name), rows),
        schema.ROW: pa.array(range(rows), pa.int64()),
        schema.KEPT: pc.is_null(stage),
        schema.STAGE: stage,
        schema.REASON: reason,
        schema.REASONS: reasons,
        schema.DUPLICATE_OF: duplicate,
        schema.FATE_DETAIL: documents.column(schema.FATE_DETAIL),
    }
    return pa.table(columns).cast(schema.FATES)


def decisions(run: Run, step: Step, shard: Shard) -> pa.Table:
    """Return what one deciding step decided on every row: keep, reason, reasons, duplicate_of (null if it has none)."""
    if step == run.plan.text_step:
        reason = run.read(step, shard, [schema.FATE]).column(schema.FATE)
        table = pa.table({schema.KEEP: pc.is_null(reason), schema.REASON: reason, schema.REASONS: _as_lists(reason)})
    else:
        table = run.read(step, shard)
    if schema.DUPLICATE_OF not in table.column_names:
        table = table.append_column(schema.DUPLICATE_OF, pa.nulls(table.num_rows, pa.string()))
    return table


def flows(run: Run, deciders: Sequence[Step]) -> list[Flow]:
    """Return what came into and stayed at each deciding stage, over all shards, in order.

    Bytes are those of the text as it came into the stage, and as the stage left it.
    """
    totals = {step.stage: [0, 0, 0, 0] for step in deciders}
    edits = finished_edits(run)
    for shard in run.plan.shards:
        alive = pa.chunked_array([pa.repeat(pa.scalar(True), run.footer(run.plan.text_step, shard).rows)])
        for step in deciders:
            after = pc.and_(alive, run.keep(step, shard))
            came = run.text_bytes(run.plan.before_stage(edits, step.stage), shard)
            left = run.text_bytes(run.plan.through_stage(edits, step.stage), shard)
            for position, value in enumerate((_count(alive), _count(after), _bytes(alive, came), _bytes(after, left))):
                totals[step.stage][position] += value
            alive = after
    return [Flow(stage, *numbers) for stage, numbers in totals.items()]


def write_fates(run: Run, sink: object, deciders: Sequence[Step]) -> int:
    """Write the fates of every record to an open binary file as Parquet; return how many."""
    writer = ShardWriter(sink, schema.FATES, run.plan.digest)  # type: ignore[arg-type]
    for shard in run.plan.shards:
        for batch in fates(run, shard, deciders).to_batches():
            writer.write(batch)
    writer.close()
    return writer.rows


def shards_with(run: Run, deciders: Sequence[Step]) -> Iterator[tuple[Shard, pa.Table]]:
    """Yield each shard with its fates."""
    for shard in run.plan.shards:
        yield shard, fates(run, shard, deciders)


def _as_lists(values: pa.ChunkedArray) -> pa.Array:
    """Return lists of one value each, empty where the value is null."""
    array = values.combine_chunks()
    lengths = pc.is_valid(array).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    return pa.ListArray.from_arrays(offsets, pc.drop_null(array))


def _choose_lists(condition: pa.Array, yes: pa.Array, no: pa.Array) -> pa.Array:
    """Return rows of ``yes`` where the condition holds, else of ``no``."""
    rows = len(condition)
    both = pa.concat_arrays([yes.cast(no.type), no])
    index = pc.if_else(condition, pa.array(range(rows), pa.int64()), pa.array(range(rows, 2 * rows), pa.int64()))
    return both.take(index)


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _bytes(mask: pa.ChunkedArray, sizes: pa.ChunkedArray) -> int:
    return int(pc.sum(sizes.filter(mask)).as_py() or 0)
