"""Older runs' documents in the components of a new run's: candidates of theirs that survived there.

older-labels   partition    -> the documents of older runs in the components of its nodes
older-members  older shard  -> those of them that survived, with their signatures

An older run's saved keys are read a partition at a time, its signatures a shard at a time; its texts are not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.components import Nodes
from gristmill.dedup.near.mixing import mixed
from gristmill.pipeline import shards
from gristmill.pipeline.exchange import KeyFiles, partition_of
from gristmill.pipeline.parts import Made, PartFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.stages.dedup.older_keys import OLDER_NODES, OlderKeys
from gristmill.pipeline.stages.dedup.rounds import Rounds
from gristmill.pipeline.stages.dedup.signed import SignedShards

OLDER_LABELS = pa.schema([*OLDER_NODES, (schema.NODE, pa.uint64())])


@dataclass(frozen=True)
class OlderMembers:
    """The members that older runs give to the components of a new run's documents."""

    signed: SignedShards
    nodes: KeyFiles
    rounds: Rounds
    keys: OlderKeys

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases, in order; none where there is no older run."""
        if not self.signed.step.settings.get("against"):
            return ()
        return self._labels.phase(self._labelled), self._members.phase(self._of_shard, lambda: self._items)

    def among(self, rows: pa.Table, partitions: int) -> pa.Table | None:
        """Return the older members of the components of the rows of one of so many partitions; None without older runs.

        ``partitions`` are those of the nodes, or finer.
        """
        if not self.signed.step.settings.get("against") or not rows.num_rows:
            return None
        first = rows.column(schema.KEY).slice(0, 1)
        found = self._members.partition(int(partition_of(first, self.nodes.partitions)[0]), self._items)
        of = partition_of(found.column(schema.KEY), partitions)
        return found.filter(pa.array(of == partition_of(first, partitions)))

    @property
    def _items(self) -> list[str]:
        return [f"{number:06d}" for number in range(len(self.keys.shards))]

    @property
    def _labels(self) -> PartFiles:
        return PartFiles(self.signed.run, self.signed.step, OLDER_LABELS, "older-labels")

    @property
    def _members(self) -> PartFiles:
        columns = pa.schema([*self.signed.joined, (schema.OLDER, pa.int64())])
        return PartFiles(self.signed.run, self.signed.step, columns, "older-members")

    def _labelled(self, partition: int) -> Made:
        """Return the older documents in the components of a partition's nodes, to be split by their shards."""
        own = np.asarray(self.nodes.partition(partition).column(schema.KEY))
        found = self.keys.nodes(np.union1d(own, self.rounds.joined(partition)))
        component, _ = self.rounds.labels_of(partition, np.asarray(found.column(schema.KEY)))
        number = found.column(schema.SHARD)
        columns = [_spread(np.asarray(number)), number, found.column(schema.ROW), component]
        return [pa.table(columns, schema=OLDER_LABELS)], {}

    def _of_shard(self, number: int) -> Made:
        """Return the members that an older shard gives."""
        place, shard = self.keys.shards[number]
        older = self.keys.runs[place]
        at = int(partition_of(pa.array(_spread(np.array([number]))), self._labels.partitions)[0])
        labels = self._labels.partition(at)
        labels = labels.filter(pc.equal(labels.column(schema.SHARD), number)).sort_by(schema.ROW)
        if not labels.num_rows:
            return [], {}
        name, digest = older.run.file(older.step, shard), older.run.digest(older.step, shard)
        layer = shards.read_table(older.run.folder, name, [schema.DUPLICATE_OF], digest)
        survives = pc.is_null(layer.column(schema.DUPLICATE_OF)).take(labels.column(schema.ROW))
        labels = labels.filter(survives).select([schema.ROW, schema.NODE]).rename_columns([schema.ROW, schema.KEY])
        signed = replace(self.signed, run=older.run, step=older.step)
        return [_named(table, older.name, place) for table in signed.labelled(shard, labels)], {}


def _spread(numbers: npt.NDArray[np.int64]) -> Nodes:
    """Return a key for each number of a shard, evenly spread among partitions."""
    return mixed(numbers.astype(np.uint64) + np.uint64(1))


def _named(table: pa.Table, run: str, place: int) -> pa.Table:
    """Return members with `<run>:<id>` for their ids, and the place of their run."""
    position = table.column_names.index(schema.ID)
    ids = pc.binary_join_element_wise(run, table.column(schema.ID), ":")
    named = table.set_column(position, schema.ID, ids)
    return named.append_column(schema.OLDER, pa.repeat(pa.scalar(place, pa.int64()), table.num_rows))
