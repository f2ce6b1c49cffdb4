"""What travels between the phases."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema
from gristmill.pipeline.stages.dedup.decisions import NEAR_DECIDED
from gristmill.pipeline.stages.dedup.signed import joined_table

BANDS = pa.schema([(schema.KEY, pa.uint64()), (schema.NODE, pa.uint64())])
OLDER_NODES = pa.schema([(schema.KEY, pa.uint64()), (schema.SHARD, pa.int64()), (schema.ROW, pa.int64())])
OLDER_LABELS = pa.schema([*OLDER_NODES, (schema.NODE, pa.uint64())])
SETS = pa.list_(pa.uint64())
DECIDED = NEAR_DECIDED


def members(width: int) -> pa.Schema:
    """Return the table of documents in components, with signatures of so many bytes; SHINGLES is null unless needed."""
    return joined_table(schema.SIGNATURE, width).append(pa.field(schema.SHINGLES, SETS))
