"""simhash: long texts whose fingerprints differ in few bits; its buckets are of blocks of bits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.components import Edges
from gristmill.dedup.minhash.shingles import versions
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.simhash.blocks import near_edges
from gristmill.dedup.simhash.clusters import clusters
from gristmill.dedup.simhash.fingerprints import from_column
from gristmill.pipeline.exchange import KeyFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.decisions import write_decisions
from gristmill.pipeline.stages.dedup.kind import Kind
from gristmill.pipeline.stages.dedup.near import NearDuplicates
from gristmill.pipeline.stages.dedup.older_keys import OlderKeys
from gristmill.pipeline.stages.dedup.rounds import NODES
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
    return NearDuplicates(
        signed=found,
        buckets=blocks,
        emit=found.blocks,
        edges=lambda there, partition: _edges(blocks, there, partition, simhash.distance),
        clusters=lambda rows, older: clusters(rows, simhash, older),
        decide=lambda shard, decided: write_decisions(
            run, step, shard, decided, NEAR_DUPLICATES, compared=found.rows(shard)
        ),
    ).phases()


def _edges(blocks: KeyFiles, there: OlderKeys, partition: int, distance: int) -> Edges:
    """Return the edges of a partition's buckets; ``there`` are older documents that are in them too."""
    rows = blocks.partition(partition)
    if there.runs:
        rows = pa.concat_tables([rows, *there.buckets(np.unique(np.asarray(rows[schema.KEY])))])
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
