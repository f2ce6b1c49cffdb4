"""Two passes: 8 bytes of each document go out, then the keys of candidates alone.

short       shard      -> a 64-bit key of each of its documents, split among partitions
filters     partition  -> the filter of its keys, made in a stream and saved
candidates  partition  -> the documents whose key the filter was given twice, or an older run claims to have
keys        shard      -> the keys of its candidates; texts are read again, and digested where there is one
reduce      partition  -> what becomes of them: copies have equal digests, so a false positive drops nothing
shards      shard      -> its layer
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.survivors import survivors
from gristmill.pipeline.exchange import Exchange, KeyFiles, Reduction
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.bloom.files import SHORT, FilterFiles, keys_of_all
from gristmill.pipeline.stages.dedup.bloom.kind import Emit
from gristmill.pipeline.stages.dedup.bloom.older import claims, verified
from gristmill.pipeline.stages.dedup.decisions import DECIDED, write_decisions
from gristmill.pipeline.stages.dedup.members import KEYS

CANDIDATES = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int64())])


def phases(run: Run, step: Step, settings: BloomSettings, emit: Emit) -> tuple[Phase, ...]:
    """Return the six phases, in order."""
    short = keys_of_all(run, step, settings)
    filters = FilterFiles(short, settings)

    def shorten(shard: Shard, progress: Progress) -> Iterator[pa.Table]:
        for table in emit(shard, progress):
            yield table.select(SHORT.names)

    def candidates(partition: int) -> pa.Table:
        own, older = filters.read(partition, 2), claims(step, settings, partition, short.partitions)
        found = [CANDIDATES.empty_table()]
        for shard in run.plan.shards:
            for table in short.of(shard, partition):
                keys = np.asarray(table.column(schema.KEY))
                chosen = table.filter(pa.array(own.has_twice(keys) | (older.first(keys) >= 0)))
                of_shard = pa.repeat(pa.scalar(shard.name), chosen.num_rows)
                found.append(pa.table([of_shard, chosen.column(schema.ROW)], schema=CANDIDATES))
        return pa.concat_tables(found)

    def ordered(rows: pa.Table) -> pa.Table:
        return rows.sort_by([(schema.SHARD, "ascending"), (schema.ROW, "ascending")])

    chosen = Reduction(short, CANDIDATES, ordered, "candidates", candidates)
    exchange = Exchange(
        keys=KeyFiles(run, step, KEYS, corpus=True),
        decided=DECIDED,
        emit=lambda shard, progress: emit(shard, progress, np.asarray(chosen.on(shard).column(schema.ROW))),
        reduce=lambda rows: survivors(rows, verified(step, rows)),
        decide=lambda shard, decided: write_decisions(run, step, shard, decided),
    )
    return short.phase(shorten), filters.phase(), chosen.phase("candidates"), *exchange.phases()
