"""The order of documents in the token shards: a hash of a seed and of each document's id.

A document's place depends on nothing but its id and the seed: not on its shard, its batch, or who encoded it. The
order is that of a shuffle, since the hashes of unlike ids are as good as random.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from xxhash import xxh3_64_intdigest

from gristmill.columns import text_column


def order_keys(ids: pa.Array | pa.ChunkedArray, seed: int) -> pa.Array:
    """Return each document's place in the global order as uint64; equal keys are put in order of id.

    Two of a billion documents share a key with a probability of 3%.
    """
    return pa.array(keyed_hashes(ids, seed, "order"), pa.uint64())


def keyed_hashes(ids: pa.Array | pa.ChunkedArray, seed: int, purpose: str) -> npt.NDArray[np.uint64]:
    """Return xxh3_64 of each id's UTF-8 bytes, seeded with xxh3_64 of ``purpose``, seeded with ``seed``.

    ``seed`` is in [0, 2**64). Hashes for different purposes are independent of each other.
    """
    data, offsets = text_column(ids)
    view = data.data  # its slices copy nothing
    keyed = xxh3_64_intdigest(purpose.encode(), seed=seed)
    hashes = (xxh3_64_intdigest(view[start:stop], seed=keyed) for start, stop in pairwise(offsets.tolist()))
    return np.fromiter(hashes, np.uint64, count=len(offsets) - 1)
