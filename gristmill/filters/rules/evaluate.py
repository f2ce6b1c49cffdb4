"""Deciding: rules over columns of values. No text is read, and no loop goes over documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.filters.rules.rule import Rule
from gristmill.filters.rules.settings import FilterSettings

__all__ = ["Rule", "evaluate", "hits", "rules_of"]

Mask = npt.NDArray[np.bool_]
Columns: TypeAlias = "Mapping[str, pa.Array] | pa.RecordBatch"


def rules_of(settings: FilterSettings) -> tuple[Rule, ...]:
    """Return the rules of a filter: those of its presets, then its own."""
    return settings.rules()


def evaluate(rules: Sequence[Rule], columns: Columns, rows: int) -> pa.RecordBatch:
    """Return the decision on each row (``schema.DECISIONS``): every rule is evaluated, reasons stand in their order.

    Raises KeyError for a rule on a column that is not given, ValueError for a column of another length, and TypeError
    for one that the rule cannot compare.
    """
    hit = np.zeros((rows, len(rules)), np.bool_)
    for i, rule in enumerate(rules):
        hit[:, i] = hits(rule, columns, rows)
    which = np.nonzero(hit)[1]
    counts = np.count_nonzero(hit, axis=1)
    ends = np.concatenate([[0], np.cumsum(counts)])
    keep = counts == 0
    first = np.zeros(rows, np.int64)
    first[~keep] = which[ends[:-1][~keep]]
    codes = pa.array([rule.code for rule in rules], pa.string())
    reason = codes.take(pa.array(first, pa.int64(), mask=keep))
    reasons = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), codes.take(pa.array(which, pa.int64())))
    return pa.RecordBatch.from_arrays([pa.array(keep), reason, reasons], schema=schema.DECISIONS)


def hits(rule: Rule, columns: Columns, rows: int) -> Mask:
    """Return where the rule drops: bool[rows].

    A null is never dropped, nor is a row that ``where`` leaves out. A value that is not a number (NaN) lies inside no
    bound, so it is dropped by any.
    """
    values = _column(rule, rule.signal, columns, rows)
    outside: Mask = ~_inside(rule, values) & np.asarray(values.is_valid())
    if rule.where is not None:
        judged = pc.equal(_column(rule, rule.where[0], columns, rows), rule.where[1])
        outside &= np.asarray(judged.fill_null(False))
    return outside


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


def _column(rule: Rule, name: str, columns: Columns, rows: int) -> pa.Array:
    """Return the column as one array. Raises KeyError if it is not given, ValueError if its length is not ``rows``."""
    names = columns.schema.names if isinstance(columns, pa.RecordBatch) else columns
    if name not in names:
        raise KeyError(f"rule '{rule.code}' reads column '{name}'; given are {', '.join(names)}")
    values = columns[name]
    if len(values) != rows:
        raise ValueError(f"column '{name}' has {len(values)} rows, expected {rows}")
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
