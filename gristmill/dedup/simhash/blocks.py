"""Blocks: k + 1 runs of a fingerprint's bits, of which two fingerprints within k bits of each other share one at least.

So every pair within the distance is a candidate, none is missed (Manku, Jain, Das Sarma 2007, section 3, with one table
for each block). Documents with one fingerprint are one *node*. Nodes that share a block are a bucket; which of them are
near each other is found in it by `_kernels.near_sets`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gristmill.dedup.components import Edges, Nodes
from gristmill.dedup.near.mixing import mixed
from gristmill.dedup.simhash import _kernels
from gristmill.dedup.simhash.fingerprints import WORD_BITS, Fingerprints

Array = npt.NDArray[Any]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_SLICES: Final = 16


def block_keys(prints: Fingerprints, distance: int, scope: Nodes | None = None) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each block of each fingerprint, [rows, distance + 1]; its number and the scope are in it.

    ``scope`` tells apart documents that are not compared, [rows].
    """
    masks = _masks(WORD_BITS * prints.shape[1], distance + 1)
    keys = np.broadcast_to(np.arange(len(masks), dtype=np.uint64), (len(prints), len(masks)))
    if scope is not None:
        keys = keys ^ mixed(scope)[:, None]
    for word in range(prints.shape[1]):
        keys = mixed(keys * _STEP ^ (prints[:, word, None] & masks[None, :, word]))
    return keys


def node_keys(prints: Fingerprints, scope: Nodes | None = None) -> Nodes:
    """Return a 64-bit hash of each whole fingerprint and its scope."""
    keys: Nodes = block_keys(prints, 0, scope)[:, 0]
    return keys


def near_edges(keys: Nodes, nodes: Nodes, prints: Fingerprints, distance: int) -> Edges:
    """Return, of each bucket, an edge from each node to the least that chains of near ones in it lead to.

    A bucket of n nodes gives n - 1 edges at most. Rows may be there more than once. They are gone through by
    sixteenths, which bounds the memory that it takes.
    """
    slices = (keys & np.uint64(_SLICES - 1) == np.uint64(part) for part in range(_SLICES))
    found = [_near_edges(keys[chosen], nodes[chosen], prints[chosen], distance) for chosen in slices]
    return Edges(np.concatenate([edges.nodes for edges in found]), np.concatenate([edges.others for edges in found]))


def _near_edges(keys: Nodes, nodes: Nodes, prints: Fingerprints, distance: int) -> Edges:
    order = np.lexsort((nodes, keys))
    keys, nodes = keys[order], nodes[order]
    first, new = np.ones(len(keys), np.bool_), np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    new[1:] = first[1:] | (nodes[1:] != nodes[:-1])
    order, nodes, first = order[new], nodes[new], first[new]
    least = np.empty(len(nodes), np.int64)
    starts = np.append(np.flatnonzero(first), len(nodes)).astype(np.int64)
    _kernels.near_sets(prints[order], starts, distance, least)
    tells = least != np.arange(len(least))
    return Edges(nodes[tells], nodes[least[tells]])


def _masks(bits: int, blocks: int) -> npt.NDArray[np.uint64]:
    """Return the bits of each block, uint64[blocks, bits / 64]: nearly as many in each."""
    masks = np.zeros((blocks, bits // WORD_BITS), np.uint64)
    for bit in range(bits):
        masks[bit * blocks // bits, bit // WORD_BITS] |= np.uint64(1) << np.uint64(bit % WORD_BITS)
    return masks
