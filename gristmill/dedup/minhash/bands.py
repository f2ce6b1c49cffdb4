"""Bands: rows of a signature that two texts must share all of to be candidates."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from gristmill.dedup.components import Edges, Nodes
from gristmill.dedup.minhash.curve import Banding
from gristmill.dedup.near.mixing import mixed

Array = npt.NDArray[Any]

_SLICES: Final = 16


def band_keys(signatures: Array, banding: Banding, scope: Nodes | None = None) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each band of each signature, [rows, bands]; a band's number and the scope are in it.

    ``scope`` tells apart documents that are not compared, [rows]. Of 10 billion signatures, some 3 pairs share the hash
    of one band by chance, and 40 that of any of 14: they are candidates like any other.
    """
    rows = signatures.reshape(len(signatures), banding.bands, banding.rows)
    keys = np.broadcast_to(np.arange(banding.bands, dtype=np.uint64), rows.shape[:2])
    if scope is not None:
        keys = keys ^ mixed(scope)[:, None]
    for row in range(banding.rows):
        keys = mixed(keys * np.uint64(0x9E3779B97F4A7C15) ^ rows[:, :, row].astype(np.uint64))
    return keys


def node_keys(signatures: Array, scope: Nodes | None = None) -> Nodes:
    """Return a 64-bit hash of each whole signature: documents with one signature are one node."""
    keys: Nodes = band_keys(signatures, Banding(1, signatures.shape[1]), scope)[:, 0]
    return keys


def candidate_edges(pieces: Iterable[tuple[Nodes, Nodes]]) -> Edges:
    """Return the star of each bucket: from each node that has a key to the least that has it.

    ``pieces`` are keys, and the node that has each. A bucket of n nodes gives n - 1 edges, whatever is like what:
    components need no more, and verification comes later, among the documents of a component. Keys lie in temporary
    files meanwhile and are sorted by sixteenths, which bounds the memory that it takes.
    """
    stars = [Edges(np.empty(0, np.uint64), np.empty(0, np.uint64))]
    with ExitStack() as opened:
        files = [opened.enter_context(tempfile.TemporaryFile()) for _ in range(_SLICES)]
        for keys, nodes in pieces:
            _spill(keys, nodes, files)
        for file in files:
            file.seek(0)
            stars.append(_stars(*np.frombuffer(file.read(), np.uint64).reshape(-1, 2).T.copy()))
    return Edges(np.concatenate([star.nodes for star in stars]), np.concatenate([star.others for star in stars]))


def _spill(keys: Nodes, nodes: Nodes, files: Sequence[IO[bytes]]) -> None:
    """Write keys with their nodes behind what the file of their sixteenth has."""
    part = (keys & np.uint64(_SLICES - 1)).astype(np.uint8)
    order = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[order], np.arange(_SLICES + 1))
    pairs = np.stack([keys, nodes], axis=1)[order]
    for file, low, high in zip(files, bounds[:-1], bounds[1:], strict=True):
        file.write(pairs[low:high].data)


def _stars(keys: Nodes, nodes: Nodes) -> Edges:
    keys, nodes = _shared(keys, nodes)
    order = np.lexsort((nodes, keys))
    keys, nodes = keys[order], nodes[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(first)
    centres = np.repeat(nodes[starts], np.diff(starts, append=len(keys)))
    tells = nodes != centres
    tells[1:] &= nodes[1:] != nodes[:-1]
    return Edges(nodes[tells], centres[tells])


def _shared(keys: Nodes, nodes: Nodes) -> tuple[Nodes, Nodes]:
    """Return the keys that are there several times, with their nodes: few, so that the rest need not be sorted well."""
    order = np.argsort(keys)
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    shared = np.zeros(len(keys), np.bool_)
    shared[1:] |= same
    shared[:-1] |= same
    order = order[shared]
    return keys[order], nodes[order]
