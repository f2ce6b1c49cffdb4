"""The layer of a deduplication, from what was decided on a shard's documents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.phases import as_batch, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.run import Run

DECIDED = pa.schema(
    [
        (schema.SHARD, pa.string()),
        (schema.ROW, pa.int64()),
        (schema.DUPLICATE_OF, pa.string()),
        (schema.CLUSTER_SIZE, pa.int64()),
    ]
)
"""What is decided on a document of a cluster; ``duplicate_of`` is null for a survivor."""

NEAR_DECIDED = pa.schema([*DECIDED, *list(schema.NEAR_DUPLICATES)[len(schema.DUPLICATES) :]])
"""The same, of kinds whose copies are not equal."""

_VERSION = "2"


def versions() -> dict[str, str]:
    """Return the version of what is written of decisions."""
    return {"decisions": _VERSION}


def write_decisions(
    run: Run,
    step: Step,
    shard: Shard,
    decided: pa.Table,
    layer: pa.Schema = schema.DUPLICATES,
    *,
    compared: npt.NDArray[np.int64] | None = None,
) -> None:
    """Write a shard's layer.

    ``decided`` has at most one row for each row of the shard, with the columns of `DECIDED` and those that ``layer``
    has beyond `schema.DUPLICATES`. A document with a ``duplicate_of`` is dropped for `dedup.<kind>`; a document
    that was compared, and that nothing was decided on, is a cluster of one. The further columns are null for all on
    which nothing was decided. ``compared`` are the rows that were, by default all that earlier stages kept.
    """
    positions = decided.column(schema.ROW).to_numpy()
    rows = run.footer(run.plan.text_step, shard).rows
    duplicate_of = _scatter(decided.column(schema.DUPLICATE_OF), positions, rows)
    were = run.kept(run.plan.deciders_before(step), shard) if compared is None else _mask(compared, rows)
    ids = run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID).combine_chunks()
    size = pc.coalesce(_scatter(decided.column(schema.CLUSTER_SIZE), positions, rows), pa.scalar(1, pa.int64()))
    further = [_scatter(decided.column(name), positions, rows) for name in layer.names[len(schema.DUPLICATES) :]]
    columns = [
        *_reasons(duplicate_of, reason_of(step)),
        duplicate_of,
        pc.if_else(were, pc.coalesce(duplicate_of, ids), pa.scalar(None, pa.string())),
        pc.if_else(were, size, pa.scalar(None, pa.int64())),
        *further,
    ]
    write_layer(run, step, shard, [as_batch(pa.table(columns, layer.names).cast(layer))], columns=layer)


def reason_of(step: Step) -> str:
    """Return why a step drops a document: `dedup.<kind>`."""
    return f"dedup.{DedupSettings.model_validate(dict(step.settings)).kind}"


def _reasons(duplicate_of: pa.Array, code: str) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return KEEP, REASON and REASONS."""
    keep = pc.is_null(duplicate_of)
    reason = pc.if_else(keep, pa.scalar(None, pa.string()), pa.scalar(code))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(pc.invert(keep).cast(pa.int32()))])
    return keep, reason, pa.ListArray.from_arrays(offsets, pc.drop_null(reason))


def _mask(positions: npt.NDArray[np.int64], rows: int) -> pa.Array:
    """Return an array of ``rows`` booleans, true at the given positions."""
    found = np.zeros(rows, np.bool_)
    found[positions] = True
    return pa.array(found)


def _scatter(values: pa.ChunkedArray, positions: npt.NDArray[np.int64], rows: int) -> pa.Array:
    """Return an array of ``rows`` values, null but at the given positions."""
    index = np.full(rows, -1, np.int64)
    index[positions] = np.arange(len(values))
    taken = pa.array(index, mask=index < 0)
    return values.combine_chunks().take(taken) if len(values) else pa.nulls(rows, values.type)
