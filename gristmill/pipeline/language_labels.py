"""Which labels documents can have, as far as a plan knows: what waits for another one would never fire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gristmill import schema
from gristmill.classifiers.language import LanguageIdentifier, some
from gristmill.classifiers.models import find_planned
from gristmill.classifiers.settings import MOST_LABELS, LanguageSettings
from gristmill.errors import RecipeError
from gristmill.filters.rules.presets import is_fineweb2
from gristmill.filters.rules.rule import AnyRule, Rule
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning

_COLUMNS = frozenset((schema.LANGUAGE, *(f"{schema.LANGUAGE}_{place}" for place in range(2, MOST_LABELS + 1))))
_SHOWN = 5


def language_stage(planning: Planning) -> tuple[Step, LanguageIdentifier] | None:
    """Return the step that says which language a document is in, and what it asks; None if there is none so far."""
    provider = planning.provider(schema.LANGUAGE)
    step = next((step for step in planning.steps if step.name == provider), None)
    if step is None or step.kind != "language":
        return None
    settings = LanguageSettings.model_validate(dict(step.settings))
    model = find_planned(settings.model, (step.versions or {})["model"])
    return step, LanguageIdentifier(model, settings)


def check_labels(planning: Planning, what: str, labels: Iterable[str]) -> None:
    """Raise RecipeError, which begins with ``what`` asks for them, for a label that no document can have."""
    labels = tuple(labels)
    stage = language_stage(planning) if labels else None
    if stage is None:
        return
    step, identifier = stage
    for label in labels:
        unknown = identifier.unknown(label)
        if unknown is not None:
            raise RecipeError(f"{what}: the stage '{step.stage}' never answers '{label}': {unknown}")


def check_rules(planning: Planning, rules: Iterable[AnyRule]) -> None:
    """Raise RecipeError for a rule that asks for a label which no document can have.

    A rule of FineWeb-2's is for one language by all its names: it is enough that one of them can be answered.
    """
    stage = language_stage(planning)
    for rule in rules:
        for bound in rule.bounds if stage is not None else ():
            labels = tuple(_labels(bound))
            if not is_fineweb2(bound.preset):
                check_labels(planning, f"rule '{rule.code}'", labels)
            elif stage is not None and not any(stage[1].unknown(label) is None for label in labels):
                raise RecipeError(_no_document(bound.preset, labels, *stage))


def check_lists(planning: Planning, lists: dict[str, WordLists]) -> None:
    """Raise RecipeError for lists, by name, that have no words of any language that a document can be in.

    And for labels given to them that no document can have.
    """
    stage = language_stage(planning)
    if stage is None:
        return
    step, identifier = stage
    for name, words in lists.items():
        check_labels(planning, "lists.labels", words.labels)
        if not any(words.of(label) is not None for label in identifier.labels):
            raise RecipeError(_no_list(name, words, step, identifier))


def _labels(bound: Rule) -> Iterator[str]:
    """Yield the labels of languages that a bound names."""
    if bound.signal in _COLUMNS and isinstance(bound.bound, tuple):
        yield from bound.bound
    for condition in (bound.where, bound.unless):
        if condition is not None and condition[0] in _COLUMNS:
            yield from condition[1]


def _no_list(name: str, lists: WordLists, step: Step, identifier: LanguageIdentifier) -> str:
    languages, labels = sorted(lists.words), identifier.labels
    return (
        f"lists.{name}: no list is of a language that the stage '{step.stage}' answers: the lists have "
        f"{some(languages, _SHOWN)}, the stage {some(labels, _SHOWN)}; if some of them are the same, say so: "
        f"lists: {{labels: {{{languages[0]}: {labels[0]}}}}}, with the names that belong together"
    )


def _no_document(preset: str, labels: tuple[str, ...], step: Step, identifier: LanguageIdentifier) -> str:
    language = preset.partition("/")[2]
    return (
        f"preset '{preset}' is for documents in {' or '.join(labels)}, and the stage '{step.stage}' never answers "
        f"that: {identifier.unknown(labels[0])}; if it calls the language otherwise, write "
        f"fineweb2: {{labels: {{{language}: …}}}}"
    )
