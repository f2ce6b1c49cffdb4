"""One module for each kind of step: how a recipe's stage becomes steps, and what a step does.

Each offers ``plan(stage, planning)``, which returns the steps of a stage, and ``phases(run, step)``, which returns the
work of a step. The two tables below are the only list of them.
"""

from __future__ import annotations

from collections.abc import Callable

from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planner
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages import (
    decontaminate,
    dedup,
    edit,
    ensemble,
    extract,
    importance,
    language,
    perplexity,
    quality,
    rules,
    signals,
    tokenize,
)

PLANNERS: dict[str, Planner] = {
    "extract": extract.plan,
    "language": language.plan,
    "edit": edit.plan,
    "signals": signals.plan,
    "filter": rules.plan,
    "quality": quality.plan,
    "perplexity": perplexity.plan,
    "ensemble": ensemble.plan,
    "importance": importance.plan,
    "dedup": dedup.plan,
    "decontaminate": decontaminate.plan,
    "tokenize": tokenize.plan,
}

PHASES: dict[str, Callable[[Run, Step], tuple[Phase, ...]]] = {
    "extract": extract.phases,
    "language": language.phases,
    "edit": edit.phases,
    "signals": signals.phases,
    "rules": rules.phases,
    "quality": quality.phases,
    "perplexity": perplexity.phases,
    "perplexity_buckets": perplexity.phases,
    ensemble.KIND: ensemble.phases,
    **importance.PHASES,
    "dedup": dedup.phases,
    "dedup_spans": dedup.phases,
    "contamination": decontaminate.phases,
    "tokenize": tokenize.phases,
}
