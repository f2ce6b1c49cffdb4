"""Rules on what a stage measured of itself: those that it comes with, then what the recipe's ``keep`` makes of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gristmill.bounds import Sides
from gristmill.filters.rules.rule import Rule


class Measured(NamedTuple):
    """What measured: its name in a recipe, the preset of its own rules, and the columns that these may bound."""

    name: str
    preset: str
    columns: tuple[str, ...]


def rules_with(rules: Sequence[Rule], keep: Mapping[str, Sides], measured: Measured) -> tuple[Rule, ...]:
    """Return rules with their bounds changed as ``keep`` says, then those that it adds; null switches one off.

    Raises ValueError for a bound on what was not measured, and for texts as a bound.
    """
    changed: dict[tuple[str, str], float | None] = {}
    for column, bound in keep.items():
        if column not in measured.columns:
            raise ValueError(f"'{measured.name}' does not measure '{column}'{_nearest(column, measured.columns)}")
        for side, value in bound.sides().items():
            if isinstance(value, tuple):
                raise ValueError(f"'{column}' is a number, so it is bounded by min and max, not by in")
            changed[column, side] = value
    bounds = [(rule, changed.pop((rule.signal, rule.side), rule.bound)) for rule in rules]
    kept = [Rule(rule.preset, rule.signal, rule.side, bound) for rule, bound in bounds if bound is not None]
    added = [
        Rule(measured.preset, column, "min" if side == "min" else "max", bound)
        for (column, side), bound in changed.items()
        if bound is not None
    ]
    return (*kept, *added)


def _nearest(name: str, known: tuple[str, ...]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of what was measured, or all of it."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else f"; there are: {', '.join(known)}"
