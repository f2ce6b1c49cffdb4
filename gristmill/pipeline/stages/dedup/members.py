"""The documents that are compared: those that every earlier stage kept, with what orders them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from gristmill import schema
from gristmill.dedup.order import order_keys
from gristmill.dedup.settings import DedupSettings, SurvivorSettings
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run

MEMBER = pa.schema(
    [
        (schema.ORDER, pa.uint64()),
        (schema.ID, pa.string()),
        (schema.SHARD, pa.string()),
        (schema.ROW, pa.int64()),
    ]
)
"""What travels of each document in any kind's exchange: the first by (order, id) of a cluster survives."""

_DOCUMENT_COLUMNS = {"oldest": schema.DATE, "newest": schema.DATE, "longest": schema.TEXT_BYTES}


def members(run: Run, step: Step, shard: Shard, columns: list[str], progress: Progress) -> Iterator[pa.Table]:
    """Yield the documents of a shard that every earlier stage kept, one bounded row group at a time.

    Each table has the columns of `MEMBER`, then ``columns``, which are columns of the documents. TEXT and TEXT_BYTES
    are those of the text that the step reads.
    """
    policy = DedupSettings.model_validate(dict(step.settings)).policy
    kept = run.kept(run.plan.deciders_before(step), shard)
    measured = None if policy.column is None else _measured(run, step, shard, policy.column)
    ordering = _DOCUMENT_COLUMNS.get(policy.by or "", schema.ID)
    row = 0
    for table in run.texts(step, shard, list(dict.fromkeys((schema.ID, ordering, *columns)))):
        rows = pa.array(range(row, row + table.num_rows), pa.int64())
        values = table.column(ordering) if measured is None else measured.slice(row, table.num_rows)
        member = {
            schema.ORDER: order_of(policy, values),
            schema.ID: table.column(schema.ID),
            schema.SHARD: pa.repeat(pa.scalar(shard.name), table.num_rows),
            schema.ROW: rows,
        }
        whole = pa.table(member | {name: table.column(name) for name in columns})
        yield whole.filter(kept.slice(row, table.num_rows))
        row += table.num_rows
        progress.update(table.num_rows, row / len(kept))


def order_of(policy: SurvivorSettings, values: pa.ChunkedArray) -> pa.Array:
    """Return the order of documents with these values of what a policy looks at."""
    return order_keys(values, largest_first=policy.highest is not None or policy.by in ("newest", "longest"))


def provider(run: Run, step: Step, column: str) -> Step:
    """Return the latest of a step's inputs whose layer has a column; the planning has seen to it that one does."""
    return next(other for other in reversed(run.plan.steps) if other.name in step.inputs and column in other.columns)


def _measured(run: Run, step: Step, shard: Shard, column: str) -> pa.ChunkedArray:
    return run.read(provider(run, step, column), shard, [column]).column(column)
