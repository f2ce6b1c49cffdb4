"""What travels between the phases."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema


def blocks(width: int) -> pa.Schema:
    """Return the table of the keys of blocks, with the fingerprints that have them."""
    return pa.schema([(schema.KEY, pa.uint64()), (schema.NODE, pa.uint64()), (schema.FINGERPRINT, pa.binary(width))])
