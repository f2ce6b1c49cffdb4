"""Two runs beside each other: which documents have another fate in the second, and why.

Documents are the same if their ids are, and an id holds its shard's name: so shards of the same name are compared, one
at a time, and what only one run has is counted. A stage that one of them has not finished is left out of both. Layers
are read, no text. Samples are chosen by a hash of the id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.pipeline import ledger
from gristmill.pipeline.monitor import Watcher
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.report.passes import passed
from gristmill.report.reasons_why import Why, why
from gristmill.tokenize.order import order_keys

KEPT = "kept"
_OF_FATES = (schema.KEPT, schema.STAGE, schema.REASON, schema.REASONS, schema.TEXT_BYTES)


@dataclass(frozen=True)
class Sample:
    """A document whose fate changed, and what either run says of it."""

    id: str
    url: str | None
    before: Why
    after: Why


@dataclass(frozen=True)
class Change:
    """Documents that went from one reason to another; "kept" where there is none. Bytes are those of their texts."""

    before: str
    after: str
    documents: int
    bytes_before: int
    bytes_after: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Side:
    """One of the two runs: its folder, documents and kept documents, those without partner, stages not done."""

    run: str
    documents: int
    kept: int
    without_partner: int
    kept_without_partner: int
    not_done: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What became of the documents that both runs have; the changes of most documents first.

    ``altered_sources``: shards of the same name that the runs made of other bytes.
    """

    before: Side
    after: Side
    documents: int
    unchanged: int
    altered_sources: int
    changes: tuple[Change, ...]


def compare(one: Run, two: Run, samples: int, watcher: Watcher, sink: BinaryIO | None = None) -> Comparison:
    """Return the changes from one run to another; write each changed document to an open file, if one is given.

    Raises UsageError for a run that has decided nothing on every shard.
    """
    undone = {stage for run in (one, two) for stage in _not_done(run)}
    pair = _Pair(_Half.of(one, undone), _Half.of(two, undone), samples)
    writer = None if sink is None else ShardWriter(sink, schema.CHANGES, digest_of(one.plan.digest, two.plan.digest))
    for shard in passed([*one.plan.shards, *pair.only_after()], watcher, "compare"):
        for table in pair.add(shard):
            if writer is not None:
                for batch in table.select(schema.CHANGES.names).to_batches():
                    writer.write(batch)
    if writer is not None:
        writer.close()
    return pair.result()


@dataclass
class _Half:
    """One of the two runs, and what is counted of it."""

    run: Run
    deciders: tuple[Step, ...]
    shards: Mapping[str, Shard]
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("documents", "kept", "alone", "kept_alone"), 0)
    )

    @classmethod
    def of(cls, run: Run, undone: set[str]) -> _Half:
        """Return a run without the stages that are not done in one of the two."""
        deciders = tuple(step for step in ledger.finished_deciders(run) if step.stage not in undone)
        if not deciders:
            raise UsageError(
                f"the run in {run.folder.url} has decided nothing on every shard yet; run its recipe first"
            )
        return cls(run, deciders, {shard.name: shard for shard in run.plan.shards})

    def fates(self, name: str) -> pa.Table:
        """Return the fates of a shard with the bytes of its texts; an empty table if the run does not have it."""
        if name not in self.shards:
            empty = schema.FATES.empty_table()
            return empty.append_column(schema.TEXT_BYTES, pa.array([], pa.int64()))
        shard = self.shards[name]
        sizes = self.run.read(self.run.plan.text_step, shard, [schema.TEXT_BYTES]).column(schema.TEXT_BYTES)
        return ledger.fates(self.run, shard, self.deciders).append_column(schema.TEXT_BYTES, sizes).combine_chunks()

    def count(self, fates: pa.Table, has_partner: pa.Array) -> None:
        kept = fates.column(schema.KEPT)
        alone = pc.invert(has_partner)
        found = {"documents": None, "kept": kept, "alone": alone, "kept_alone": pc.and_(kept, alone)}
        for key, mask in found.items():
            self.counts[key] += fates.num_rows if mask is None else pc.sum(mask).as_py() or 0

    def side(self) -> Side:
        counts = self.counts
        return Side(
            run=self.run.folder.url,
            documents=counts["documents"],
            kept=counts["kept"],
            without_partner=counts["alone"],
            kept_without_partner=counts["kept_alone"],
            not_done=_not_done(self.run),
        )


