"""perplexity: how likely each text is by an n-gram model; its bucket within its language; and, with `keep`, what stays.

perplexity          shard  -> the perplexity of each text, and of its lines if they are asked for
perplexity.buckets  shard  -> head, middle or tail (`perplexity_buckets`)
perplexity.keep     shard  -> decisions
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

import pyarrow as pa

from gristmill import schema
from gristmill.classifiers.models import find_model, find_planned
from gristmill.classifiers.perplexity.form import Form
from gristmill.classifiers.perplexity.layers import PERPLEXITY_LAYER, PERPLEXITY_LINES_LAYER
from gristmill.classifiers.perplexity.pieces import WORDS, WORDS_ALONE, Pieces
from gristmill.classifiers.perplexity.scores import Scorer, ScorerByLanguage, check_installed, versions
from gristmill.classifiers.perplexity.settings import EVERY, PerplexitySettings
from gristmill.classifiers.perplexity.trained_form import form_of
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.perplexity_buckets import bucket_phases, bucketing_step, language_step
from gristmill.pipeline.stages.rules import deciding_step

KIND: Final = "perplexity"


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that scores, the one that sorts into buckets, and the one that decides, as far as wanted.

    Raises MissingError for models and libraries that are not there, UsageError for a model asked in another form than
    it was trained in, CorruptError for files that are no models.
    """
    settings = stage.settings
    assert isinstance(settings, PerplexitySettings)
    check_installed()
    name = planning.name_for("perplexity")
    steps = [_scoring(settings, name, planning)]
    if settings.buckets is not None:
        steps.append(bucketing_step(settings.buckets, steps[0], planning))
    rules = tuple(_rules(settings))
    if rules:
        steps.append(deciding_step(f"{name}.keep", name, rules, tuple(step.name for step in steps), warn=settings.warn))
    return steps


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the phases of a step of this stage that is no deciding one."""
    return _score_phases(run, step) if step.kind == KIND else bucket_phases(run, step)


def _rules(settings: PerplexitySettings) -> Iterator[Rule]:
    for column, sides in settings.keep.items():
        for side, bound in sides.sides().items():
            if bound is not None:
                yield Rule("perplexity", column, side, bound)


def _scoring(settings: PerplexitySettings, name: str, planning: Planning) -> Step:
    """Return the step that scores. What decides a score is among its versions; where files lie is not."""
    models = settings.model if isinstance(settings.model, dict) else {EVERY: settings.model}
    scorers = {label: _checked(settings, label, where) for label, where in models.items()}
    inputs = planning.text_inputs()
    if EVERY not in models:
        inputs = (*inputs, language_step(planning, "models by language", models))
    first = next(iter(scorers.values()))
    return Step(
        name=name,
        stage=name,
        kind=KIND,
        settings={
            "models": models,
            "pieces": {label: scorer.form.pieces.name for label, scorer in scorers.items()},
            "normalize": {label: scorer.form.normalize for label, scorer in scorers.items()},
            "lines": settings.lines,
        },
        places=("models", "pieces"),
        inputs=tuple(dict.fromkeys(inputs)),
        versions=versions() | {f"{key} {label}": v for label, s in scorers.items() for key, v in s.versions().items()},
        columns=tuple(field.name for field in first.layer if not pa.types.is_list(field.type)),
    )


def _checked(settings: PerplexitySettings, label: str, where: str) -> Scorer:
    """Return what asks a model as the recipe says, or as the file beside it does. Raises as `plan`."""
    asked = settings.pieces[label] if isinstance(settings.pieces, dict) else settings.pieces
    model = find_model(where, "kenlm")
    scorer = Scorer(model, form_of(where, model, settings.normalize, asked), settings.lines)
    scorer.check()
    return scorer


def _score_phases(run: Run, step: Step) -> tuple[Phase, ...]:
    is_for_every = EVERY in step.settings["models"]
    layer = PERPLEXITY_LINES_LAYER if step.settings["lines"] else PERPLEXITY_LAYER

    @cache
    def scorer() -> Scorer | ScorerByLanguage:
        """Return what scores, with its models found for the first shard."""
        each = _scorers(step)
        return each[EVERY] if is_for_every else ScorerByLanguage(tuple(each.items()))

    def measured(*columns: pa.Array) -> pa.RecordBatch:
        return scorer().measure(*columns)

    reads = () if is_for_every else (schema.LANGUAGE,)
    return (shard_phase(run, step, annotate(run, step, layer, measured, reads)),)


def _scorers(step: Step) -> dict[str, Scorer]:
    """Return the scorers by label, with the digests that the plan has: other files are not taken."""
    settings, known = step.settings, step.versions or {}
    found = {}
    for label, where in settings["models"].items():
        vocabulary = settings["pieces"][label]
        pieces = WORDS_ALONE if vocabulary == WORDS else Pieces(find_planned(vocabulary, known[f"pieces {label}"]))
        form = Form(settings["normalize"][label], pieces)
        found[label] = Scorer(find_planned(where, known[f"model {label}"]), form, settings["lines"])
    return found
