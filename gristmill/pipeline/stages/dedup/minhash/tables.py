"""What travels between the phases."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema
from gristmill.pipeline.stages.dedup.signed import joined_table

BANDS = pa.schema([(schema.KEY, pa.uint64()), (schema.NODE, pa.uint64())])
SETS = pa.list_(pa.uint64())


def members(width: int) -> pa.Schema:
    """Return the table of documents in components, with signatures of so many bytes; SHINGLES is null unless needed."""
    return joined_table(schema.SIGNATURE, width).append(pa.field(schema.SHINGLES, SETS))
