"""filter: bounds on what earlier stages measured. No text is read, so deciding again costs seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from gristmill import schema
from gristmill.errors import RecipeError
from gristmill.filters.rules.evaluate import Rule, evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.pipeline.phases import Phase, as_batch, shard_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.planning import Planning, missing_signal
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run

TEXT_COLUMNS = frozenset(
    field.name
    for layer in (schema.LANGUAGE_LAYER, schema.CONTAMINATION_LAYER)
    for field in layer
    if pa.types.is_string(field.type)
)


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that decides.

    Raises RecipeError for a rule on something that nothing before it measures, or that its bound does not fit.
    """
    settings = stage.settings
    assert isinstance(settings, FilterSettings)
    rules = rules_of(settings)
    needed: dict[str, None] = {}
    for rule in rules:
        for column in columns_of(rule):
            provider = planning.provider(column)
            if provider is None:
                raise missing_signal(rule.code, column, stage, planning)
            needed[provider] = None
        if (rule.signal in TEXT_COLUMNS) != (rule.side == "in"):
            takes = "texts: {in: [...]}" if rule.signal in TEXT_COLUMNS else "numbers: {min: ...} or {max: ...}"
            raise RecipeError(f"rule '{rule.code}': '{rule.signal}' is bounded by {takes} {stage.location}")
    name = planning.name_for("filter")
    return [deciding_step(name, name, rules, tuple(needed))]


def deciding_step(name: str, stage: str, rules: Sequence[Rule], inputs: tuple[str, ...]) -> Step:
    """Return the step that evaluates rules on columns of the steps named as its inputs."""
    settings = {"rules": [_as_json(rule) for rule in rules]}
    return Step(name=name, stage=stage, kind="rules", settings=settings, inputs=inputs, decides=True)


def step_rules(step: Step) -> tuple[Rule, ...]:
    """Return the rules of a deciding step."""
    return tuple(_from_json(rule) for rule in step.settings["rules"])


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a rule reads."""
    return (rule.signal,) if rule.where is None else (rule.signal, rule.where[0])


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's decisions."""
    rules = step_rules(step)

    def perform(shard: Shard, progress: Progress) -> None:
        values = rule_columns(run, step, shard)
        rows = run.footer(run.plan.text_step, shard).rows
        write_layer(run, step, shard, [evaluate(rules, values, rows)], columns=schema.DECISIONS)
        progress.update(rows, 1.0)

    return (shard_phase(run, step, perform),)


def rule_columns(run: Run, step: Step, shard: Shard) -> dict[str, pa.Array]:
    """Return every column that a deciding step's rules read, by name, from the layers that are its inputs."""
    wanted = dict.fromkeys(column for rule in step_rules(step) for column in columns_of(rule))
    values: dict[str, pa.Array] = {}
    for name in step.inputs:
        source = run.plan.step(name)
        columns = [column for column in source.columns if column in wanted and column not in values]
        if columns:
            batch = as_batch(run.read(source, shard, columns))
            values |= {column: batch.column(column) for column in columns}
    return values


def _as_json(rule: Rule) -> dict[str, Any]:
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(rule).items()
        if value is not None
    }


def _from_json(value: dict[str, Any]) -> Rule:
    bound, where = value["bound"], value.get("where")
    return Rule(
        preset=value["preset"],
        signal=value["signal"],
        side=value["side"],
        bound=tuple(bound) if isinstance(bound, list) else bound,
        where=(where[0], where[1]) if where is not None else None,
    )
