"""Clusters: the documents of a component that are within the distance of one that survives.

A component is all that near pairs join, in however many steps: its ends may have nothing in common. So its documents
are gone through in the order in which they survive, and each joins the nearest leader, if that is within the distance;
else it becomes a leader. A leader survives, and what joined it is dropped. So every document that is dropped is within
the distance of the one that it is dropped for. A document is compared with ``SHOWN`` leaders of each of its blocks at
most: beyond that, a copy may stay.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.dedup.near.mixing import mixed
from gristmill.dedup.simhash import _kernels
from gristmill.dedup.simhash.blocks import block_keys
from gristmill.dedup.simhash.fingerprints import Fingerprints, from_column
from gristmill.dedup.simhash.settings import SimHashSettings
from gristmill.schema import (
    CLUSTER_SIZE,
    COMPONENT_SIZE,
    DUPLICATE_OF,
    FINGERPRINT,
    ID,
    KEY,
    OLDER,
    ORDER,
    ROW,
    SHARD,
    SIMILARITY,
)

Array = npt.NDArray[Any]

SHOWN: Final = 1_024
_OWN: Final = 2**63 - 1
"""The place of a run's own documents among runs: after all older ones."""


def clusters(members: pa.Table, settings: SimHashSettings, older: pa.Table | None = None) -> pa.Table:
    """Return what becomes of the members of components: one row each, sorted by (shard, row).

    ``members`` has ``key`` (the component), ``order``, ``id``, ``shard``, ``row`` and ``fingerprint``. The result has
    ``shard``, ``row``, ``duplicate_of``, ``cluster_size``, ``similarity`` to the survivor (the share of equal bits) and
    ``component_size``. Neither the order of the rows nor their chunks change it.

    ``older`` has the same columns, and ``older``, the place of a document's run among older runs. Its documents come
    before all members, and all of them survive; they are in no result, and no size counts them.
    """
    members = members.append_column(OLDER, pa.repeat(pa.scalar(_OWN, pa.int64()), members.num_rows))
    if older is not None:
        members = pa.concat_tables([older.select(members.column_names), members])
    by = [(name, "ascending") for name in (KEY, OLDER, ORDER, ID, SHARD, ROW)]
    ordered = members.take(pc.sort_indices(members, by))
    component = np.asarray(ordered[KEY])
    own = np.asarray(ordered[OLDER]) == _OWN
    leader, distance = led(from_column(ordered[FINGERPRINT]), component, settings.distance, ~own)
    survives = leader == np.arange(len(leader))
    survivor_ids = ordered[ID].take(pa.array(leader))
    found = pa.table(
        {
            SHARD: ordered[SHARD],
            ROW: ordered[ROW],
            DUPLICATE_OF: pc.if_else(pa.array(survives, pa.bool_()), pa.scalar(None, pa.string()), survivor_ids),
            CLUSTER_SIZE: pa.array(np.bincount(leader[own], minlength=len(leader))[leader], pa.int64()),
            SIMILARITY: pa.array(1.0 - distance / settings.bits, pa.float64(), mask=survives),
            COMPONENT_SIZE: pa.array(_sizes(component, own), pa.int64()),
        }
    )
    return found.filter(pa.array(own)).sort_by([(SHARD, "ascending"), (ROW, "ascending")])


def led(
    prints: Fingerprints, component: Array, most: int, settled: npt.NDArray[np.bool_] | None = None
) -> tuple[Array, Array]:
    """Return each document's leader and its distance to it, of documents in the order in which they survive.

    ``settled``: those that are leaders however near they are to others; by default none.
    """
    settled = np.zeros(len(prints), np.bool_) if settled is None else settled
    keys = block_keys(prints, most) ^ mixed(component)[:, None]
    buckets = np.unique(keys, return_inverse=True)[1].reshape(keys.shape).astype(np.int64)
    leader, distance = np.empty(len(prints), np.int64), np.empty(len(prints), np.int64)
    _kernels.leaders(prints, buckets, (most, SHOWN, settled), (leader, distance))
    return leader, distance


def _sizes(component: Array, counted: npt.NDArray[np.bool_]) -> Array:
    """Return how many of the rows that are counted have each row's component."""
    of = np.unique(component, return_inverse=True)[1]
    sizes: Array = np.bincount(of[counted], minlength=of.max(initial=0) + 1)[of]
    return sizes
