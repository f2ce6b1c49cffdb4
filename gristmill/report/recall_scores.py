"""Where the scores of a run's documents come from: a layer that the run has, or a model that is asked now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.quality.resolve import classifier_of
from gristmill.classifiers.quality.scores import Classifier
from gristmill.classifiers.quality.settings import ONLY_ONE, ClassifierSettings
from gristmill.errors import UsageError
from gristmill.pipeline import ledger
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.recipe import nearest
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.quality import KIND
from gristmill.pipeline.stages.rules import step_rules

POSITIVE = 0.5
"""A page is positive from this score on, where nothing else says."""


@dataclass(frozen=True)
class Scores:
    """Scores of a run's documents. ``name`` says where they come from; ``columns`` are those of the same classifier.

    ``step`` has them, in ``column``; or ``classifier`` is asked for them.
    """

    run: Run
    name: str
    column: str | None = None
    step: Step | None = None
    classifier: Classifier | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the run whose bounds are bounds on these scores."""
        return self.step.columns if self.step is not None and self.step.kind == KIND else (self.column or "",)

    @property
    def threshold(self) -> float:
        """The least score that stays by a rule of the run; without one, `POSITIVE`."""
        rules = (rule for step in self.run.plan.steps if step.kind == "rules" for rule in step_rules(step))
        bounds = (bound for rule in rules for bound in rule.bounds)
        least = (b.bound for b in bounds if b.signal == self.column and b.side == "min")
        return next((float(bound) for bound in least if not isinstance(bound, tuple)), POSITIVE)

    def of(self, shard: Shard, counts: pa.Array) -> pa.Array:
        """Return the score of each document of a shard; null where it does not count, if a model is asked."""
        if self.step is not None and self.column is not None:
            return self.run.read(self.step, shard, [self.column]).column(0).combine_chunks().cast(pa.float64())
        return pa.concat_arrays([pa.array([], pa.float64()), *self._asked(shard, counts)])

    def _asked(self, shard: Shard, counts: pa.Array) -> Iterator[pa.Array]:
        assert self.classifier is not None
        edits = tuple(step.name for step in ledger.finished_edits(self.run))
        reader = Step(name="reader", stage="reader", kind="reader", settings={}, inputs=edits)
        row = 0
        for table in self.run.texts(reader, shard, [schema.TEXT]):
            texts = table.column(schema.TEXT).combine_chunks()
            texts = pc.if_else(counts.slice(row, table.num_rows), texts, pa.scalar(None, texts.type))
            row += table.num_rows
            yield self.classifier.score(texts).column(0)


def scores_of(run: Run, model: str | None, label: str | None, column: str | None) -> Scores:
    """Return the scores of a model, or of a column: the run's own where it has them.

    Without either, those of the only classifier that the run has. Raises UsageError if that is not one, or if there is
    no such column; MissingError, CorruptError and UsageError for a model that cannot be asked.
    """
    if model is not None and column is not None:
        raise UsageError("--model and --score contradict each other; give one of them")
    if model is None:
        if label is not None:
            raise UsageError("--label is the label of a --model; give that too")
        return _of_column(run, column or _only_column(run))
    asked = classifier_of(ONLY_ONE, ClassifierSettings(model=model, label=label))
    for step in reversed(run.plan.steps):
        if step.kind == KIND and _is_same(step, asked) and all(run.is_done(step, s) for s in run.plan.shards):
            return _of_column(run, step.columns[0])
    return Scores(run, f"the model {model}, {', '.join(label for label, _ in asked.labels)}", classifier=asked)


def _is_same(step: Step, asked: Classifier) -> bool:
    """Return whether a step asked the same model for the same labels; how it read texts is the recipe's choice."""
    labels = tuple(zip(step.settings["labels"], step.settings["weights"], strict=True))
    return ((step.versions or {}).get("model"), labels) == (asked.model.digest, asked.labels)


def _only_column(run: Run) -> str:
    columns = [step.columns[0] for step in run.plan.steps if step.kind == KIND]
    if len(columns) != 1:
        have = f"has the scores {', '.join(columns)}" if columns else "has no score of a classifier"
        raise UsageError(f"the run {run.plan.name} {have}: name one with --score, or a model with --model")
    return columns[0]


def _of_column(run: Run, column: str) -> Scores:
    step = next((step for step in reversed(run.plan.steps) if column in step.columns), None)
    if step is None:
        known = [name for step in run.plan.steps for name in step.columns]
        raise UsageError(f"the run {run.plan.name} has no column '{column}'{nearest(column, known)}")
    kind = run.footer(step, run.plan.shards[0]).schema.field(column).type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        raise UsageError(f"--score {column}: the column is {kind}, and a score is a number")
    return Scores(run, column, column=column, step=step)
