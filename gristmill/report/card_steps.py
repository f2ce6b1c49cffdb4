"""The card's account of what was done: each stage with its settings, its bounds, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gristmill.filters.rules.presets import PRESETS, source_of
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import AnyRule
from gristmill.filters.rules.serialize import from_json, to_json
from gristmill.report import figures
from gristmill.report.escape import as_code, for_markdown, for_text

Stats = Mapping[str, Any]


def steps_section(stats: Stats) -> str:
    """Return a part for each stage of the recipe: settings of its steps, and a table of its rules."""
    parts = ["## Steps\n"]
    for stage in dict.fromkeys(step["stage"] for step in stats["steps"]):
        parts.append(f"### {for_text(stage)}\n")
        for step in stats["steps"]:
            if step["stage"] == stage:
                parts += _step(step, stats)
    return "\n".join(parts)


def _step(step: Stats, stats: Stats) -> Iterator[str]:
    """Yield a rules table for a step of rules, a list of settings for any other."""
    if step["kind"] == "rules":
        yield from _rules(step, stats)
        return
    lines = [
        f"- {key.replace('_', ' ')}: {_value(value)}" for key, value in step["settings"].items() if value is not None
    ]
    if lines:
        yield "\n".join(lines) + "\n"


def _rules(step: Stats, stats: Stats) -> Iterator[str]:
    """Yield where the presets come from, then each rule with its bound and how many documents it is charged with."""
    rules = [from_json(rule) for rule in step["settings"]["rules"]]
    names = list(dict.fromkeys(rule.preset for rule in rules))
    lines = [f"- {for_text(name)}: {for_text(source)}" for name in names if (source := source_of(name)) is not None]
    if lines:
        yield "\n".join([*lines, *_left_out([PRESETS[name] for name in names if name in PRESETS], rules)]) + "\n"
    charged = {r["reason"]: r["first"] for stage in stats["reasons"] for r in stage["reasons"]}
    lines = ["| rule | keeps | as published | charged |", "|---|---|---|---:|"]
    for code, same in _by_code(rules).items():
        cells = (
            for_markdown(code),
            for_text(figures.bounds(map(to_json, same))),
            _published(same),
            figures.count(charged.get(code)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    yield "\n".join(lines) + "\n"


def _left_out(presets: Sequence[Preset], rules: Sequence[AnyRule]) -> Iterator[str]:
    """Yield a line for each rule of the presets that the recipe switches off."""
    applied = {rule.code for rule in rules}
    for preset in presets:
        for rule in preset.rules:
            if rule.code not in applied:
                published = for_text(figures.bound(to_json(rule)))
                yield f"- switched off: {for_markdown(rule.code)}, published as {published}"


def _by_code(rules: Sequence[AnyRule]) -> dict[str, list[AnyRule]]:
    """Return rules by reason code: those that differ in their conditions alone share one."""
    by_code: dict[str, list[AnyRule]] = {}
    for rule in rules:
        by_code.setdefault(rule.code, []).append(rule)
    return by_code


def _published(same: Sequence[AnyRule]) -> str:
    """Return "yes", or the preset's own bound where the recipe has others; a dash for a rule of no preset."""
    preset = PRESETS.get(same[0].preset)
    if preset is None:
        return figures.NONE
    published = [rule for rule in preset.rules if rule.code == same[0].code]
    return "yes" if list(same) == published else for_text(figures.bounds(map(to_json, published)))


def _value(value: Any) -> str:
    """Return a setting on one line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_value(inner)}" for key, inner in value.items() if inner is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return as_code(str(value))
