"""What a recipe says about rules."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gristmill.filters.rules.presets import PRESETS, Preset
from gristmill.filters.rules.rule import Rule, Side


def _plain(number: float) -> float:
    """Return 50 for 50.0: the same bound, written the same."""
    return int(number) if number.is_integer() else number


Number = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(_plain)]
_OWN_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Bound(BaseModel):
    """The bounds on one signal. A value on a bound is kept; a document without the value is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: Number | None = Field(default=None, description="Drop what is less. null switches a preset's bound off.")
    max: Number | None = Field(default=None, description="Drop what is more. null switches a preset's bound off.")
    among: tuple[str, ...] | None = Field(
        default=None, alias="in", min_length=1, description="Drop what is none of these texts, such as [en, fr]."
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        """Raise ValueError if nothing is bounded, or nothing can lie inside."""
        if not self.model_fields_set:
            raise ValueError("a bound needs min, max or in, such as {min: 50}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}, so everything would be dropped")
        return self

    def sides(self) -> dict[Side, float | tuple[str, ...] | None]:
        """Return the sides that were written, in a fixed order; None is a bound switched off."""
        written: dict[Side, tuple[str, float | tuple[str, ...] | None]] = {
            "min": ("min", self.min),
            "max": ("max", self.max),
            "in": ("among", self.among),
        }
        return {side: bound for side, (field, bound) in written.items() if field in self.model_fields_set}


RuleSet = dict[str, Bound]


def _known_preset(name: str) -> str:
    if name not in PRESETS:
        raise ValueError(f"there is no preset '{name}'{_nearest(name, list(PRESETS))}")
    return name


def _describe(schema: dict[str, Any]) -> None:
    """Offer the presets, and the signals of each, to editors."""
    schema["properties"]["use"]["items"]["enum"] = list(PRESETS)
    bound = schema["additionalProperties"]["additionalProperties"]
    for preset in PRESETS.values():
        schema["properties"][preset.name] = {
            "type": "object",
            "description": f"Other bounds for single rules of this preset: {preset.source}.",
            "properties": {rule.signal: dict(bound) for rule in preset.rules},
            "additionalProperties": False,
        }


class FilterSettings(BaseModel):
    """Which documents are dropped: presets, single bounds of them changed, and rule sets of your own.

    ``use`` names the presets. A key that names one of them changes single bounds of it, such as
    ``gopher_quality: {word_count: {min: 20}}``; any other key is a rule set of your own with that name, such as
    ``house: {word_count: {min: 5}}``.
    """

    model_config = ConfigDict(extra="allow", frozen=True, json_schema_extra=_describe)
    __pydantic_extra__: dict[str, RuleSet]

    use: tuple[Annotated[str, AfterValidator(_known_preset)], ...] = Field(
        default=(), description="Presets whose rules apply, in this order."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        """Raise ValueError for keys that cannot mean what was meant."""
        if len(set(self.use)) != len(self.use):
            raise ValueError("a preset is named twice in 'use'")
        for name, bounds in self.rule_sets.items():
            if name in self.use:
                _check_override(PRESETS[name], bounds)
            else:
                _check_own(name, bounds, self.use)
        if not self.rules():
            raise ValueError(f"no rule: name presets, such as use: [{', '.join(PRESETS)}], or bounds of your own")
        return self

    @property
    def rule_sets(self) -> dict[str, RuleSet]:
        """The rule sets written beside ``use``, by name."""
        return dict(self.__pydantic_extra__)

    def rules(self) -> tuple[Rule, ...]:
        """Return all rules: those of the presets in the order of ``use``, then your own in the order written."""
        presets = [_with_bounds(PRESETS[name], self.rule_sets.get(name, {})) for name in self.use]
        own = [_own(name, bounds) for name, bounds in self.rule_sets.items() if name not in self.use]
        return tuple(rule for rules in (*presets, *own) for rule in rules)


def _with_bounds(preset: Preset, bounds: RuleSet) -> list[Rule]:
    """Return the preset's rules with single bounds changed, without those that are switched off."""
    changed = {(signal, side): bound for signal, b in bounds.items() for side, bound in b.sides().items()}
    rules = []
    for rule in preset.rules:
        bound = changed.get((rule.signal, rule.side), rule.bound)
        if bound is not None:
            rules.append(Rule(preset.name, rule.signal, rule.side, bound))
    return rules


def _own(name: str, bounds: RuleSet) -> list[Rule]:
    return [
        Rule(name, signal, side, bound)
        for signal, b in bounds.items()
        for side, bound in b.sides().items()
        if bound is not None
    ]


def _check_override(preset: Preset, bounds: RuleSet) -> None:
    """Raise ValueError for a bound that the preset does not have."""
    known = {f"{rule.signal}.{rule.side}" for rule in preset.rules}
    signals = list(dict.fromkeys(rule.signal for rule in preset.rules))
    for signal, bound in bounds.items():
        if signal not in signals:
            raise ValueError(f"preset '{preset.name}' has no rule on '{signal}'{_nearest(signal, signals)}")
        for side in bound.sides():
            if f"{signal}.{side}" not in known:
                raise ValueError(
                    f"preset '{preset.name}' has no rule '{signal}.{side}'; write it into a rule set of your own, "
                    f"such as house: {{{signal}: {{{side}: ...}}}}"
                )


def _check_own(name: str, bounds: RuleSet, use: Sequence[str]) -> None:
    """Raise ValueError for a rule set that is no preset in use and cannot be the user's own."""
    if name in PRESETS:
        raise ValueError(f"'{name}' changes a preset that 'use' does not name; write use: [{', '.join((*use, name))}]")
    close = difflib.get_close_matches(name, [*PRESETS, "use"], n=1, cutoff=0.85)
    if close:
        raise ValueError(f"'{name}' is nearly '{close[0]}'; did you mean that? Else choose a name less like it")
    if not _OWN_NAME.fullmatch(name):
        raise ValueError(f"'{name}' names a rule set, so it must be lower-case letters, digits and '_'")
    for signal, bound in bounds.items():
        if None in bound.sides().values():
            raise ValueError(f"'{name}.{signal}': null switches off a preset's bound, and '{name}' is no preset")


def _nearest(name: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else f"; there are: {', '.join(names)}"
