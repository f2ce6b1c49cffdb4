"""Components of the candidates' graph, in rounds of two phases; a round after nothing has changed has nothing to do.

A *node* is what documents that are compared as one have in common, such as their signature: 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.components import Edges, Nodes, both_ways, labels, large_star, small_star
from gristmill.pipeline.exchange import partition_of
from gristmill.pipeline.parts import Made, PartFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run

NODES = pa.schema([(schema.KEY, pa.uint64()), (schema.SHARD, pa.string()), (schema.ROW, pa.int64())])
EDGES = pa.schema([(schema.KEY, pa.uint64()), (schema.NODE, pa.uint64())])
LABELS = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int64()), (schema.KEY, pa.uint64())])

ROUNDS = 12
"""Rounds that are planned. A chain of a million signatures takes 17; what is not settled then is settled at once."""

_CHANGED = "changed"


@dataclass(frozen=True)
class Rounds:
    """The rounds of a step, from ``candidates``, which returns the candidates' edges that a partition knows."""

    run: Run
    step: Step
    candidates: Callable[[int], Edges]
    _settled: dict[int, bool] = field(default_factory=dict)

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases: the candidates' edges, the rounds, and the rest."""
        found = [self._files("edges").phase(lambda partition: _made(both_ways(self.candidates(partition))))]
        for number in range(1, ROUNDS + 1):
            found += self._round(number)
        return (*found, self._files("rest").phase(lambda _: self._rest(), self._rest_items))

    def labelled(self, nodes: pa.Table, elsewhere: Callable[[Nodes], Nodes] | None = None) -> pa.Table:
        """Return the component of each document in one, in the order of ``nodes``: a reduction of a partition's nodes.

        A node that several documents have is a component, if it is in no other; ``elsewhere`` returns those of some
        nodes, each once and sorted, that documents have which are not among these.
        """
        keys = np.asarray(nodes.column(schema.KEY))
        if not len(keys):
            return LABELS.empty_table()
        partition = int(partition_of(nodes.column(schema.KEY).slice(0, 1), self._files("edges").partitions)[0])
        found, joined = self.labels_of(partition, keys)
        values, of, count = np.unique(keys, return_inverse=True, return_counts=True)
        several = count > 1
        if elsewhere is not None:
            several |= np.isin(values, elsewhere(values))
        table = pa.table([nodes.column(schema.SHARD), nodes.column(schema.ROW), found], schema=LABELS)
        return table.filter(pa.array(joined | several[of]))

    def labels_of(self, partition: int, nodes: Nodes) -> tuple[Nodes, npt.NDArray[np.bool_]]:
        """Return the component of each of a partition's nodes, itself if it is in none, and whether it is in one."""
        known, label = labels(_edges(self._last(partition)))
        found, joined = nodes.copy(), np.zeros(len(nodes), np.bool_)
        if len(known):
            places = np.minimum(np.searchsorted(known, nodes), len(known) - 1)
            joined = known[places] == nodes
            found[joined] = label[places[joined]]
        return found, joined

    def joined(self, partition: int) -> Nodes:
        """Return those of a partition's nodes that are in components, each once, sorted."""
        return np.unique(_edges(self._last(partition)).nodes)

    def _files(self, folder: str) -> PartFiles:
        return PartFiles(self.run, self.step, EDGES, folder)

    def _small(self, number: int) -> PartFiles:
        """Return the edges after a round; after round 0 those of the candidates."""
        return self._files(f"small-{number:02d}" if number else "edges")

    def _large(self, number: int) -> PartFiles:
        return self._files(f"large-{number:02d}")

    def _round(self, number: int) -> list[Phase]:
        before, large = self._small(number - 1), self._large(number)

        def items() -> Sequence[str]:
            return [] if self._is_settled_before(number) else large.items

        return [
            large.phase(lambda partition: _made(large_star(_edges(before.partition(partition)))), items),
            self._small(number).phase(
                lambda partition: _made(both_ways(small_star(_edges(large.partition(partition))))), items
            ),
        ]

    def _is_settled_before(self, number: int) -> bool:
        """Return whether some round before this one changed nothing. Raises MissingError if one is not done."""
        return any(self._is_settled(earlier) for earlier in range(1, number))

    def _is_settled(self, number: int) -> bool:
        if number not in self._settled:
            changed = self._large(number).count(_CHANGED) + self._small(number).count(_CHANGED)
            self._settled[number] = changed == 0
        return self._settled[number]

    def _rest_items(self) -> Sequence[str]:
        return [] if self._is_settled_before(ROUNDS + 1) else ["00000"]

    def _rest(self) -> Made:
        """Go on with all edges at once until nothing changes."""
        edges = [_edges(self._small(ROUNDS).partition(p)) for p in range(self._files("edges").partitions)]
        found = Edges(np.concatenate([e.nodes for e in edges]), np.concatenate([e.others for e in edges]))
        changed = 1
        while changed:
            large = large_star(found)
            small = small_star(large)
            changed = large.changed + small.changed
            found = both_ways(small)
        return _made(found)

    def _last(self, partition: int) -> pa.Table:
        """Return a partition's edges after the round that changed nothing."""
        for number in range(1, ROUNDS + 1):
            if self._is_settled(number):
                return self._small(number).partition(partition)
        return self._files("rest").partition(partition, ["00000"])


def _edges(table: pa.Table) -> Edges:
    return Edges(np.asarray(table.column(schema.KEY)), np.asarray(table.column(schema.NODE)))


def _made(edges: Edges) -> Made:
    return [pa.table([edges.nodes, edges.others], schema=EDGES)], {_CHANGED: edges.changed}