class _Pair:
    """Two runs, and what is counted of their documents."""

    def __init__(self, before: _Half, after: _Half, samples: int) -> None:
        self._before, self._after, self._samples = before, after, samples
        self._documents = 0
        self._changed = 0
        self._sums: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._chosen: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def only_after(self) -> list[Shard]:
        """Return the shards that the second run alone has."""
        return [shard for name, shard in self._after.shards.items() if name not in self._before.shards]

    def add(self, shard: Shard) -> Iterator[pa.Table]:
        """Count a shard, and yield its changed documents."""
        before, after = self._before.fates(shard.name), self._after.fates(shard.name)
        position = pc.index_in(before.column(schema.ID), value_set=after.column(schema.ID).combine_chunks())
        position = position.combine_chunks() if isinstance(position, pa.ChunkedArray) else position
        both = position.is_valid()
        self._before.count(before, both)
        self._after.count(after, _taken(position, after.num_rows))
        self._documents += pc.sum(both).as_py() or 0
        changed = _side_by_side(before.filter(both), after.take(position.drop_null()))
        self._changed += changed.num_rows
        self._count(changed)
        if changed.num_rows:
            yield changed

    def result(self) -> Comparison:
        """Return what was counted, with what either run says of the samples."""
        wanted = [row for rows in self._chosen.values() for row in rows]
        said = [why(half.run, wanted, when) for half, when in ((self._before, "before"), (self._after, "after"))]
        changes = [
            Change(start, end, *sums, samples=tuple(_sample(row, *said) for row in self._chosen.get((start, end), [])))
            for (start, end), sums in self._sums.items()
        ]
        shared = self._before.shards.keys() & self._after.shards.keys()
        return Comparison(
            before=self._before.side(),
            after=self._after.side(),
            documents=self._documents,
            unchanged=self._documents - self._changed,
            altered_sources=sum(
                self._before.shards[name].fingerprint != self._after.shards[name].fingerprint for name in shared
            ),
            changes=tuple(sorted(changes, key=lambda c: (-c.documents, c.before, c.after))),
        )

    def _count(self, changed: pa.Table) -> None:
        grouped = changed.group_by(["from", "to"]).aggregate(
            [([], "count_all"), (schema.TEXT_BYTES + schema.BEFORE, "sum"), (schema.TEXT_BYTES + schema.AFTER, "sum")]
        )
        for values in zip(*(column.to_pylist() for column in grouped.columns), strict=True):
            start, end, count, bytes_before, bytes_after = values
            known = self._sums.get((start, end), (0, 0, 0))
            self._sums[start, end] = (
                known[0] + count,
                known[1] + (bytes_before or 0),
                known[2] + (bytes_after or 0),
            )
            self._choose((start, end), changed)

    def _choose(self, reasons: tuple[str, str], changed: pa.Table) -> None:
        """Keep the samples of a change: the documents of the least hashes so far."""
        if not self._samples:
            return
        start, end = reasons
        rows = changed.filter(pc.and_(pc.equal(changed.column("from"), start), pc.equal(changed.column("to"), end)))
        rows = rows.append_column(schema.KEY, order_keys(rows.column(schema.ID).combine_chunks(), 0))
        least = pc.select_k_unstable(rows, self._samples, [(schema.KEY, "ascending"), (schema.ID, "ascending")])
        wanted = [schema.ID, schema.URL, schema.SHARD, "from", "to", schema.KEY, "row_before", "row_after"]
        found = [*self._chosen.get(reasons, []), *rows.take(least).select(wanted).to_pylist()]
        self._chosen[reasons] = sorted(found, key=lambda row: (row[schema.KEY], row[schema.ID]))[: self._samples]


def _not_done(run: Run) -> tuple[str, ...]:
    """Return the deciding stages that are not done on every shard."""
    finished = ledger.finished_deciders(run)
    return tuple(dict.fromkeys(step.stage for step in run.plan.deciders if step not in finished))


def _taken(position: pa.Array, rows: int) -> pa.Array:
    """Return which of some rows are among the positions."""
    taken = np.zeros(rows, np.bool_)
    taken[np.asarray(position.drop_null(), np.int64)] = True
    return pa.array(taken)


def _side_by_side(before: pa.Table, after: pa.Table) -> pa.Table:
    """Return the documents whose reason changed: columns of `schema.CHANGES`, the shard, and the rows in either run."""
    columns: dict[str, Any] = {name: before.column(name) for name in (schema.ID, schema.URL, schema.SHARD)}
    for when, table in ((schema.BEFORE, before), (schema.AFTER, after)):
        columns |= {name + when: table.column(name) for name in (*_OF_FATES, schema.ROW)}
    columns["from"] = pc.fill_null(before.column(schema.REASON), KEPT)
    columns["to"] = pc.fill_null(after.column(schema.REASON), KEPT)
    return pa.table(columns).filter(pc.not_equal(columns["from"], columns["to"]))


def _sample(row: Mapping[str, Any], before: Mapping[str, Why], after: Mapping[str, Why]) -> Sample:
    identity = row[schema.ID]
    return Sample(identity, row[schema.URL], before[identity], after[identity])
