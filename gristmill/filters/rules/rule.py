"""What a rule is: a bound on one side of a signal, or a choice among such bounds.

Imports nothing heavy, for the settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from gristmill.bounds import Bound, Side

Condition = tuple[str, tuple[str, ...]]

LANGUAGE: Final = "language"  # schema.LANGUAGE, whose module would import Arrow


@dataclass(frozen=True)
class Rule:
    """A bound on a column; a row that lies outside is dropped with the reason ``code``.

    ``min`` keeps what is at least the bound, ``max`` what is at most the bound: a value on the bound is kept.
    ``in`` keeps what is one of the bound's texts. ``where`` is a column with texts: rows that have none of these are
    not judged. ``unless`` is another: rows that have one of these are not judged.
    Raises ValueError for texts as a ``min`` or ``max``, and for a number as an ``in``.
    """

    preset: str
    signal: str
    side: Side
    bound: Bound
    where: Condition | None = None
    unless: Condition | None = None

    def __post_init__(self) -> None:
        if isinstance(self.bound, tuple) != (self.side == "in"):
            raise ValueError(f"rule '{self.code}': min and max take a number, in takes texts, got {self.bound!r}")

    @property
    def code(self) -> str:
        """The reason code, such as ``gopher_quality.word_count.min``."""
        return f"{self.preset}.{self.label}"

    @property
    def label(self) -> str:
        """The code without the preset, such as ``word_count.min``."""
        return f"{self.signal}.{self.side}"

    @property
    def bounds(self) -> tuple[Rule, ...]:
        """Itself: the bounds that it is made of."""
        return (self,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        conditions = (condition for condition in (self.where, self.unless) if condition is not None)
        return (self.signal, *(column for column, _ in conditions))


@dataclass(frozen=True)
class Choice:
    """A choice among options; a row that lies inside none of them is dropped with the reason ``code``.

    A row lies inside an option if it lies inside each of its rules. What a rule does not judge lies inside it.
    Raises ValueError for fewer than two options, and for an option without a rule.
    """

    preset: str
    options: tuple[tuple[AnyRule, ...], ...]

    def __post_init__(self) -> None:
        if len(self.options) < 2 or not all(self.options):
            raise ValueError(f"rule '{self.code}': a choice takes at least two options of at least one bound each")

    @property
    def code(self) -> str:
        """The reason code, such as ``house.any(word_count.min,all(link_count.max,stop_word_count.min))``."""
        return f"{self.preset}.{self.label}"

    @property
    def label(self) -> str:
        """The code without the preset."""
        return f"any({','.join(_together(option) for option in self.options)})"

    @property
    def bounds(self) -> tuple[Rule, ...]:
        """The bounds of all options, in the order written."""
        return tuple(_bounds(rule for option in self.options for rule in option))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return tuple(dict.fromkeys(column for rule in self.bounds for column in rule.columns))


AnyRule: TypeAlias = "Rule | Choice"


def _together(option: Sequence[AnyRule]) -> str:
    """Return the label of an option: each label once, since bounds by language share theirs."""
    labels = dict.fromkeys(rule.label for rule in option)
    return next(iter(labels)) if len(labels) == 1 else f"all({','.join(labels)})"


def _bounds(rules: Iterator[AnyRule]) -> Iterator[Rule]:
    for rule in rules:
        yield from rule.bounds
