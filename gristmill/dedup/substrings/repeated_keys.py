"""Which anchors the corpus has several times: only what stands around these is looked at."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.substrings.anchors import Hashes

KEYS: Final = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (schema.IS_SEVERAL, pa.bool_()),
        (schema.SHARD, pa.dictionary(pa.int32(), pa.string())),
    ]
)
"""A key that a shard has, once; IS_SEVERAL says whether it has it several times."""

REPEATED: Final = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int64()), (schema.KEY, pa.uint64())])
"""A key of a shard that the corpus has several times. ROW is its place among them, and of no meaning."""


class Counted:
    """The keys of a shard, counted as they come: memory follows from the shard's unlike keys."""

    def __init__(self) -> None:
        self._keys = np.empty(0, np.uint64)
        self._several = np.empty(0, np.bool_)

    def add(self, keys: Hashes) -> None:
        """Count some more keys."""
        new, counts = np.unique(keys, return_counts=True)
        joined = np.concatenate([self._keys, new])
        several = np.concatenate([self._several, counts > 1])
        self._keys, of, count = np.unique(joined, return_inverse=True, return_counts=True)
        self._several = count > 1
        self._several[of[several]] = True

    def table(self, shard: str) -> pa.Table:
        """Return the keys counted: `KEYS`."""
        of = pa.DictionaryArray.from_arrays(np.zeros(len(self._keys), np.int32), pa.array([shard], pa.string()))
        return pa.table([self._keys, self._several, of], schema=KEYS)


def repeated_keys(rows: pa.Table) -> pa.Table:
    """Return which shards have the keys of `KEYS` that are there several times: `REPEATED`."""
    keys = np.asarray(rows.column(schema.KEY))
    several = np.asarray(rows.column(schema.IS_SEVERAL))
    chosen = rows.filter(pa.array(several | _occur_twice(keys)))
    names = chosen.column(schema.SHARD).cast(pa.string())
    places = pa.array(np.arange(chosen.num_rows), pa.int64())
    found = pa.table([names, places, chosen.column(schema.KEY)], schema=REPEATED)
    return found.sort_by([(schema.SHARD, "ascending"), (schema.ROW, "ascending")])


def _occur_twice(keys: Hashes) -> npt.NDArray[np.bool_]:
    """Return whether each key is there more than once."""
    order = np.argsort(keys)
    same = keys[order][1:] == keys[order][:-1]
    found = np.zeros(len(keys), np.bool_)
    found[order[1:][same]] = True
    found[order[:-1][same]] = True
    return found
