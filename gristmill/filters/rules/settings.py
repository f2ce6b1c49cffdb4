"""What a recipe says about rules."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gristmill.filters.rules.bounds import RuleSet, SignalBound
from gristmill.filters.rules.build import changed, own
from gristmill.filters.rules.presets import ALIASES, FINEWEB2, PRESETS, is_fineweb2
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import AnyRule

_OWN_NAME = re.compile(r"[a-z][a-z0-9_]*")
PresetOf = Callable[[str], Preset]


def _known_preset(name: str) -> str:
    """Return the name that a preset goes by. Raises ValueError for what is none."""
    name = ALIASES.get(name, name)
    if name not in PRESETS and not is_fineweb2(name):
        there = [*PRESETS, *ALIASES, f"{FINEWEB2}/fra_Latn (or another language)"]
        raise ValueError(f"there is no preset '{name}'{_nearest(name, there)}")
    return name


def _describe(schema: dict[str, Any]) -> None:
    """Offer the presets, and the signals of each, to editors."""
    schema["properties"]["use"]["items"] = {
        "anyOf": [
            {"enum": [*PRESETS, *ALIASES]},
            {"type": "string", "pattern": f"^{FINEWEB2}/[a-z]{{3}}_[A-Z][a-z]{{3}}$"},
        ]
    }
    for name in (*PRESETS, *ALIASES):
        preset = PRESETS[ALIASES.get(name, name)]
        schema["properties"][name] = {
            **schema["additionalProperties"],
            "description": f"Other bounds for single rules of this preset: {preset.source}.",
            "propertyNames": {"enum": list(dict.fromkeys(rule.signal for rule in preset.rules))},
        }


class Fineweb2Settings(BaseModel):
    """Where FineWeb-2's bounds and stop words of each language lie, and how the languages are labelled here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    configs: str = Field(
        description="Its `configs`: a folder or its URL with files such as fra_Latn.yml, or a tar archive of it."
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="What the `language` stage calls a language, where it is neither FineWeb-2's name nor the code of "
        "lid176: `{fra_Latn: french}`.",
    )


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
    fineweb2: Fineweb2Settings | None = Field(
        default=None, description="Needed for presets such as `fineweb2/fra_Latn`: where their bounds lie."
    )
    warn: bool = Field(
        default=True,
        description="Warn where the rules keep next to nothing, or drop nothing of many documents.",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_one_name(cls, value: object) -> object:
        """Give the bounds of a preset that is called by an alias to its name. Raises ValueError if both have some."""
        if not isinstance(value, dict):
            return value
        for alias, name in ALIASES.items():
            if alias in value and name in value:
                raise ValueError(f"'{alias}' and '{name}' are one preset; write its bounds once")
        return {ALIASES.get(key, key): inner for key, inner in value.items()}

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        """Raise ValueError for keys that cannot mean what was meant."""
        if len(set(self.use)) != len(self.use):
            raise ValueError("a preset is named twice in 'use'")
        wants = [name for name in self.use if is_fineweb2(name)]
        if wants and self.fineweb2 is None:
            raise ValueError(
                f"preset '{wants[0]}' needs FineWeb-2's published bounds: fetch "
                "https://github.com/huggingface/fineweb-2 and write fineweb2: {configs: fineweb-2/configs}"
            )
        for name, bounds in self.rule_sets.items():
            if name in PRESETS and name in self.use:
                check_changes(PRESETS[name], bounds)
            elif name not in self.use:
                _check_own(name, bounds, self.use)
        if not wants and not self.rules(PRESETS.__getitem__):
            raise ValueError(f"no rule: name presets, such as use: [{', '.join(PRESETS)}], or bounds of your own")
        return self

    @property
    def rule_sets(self) -> dict[str, RuleSet]:
        """The rule sets written beside ``use``, by name."""
        return dict(self.__pydantic_extra__)

    def rules(self, preset_of: PresetOf) -> tuple[AnyRule, ...]:
        """Return all rules: those of the presets in the order of ``use``, then your own in the order written.

        Raises ValueError for a changed bound that a preset does not have.
        """
        return tuple(self._rules(preset_of))

    def _rules(self, preset_of: PresetOf) -> Iterator[AnyRule]:
        for name in self.use:
            preset, changes = preset_of(name), self.rule_sets.get(name)
            if changes is not None:
                check_changes(preset, changes)
            yield from changed(preset, changes)
        for name, bounds in self.rule_sets.items():
            if name not in self.use:
                yield from own(name, bounds)


def check_changes(preset: Preset, changes: RuleSet) -> None:
    """Raise ValueError for a bound that the preset does not have."""
    if changes.any_of or changes.all_of:
        raise ValueError(f"'any' and 'all' belong into a rule set of your own, and '{preset.name}' is a preset")
    signals = list(dict.fromkeys(rule.signal for rule in preset.rules))
    for signal, bound in changes.bounds.items():
        if signal not in signals:
            raise ValueError(f"preset '{preset.name}' has no rule on '{signal}'{_nearest(signal, signals)}")
        _check_sides(preset, signal, bound)


def _check_sides(preset: Preset, signal: str, bound: SignalBound) -> None:
    known = {rule.label: rule for rule in preset.rules}
    for side in bound.all_sides():
        if f"{signal}.{side}" not in known:
            raise ValueError(
                f"preset '{preset.name}' has no rule '{signal}.{side}'; write it into a rule set of your own, "
                f"such as house: {{{signal}: {{{side}: ...}}}}"
            )
        rule = known[f"{signal}.{side}"]
        if bound.languages and (rule.where or rule.unless):
            raise ValueError(f"'{rule.code}' is not for all documents, so it has no bounds by language")


def _check_own(name: str, bounds: RuleSet, use: Sequence[str]) -> None:
    """Raise ValueError for a rule set that is no preset in use and cannot be the user's own."""
    if name in PRESETS or is_fineweb2(name):
        raise ValueError(f"'{name}' changes a preset that 'use' does not name; write use: [{', '.join((*use, name))}]")
    close = difflib.get_close_matches(name, [*PRESETS, "use"], n=1, cutoff=0.85)
    if close:
        raise ValueError(f"'{name}' is nearly '{close[0]}'; did you mean that? Else choose a name less like it")
    if not _OWN_NAME.fullmatch(name):
        raise ValueError(f"'{name}' names a rule set, so it must be lower-case letters, digits and '_'")
    _check_no_null(name, bounds)


def _check_no_null(name: str, bounds: RuleSet) -> None:
    """Raise ValueError for a null that switches nothing off."""
    for signal, bound in bounds.bounds.items():
        if None in bound.sides().values():
            raise ValueError(f"'{name}.{signal}': null switches off a preset's bound, and '{name}' is no preset")
        for label, sides in (bound.languages or {}).items():
            off = [side for side, value in sides.sides().items() if value is None and side not in bound.sides()]
            if off:
                raise ValueError(f"'{name}.{signal}.languages.{label}': null switches off nothing: '{off[0]}' is unset")
    for part in (*(bounds.any_of or ()), *(bounds.all_of or ())):
        _check_no_null(name, part)


def _nearest(name: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else f"; there are: {', '.join(names)}"
