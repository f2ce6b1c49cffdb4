"""quality: scores of fastText classifiers, and, with `use` or `keep`, which documents stay by them.

Each classifier is a step of its own, so that one more, or another model for one, leaves the others' layers valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gristmill import schema
from gristmill.classifiers.models import find_planned
from gristmill.classifiers.quality.resolve import Resolved, calibration_of, classifiers_of, digest_of_calibration
from gristmill.classifiers.quality.scores import Classifier, versions
from gristmill.classifiers.quality.settings import QualitySettings
from gristmill.errors import RecipeError, StaleError
from gristmill.filters.rules.kept import Measured, rules_with
from gristmill.filters.rules.rule import Rule
from gristmill.filters.rules.serialize import to_json
from gristmill.filters.signals.families import SIGNALS
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import deciding_step

KIND = "quality"
_CALIBRATION = "calibration"


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return a step for each classifier, and the one that decides if anything is bounded.

    Raises RecipeError for bounds on what is not scored and for names that other columns have; and as `classifiers_of`.
    """
    settings = stage.settings
    assert isinstance(settings, QualitySettings)
    name = planning.name_for(KIND)
    found = list(classifiers_of(settings))
    steps = [_scoring(f"{name}.{one.classifier.name}", name, one, planning) for one in found]
    _check_names(steps, planning, stage)
    rules, published = _rules(settings, found, steps, stage)
    if not rules:
        return steps
    read = {rule.signal for rule in rules}
    inputs = tuple(step.name for step in steps if read & set(step.columns))
    decides = deciding_step(f"{name}.keep", name, rules, inputs, warn=True)
    if published:
        more = {**decides.settings, "published": [to_json(rule) for rule in published]}
        decides = replace(decides, settings=more, places=(*decides.places, "published"))
    return [*steps, decides]


def _scoring(name: str, stage: str, found: Resolved, planning: Planning) -> Step:
    """Return the step that asks one classifier."""
    asked = found.classifier
    digests = {"model": asked.model.digest}
    if asked.calibration is not None:
        digests[_CALIBRATION] = digest_of_calibration(asked.calibration)
    return Step(
        name=name,
        stage=stage,
        kind=KIND,
        settings={
            "name": asked.name,
            "model": found.model,
            "labels": [label for label, _ in asked.labels],
            "weights": [weight for _, weight in asked.labels],
            "normalize": asked.form,
            "first_characters": asked.first_characters,
            "buckets": list(asked.buckets) if asked.buckets else None,
            "complement": asked.complement or None,
            "source": found.preset.source if found.preset else None,
        },
        places=("model", "source"),
        inputs=planning.text_inputs(),
        versions=versions() | digests,
        columns=tuple(asked.layout.names),
    )


def _check_names(steps: Sequence[Step], planning: Planning, stage: RecipeStage) -> None:
    """Raise RecipeError for a score that would have the name of what something else measures."""
    others = {column for step in planning.steps if step.kind != KIND for column in step.columns}
    taken = {*others, *SIGNALS, *schema.DOCUMENTS.names, *schema.LANGUAGE_LAYER.names}
    for step in steps:
        for column in taken.intersection(step.columns):
            raise RecipeError(
                f"the classifier '{step.settings['name']}' would give a column '{column}', which is the name of "
                f"something else; call it otherwise {stage.location}"
            )


def _rules(
    settings: QualitySettings, found: Sequence[Resolved], steps: Sequence[Step], stage: RecipeStage
) -> tuple[tuple[Rule, ...], list[Rule]]:
    """Return the rules of the presets with those of ``keep``, and those of the presets as they are published."""
    presets = [one.preset for one in found if one.preset is not None]
    published = [Rule(KIND, column, "min", bound) for preset in presets for column, bound in preset.bounds.items()]
    columns = tuple(column for step in steps for column in step.columns)
    try:
        return rules_with(published, settings.keep, Measured(KIND, KIND, columns)), published
    except ValueError as error:
        raise RecipeError(f"{error} {stage.location}") from error


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's scores."""
    asked = classifier_in(step)
    return (shard_phase(run, step, annotate(run, step, asked.layout, asked.score)),)


def classifier_in(step: Step) -> Classifier:
    """Return the classifier of a step. Raises StaleError if its calibration is not what the plan was made with."""
    settings, known = step.settings, step.versions or {}
    model = find_planned(settings["model"], known["model"])
    planned = known.get(_CALIBRATION)
    table = calibration_of(model) if planned else None
    if planned and (table is None or digest_of_calibration(table) != planned):
        raise StaleError(
            f"the calibration beside model {model.path} is another than when the plan was made: plan again"
        )
    return Classifier(
        name=settings["name"],
        model=model,
        labels=tuple(zip(settings["labels"], settings["weights"], strict=True)),
        form=settings["normalize"],
        first_characters=settings["first_characters"],
        buckets=tuple(settings["buckets"]) if settings["buckets"] else None,
        complement=bool(settings["complement"]),
        calibration=table,
    )
