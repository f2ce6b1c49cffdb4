"""What travels between the phases."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema
from gristmill.pipeline.stages.dedup.decisions import DECIDED as _DECIDED
from gristmill.pipeline.stages.dedup.members import MEMBER

BANDS = pa.schema([(schema.KEY, pa.uint64()), (schema.NODE, pa.uint64())])
OLDER_NODES = pa.schema([(schema.KEY, pa.uint64()), (schema.SHARD, pa.int64()), (schema.ROW, pa.int64())])
OLDER_LABELS = pa.schema([*OLDER_NODES, (schema.NODE, pa.uint64())])
SETS = pa.list_(pa.uint64())
DECIDED = pa.schema([*_DECIDED, *list(schema.NEAR_DUPLICATES)[len(schema.DUPLICATES) :]])


def signed(width: int) -> pa.Schema:
    """Return the table of a shard's signatures of so many bytes; SCOPE is 0 where all are compared."""
    return pa.schema(
        [*MEMBER, (schema.SCOPE, pa.uint64()), (schema.NODE, pa.uint64()), (schema.SIGNATURE, pa.binary(width))]
    )


def members(width: int) -> pa.Schema:
    """Return the table of documents in components, with signatures of so many bytes; SHINGLES is null unless needed."""
    return pa.schema(
        [(schema.KEY, pa.uint64()), *MEMBER, (schema.SIGNATURE, pa.binary(width)), (schema.SHINGLES, SETS)]
    )
