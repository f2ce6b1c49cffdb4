"""simhash: long texts whose fingerprints differ in few bits.

fingerprints   shard      -> its documents' fingerprints
blocks, nodes  shard      -> the keys of their blocks, with the fingerprints; of the fingerprints, with where they are
edges          partition  -> of each key of a block, the fingerprints that have it and are near each other
large, small   partition  -> the edges, nearer to a star for each component (see `components`), in rounds
labels         partition  -> the component of each document that is in one
older-…        of runs that it goes against, what is in these components (see `older_members`)
members        shard      -> its documents in components, with their fingerprints
reduce         partition  -> of each component, who is within the distance of which survivor
shards         shard      -> its layer
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.components import Edges
from gristmill.dedup.minhash.shingles import versions
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.simhash.blocks import near_edges
from gristmill.dedup.simhash.clusters import clusters
from gristmill.dedup.simhash.fingerprints import from_column
from gristmill.pipeline.exchange import Exchange, KeyFiles, Reduction
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.decisions import NEAR_DECIDED, write_decisions
from gristmill.pipeline.stages.dedup.kind import Kind
from gristmill.pipeline.stages.dedup.minhash.older_keys import OlderKeys
from gristmill.pipeline.stages.dedup.minhash.older_members import OlderMembers
from gristmill.pipeline.stages.dedup.rounds import LABELS, NODES, Rounds
from gristmill.pipeline.stages.dedup.simhash import tables
from gristmill.pipeline.stages.dedup.simhash.fingerprinted import Fingerprinted
from gristmill.schema import CLUSTER_SIZE, COMPONENT_SIZE, NEAR_DUPLICATES, SIMILARITY

_VERSION = "1"


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases, in order."""
    assert settings.simhash is not None
    simhash = settings.simhash
    found = Fingerprinted(run, step, simhash, settings.scope)
    blocks = KeyFiles(run, step, tables.blocks(found.width), name="blocks")
    nodes = KeyFiles(run, step, NODES, name="nodes")
    there = OlderKeys(step, blocks.columns, blocks.name)
    rounds = Rounds(run, step, lambda partition: _edges(blocks, there, partition, simhash.distance))
    labels = Reduction(nodes, LABELS, lambda rows: rounds.labelled(rows, there.shared), folder="labels")
    older = OlderMembers(found, nodes, rounds, there)
    layer = Exchange(
        keys=KeyFiles(run, step, found.joined, corpus=True, name="members"),
        decided=NEAR_DECIDED,
        emit=lambda shard, progress: found.members(shard, labels.on(shard), progress),
        reduce=lambda rows: clusters(rows, simhash, older.among(rows)),
        decide=lambda shard, decided: write_decisions(
            run, step, shard, decided, NEAR_DUPLICATES, compared=found.rows(shard)
        ),
    )
    members, *last = layer.phases()
    return (
        found.phase(),
        blocks.phase(found.blocks),
        nodes.phase(found.nodes),
        *rounds.phases(),
        labels.phase("labels"),
        *older.phases(),
        replace(members, needs_all=True),
        *last,
    )


def _edges(blocks: KeyFiles, there: OlderKeys, partition: int, distance: int) -> Edges:
    """Return the edges of a partition's buckets; ``there`` are older documents that are in them too."""
    rows = blocks.partition(partition)
    if there.runs:
        rows = pa.concat_tables([rows, *there.bands(np.unique(np.asarray(rows[schema.KEY])))])
    keys, nodes, prints = (
        np.asarray(rows[schema.KEY]),
        np.asarray(rows[schema.NODE]),
        from_column(rows[schema.FINGERPRINT]),
    )
    del rows
    return near_edges(keys, nodes, prints, distance)


def _versions(settings: DedupSettings) -> dict[str, str]:
    """Return the versions of what decides."""
    assert settings.simhash is not None
    return {"simhash": _VERSION, **versions(settings.simhash.shingles)}


KIND = Kind(versions=_versions, phases=phases, columns=(CLUSTER_SIZE, SIMILARITY, COMPONENT_SIZE), keys=NODES)
