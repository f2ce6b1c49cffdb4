"""Survivors: of each cluster of documents with one key, the one that stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.schema import CLUSTER_SIZE, DIGEST, DUPLICATE_OF, ID, ORDER, ROW, SHARD


def survivors(members: pa.Table, older: pa.Table | None = None) -> pa.Table:
    """Return who survives of all that have a copy: one row a member, sorted by (shard, row).

    ``members`` has the columns ``digest``, ``order``, ``id``, ``shard`` and ``row``. The result has ``shard``, ``row``,
    ``duplicate_of`` (the survivor's id; null for the survivor itself) and ``cluster_size``. The first by (order, id)
    survives, but where ``older``, with ``digest`` and ``id``, has the digest: then that one, which is no member, nor
    counted. Members without a digest belong to no cluster. Neither the order of the rows nor their chunks change the
    result.
    """
    ordered = _by_cluster(members.filter(pc.is_valid(members[DIGEST])))
    first = _first_of_cluster(ordered[DIGEST].combine_chunks())
    starts = np.flatnonzero(first)
    cluster = np.cumsum(first) - 1
    sizes = np.diff(starts, append=len(first))[cluster]
    best = ordered[ID].combine_chunks().take(pa.array(starts))
    known = _known(ordered[DIGEST].combine_chunks().take(pa.array(starts)), older).take(pa.array(cluster))
    own = pc.if_else(pa.array(first), pa.scalar(None, pa.string()), best.take(pa.array(cluster)).cast(pa.string()))
    result = pa.table(
        {
            SHARD: ordered[SHARD],
            ROW: ordered[ROW],
            DUPLICATE_OF: pc.coalesce(known, own),
            CLUSTER_SIZE: pa.array(sizes, pa.int64()),
        }
    )
    copies = pc.or_(pa.array(sizes > 1), pc.is_valid(known))
    return result.filter(copies).sort_by([(SHARD, "ascending"), (ROW, "ascending")])


def _known(digests: pa.Array, older: pa.Table | None) -> pa.Array:
    """Return the id of the older document that has each digest; null if none has."""
    if older is None or not older.num_rows:
        return pa.nulls(len(digests), pa.string())
    at = pc.index_in(digests, value_set=older[DIGEST].combine_chunks())
    return older[ID].combine_chunks().take(at)


def _by_cluster(members: pa.Table) -> pa.Table:
    """Return the members with each cluster's together, the survivor first."""
    keys = [(name, "ascending") for name in (DIGEST, ORDER, ID, SHARD, ROW)]
    return members.take(pc.sort_indices(members, keys))


def _first_of_cluster(digests: pa.Array) -> npt.NDArray[np.bool_]:
    """Return where a digest differs from the one before it; the first row does."""
    first = np.ones(len(digests), np.bool_)
    first[1:] = np.asarray(pc.not_equal(digests[1:], digests[:-1]))
    return first
