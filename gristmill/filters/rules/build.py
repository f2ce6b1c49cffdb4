"""From bounds as they are written to rules: a preset with single bounds changed, and a rule set of your own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from gristmill.bounds import Bound, Side
from gristmill.filters.rules.bounds import RuleSet, SignalBound
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import LANGUAGE, AnyRule, Choice, Rule


def changed(preset: Preset, changes: RuleSet | None) -> tuple[Rule, ...]:
    """Return a preset's rules with single bounds changed, without those that are switched off."""
    bounds = {} if changes is None else changes.bounds
    return tuple(r for rule in preset.rules for r in _changed(rule, bounds.get(rule.signal)))


def own(name: str, bounds: RuleSet) -> tuple[AnyRule, ...]:
    """Return the rules of a set of your own: bounds in the order written, then those of ``all``, then the choice.

    Raises ValueError for a reason code that would have two meanings.
    """
    groups = [group for group in _own(name, bounds) if group]
    codes = Counter(group[0].code for group in groups)
    for code, count in codes.items():
        if count > 1:
            raise ValueError(f"'{code}' would be the reason of two rules; write them into sets of other names")
    return tuple(rule for group in groups for rule in group)


def _changed(rule: Rule, bound: SignalBound | None) -> Iterator[Rule]:
    if bound is None or rule.side not in bound.all_sides():
        yield rule
        return
    whole = bound.sides().get(rule.side, rule.bound)
    if rule.where is None and rule.unless is None:
        yield from _by_language(rule.preset, rule.signal, rule.side, whole, bound)
    elif whole is not None:
        yield replace(rule, bound=whole)


def _own(name: str, bounds: RuleSet) -> Iterator[tuple[AnyRule, ...]]:
    """Yield the rules of each side of each bound, which share a reason code, and each choice."""
    for signal, bound in bounds.bounds.items():
        for side in bound.all_sides():
            yield tuple(_by_language(name, signal, side, bound.sides().get(side), bound))
    for part in bounds.all_of or ():
        yield from _own(name, part)
    if bounds.any_of:
        yield (Choice(name, tuple(own(name, part) for part in bounds.any_of)),)


def _by_language(name: str, signal: str, side: Side, whole: Bound | None, bound: SignalBound) -> Iterator[Rule]:
    """Yield the rule for all languages that have no bound of their own, then those of the others."""
    apart = bound.by_language(side)
    named = tuple(label for labels in apart.values() for label in labels)
    if whole is not None:
        yield Rule(name, signal, side, whole, unless=(LANGUAGE, named) if named else None)
    for value, labels in apart.items():
        if value is not None:
            yield Rule(name, signal, side, value, where=(LANGUAGE, labels))
