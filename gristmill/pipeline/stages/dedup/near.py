"""The phases of a kind that finds near-duplicates, from what its documents are compared by to their layers.

signatures     shard      -> what its documents are compared by; each kind has its own name for it
buckets, nodes shard      -> the keys of their buckets; of what they are compared by, with where they are
edges          partition  -> of each bucket, which nodes are candidates
large, small   partition  -> the edges, nearer to a star for each component (see `components`), in rounds
labels         partition  -> the component of each document that is in one
older-…        of runs that it goes against, what is in these components (see `older_members`)
members        shard      -> its documents in components, with what they are compared by
reduce         partition  -> of each component, who is verified to be like which survivor
shards         shard      -> its layer
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa

from gristmill.dedup.components import Edges
from gristmill.pipeline.exchange import Exchange, KeyFiles, Keys, Reduction
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.stages.dedup.decisions import NEAR_DECIDED
from gristmill.pipeline.stages.dedup.older_keys import OlderKeys
from gristmill.pipeline.stages.dedup.older_members import OlderMembers
from gristmill.pipeline.stages.dedup.rounds import LABELS, NODES, Rounds
from gristmill.pipeline.stages.dedup.signed import SignedShards

_FINER = 2
"""What documents are compared by travels with the keys of members."""


@dataclass(frozen=True)
class NearDuplicates:
    """What a kind does of its own.

    ``emit`` yields a shard's rows of ``buckets``; ``edges`` returns the candidates that a partition knows, older ones
    among them; ``clusters`` decides on a partition's members, given older ones; ``decide`` writes a shard's layer.
    """

    signed: SignedShards
    buckets: KeyFiles
    emit: Keys
    edges: Callable[[OlderKeys, int], Edges]
    clusters: Callable[[pa.Table, pa.Table | None], pa.Table]
    decide: Callable[[Shard, pa.Table], None]

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases, in order."""
        signed, run, step = self.signed, self.signed.run, self.signed.step
        nodes = KeyFiles(run, step, NODES, name="nodes")
        there = OlderKeys(step, self.buckets.columns, self.buckets.name)
        rounds = Rounds(run, step, lambda partition: self.edges(there, partition))
        labels = Reduction(nodes, LABELS, lambda rows: rounds.labelled(rows, there.shared), folder="labels")
        older = OlderMembers(signed, nodes, rounds, there)
        joined = KeyFiles(run, step, signed.joined, corpus=True, name="members", finer=_FINER)
        layer = Exchange(
            keys=joined,
            decided=NEAR_DECIDED,
            emit=lambda shard, progress: signed.members(shard, labels.on(shard), progress),
            reduce=lambda rows: self.clusters(rows, older.among(rows, joined.partitions)),
            decide=self.decide,
        )
        members, *last = layer.phases()
        return (
            signed.phase(),
            self.buckets.phase(self.emit),
            nodes.phase(signed.nodes),
            *rounds.phases(),
            labels.phase("labels"),
            *older.phases(),
            replace(members, needs_all=True),
            *last,
        )
