"""What travels between the phases."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema
from gristmill.pipeline.stages.dedup.decisions import DECIDED as _DECIDED
from gristmill.pipeline.stages.dedup.members import MEMBER

DECIDED = pa.schema([*_DECIDED, *list(schema.NEAR_DUPLICATES)[len(schema.DUPLICATES) :]])


def fingerprinted(width: int) -> pa.Schema:
    """Return the table of a shard's fingerprints of so many bytes; SCOPE is 0 where all are compared."""
    return pa.schema(
        [*MEMBER, (schema.SCOPE, pa.uint64()), (schema.NODE, pa.uint64()), (schema.FINGERPRINT, pa.binary(width))]
    )


def blocks(width: int) -> pa.Schema:
    """Return the table of the keys of blocks, with the fingerprints that have them."""
    return pa.schema([(schema.KEY, pa.uint64()), (schema.NODE, pa.uint64()), (schema.FINGERPRINT, pa.binary(width))])


def members(width: int) -> pa.Schema:
    """Return the table of documents in components."""
    return pa.schema([(schema.KEY, pa.uint64()), *MEMBER, (schema.FINGERPRINT, pa.binary(width))])
