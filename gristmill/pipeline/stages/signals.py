"""signals: what is measured on each text, once, for any rule to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from gristmill import schema
from gristmill.errors import MissingError, RecipeError
from gristmill.filters.signals.families import columns_needed, layout, measure, selected, versions
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.language_labels import check_lists
from gristmill.pipeline.lists import list_digests, open_lists, open_words
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.spacy_words import installed


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that measures.

    Raises MissingError for words whose package is not installed and for lists that are not there, RecipeError for a
    signal that needs what no stage before gives, and for lists of none of the languages that a stage before answers.
    """
    settings = stage.settings
    assert isinstance(settings, SignalsSettings)
    if settings.words == "spacy" and not installed.is_installed():
        raise MissingError("`words: spacy` needs spaCy; install it with: pip install 'gristmill[spacy]'")
    name, digests = planning.name_for("signals"), list_digests(settings)
    inputs = tuple(dict.fromkeys((*planning.text_inputs(), *_providers(settings, planning))))
    check_lists(planning, open_words(settings, digests))
    return [
        Step(
            name=name,
            stage=name,
            kind="signals",
            settings=settings.model_dump(mode="json"),
            places=("lists",),
            inputs=inputs,
            versions=versions(settings) | digests,
            columns=tuple(layout(settings).names),
        )
    ]


def _providers(settings: SignalsSettings, planning: Planning) -> Iterator[str]:
    """Yield the names of the steps that give the columns which the signals need beside the text."""
    for column in columns_needed(settings):
        if column in schema.DOCUMENTS.names:
            continue
        provider = planning.provider(column)
        if provider is None:
            family = next(signal.family for signal in selected(settings) if column in signal.columns)
            hint = "; add `- language: {model: lid176}` before it" if column == schema.LANGUAGE else ""
            raise RecipeError(
                f"family '{family}' needs the column '{column}' of each document, and no stage before 'signals' gives "
                f"it{hint}"
            )
        yield provider


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's signals."""
    settings = SignalsSettings.model_validate(step.settings)
    reads = columns_needed(settings)

    @cache
    def lists() -> Mapping[str, Any]:
        """Return the lists, opened for the first shard."""
        return open_lists(settings, step.versions or {})

    def measured(texts: pa.Array, *columns: pa.Array) -> pa.RecordBatch:
        return measure(texts, settings, dict(zip(reads, columns, strict=True)), lists())

    return (shard_phase(run, step, annotate(run, step, layout(settings), measured, reads)),)
