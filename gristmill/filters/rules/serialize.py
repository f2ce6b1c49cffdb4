"""Rules as JSON values, for plans and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gristmill.filters.rules.rule import AnyRule, Choice, Condition, Rule


def to_json(rule: AnyRule) -> dict[str, Any]:
    """Return a rule as JSON values; what it does not have is left out.

    >>> to_json(Rule("house", "word_count", "min", 20, where=("language", ("zh",))))
    {'preset': 'house', 'signal': 'word_count', 'side': 'min', 'bound': 20, 'where': ['language', ['zh']]}
    """
    if isinstance(rule, Choice):
        return {"preset": rule.preset, "any": [[to_json(part) for part in option] for option in rule.options]}
    bound = list(rule.bound) if isinstance(rule.bound, tuple) else rule.bound
    found: dict[str, Any] = {"preset": rule.preset, "signal": rule.signal, "side": rule.side, "bound": bound}
    conditions = {"where": rule.where, "unless": rule.unless}
    return found | {key: [value[0], list(value[1])] for key, value in conditions.items() if value is not None}


def from_json(value: Mapping[str, Any]) -> AnyRule:
    """Return the rule of `to_json`. Raises KeyError, TypeError and ValueError for what is none."""
    if "any" in value:
        return Choice(value["preset"], tuple(tuple(from_json(part) for part in option) for option in value["any"]))
    bound = value["bound"]
    return Rule(
        preset=value["preset"],
        signal=value["signal"],
        side=value["side"],
        bound=tuple(bound) if isinstance(bound, list) else bound,
        where=_condition(value.get("where")),
        unless=_condition(value.get("unless")),
    )


def _condition(value: Any) -> Condition | None:
    return None if value is None else (value[0], tuple(value[1]))
