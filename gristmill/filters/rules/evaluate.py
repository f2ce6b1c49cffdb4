"""Deciding: rules over columns of values. No text is read, and no loop goes over documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.filters.rules.presets import PRESETS
from gristmill.filters.rules.rule import AnyRule, Choice, Condition, Rule
from gristmill.filters.rules.settings import FilterSettings

__all__ = ["AnyRule", "Choice", "Rule", "applies_to", "decide", "evaluate", "hits", "rules_of"]

Mask = npt.NDArray[np.bool_]
Columns: TypeAlias = "Mapping[str, pa.Array | pa.ChunkedArray] | pa.RecordBatch"

ROWS_AT_ONCE: Final = 16_384


def rules_of(settings: FilterSettings) -> tuple[AnyRule, ...]:
    """Return the rules of a filter whose presets are all built in: those of its presets, then its own."""
    return settings.rules(PRESETS.__getitem__)


def decide(rules: Sequence[AnyRule], columns: Columns, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the decisions of `evaluate` in batches, so that memory does not grow with the rows and the rules."""
    names = dict.fromkeys(column for rule in rules for column in rule.columns)
    given = {name: _given(name, columns, rows) for name in names}
    for start in range(0, rows, ROWS_AT_ONCE):
        length = min(ROWS_AT_ONCE, rows - start)
        yield evaluate(rules, {name: column.slice(start, length) for name, column in given.items()}, length)


def evaluate(rules: Sequence[AnyRule], columns: Columns, rows: int) -> pa.RecordBatch:
    """Return the decision on each row (``schema.DECISIONS``): every rule is evaluated, reasons stand in their order.

    Rules of one code are evaluated as one, so a document has a reason once. Raises KeyError for a rule on a column that
    is not given, ValueError for a column of another length, and TypeError for one that the rule cannot compare.
    """
    names = list(dict.fromkeys(rule.code for rule in rules))
    position = {name: number for number, name in enumerate(names)}
    hit = np.zeros((len(names), rows), np.bool_)
    table = _Table(columns, rows)
    for rule in rules:
        hit[position[rule.code]] |= table.outside(rule)
    which = np.nonzero(hit.T)[1]
    counts = np.count_nonzero(hit, axis=0)
    ends = np.concatenate([[0], np.cumsum(counts)])
    keep = counts == 0
    first = np.zeros(rows, np.int64)
    first[~keep] = which[ends[:-1][~keep]]
    codes = pa.array(names, pa.string())
    reason = codes.take(pa.array(first, pa.int64(), mask=keep))
    reasons = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), codes.take(pa.array(which, pa.int64())))
    return pa.RecordBatch.from_arrays([pa.array(keep), reason, reasons], schema=schema.DECISIONS)


def hits(rule: AnyRule, columns: Columns, rows: int) -> Mask:
    """Return where the rule drops: bool[rows].

    A null is never dropped, nor is a row that ``where`` or ``unless`` leaves out. A value that is not a number (NaN)
    lies inside no bound, so it is dropped by any. Raises as `evaluate` does.
    """
    return _Table(columns, rows).outside(rule)


def applies_to(rule: Rule, columns: Columns, rows: int) -> Mask:
    """Return which rows a bound's conditions do not leave out, whether they have a value or not."""
    return _Table(columns, rows).applies(rule)


class _Table:
    """Columns that several rules read, and conditions that several rules share."""

    def __init__(self, columns: Columns, rows: int) -> None:
        self._columns = columns
        self._rows = rows
        self._conditions: dict[Condition, Mask] = {}

    def outside(self, rule: AnyRule) -> Mask:
        """Return where a rule drops."""
        if isinstance(rule, Rule):
            values = _column(rule.signal, self._columns, self._rows, f"rule '{rule.code}' reads ")
            outside: Mask = ~_inside(rule, values) & np.asarray(values.is_valid()) & self.applies(rule)
            return outside
        outside = np.ones(self._rows, np.bool_)
        for option in rule.options:
            outside &= np.logical_or.reduce([self.outside(part) for part in option])
        return outside

    def applies(self, rule: Rule) -> Mask:
        """Return the rows that a bound's conditions do not leave out."""
        applies = np.ones(self._rows, np.bool_) if rule.where is None else self._holds(rule.where)
        return applies if rule.unless is None else applies & ~self._holds(rule.unless)

    def _holds(self, condition: Condition) -> Mask:
        """Return where a column has one of the texts; a null has none."""
        if condition not in self._conditions:
            column = _column(condition[0], self._columns, self._rows)
            found = pc.is_in(column, pa.array(condition[1], column.type))
            self._conditions[condition] = np.asarray(found)
        return self._conditions[condition]


def _inside(rule: Rule, values: pa.Array) -> Mask:
    """Return where the values lie inside the bound; anything where they are null."""
    if rule.side == "in":
        if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
            raise TypeError(f"rule '{rule.code}' takes texts, and column '{rule.signal}' is {values.type}")
        return np.asarray(pc.is_in(values, pa.array(rule.bound, values.type)))
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise TypeError(f"rule '{rule.code}' takes numbers, and column '{rule.signal}' is {values.type}")
    numbers = values.fill_null(0).to_numpy()
    return np.asarray(numbers >= rule.bound if rule.side == "min" else numbers <= rule.bound)


def _column(name: str, columns: Columns, rows: int, reader: str = "a rule reads ") -> pa.Array:
    """Return the column as one array. Raises as `_given` does."""
    values = _given(name, columns, rows, reader)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _given(name: str, columns: Columns, rows: int, reader: str = "a rule reads ") -> Any:
    """Return the column as it is. Raises KeyError if it is not given, ValueError if its length is not ``rows``."""
    names = columns.schema.names if isinstance(columns, pa.RecordBatch) else columns
    if name not in names:
        raise KeyError(f"{reader}column '{name}'; given are {', '.join(names)}")
    values = columns[name]
    if len(values) != rows:
        raise ValueError(f"column '{name}' has {len(values)} rows, expected {rows}")
    return values
