"""Connected components of a graph that is split among partitions: alternating stars, until nothing changes.

Kiveris et al. 2014, Connected Components in MapReduce and Beyond. A round is a large star, then a small star:

    large star    of each node, every greater neighbour is joined to the least of the node and its neighbours
    small star    of each node, every lesser neighbour and the node itself are joined to the least of them

Neither adds an edge, and neither takes a node out of its component. When a round changes nothing, every component is a
star around its least node, which is its label. Each step looks at the edges of one partition's nodes alone; the result
depends on the graph, whatever the partitions.

Edges are two arrays of uint64: a node, and a neighbour.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Nodes = npt.NDArray[np.uint64]


class Edges(NamedTuple):
    """Edges from ``nodes`` to ``others``, and how many a step has changed."""

    nodes: Nodes
    others: Nodes
    changed: int = 0


def both_ways(edges: Edges) -> Edges:
    """Return each edge in both directions, as the large star needs it."""
    nodes, others, changed = edges
    return Edges(np.concatenate([nodes, others]), np.concatenate([others, nodes]), changed)


def large_star(edges: Edges) -> Edges:
    """Return the edges from each node's greater neighbours to the least of the node and its neighbours.

    ``edges`` are all those of some nodes, in that direction. The result goes from the greater node to the lesser.
    """
    nodes, others, starts = _by_node(edges)
    least = np.minimum(nodes, np.repeat(others[starts], np.diff(starts, append=len(nodes))))
    greater = others > nodes
    return Edges(others[greater], least[greater], int(np.count_nonzero(least[greater] != nodes[greater])))


def small_star(edges: Edges) -> Edges:
    """Return the edges from each node and its lesser neighbours to the least of these, from the greater to the lesser.

    ``edges`` are all those of some nodes to neighbours less than they.
    """
    nodes, others, starts = _by_node(edges)
    first = np.zeros(len(nodes), np.bool_)
    first[starts] = True
    least = np.repeat(others[starts], np.diff(starts, append=len(nodes)))
    return Edges(np.where(first, nodes, others), least, int(np.count_nonzero(~first)))


def labels(edges: Edges) -> tuple[Nodes, Nodes]:
    """Return the nodes of stars, each once and sorted, and the least node of each one's star.

    ``edges`` are all those of some nodes, in both directions, after a round that changed nothing.
    """
    nodes, others, starts = _by_node(edges)
    return nodes[starts], np.minimum(nodes[starts], others[starts])


def _by_node(edges: Edges) -> tuple[Nodes, Nodes, npt.NDArray[np.int64]]:
    """Return the edges sorted, each once, and where each node's start."""
    order = np.lexsort((edges.others, edges.nodes))
    nodes, others = edges.nodes[order], edges.others[order]
    differs = np.ones(len(nodes), np.bool_)
    differs[1:] = (nodes[1:] != nodes[:-1]) | (others[1:] != others[:-1])
    nodes, others = nodes[differs], others[differs]
    first = np.ones(len(nodes), np.bool_)
    first[1:] = nodes[1:] != nodes[:-1]
    return nodes, others, np.flatnonzero(first)
