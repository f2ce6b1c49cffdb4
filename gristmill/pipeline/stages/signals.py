"""signals: what is measured on each text, once, for any rule to use."""

from __future__ import annotations

import pyarrow as pa

from gristmill.errors import MissingError
from gristmill.filters.signals.families import layout, measure, versions
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.spacy_words import tokenizer as spacy_words


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that measures. Raises MissingError for words whose package is not installed."""
    settings = stage.settings
    assert isinstance(settings, SignalsSettings)
    if settings.words == "spacy" and not spacy_words.is_installed():
        raise MissingError("`words: spacy` needs spaCy; install it with: pip install 'gristmill[spacy]'")
    name = planning.name_for("signals")
    return [
        Step(
            name=name,
            stage=name,
            kind="signals",
            settings=settings.model_dump(mode="json"),
            inputs=planning.text_inputs(),
            versions=versions(settings),
            columns=tuple(layout(settings).names),
        )
    ]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's signals."""
    settings = SignalsSettings.model_validate(step.settings)

    def measured(texts: pa.Array) -> pa.RecordBatch:
        return measure(texts, settings)

    return (shard_phase(run, step, annotate(run, step, layout(settings), measured)),)
