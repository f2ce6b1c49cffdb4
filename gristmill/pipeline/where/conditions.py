"""What a condition is: tests of columns and of fates, joined by and, or, not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Comparison = Literal["==", "!=", "<=", ">=", "<", ">"]
COMPARISONS: Final[tuple[Comparison, ...]] = ("==", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Compared:
    """A column against a value, which is read as the column's type."""

    column: str
    comparison: Comparison
    value: str


@dataclass(frozen=True)
class OneOf:
    """A column whose value is one of some; or of those in a file, if ``file`` is not None."""

    column: str
    values: tuple[str, ...]
    file: str | None = None


@dataclass(frozen=True)
class Absent:
    """A column that has no value."""

    column: str


@dataclass(frozen=True)
class Fate:
    """What became of a document: kept or dropped, by a stage, or by the whole run if ``stage`` is None.

    A document is kept by a stage if that stage and all before it kept it; it is dropped by the first stage that does.
    """

    is_kept: bool
    stage: str | None


@dataclass(frozen=True)
class Negated:
    """What is not so. Where it cannot be told, since a column has no value, the document is not chosen either."""

    condition: Condition


@dataclass(frozen=True)
class Joined:
    """Conditions of which all (``and``) or any (``or``) hold."""

    word: Literal["and", "or"]
    conditions: tuple[Condition, ...]


Condition: TypeAlias = "Compared | OneOf | Absent | Fate | Negated | Joined"


def parts(condition: Condition) -> Iterator[Compared | OneOf | Absent | Fate]:
    """Yield the tests that a condition is made of, in the order written."""
    if isinstance(condition, Negated):
        yield from parts(condition.condition)
    elif isinstance(condition, Joined):
        for one in condition.conditions:
            yield from parts(one)
    else:
        yield condition


def columns(condition: Condition) -> tuple[str, ...]:
    """Return the columns that a condition reads, each once."""
    return tuple(dict.fromkeys(part.column for part in parts(condition) if not isinstance(part, Fate)))


def fates(condition: Condition) -> tuple[Fate, ...]:
    """Return the fates that a condition asks for."""
    return tuple(part for part in parts(condition) if isinstance(part, Fate))
