"""What travels between the phases."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema

SHORT = pa.schema([(schema.KEY, pa.uint64()), (schema.ROW, pa.int64())])
"""A document's key, and where it is in its shard."""

CANDIDATES = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int64())])
