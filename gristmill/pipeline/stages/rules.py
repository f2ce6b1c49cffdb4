"""filter: bounds on what earlier stages measured. No text is read, so deciding again costs seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pyarrow as pa

from gristmill import schema
from gristmill.classifiers.language.layers import language_layer
from gristmill.classifiers.perplexity.layers import PERPLEXITY_BUCKET_LAYER
from gristmill.classifiers.settings import MOST_LABELS
from gristmill.errors import RecipeError
from gristmill.filters.rules.evaluate import decide
from gristmill.filters.rules.labels import names_of
from gristmill.filters.rules.presets import is_fineweb2
from gristmill.filters.rules.rule import AnyRule
from gristmill.filters.rules.serialize import from_json, to_json
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import SIGNALS
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.language_labels import check_rules
from gristmill.pipeline.phases import Phase, shard_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.planning import Planning, missing_signal
from gristmill.pipeline.presets import find_preset
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run

_STOP_WORDS: Final = "language_stop_word_count"
_LAYERS: Final = (language_layer(MOST_LABELS), schema.CONTAMINATION_LAYER, PERPLEXITY_BUCKET_LAYER)
TEXT_COLUMNS = frozenset(
    name
    for name, kind in (
        *((field.name, field.type) for layer in _LAYERS for field in layer),
        *((signal.name, signal.type) for signal in SIGNALS.values()),
    )
    if pa.types.is_string(kind)
)


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that decides.

    Raises RecipeError for a rule on something that nothing before it measures, or that its bound does not fit, and
    MissingError for a preset whose file is not there.
    """
    settings = stage.settings
    assert isinstance(settings, FilterSettings)
    rules = _rules(settings, stage)
    needed: dict[str, None] = {}
    for rule in rules:
        for column in rule.columns:
            provider = planning.provider(column)
            if provider is None:
                raise missing_signal(rule.code, column, stage, planning)
            needed[provider] = None
        _check_sides(rule, stage)
    check_rules(planning, rules)
    _check_labels(settings, planning, stage)
    name = planning.name_for("filter")
    step = deciding_step(name, name, rules, tuple(needed), warn=settings.warn)
    published = [rule for name in settings.use if is_fineweb2(name) for rule in find_preset(name, settings).rules]
    return [_with_published(step, published) if published else step]


def _check_labels(settings: FilterSettings, planning: Planning, stage: RecipeStage) -> None:
    """Raise RecipeError for a label of FineWeb-2's that the stop words do not have: its rule would never drop."""
    provider = planning.provider(_STOP_WORDS)
    if settings.fineweb2 is None or provider is None:
        return
    step = next(step for step in planning.steps if step.name == provider)
    known = SignalsSettings.model_validate(step.settings).lists.labels
    for name in filter(is_fineweb2, settings.use):
        language = name.partition("/")[2]
        label = settings.fineweb2.labels.get(language)
        if label is not None and label not in names_of(language) and label not in known.values():
            raise RecipeError(
                f"preset '{name}' is for documents in '{label}', and no stop words are counted in them: write "
                f"lists: {{labels: {{{language}: {label}}}}} in the stage '{provider}' {stage.location}"
            )


def _with_published(step: Step, published: Sequence[AnyRule]) -> Step:
    """Return the step with the bounds that its files publish beside those that apply; they change no decision."""
    settings = {**step.settings, "published": [to_json(rule) for rule in published]}
    return replace(step, settings=settings, places=(*step.places, "published"))


def _rules(settings: FilterSettings, stage: RecipeStage) -> tuple[AnyRule, ...]:
    try:
        rules = settings.rules(lambda name: find_preset(name, settings))
    except ValueError as error:
        raise RecipeError(f"{error} {stage.location}") from error
    if not rules:
        raise RecipeError(f"every rule of '{stage.kind}' is switched off; leave the stage out {stage.location}")
    return rules


def _check_sides(rule: AnyRule, stage: RecipeStage) -> None:
    """Raise RecipeError for a number as the bound of a text, and for texts as the bound of a number."""
    for bound in rule.bounds:
        if (bound.signal in TEXT_COLUMNS) != (bound.side == "in"):
            takes = "texts: {in: [...]}" if bound.signal in TEXT_COLUMNS else "numbers: {min: ...} or {max: ...}"
            raise RecipeError(f"rule '{bound.code}': '{bound.signal}' is bounded by {takes} {stage.location}")


def deciding_step(
    name: str, stage: str, rules: Sequence[AnyRule], inputs: tuple[str, ...], *, warn: bool = False
) -> Step:
    """Return the step that evaluates rules on columns of the steps named as its inputs.

    ``warn``: whether to say so where it keeps next to nothing, or drops nothing.
    """
    settings = {"rules": [to_json(rule) for rule in rules], "warn": warn}
    return Step(name=name, stage=stage, kind="rules", settings=settings, places=("warn",), inputs=inputs, decides=True)


def step_rules(step: Step) -> tuple[AnyRule, ...]:
    """Return the rules of a deciding step."""
    return tuple(from_json(rule) for rule in step.settings["rules"])


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's decisions."""
    rules = step_rules(step)

    def perform(shard: Shard, progress: Progress) -> None:
        values = rule_columns(run, step, shard)
        rows = run.footer(run.plan.text_step, shard).rows
        write_layer(run, step, shard, decide(rules, values, rows), columns=schema.DECISIONS)
        progress.update(rows, 1.0)

    return (shard_phase(run, step, perform),)


def rule_columns(run: Run, step: Step, shard: Shard) -> dict[str, pa.ChunkedArray]:
    """Return every column that a deciding step's rules read, by name, from the layers that are its inputs."""
    wanted = dict.fromkeys(column for rule in step_rules(step) for column in rule.columns)
    values: dict[str, pa.ChunkedArray] = {}
    for name in step.inputs:
        source = run.plan.step(name)
        columns = [column for column in source.columns if column in wanted and column not in values]
        if columns:
            table = run.read(source, shard, columns)
            values |= {column: table.column(column) for column in columns}
    return values
