"""What a preset is: a published set of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gristmill.filters.rules.rule import Rule


@dataclass(frozen=True)
class Preset:
    """A published set of rules, in the order in which its system checks them.

    Where several systems have rules of one name, it is ``name@system``. ``aliases`` are other names that recipes may
    use; reasons have ``name``.
    """

    name: str
    source: str
    rules: tuple[Rule, ...]
    aliases: tuple[str, ...] = ()


def most(name: str, bounds: Mapping[str, float]) -> tuple[Rule, ...]:
    """Return the rules of a preset that bound signals from above."""
    return tuple(Rule(name, signal, "max", bound) for signal, bound in bounds.items())
