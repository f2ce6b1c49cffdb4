"""Why a document has its fate, in a line: the value and the bound that decided, or that would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gristmill import schema
from gristmill.pipeline.run import Run
from gristmill.report import figures
from gristmill.report.explain import explain_rows
from gristmill.report.find import Found
from gristmill.report.outcomes import Explanation, RuleOutcome


@dataclass(frozen=True)
class Why:
    """A reason, or "kept"; the values that decided, by signal; and what the rule asks for, None where there is none."""

    reason: str
    values: Mapping[str, Any]
    asked: str | None
    duplicate_of: str | None = None


def why(run: Run, samples: Sequence[Mapping[str, Any]], when: str) -> dict[str, Why]:
    """Return why each of some documents has its fate in a run, by id.

    ``samples`` have id, shard, ``from``, ``to``, and the row ``row_before`` or ``row_after``, as ``when`` says.
    A document that this run keeps is held against the rule that drops it in the other.
    """
    by_shard: dict[str, dict[int, Mapping[str, Any]]] = {}
    for sample in samples:
        by_shard.setdefault(sample[schema.SHARD], {})[sample[f"row_{when}"]] = sample
    found = {}
    for name, rows in by_shard.items():
        for explained in explain_rows(run, Found(run.plan.shard(name), tuple(sorted(rows)))):
            sample = rows[explained.row]
            mine, others = (sample["from"], sample["to"]) if when == "before" else (sample["to"], sample["from"])
            found[explained.id] = _why(explained, mine, others)
    return found


def _why(explained: Explanation, mine: str, others: str) -> Why:
    """Return why a document has the reason ``mine``, where the other run has ``others``."""
    stage = explained.dropped_by
    if stage is not None:
        duplicate_of = None if stage.survivor is None else stage.survivor.id
        return _against(mine, [rule for rule in stage.rules if rule.code == mine], duplicate_of)
    rules = [rule for outcome in explained.stages for rule in outcome.rules if rule.code == others]
    return _against(mine, rules, None)


def _against(reason: str, rules: Sequence[RuleOutcome], duplicate_of: str | None) -> Why:
    """Return a reason with the values of the rules of one code, those that hit first."""
    rules = [rule for rule in rules if rule.hit] or list(rules)
    if not rules:
        return Why(reason, {}, None, duplicate_of)
    return Why(reason, {part.rule.signal: part.value for part in rules[0].parts}, rules[0].asked, duplicate_of)


def in_words(said: Why) -> str:
    """Return a line such as ``house.word_count.min: word_count 12, asked ≥ 50``."""
    values = ", ".join(f"{signal} {figures.number(value)}" for signal, value in said.values.items())
    asked = f"{values}, asked {said.asked}" if said.asked is not None else ""
    duplicate = f"same as {said.duplicate_of}" if said.duplicate_of is not None else ""
    more = "; ".join(part for part in (asked, duplicate) if part)
    return f"{said.reason}: {more}" if more else said.reason
