"""Where a condition holds, over Arrow columns: no loop goes over documents, but for the form of URLs and hosts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.urls import host_of, url_normalizer
from gristmill.errors import MissingError, UsageError
from gristmill.pipeline.recipe import nearest
from gristmill.pipeline.training_texts import training_texts
from gristmill.pipeline.where.conditions import Absent, Compared, Condition, Fate, Joined, Negated, OneOf, parts

HOST: Final = "host"
_COMPARED: Final[Mapping[str, Callable[..., Any]]] = {
    "==": pc.equal, "!=": pc.not_equal, "<=": pc.less_equal, ">=": pc.greater_equal, "<": pc.less, ">": pc.greater
}  # fmt: skip


@dataclass(frozen=True)
class Fates:
    """What became of rows: the stage that dropped each, null for those that are kept; and the stages in order."""

    stages: pa.Array
    order: Sequence[str]

    def where(self, fate: Fate) -> pa.Array:
        """Return which rows have the fate. Raises UsageError for a stage that does not decide."""
        if fate.stage is None:
            return pc.is_null(self.stages) if fate.is_kept else pc.is_valid(self.stages)
        if fate.stage not in self.order:
            raise UsageError(f"no stage '{fate.stage}' keeps and drops in this run{nearest(fate.stage, self.order)}")
        if not fate.is_kept:
            return pc.fill_null(pc.equal(self.stages, fate.stage), False)
        through = list(self.order[: self.order.index(fate.stage) + 1])
        return pc.invert(pc.is_in(self.stages, pa.array(through, pa.string())))


class Chooser:
    """A condition made ready: the files that it names are read once."""

    def __init__(self, condition: Condition) -> None:
        """Raise UsageError or MissingError for a list that cannot be read, or is empty."""
        self.condition = condition
        self._lists = {part: _listed(part) for part in parts(condition) if isinstance(part, OneOf)}

    def chosen(self, columns: Mapping[str, pa.Array], fates: Fates | None, rows: int) -> pa.Array:
        """Return which rows the condition chooses: bool, never null; a row of which it cannot be told is not chosen.

        Raises UsageError for a column that is not given, for a value that is not of the column's type, and for a fate
        where there are none.
        """
        return pc.fill_null(self._holds(self.condition, _Given(columns, fates, rows)), False)

    def _holds(self, condition: Condition, given: _Given) -> pa.Array:
        """Return where a condition holds; null where a column has no value to tell it by."""
        if isinstance(condition, Negated):
            return pc.invert(self._holds(condition.condition, given))
        if isinstance(condition, Joined):
            join = pc.and_kleene if condition.word == "and" else pc.or_kleene
            return reduce(join, (self._holds(one, given) for one in condition.conditions))
        if isinstance(condition, Fate):
            return given.fate(condition)
        values = given.column(condition.column)
        if isinstance(condition, Absent):
            return pc.is_null(values)
        if pa.types.is_null(values.type):
            return pa.nulls(given.rows, pa.bool_())
        if isinstance(condition, OneOf):
            return self._is_listed(condition, values)
        value = _typed(condition, condition.value, values.type)
        if value.type != values.type:  # a fraction, where the column has whole numbers
            values = values.cast(value.type, safe=False)
        return _COMPARED[condition.comparison](values, value)

    def _is_listed(self, condition: OneOf, values: pa.Array) -> pa.Array:
        listed = self._lists[condition]
        if condition.column in _FORMS and _is_text(values.type):
            found = _of_unique(values, lambda value: _FORMS[condition.column](value, listed))
        else:
            typed = [_typed(condition, value, values.type) for value in listed]
            found = pc.is_in(values, pa.array([one.as_py() for one in typed], values.type))
        return pc.if_else(pc.is_valid(values), found, pa.scalar(None, pa.bool_()))


@dataclass(frozen=True)
class _Given:
    columns: Mapping[str, pa.Array]
    fates: Fates | None
    rows: int

    def column(self, name: str) -> pa.Array:
        if name == HOST and name not in self.columns and schema.URL in self.columns:
            return _of_unique(self.columns[schema.URL], host_of, pa.string())
        if name not in self.columns:
            raise UsageError(f"there is no column '{name}' to choose by{nearest(name, sorted(self.columns))}")
        return self.columns[name]

    def fate(self, fate: Fate) -> pa.Array:
        if self.fates is None:
            raise UsageError("only a finished run has documents that were kept or dropped; a file has columns alone")
        return self.fates.where(fate)


def _typed(condition: Compared | OneOf, value: str, kind: pa.DataType) -> pa.Scalar:
    """Return a value as the column's type. Raises UsageError if it is none."""
    try:
        if pa.types.is_integer(kind):
            return _whole(condition, value, kind)
        if pa.types.is_floating(kind):
            return pa.scalar(float(value)).cast(kind)
        if pa.types.is_timestamp(kind):
            moment = datetime.fromisoformat(value)
            return pa.scalar(moment if moment.tzinfo or kind.tz is None else moment.replace(tzinfo=UTC), kind)
        return pa.scalar(value).cast(kind)
    except (ValueError, OverflowError, pa.ArrowException) as error:
        raise UsageError(f"column '{condition.column}' is {kind}, and '{value}' is no value of it") from error


def _whole(condition: Compared | OneOf, value: str, kind: pa.DataType) -> pa.Scalar:
    """Return a value for a column of whole numbers: of its type if it is one, else the fraction to compare with."""
    try:
        return pa.scalar(int(value), kind)
    except (ValueError, OverflowError, pa.ArrowException):
        if isinstance(condition, OneOf):
            raise
        return pa.scalar(float(value))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _of_unique(values: pa.Array, function: Callable[[str], Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return a function of each value, called once for each that differs; null stays null."""
    encoded = values.dictionary_encode()
    made = [function(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(made, kind or pa.bool_()).take(encoded.indices)


def _listed(condition: OneOf) -> frozenset[str]:
    """Return the values of a list, in the form in which they are looked up."""
    values: Iterable[str] = condition.values
    if condition.file is not None:
        read = training_texts([condition.file], condition.column)
        values = (line for array in read for line in map(str.strip, array.to_pylist()) if line and line[0] != "#")
    form: Callable[[str], str] = {schema.URL: _same_url, HOST: _listed_host}.get(condition.column, str)
    found = frozenset(map(form, values))
    if not found:
        raise MissingError(f"{condition.file} lists nothing; it needs a {condition.column} on each line")
    return found


def _same_url(url: str) -> str:
    return _normal_url(url).rstrip("/")


def _listed_host(name: str) -> str:
    """Return a host in its form; a dot in front, which means all below it too, stays."""
    return f".{host_of(name[1:])}" if name.startswith(".") else host_of(name)


def _is_listed_host(host: str, listed: frozenset[str]) -> bool:
    """Return whether a host is listed, or it or one that it lies below is with a dot in front."""
    name = host_of(host)
    labels = name.split(".")
    return name in listed or any(f".{'.'.join(labels[start:])}" in listed for start in range(len(labels)))


_normal_url: Final = url_normalizer(cut_www=True)
_FORMS: Final[Mapping[str, Callable[[str, frozenset[str]], bool]]] = {
    schema.URL: lambda url, listed: operator.contains(listed, _same_url(url)),
    HOST: _is_listed_host,
}
