"""What a cascade knows of the stages after it: which cheap texts they are certain to drop.

A page whose cheap text falls keeps that text, and the stage that was foreseen measures it with the same code, model and
settings, and drops it: what makes a text fall here lies beyond the stage's own bound. What remains uncertain is whether
trafilatura's text of the same page would have been dropped too, and the margins are for that. They were measured; see
docs/extraction.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers import language
from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.models import FoundModel, find_model
from gristmill.classifiers.settings import LabelScheme, LanguageSettings
from gristmill.crawl.extraction.cascade import Screen
from gristmill.errors import RecipeError
from gristmill.filters.rules.evaluate import rules_of
from gristmill.filters.rules.rule import Rule
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals import families
from gristmill.filters.signals.settings import SignalsSettings

if TYPE_CHECKING:
    from gristmill.pipeline.recipe import RecipeStage

Bounds = dict[str, tuple[str, float]]

SURE_SCORE = 0.7
"""A text in another language than those kept falls from this score on."""

MARGINS: Mapping[tuple[str, str], float] = {("alphabetic_word_ratio", "min"): 0.9}
"""Bounds of filters that a text can fall by: it does beyond the bound times this."""

_VERSION = "2"
"""Raise it when a change in a cascade can change a document that the settings below do not tell."""

_FORESEEN = ("language", "signals", "filter")
# The families of signals that a screen can measure: it has nothing but the text.
_FAMILIES = {name: s.family for name, s in families.SIGNALS.items() if s.family not in families.families_with_needs()}


@dataclass(frozen=True)
class Foreseen:
    """The bounds that a cascade's screen takes from a recipe, and the model that it asks.

    ``keep``: labels that stay, as ``labels`` has them; a text less sure than ``least_score`` will be `und`; ``words``
    as in `signals`; ``bounds``: by signal, the side of the filter's bound and the value beyond which a text falls.
    """

    model: str
    first_characters: int | None
    keep: tuple[str, ...]
    words: str
    bounds: Bounds
    labels: LabelScheme = "model"
    least_score: float | None = None

    def settings(self) -> dict[str, Any]:
        """Return all that decides which texts fall, as JSON values, but for where the model lies."""
        called = {"labels": self.labels} if self.labels != "model" else {}
        sure = SURE_SCORE if self.least_score is None else max(SURE_SCORE, self.least_score)
        return {
            **called,
            "first_characters": self.first_characters,
            "keep": list(self.keep),
            "sure_score": sure,
            "words": self.words,
            "bounds": {signal: list(bound) for signal, bound in self.bounds.items()},
        }

    def versions(self) -> dict[str, str]:
        """Return the versions of what is measured, and the model's digest."""
        measured = families.versions(_signals(self.words, self.bounds)) if self.bounds else {}
        known = {"cascade": _VERSION, "model": find_model(self.model).digest}
        return known | language.versions(self.labels) | measured


def foresee(stages: Sequence[RecipeStage]) -> Foreseen:
    """Return what the stages after `extract` are certain to drop.

    They are looked at up to the first that compares documents or changes them. Raises RecipeError if none of them
    keeps only some languages.
    """
    kept: LanguageSettings | None = None
    words: str = SignalsSettings().words
    bounds: Bounds = {}
    measured: SignalsSettings | None = None
    for stage in stages[1:]:
        if stage.kind not in _FORESEEN:
            break
        if isinstance(stage.settings, LanguageSettings) and stage.settings.keep and kept is None:
            kept = stage.settings
        if isinstance(stage.settings, SignalsSettings):
            measured = stage.settings
        if isinstance(stage.settings, FilterSettings) and measured is not None and not bounds:
            words, bounds = measured.words, _bounds(stage.settings, measured)
    if kept is None or not kept.keep:
        raise RecipeError(
            "extractor 'cascade' spares the pages in languages that are not kept, and no stage after it says which: "
            "add `- language: {keep: {en: 0.65}}` before any other stage than signals and filter, or write "
            "`extractor: trafilatura`"
        )
    keep = tuple(sorted(kept.keep))
    return Foreseen(kept.model, kept.first_characters, keep, words, bounds, kept.labels, kept.least_score)


def screen_of(model: FoundModel, settings: Mapping[str, Any]) -> Screen:
    """Return what tells which cheap texts can be kept, from `Foreseen.settings` and the model as it is found here."""
    asked = {name: settings[name] for name in ("first_characters", "labels") if name in settings}
    identifier = LanguageIdentifier(model, LanguageSettings.model_validate(asked))
    keep, bounds, sure = pa.array(settings["keep"], pa.string()), settings["bounds"], settings["sure_score"]
    measured = _signals(settings["words"], bounds) if bounds else None

    def survive(texts: pa.Array) -> Sequence[bool]:
        alive = np.ones(len(texts), np.bool_)
        if measured is not None:
            values = families.measure(texts, measured)
            for name, (side, bound) in bounds.items():
                column = np.asarray(values.column(name))
                alive &= column >= bound if side == "min" else column <= bound
        found = identifier.identify(texts.filter(pa.array(alive)))
        is_kept = pc.is_in(found.column(schema.LANGUAGE), keep)
        alive[alive] = np.asarray(is_kept) | (np.asarray(found.column(schema.LANGUAGE_SCORE)) < sure)
        return cast("Sequence[bool]", alive.tolist())

    return survive


def _bounds(settings: FilterSettings, measured: SignalsSettings) -> Bounds:
    """Return the values beyond which a text falls; of several rules on a side of a signal, by the strictest.

    Rules of some languages only, and choices among bounds, drop no text for certain.
    """
    bounds: Bounds = {}
    for rule in rules_of(settings):
        if not isinstance(rule, Rule) or rule.where or rule.unless or not isinstance(rule.bound, int | float):
            continue
        margin = MARGINS.get((rule.signal, rule.side))
        if margin is None or rule.signal not in _FAMILIES or _FAMILIES[rule.signal] not in measured.families:
            continue
        strictest = max if rule.side == "min" else min
        value = margin * rule.bound
        bounds[rule.signal] = (rule.side, strictest(value, bounds.get(rule.signal, (rule.side, value))[1]))
    return bounds


def _signals(words: str, bounded: Iterable[str]) -> SignalsSettings:
    """Return the settings that measure these signals, and no family more."""
    return SignalsSettings.model_validate({"families": sorted({_FAMILIES[name] for name in bounded}), "words": words})
