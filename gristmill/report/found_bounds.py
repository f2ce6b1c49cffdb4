"""Bounds that a run finds by itself: the cuts of its perplexities, and the last document that a draw takes."""

from __future__ import annotations

from typing import Any, Final

from gristmill.classifiers.perplexity.settings import EVERY
from gristmill.filters.rules.rule import AnyRule
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages import perplexity_buckets
from gristmill.pipeline.stages.importance import draw, weights
from gristmill.pipeline.stages.rules import step_rules
from gristmill.report.find import Found
from gristmill.report.view import Finished

_OF_A_DRAW: Final = ("documents", "taken", "least_key")


def decider_rules(run: Run, step: Step) -> tuple[AnyRule, ...]:
    """Return the rules of a finished step that decides; none for one that decides in other ways."""
    if step.kind == draw.KIND and run.plan.shards:
        return draw.draw_rules(run, step, run.plan.shards[0])
    return step_rules(step) if step.kind == "rules" else ()


def buckets_of_perplexities(run: Run, finished: Finished) -> list[dict[str, Any]]:
    """Return for each finished step of buckets its percentiles, None for given cuts, and its cuts by language.

    A language of None is all of them; ``documents`` is None where cuts are given.
    """
    return [_cuts(run, step) for step in finished.of_kind(perplexity_buckets.KIND)]


def _cuts(run: Run, step: Step) -> dict[str, Any]:
    settings = step.settings["buckets"]
    given = settings.get("given")
    found = run.folder.read_json(f"{step.folder}/cuts.json") if given is None else {"given": given, "documents": {}}
    cuts = [
        {"language": label, "documents": found["documents"].get(label), "head": head, "middle": middle}
        for label, (head, middle) in sorted(found["given"].items())
    ]
    percentiles = [settings["head"], settings["middle"]] if given is None else None
    return {"stage": step.stage, "percentiles": percentiles, "cuts": cuts}


def cuts_of_rows(run: Run, step: Step, found: Found) -> list[dict[str, float]]:
    """Return the cuts that each of some rows is held against, as values to show; none in a language without cuts."""
    cuts = {of["language"]: {"head_up_to": of["head"], "middle_up_to": of["middle"]} for of in _cuts(run, step)["cuts"]}
    by = step.settings["by"]
    if by is None:
        return [cuts.get(EVERY, {})] * len(found.rows)
    provider = [name for name in step.inputs if by in run.plan.step(name).columns][-1]
    labels = run.read(run.plan.step(provider), found.shard, [by]).column(by).take(list(found.rows)).to_pylist()
    return [cuts.get(label or EVERY, {}) for label in labels]


def importance(run: Run, finished: Finished) -> list[dict[str, Any]]:
    """Return for each finished step that weighs: texts and n-grams of target and run, how far apart, and the draw."""
    draws = {step.stage: step for step in finished.of_kind(draw.KIND)}
    return [_weighed(run, step, draws.get(step.stage)) for step in finished.of_kind(weights.KIND)]


def _weighed(run: Run, step: Step, drawn: Step | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"stage": step.stage, **run.folder.read_json(f"{step.folder}/importance.json")}
    found = run.folder.read_json(f"{drawn.folder}/draw.json") if drawn else None
    return facts | {"draw": found and {key: found[key] for key in _OF_A_DRAW}}
