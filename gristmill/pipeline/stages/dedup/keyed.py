"""Kinds whose documents are copies exactly when their digests are equal: one exchange, whatever is digested."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.keys import partition_key, scoped
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.survivors import survivors
from gristmill.errors import UsageError
from gristmill.pipeline.exchange import Exchange, KeyFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup import bloom
from gristmill.pipeline.stages.dedup.bloom.kind import Rows
from gristmill.pipeline.stages.dedup.decisions import DECIDED, write_decisions
from gristmill.pipeline.stages.dedup.members import KEYS, MEMBER, members
from gristmill.pipeline.stages.dedup.older import known_to, open_older

Digests = Callable[[pa.ChunkedArray], pa.Array]


def phases(run: Run, step: Step, settings: DedupSettings, column: str, digests: Digests) -> tuple[Phase, ...]:
    """Return the phases of the exchange; documents are compared by the digests of a column.

    A document without a digest is a cluster of one. Raises UsageError for a run that goes against itself.
    """
    if run.folder.address in settings.against:
        raise UsageError(f"run '{run.plan.name}' goes against itself: 'against' names {run.folder.url}")

    def emit(shard: Shard, progress: Progress, wanted: Rows | None = None) -> Iterator[pa.Table]:
        for table in members(run, step, shard, [column], progress):
            chosen = table if wanted is None else table.filter(pa.array(np.isin(table.column(schema.ROW), wanted)))
            found = digests(chosen.column(column))
            yield _keys_of(chosen, found if settings.scope == "corpus" else scoped(found, _one(chosen, schema.SCOPE)))

    def reduce(rows: pa.Table) -> pa.Table:
        return survivors(rows, known_to(open_older(step), rows) if settings.against else None)

    if settings.bloom is not None:
        return bloom.phases(run, step, settings.bloom, emit)
    exchange = Exchange(
        keys=KeyFiles(run, step, KEYS),
        decided=DECIDED,
        emit=emit,
        reduce=reduce,
        decide=lambda shard, decided: write_decisions(run, step, shard, decided),
    )
    return exchange.phases()


def _one(table: pa.Table, column: str) -> pa.Array:
    return table.column(column).combine_chunks()


def _keys_of(table: pa.Table, digests: pa.Array) -> pa.Table:
    columns = {schema.KEY: partition_key(digests), schema.DIGEST: digests}
    keys = pa.table(columns | {name: table.column(name) for name in MEMBER.names})
    return keys.filter(pc.is_valid(digests)).cast(KEYS)
