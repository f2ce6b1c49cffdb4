"""What became of one record: where it lies, what each stage decided on it, by which values and bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from gristmill import schema
from gristmill.filters.rules.evaluate import applies_to, hits
from gristmill.filters.rules.rule import AnyRule
from gristmill.filters.rules.serialize import to_json
from gristmill.pipeline import ledger
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages import perplexity_buckets
from gristmill.pipeline.stages.importance import draw
from gristmill.pipeline.stages.rules import rule_columns, step_rules
from gristmill.report import figures, found_bounds
from gristmill.report.explain_view import Shown, render_explanation
from gristmill.report.find import Found, find, row_of
from gristmill.report.outcomes import BoundOutcome, Explanation, RuleOutcome, StageOutcome, State, Survivor

__all__ = ["Explanation", "Shown", "explain", "explain_rows", "render_explanation"]

_OF_TOKENS = (schema.TOKEN_COUNT,)


def explain(run: Run, query: str) -> list[Explanation]:
    """Return what became of each record that an id `<shard>/<offset>` or a URL names, in the order of the shards.

    Raises UsageError, naming the nearest records, if there are none.
    """
    return [explanation for found in find(run, query) for explanation in explain_rows(run, found)]


def explain_rows(run: Run, found: Found) -> Iterator[Explanation]:
    """Yield the explanations of some rows of a shard; each layer is read once."""
    step = run.plan.text_step
    columns = [name for name in run.footer(step, found.shard).schema.names if name != schema.TEXT]
    documents = _rows_of(run.read(step, found.shard, columns), found)
    stages = [_stage(run, stage, found) for stage in run.plan.stages()]
    for index, (row, facts) in enumerate(zip(found.rows, documents, strict=True)):
        has_text = facts[schema.TEXT_BYTES] is not None
        yield Explanation(
            id=facts[schema.ID],
            url=facts[schema.URL],
            shard=found.shard.name,
            row=row,
            facts=facts,
            stages=tuple(outcomes[index] if has_text else _without_text(outcomes[index], facts) for outcomes in stages),
            run=run,
        )


def _without_text(outcome: StageOutcome, facts: Mapping[str, Any]) -> StageOutcome:
    """Return what a stage did to a document without text: nothing, unless it dropped it for that."""
    if outcome.state == "dropped":
        return replace(outcome, detail=facts[schema.FATE_DETAIL])
    if outcome.state == "not done":
        return outcome
    return StageOutcome(outcome.stage, "no text")


def _stage(run: Run, stage: str, found: Found) -> list[StageOutcome]:
    """Return what a stage did to each of the rows."""
    steps = [step for step in run.plan.steps if step.stage == stage]
    if not all(run.is_done(step, found.shard) for step in steps):
        return [StageOutcome(stage, "not done")] * len(found.rows)
    values: list[dict[str, Any]] = [{} for _ in found.rows]
    for step in steps:
        for known, measured in zip(values, _measured(run, step, found), strict=True):
            known.update(measured)
    decider = next((step for step in steps if step.decides), None)
    if decider is None:
        return [StageOutcome(stage, _state_of(known), values=known) for known in values]
    decisions = _rows_of(ledger.decisions(run, decider, found.shard), found)
    rules = _rules(run, decider, found)
    return [
        _decided(run, decider, decision, judged, known)
        for decision, judged, known in zip(decisions, rules, values, strict=True)
    ]


def _state_of(measured: Mapping[str, Any]) -> State:
    """Return the state of a document in a stage that does not decide."""
    if schema.TOKEN_COUNT in measured:
        return "not encoded" if measured[schema.TOKEN_COUNT] is None else "encoded"
    return "measured"


def _decided(
    run: Run, step: Step, decision: Mapping[str, Any], rules: list[RuleOutcome], values: Mapping[str, Any]
) -> StageOutcome:
    reasons = tuple(decision[schema.REASONS])
    duplicate_of, cluster_size = decision[schema.DUPLICATE_OF], decision.get(schema.CLUSTER_SIZE)
    compared = schema.CLUSTER_SIZE not in decision or cluster_size is not None
    kept: State = "kept" if compared else "not compared"
    return StageOutcome(
        stage=step.stage,
        state=kept if decision[schema.KEEP] else "dropped",
        reasons=reasons,
        rules=tuple(rules),
        values=values,
        survivor=None if duplicate_of is None else _survivor(run, duplicate_of),
        cluster_size=cluster_size,
        is_near=schema.SIMILARITY in decision,
        similarity=decision.get(schema.SIMILARITY),
        component_size=decision.get(schema.COMPONENT_SIZE),
    )


def _measured(run: Run, step: Step, found: Found) -> list[dict[str, Any]]:
    """Return what a step that does not decide measured on each of the rows."""
    if step.decides or step.kind == "extract":
        return [{} for _ in found.rows]
    columns = list(_OF_TOKENS if step.kind == "tokenize" else step.columns)
    rows = _rows_of(run.read(step, found.shard, columns), found)
    if step.kind == perplexity_buckets.KIND:
        cuts = found_bounds.cuts_of_rows(run, step, found)
        return [row | of for row, of in zip(rows, cuts, strict=True)]
    return rows


def _rules(run: Run, step: Step, found: Found) -> list[list[RuleOutcome]]:
    """Return the rules of a step that apply to each of the rows, with their values, and whether they hit."""
    rules, values = _rules_of(run, step, found)
    columns = {name: column.take(list(found.rows)) for name, column in values.items()}
    outcomes: list[list[RuleOutcome]] = [[] for _ in found.rows]
    for rule in rules:
        hit = hits(rule, columns, len(found.rows))
        outside = [hits(bound, columns, len(found.rows)) for bound in rule.bounds]
        applies = [applies_to(bound, columns, len(found.rows)) for bound in rule.bounds]
        asked = figures.bound(to_json(rule))
        for row, of_row in enumerate(outcomes):
            parts = tuple(
                BoundOutcome(bound, columns[bound.signal][row].as_py(), bool(out[row]))
                for bound, out, applied in zip(rule.bounds, outside, applies, strict=True)
                if applied[row]
            )
            if parts:
                of_row.append(RuleOutcome(rule.code, asked, parts, bool(hit[row])))
    return outcomes


def _rules_of(run: Run, step: Step, found: Found) -> tuple[Sequence[AnyRule], Mapping[str, pa.ChunkedArray]]:
    """Return the rules of a step, and the columns that they read; nothing for a step that decides in other ways."""
    if step.kind == draw.KIND:
        return draw.draw_rules(run, step, found.shard), draw.draw_columns(run, step, found.shard)
    return (step_rules(step), rule_columns(run, step, found.shard)) if step.kind == "rules" else ((), {})


def _survivor(run: Run, identity: str) -> Survivor:
    found = row_of(run, identity)
    if found is None:
        return Survivor(identity, None, None)
    table = run.read(run.plan.text_step, found.shard, [schema.URL, schema.DATE])
    (row,) = _rows_of(table, found)
    return Survivor(identity, row[schema.URL], row[schema.DATE])


def _rows_of(table: pa.Table, found: Found) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.take(list(found.rows)).to_pylist()
    return rows
