"""The keys that older runs have saved, as far as a new run's documents have them too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.components import Nodes
from gristmill.pipeline.exchange import KeyFiles
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.stages.dedup.older import Older, open_older, rows_with_keys
from gristmill.pipeline.stages.dedup.rounds import NODES

OLDER_NODES = pa.schema([(schema.KEY, pa.uint64()), (schema.SHARD, pa.int64()), (schema.ROW, pa.int64())])


@dataclass(frozen=True)
class OlderKeys:
    """The keys of the runs that a step goes against, the oldest first; their shards are numbered through.

    ``shared_by`` names the keys that candidates share, such as bands, and ``table`` is that of their files.
    Everything raises as `older_runs` does, and StaleError, CorruptError, MissingError.
    """

    step: Step
    table: pa.Schema
    shared_by: str

    @cached_property
    def runs(self) -> list[Older]:
        """The runs; none where the step goes against none."""
        return open_older(self.step)

    @cached_property
    def shards(self) -> list[tuple[int, Shard]]:
        """Each shard, with the place of its run."""
        return [(place, shard) for place, older in enumerate(self.runs) for shard in older.run.plan.shards]

    def buckets(self, wanted: Nodes) -> Iterator[pa.Table]:
        """Yield the older documents' rows of ``table`` that have one of the sorted wanted keys."""
        for older in self.runs if len(wanted) else ():
            yield from rows_with_keys(KeyFiles(older.run, older.step, self.table, name=self.shared_by), wanted)

    def shared(self, wanted: Nodes) -> Nodes:
        """Return those of the sorted wanted nodes that an older document has."""
        return np.unique(np.asarray(self.nodes(wanted).column(schema.KEY)))

    def nodes(self, wanted: Nodes) -> pa.Table:
        """Return OLDER_NODES of the older documents whose node is among the sorted wanted ones."""
        numbers = {(place, shard.name): number for number, (place, shard) in enumerate(self.shards)}
        found = [OLDER_NODES.empty_table()]
        for place, older in enumerate(self.runs if len(wanted) else ()):
            for table in rows_with_keys(KeyFiles(older.run, older.step, NODES, name="nodes"), wanted):
                shards = pc.unique(table.column(schema.SHARD))
                known = pa.array([numbers[place, name] for name in shards.to_pylist()], pa.int64())
                number = known.take(pc.index_in(table.column(schema.SHARD), value_set=shards).combine_chunks())
                columns = [table.column(schema.KEY), number, table.column(schema.ROW)]
                found.append(pa.table(columns, schema=OLDER_NODES))
        return pa.concat_tables(found)
