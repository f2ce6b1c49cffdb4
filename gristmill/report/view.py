"""One shard of a run as the report reads it: its columns, and which documents were left before each stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.pipeline import ledger
from gristmill.pipeline.plan import Plan, Shard, Step
from gristmill.pipeline.run import Run

_COLUMNS = [
    schema.ID, schema.URL, schema.DATE, schema.STATUS, schema.MIME, schema.CHARSET, schema.TEXT_BYTES, schema.FATE,
    schema.FATE_DETAIL,
]  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """What of a run is done for every shard: the deciding steps up to the first that is not, and all other steps."""

    deciders: tuple[Step, ...]
    others: tuple[Step, ...]
    edits: tuple[Step, ...] = ()

    @classmethod
    def of(cls, run: Run) -> Finished:
        """Return what of a run is done."""
        others = (
            step
            for step in run.plan.steps
            if not step.decides and all(run.is_done(step, shard) for shard in run.plan.shards)
        )
        return cls(ledger.finished_deciders(run), tuple(others), ledger.finished_edits(run))

    def of_kind(self, kind: str) -> tuple[Step, ...]:
        """Return the steps of a kind that are done, in order."""
        return tuple(step for step in (*self.deciders, *self.others) if step.kind == kind)


@dataclass(frozen=True)
class ShardView:
    """A shard's columns, each read once, and masks over its rows."""

    run: Run
    shard: Shard
    finished: Finished

    @cached_property
    def documents(self) -> pa.Table:
        """What extraction said of each record, without its text."""
        return self.run.read(self.run.plan.text_step, self.shard, _COLUMNS).combine_chunks()

    @cached_property
    def text_bytes(self) -> pa.Array:
        """UTF-8 bytes of each text after every finished edit, 0 where there is none."""
        return _one(self.run.text_bytes(self.finished.edits, self.shard))

    @cached_property
    def decisions(self) -> Mapping[str, pa.Table]:
        """What each deciding step decided, by the step's name."""
        return {
            step.name: ledger.decisions(self.run, step, self.shard).combine_chunks() for step in self.finished.deciders
        }

    @cached_property
    def kept(self) -> pa.Array:
        """Whether every finished deciding step kept each row."""
        return self._all_keep(self.finished.deciders)

    def kept_by(self, step: Step) -> pa.Array:
        """Whether a deciding step keeps each row, whatever the others do."""
        return _one(self.decisions[step.name].column(schema.KEEP))

    def left_before(self, stage: str) -> pa.Array:
        """Whether each row came into a stage: everything before it kept it."""
        return self._all_keep(deciders_before(self.run.plan, self.finished, stage))

    def column(self, step: Step, name: str) -> pa.Array:
        """Return one column of a step's layer."""
        return _one(self.run.read(step, self.shard, [name]).column(name))

    def _all_keep(self, steps: tuple[Step, ...]) -> pa.Array:
        alive = pa.array(np.ones(self.documents.num_rows, bool))
        for step in steps:
            alive = pc.and_(alive, self.kept_by(step))
        return alive


def deciders_before(plan: Plan, finished: Finished, stage: str) -> tuple[Step, ...]:
    """Return the finished deciding steps of the stages before a stage."""
    return plan.before_stage(finished.deciders, stage)


def _one(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
