"""edit: spans of each text that go, with their reasons, and the pages that an edit drops. No text is written."""

from __future__ import annotations

import pyarrow as pa

from gristmill.errors import RecipeError
from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EditSettings
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import EDIT, Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import deciding_step


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that finds the spans, and the one that decides by what it measured.

    Raises RecipeError for a bound on what the edit does not measure.
    """
    settings = stage.settings
    assert isinstance(settings, EditSettings)
    name = planning.name_for("edit")
    make = Step(
        name=name,
        stage=name,
        kind=EDIT,
        settings={settings.name: settings.own.model_dump(mode="json")},
        inputs=planning.text_inputs(),
        versions=catalogue.versions(settings),
        columns=catalogue.facts_of(settings.name),
        edits=True,
    )
    try:
        rules = catalogue.rules_of(settings)
    except ValueError as error:
        raise RecipeError(f"'keep': {error} {stage.location}") from error
    return [make, deciding_step(f"{name}.keep", name, rules, (name,))]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's edits."""
    settings = EditSettings.model_validate(dict(step.settings))

    def made(texts: pa.Array) -> pa.RecordBatch:
        return catalogue.annotate(texts, settings)

    return (shard_phase(run, step, annotate(run, step, catalogue.layout(settings.name), made)),)
