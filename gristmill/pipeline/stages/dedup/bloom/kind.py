"""What the phases with Bloom filters are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.pipeline.plan import Shard
from gristmill.pipeline.progress import Progress

Rows = npt.NDArray[np.int64]


class Emit(Protocol):
    """What makes keys: yields tables of `members.KEYS` of a shard's documents, or of those ``wanted`` by their rows."""

    def __call__(self, shard: Shard, progress: Progress, wanted: Rows | None = None) -> Iterator[pa.Table]:
        """Yield them, one bounded table at a time."""
        ...
