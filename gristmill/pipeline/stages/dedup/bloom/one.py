"""One pass: texts are read once, and of each partition's keys those of candidates are held.

    keys      shard      -> the keys of its documents, split among partitions
    filters   partition  -> the filter of its keys, made in a stream and saved
    reduce    partition  -> what becomes of the documents whose key the filter was given twice, or an older run claims
    shards    shard      -> its layer

What an older run's filter claims to have is dropped. Its keys are not read, and may be gone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.survivors import survivors
from gristmill.pipeline.exchange import Reduction, deciding_phase, partition_of
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.bloom.files import FilterFiles, keys_of_all
from gristmill.pipeline.stages.dedup.bloom.kind import Emit
from gristmill.pipeline.stages.dedup.bloom.older import claims
from gristmill.pipeline.stages.dedup.decisions import DECIDED, write_decisions
from gristmill.pipeline.stages.dedup.members import KEYS


def phases(run: Run, step: Step, settings: BloomSettings, emit: Emit) -> tuple[Phase, ...]:
    """Return the four phases, in order."""
    keys = keys_of_all(run, step, settings)
    filters = FilterFiles(keys, settings)

    def candidates(partition: int) -> pa.Table:
        own, older = filters.read(partition, 2), claims(step, settings, partition, keys.partitions)
        found = [KEYS.empty_table()]
        for table in keys.read(partition):
            values = np.asarray(table.column(schema.KEY))
            found.append(table.filter(pa.array(own.has_twice(values) | (older.first(values) >= 0))))
        return pa.concat_tables(found)

    def reduce(rows: pa.Table) -> pa.Table:
        if not rows.num_rows:
            return survivors(rows)
        partition = int(partition_of(rows.column(schema.KEY).slice(0, 1), keys.partitions)[0])
        return survivors(rows, claims(step, settings, partition, keys.partitions).known(rows))

    reduction = Reduction(keys, DECIDED, reduce, rows=candidates)
    decide = deciding_phase(reduction, lambda shard, decided: write_decisions(run, step, shard, decided))
    return keys.phase(emit), filters.phase(), reduction.phase(), decide
