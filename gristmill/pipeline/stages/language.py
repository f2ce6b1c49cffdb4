"""language: the most likely language of each text, and, with `keep`, which languages stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gristmill import schema
from gristmill.classifiers.language import LanguageIdentifier, versions
from gristmill.classifiers.models import find_model, find_planned
from gristmill.classifiers.settings import LanguageSettings
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.phases import Phase, annotate, shard_phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import deciding_step

_ADDED: Final = ("labels", "top", "least_score", "lines")


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that identifies, and the one that decides if languages to keep are named."""
    settings = stage.settings
    assert isinstance(settings, LanguageSettings)
    model = find_model(settings.model, "fasttext")
    identifier = LanguageIdentifier(model, settings)
    identifier.check()
    name = planning.name_for("language")
    identify = Step(
        name=name,
        stage=name,
        kind="language",
        settings=_recorded(settings),
        places=("model",),
        inputs=planning.text_inputs(),
        versions=versions(settings.labels) | {"model": model.digest},
        columns=tuple(identifier.layout.names),
    )
    if settings.keep is None:
        return [identify]
    return [identify, deciding_step(f"{name}.keep", name, language_rules(settings.keep), (name,))]


def _recorded(settings: LanguageSettings) -> dict[str, Any]:
    """Return the settings of the step that identifies: what says nothing is left out, as if there were no such key."""
    defaults = LanguageSettings()
    unused = {name for name in _ADDED if getattr(settings, name) == getattr(defaults, name)}
    return settings.model_dump(mode="json", exclude={"keep", *unused})


def language_rules(keep: Mapping[str, float]) -> tuple[Rule, ...]:
    """Return the rules that keep these languages, each from its score on.

    >>> [rule.code for rule in language_rules({"en": 0.65})]
    ['language.language.in', 'language.language_score.min']
    """
    among = Rule("language", schema.LANGUAGE, "in", tuple(keep))
    bounds = (
        Rule("language", schema.LANGUAGE_SCORE, "min", least, where=(schema.LANGUAGE, (label,)))
        for label, least in keep.items()
    )
    return (among, *bounds)


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's languages."""
    settings = LanguageSettings.model_validate(dict(step.settings))
    model = find_planned(settings.model, (step.versions or {})["model"])
    identifier = LanguageIdentifier(model, settings)
    return (shard_phase(run, step, annotate(run, step, identifier.layout, identifier.identify)),)
