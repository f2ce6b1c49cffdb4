"""Clusters: the documents of a component that are like one that survives.

A component is all that candidates join, in however many steps: its ends may have nothing in common. So its
documents are gone through in the order in which they survive, and each joins the leader that it is most like, if it
shares a band with it and is like enough; else it becomes a leader. A leader survives, and what joined it is dropped. So
every document that is dropped is verified against the one that it is dropped for, and unlike documents that a chain
joined end up in clusters of their own. The work is linear: a document is compared with ``SHOWN`` leaders of each of its
buckets at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.dedup.minhash import _kernels
from gristmill.dedup.minhash.bands import band_keys
from gristmill.dedup.minhash.curve import banding_of
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.minhash.signatures import from_column
from gristmill.dedup.near.mixing import mixed
from gristmill.schema import (
    CLUSTER_SIZE,
    COMPONENT_SIZE,
    DUPLICATE_OF,
    ID,
    KEY,
    OLDER,
    ORDER,
    ROW,
    SHARD,
    SHINGLES,
    SIGNATURE,
    SIMILARITY,
)

Array = npt.NDArray[Any]

SHOWN: Final = 32
_BYTES_AT_ONCE: Final = 16 << 20
_OWN: Final = 2**63 - 1
"""The place of a run's own documents among runs: after all older ones."""


def clusters(members: pa.Table, settings: MinHashSettings, older: pa.Table | None = None) -> pa.Table:
    """Return what becomes of the members of components: one row each, sorted by (shard, row).

    ``members`` has ``key`` (the component), ``order``, ``id``, ``shard``, ``row``, ``signature`` and, where Jaccard is
    exact, ``shingles``: each member's, sorted, each once. The result has ``shard``, ``row``, ``duplicate_of``,
    ``cluster_size``, ``similarity`` to the survivor and ``component_size``. Neither the order of the rows nor their
    chunks change it. Components are gone through some at a time, which bounds the memory that it takes.

    ``older`` has the same columns, and ``older``, the place of a document's run among older runs. Its documents come
    before all members, and all of them survive; they are in no result, and no size counts them.
    """
    members = members.append_column(OLDER, pa.repeat(pa.scalar(_OWN, pa.int64()), members.num_rows))
    if older is not None:
        members = pa.concat_tables([older.select(members.column_names), members])
    found = [_clusters(part.combine_chunks(), settings) for part in _parts(members)]
    return pa.concat_tables(found).sort_by([(SHARD, "ascending"), (ROW, "ascending")])


def _parts(members: pa.Table) -> Iterator[pa.Table]:
    """Yield the members of some components at a time: of so many that they have some 16 MB together."""
    parts = np.uint64(1 << max(0, members.nbytes // _BYTES_AT_ONCE).bit_length())
    of = np.asarray(members[KEY]) & (parts - np.uint64(1))
    for part in range(int(parts)):
        yield members.filter(pa.array(of == np.uint64(part)))


def _clusters(members: pa.Table, settings: MinHashSettings) -> pa.Table:
    ordered = members.take(
        pc.sort_indices(members, [(name, "ascending") for name in (KEY, OLDER, ORDER, ID, SHARD, ROW)])
    )
    component = np.asarray(ordered[KEY])
    first = np.ones(len(component), np.bool_)
    first[1:] = component[1:] != component[:-1]
    starts = np.flatnonzero(first)
    own = np.asarray(ordered[OLDER]) == _OWN
    component_sizes = np.add.reduceat(own.astype(np.int64), starts)[np.cumsum(first) - 1] if len(first) else starts
    signatures = from_column(ordered[SIGNATURE], settings.scheme)
    if settings.least_similarity is None:
        leader = starts[np.cumsum(first) - 1] if len(first) else starts
        similarity = _agreements(signatures, leader)
    else:
        leader, similarity = _led(ordered, component, (signatures, ~own), settings)
    survives = leader == np.arange(len(leader))
    sizes = np.bincount(leader[own], minlength=len(leader))[leader]
    survivor_ids = ordered[ID].take(pa.array(leader))
    found = pa.table(
        {
            SHARD: ordered[SHARD],
            ROW: ordered[ROW],
            DUPLICATE_OF: pc.if_else(pa.array(survives, pa.bool_()), pa.scalar(None, pa.string()), survivor_ids),
            CLUSTER_SIZE: pa.array(sizes, pa.int64()),
            SIMILARITY: pa.array(similarity, pa.float64(), mask=survives),
            COMPONENT_SIZE: pa.array(component_sizes, pa.int64()),
        }
    )
    return found.filter(pa.array(own))


def _led(
    ordered: pa.Table, component: Array, signed: tuple[Array, Array], settings: MinHashSettings
) -> tuple[Array, Array]:
    """Return each member's leader and its similarity to it; ``signed``: signatures, and who is a leader in any case."""
    signatures, settled = signed
    keys = band_keys(signatures, banding_of(settings)) ^ mixed(component)[:, None]
    buckets = np.unique(keys, return_inverse=True)[1].reshape(keys.shape).astype(np.int64)
    least = settings.least_similarity
    assert least is not None
    leader, similarity, _ = compare(signatures, _sets(ordered, settings), buckets, least, settled)
    return leader, similarity


def compare(
    signatures: Array, sets: tuple[Array, Array], buckets: Array, least: float, settled: Array | None = None
) -> tuple[Array, Array, int]:
    """Return each document's leader, its similarity to it, and how many pairs were compared.

    Documents come in the order in which they survive; ``buckets``: int64[documents, bands], numbered from 0. ``sets``:
    shingles, sorted, and where each document's start; without bounds, signatures are compared. ``settled``:
    bool[documents], those that are leaders whatever they are like; by default none.
    """
    settled = np.zeros(len(buckets), np.bool_) if settled is None else settled
    leader, similarity = np.empty(len(buckets), np.int64), np.empty(len(buckets), np.float64)
    count = _kernels.leaders(signatures, sets, buckets, (least, SHOWN, settled), (leader, similarity))
    return leader, similarity, int(count)


def _sets(ordered: pa.Table, settings: MinHashSettings) -> tuple[Array, Array]:
    """Return the shingles of all members, and where each one's start; nothing where signatures are compared."""
    if not settings.is_exact:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    lists = ordered[SHINGLES].combine_chunks()
    lengths = np.asarray(pc.list_value_length(lists))
    return np.asarray(lists.flatten()).copy(), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _agreements(signatures: Array, leader: Array) -> Array:
    """Return the share of values that each signature has in common with its leader's."""
    found = np.empty(len(leader), np.float64)
    for start in range(0, len(leader), 4096):
        part = slice(start, start + 4096)
        found[part] = (signatures[part] == signatures[leader[part]]).mean(axis=1)
    return found
