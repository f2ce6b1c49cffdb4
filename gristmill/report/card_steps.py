"""The card's account of what was done: each stage with its settings, its bounds, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gristmill.filters.rules.presets import PRESETS, source_of
from gristmill.filters.rules.rule import AnyRule
from gristmill.filters.rules.serialize import from_json, to_json
from gristmill.pipeline.plan import EDIT
from gristmill.report import figures
from gristmill.report.card_edits import edit_of, edit_parts
from gristmill.report.escape import as_code, for_markdown, for_text
from gristmill.report.section_models import HEADERS, cuts_of, how_it_cuts, in_words
from gristmill.report.stage_names import named, what_stages_do

Stats = Mapping[str, Any]


def steps_section(stats: Stats) -> str:
    """Return a part for each stage of the recipe: settings of its steps, and a table of its rules."""
    parts = ["## Steps\n"]
    does = what_stages_do(stats)
    for stage in dict.fromkeys(step["stage"] for step in stats["steps"]):
        parts.append(f"### {for_text(named(stage, does.get(stage)))}\n")
        for step in stats["steps"]:
            if step["stage"] == stage:
                parts += _step(step, stats)
    return "\n".join(parts)


def _step(step: Stats, stats: Stats) -> Iterator[str]:
    """Yield a table for a step of rules or of an edit, a list of settings for any other."""
    if step["kind"] == "rules":
        yield from _rules(step, stats)
        return
    if step["kind"] == EDIT:
        yield from edit_parts(step)
        return
    lines = [
        f"- {key.replace('_', ' ')}: {_value(value)}" for key, value in step["settings"].items() if value is not None
    ]
    if lines:
        yield "\n".join(lines) + "\n"
    yield from _found(step, stats)


def _found(step: Stats, stats: Stats) -> Iterator[str]:
    """Yield what a step found by itself: the cuts of perplexities; how like a target the run is; what was drawn."""
    if step["kind"] == "perplexity_buckets":
        for stage in (of for of in stats["perplexity_buckets"] if of["stage"] == step["stage"]):
            head = [f"| {' | '.join(HEADERS)} |", "|---|---:|---:|---:|"]
            rows = [f"| {' | '.join(map(for_text, cells))} |" for cells in cuts_of(stage)]
            yield "\n".join([f"{how_it_cuts(stage)}\n", *head, *rows]) + "\n"
    if step["kind"] == "importance":
        for stage in (of for of in stats["importance"] if of["stage"] == step["stage"]):
            yield " ".join(in_words(stage)) + "\n"
    if step["kind"] == "importance_draw":
        reasons = (of for stage in stats["reasons"] if stage["stage"] == step["stage"] for of in stage["reasons"])
        cells = ((for_markdown(r["reason"]), for_text(figures.bounds(r["bounds"])), r["first"]) for r in reasons)
        lines = [f"| {reason} | {keeps} | {figures.count(charged)} |" for reason, keeps, charged in cells]
        yield "\n".join(["| rule | keeps | charged |", "|---|---|---:|", *lines]) + "\n"


def _rules(step: Stats, stats: Stats) -> Iterator[str]:
    """Yield where the presets come from, then each rule with its bound and how many documents it is charged with."""
    rules = [from_json(rule) for rule in step["settings"]["rules"]]
    names = list(dict.fromkeys(rule.preset for rule in rules))
    published = _published_of(step, names, stats)
    lines = [f"- {for_text(name)}: {for_text(source)}" for name in names if (source := source_of(name)) is not None]
    lines += _left_out(published, rules)
    if lines:
        yield "\n".join(lines) + "\n"
    charged = {r["reason"]: r["first"] for stage in stats["reasons"] for r in stage["reasons"]}
    lines = ["| rule | keeps | as published | charged |", "|---|---|---|---:|"]
    for code, same in _by_code(rules).items():
        cells = (
            for_markdown(code),
            for_text(figures.bounds(map(to_json, same))),
            _as_published(same, published),
            figures.count(charged.get(code)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    yield "\n".join(lines) + "\n"


def _published_of(step: Stats, names: Sequence[str], stats: Stats) -> list[AnyRule]:
    """Return the published rules of the presets that a step of rules names, and those of the edit that it follows.

    Presets that are read from files stand in the plan.
    """
    published: list[AnyRule] = [rule for name in names if name in PRESETS for rule in PRESETS[name].rules]
    published += [from_json(rule) for rule in step["settings"].get("published", ())]
    for other in stats["steps"]:
        if other["kind"] == EDIT and other["stage"] == step["stage"]:
            edit, settings = edit_of(other)
            published += edit.published_rules(settings)
    return published


def _left_out(published: Sequence[AnyRule], rules: Sequence[AnyRule]) -> Iterator[str]:
    """Yield a line for each published rule that the recipe switches off."""
    applied = {rule.code for rule in rules}
    for rule in published:
        if rule.code not in applied:
            bound = for_text(figures.bound(to_json(rule)))
            yield f"- switched off: {for_markdown(rule.code)}, published as {bound}"


def _by_code(rules: Sequence[AnyRule]) -> dict[str, list[AnyRule]]:
    """Return rules by reason code: those that differ in their conditions alone share one."""
    by_code: dict[str, list[AnyRule]] = {}
    for rule in rules:
        by_code.setdefault(rule.code, []).append(rule)
    return by_code


def _as_published(same: Sequence[AnyRule], published: Sequence[AnyRule]) -> str:
    """Return "yes", or the published bound where the recipe has others; a dash for a rule that nobody published."""
    there = [rule for rule in published if rule.code == same[0].code]
    if not there:
        return figures.NONE
    return "yes" if list(same) == there else for_text(figures.bounds(map(to_json, there)))


def _value(value: Any) -> str:
    """Return a setting on one line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_value(inner)}" for key, inner in value.items() if inner is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return as_code(str(value))
