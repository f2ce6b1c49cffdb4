"""What a stage does, in a word or two, for stages whose kind stands in a recipe more than once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from gristmill.dedup.settings import DEFAULT_SURVIVORS
from gristmill.filters.edits.settings import EDIT_SETTINGS
from gristmill.pipeline.plan import EDIT, Plan
from gristmill.pipeline.stages.dedup.spans import STEP_KIND
from gristmill.report.markup import Markup, element

Stats = Mapping[str, Any]

_NAMES = {EDIT: tuple(EDIT_SETTINGS), "dedup": tuple(DEFAULT_SURVIVORS), STEP_KIND: tuple(DEFAULT_SURVIVORS)}


def what_it_does(kind: str, settings: Mapping[str, Any]) -> str:
    """Return which edit, or which kind of deduplication, a step is; empty for a step of any other kind.

    >>> what_it_does("dedup", {"minhash": {"ngram": 5}, "scope": "corpus"}), what_it_does("signals", {})
    ('minhash', '')
    """
    return next((name for name in _NAMES.get(kind, ()) if settings.get(name) is not None), "")


def what_stages_do(stats: Stats) -> dict[str, str]:
    """Return, for each stage that edits or looks for duplicates, the edit or the way of looking: ``c4_lines``."""
    found = ((step["stage"], what_it_does(step["kind"], step["settings"])) for step in stats["steps"])
    return {stage: does for stage, does in found if does}


def stages_of(plan: Plan) -> dict[str, str]:
    """Return the same of a plan."""
    found = ((step.stage, what_it_does(step.kind, step.settings)) for step in plan.steps)
    return {stage: does for stage, does in found if does}


def steps_of(plan: Plan) -> dict[str, str]:
    """Return the same by the steps' names."""
    return {step.name: what_it_does(step.kind, step.settings) for step in plan.steps}


def named(stage: str, does: str | None) -> str:
    """Return a stage's name with what it does: ``dedup-2 (minhash)``."""
    return f"{stage} ({does})" if does else stage


def name_on_terminal(stage: str, does: str | None, style: str = "") -> Text:
    """Return the same for a terminal."""
    return Text.assemble((stage, style), (f" ({does})", "dim") if does else "")


def does_of(does: str) -> Iterator[Markup]:
    """Yield what a stage does, to stand behind its name; nothing where there is nothing to add."""
    if does:
        yield element("span", {"class": "does"}, f" {does}")
