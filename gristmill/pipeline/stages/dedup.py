"""dedup: documents with the same text, found over the whole corpus; the earliest that passed the rules survives."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.keys import partition_key, text_digests, versions
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.survivors import survivors
from gristmill.pipeline.exchange import Exchange, KeyFiles
from gristmill.pipeline.phases import Phase, as_batch, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run

REASON = "dedup.exact"

KEYS = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (schema.DIGEST, pa.binary(16)),
        (schema.DATE, pa.timestamp("ms", tz="UTC")),
        (schema.ID, pa.string()),
        (schema.SHARD, pa.string()),
        (schema.ROW, pa.int64()),
    ]
)
DECIDED = pa.schema(
    [
        (schema.SHARD, pa.string()),
        (schema.ROW, pa.int64()),
        (schema.DUPLICATE_OF, pa.string()),
        (schema.CLUSTER_SIZE, pa.int64()),
    ]
)


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that compares what every earlier stage kept."""
    settings = stage.settings
    assert isinstance(settings, DedupSettings)
    name = planning.name_for("dedup")
    return [
        Step(
            name=name,
            stage=name,
            kind="dedup",
            settings=settings.model_dump(mode="json"),
            inputs=planning.inputs_of_kept_texts(),
            versions=versions(),
            columns=(schema.CLUSTER_SIZE,),
            decides=True,
            scope="corpus",
        )
    ]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the three phases of its exchange."""
    exchange = Exchange(
        keys=KeyFiles(run, step, KEYS),
        decided=DECIDED,
        emit=lambda shard, progress: _keys(run, step, shard, progress),
        reduce=survivors,
        decide=lambda shard, decided: _decide(run, step, shard, decided),
    )
    return exchange.phases()


def _keys(run: Run, step: Step, shard: Shard, progress: Progress) -> Iterable[pa.Table]:
    """Yield the keys of the documents that every earlier stage kept, a batch at a time."""
    kept = run.kept(run.plan.deciders_before(step), shard)
    row = 0
    for table in run.texts(step, shard, [schema.ID, schema.DATE, schema.TEXT]):
        rows = pa.array(range(row, row + table.num_rows), pa.int64())
        chosen = kept.slice(row, table.num_rows)
        row += table.num_rows
        yield _keys_of(table.append_column(schema.ROW, rows).filter(chosen), shard)
        progress.update(table.num_rows, row / len(kept))


def _keys_of(table: pa.Table, shard: Shard) -> pa.Table:
    digests = text_digests(table.column(schema.TEXT).combine_chunks())
    columns = {
        schema.KEY: partition_key(digests),
        schema.DIGEST: digests,
        schema.DATE: table.column(schema.DATE),
        schema.ID: table.column(schema.ID),
        schema.SHARD: pa.repeat(pa.scalar(shard.name), table.num_rows),
        schema.ROW: table.column(schema.ROW),
    }
    return pa.table(columns).cast(KEYS)


def _decide(run: Run, step: Step, shard: Shard, decided: pa.Table) -> None:
    rows = run.footer(run.plan.text_step, shard).rows
    positions = decided.column(schema.ROW).to_numpy()
    duplicate_of = _scatter(decided.column(schema.DUPLICATE_OF), positions, rows)
    keep = pc.is_null(duplicate_of)
    reason = pc.if_else(keep, pa.scalar(None, pa.string()), pa.scalar(REASON))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(pc.invert(keep).cast(pa.int32()))])
    reasons = pa.ListArray.from_arrays(offsets, pc.drop_null(reason))
    compared = run.kept(run.plan.deciders_before(step), shard).combine_chunks()
    size = pc.coalesce(_scatter(decided.column(schema.CLUSTER_SIZE), positions, rows), pa.scalar(1, pa.int64()))
    size = pc.if_else(compared, size, pa.scalar(None, pa.int64()))
    table = pa.table([keep, reason, reasons, duplicate_of, size], schema.DUPLICATES.names)
    write_layer(run, step, shard, [as_batch(table.cast(schema.DUPLICATES))], columns=schema.DUPLICATES)


def _scatter(values: pa.ChunkedArray, positions: npt.NDArray[np.int64], rows: int) -> pa.Array:
    """Return an array of ``rows`` values, null but at the given positions."""
    index = np.full(rows, -1, np.int64)
    index[positions] = np.arange(len(values))
    taken = pa.array(index, mask=index < 0)
    return values.combine_chunks().take(taken) if len(values) else pa.nulls(rows, values.type)
