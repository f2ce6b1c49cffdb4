"""All signals, by family, and the measuring of them.

A family is a module that ends with its ``FAMILY`` and its ``SIGNALS``; to add one, name the module here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.characters import UNICODE_VERSION
from gristmill.filters.signals import (
    c4,
    code,
    fineweb,
    gopher_quality,
    gopher_quality_dclm,
    gopher_quality_dolma,
    gopher_repetition,
    gopher_repetition_dclm,
    gopher_repetition_dolma,
    host_category,
    mc4,
    pii,
    redpajama_v2,
    redpajama_v2_lists,
    refinedweb,
    scripts,
    stop_words,
    url,
)
from gristmill.filters.signals.bad_words import signals as bad_words
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.filters.signals.signal import Signal
from gristmill.text import TextBatch, words_versions

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_MODULES = (
    gopher_repetition,
    gopher_quality,
    fineweb,
    c4,
    mc4,
    gopher_repetition_dolma,
    gopher_quality_dolma,
    stop_words,
    url,
    bad_words,
    host_category,
    pii,
    scripts,
    code,
    gopher_repetition_dclm,
    gopher_quality_dclm,
    refinedweb,
    redpajama_v2,
    redpajama_v2_lists,
)

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {module.FAMILY: tuple(s.name for s in module.SIGNALS) for module in _MODULES}
)
SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType({s.name: s for module in _MODULES for s in module.SIGNALS})


def selected(settings: SignalsSettings) -> tuple[Signal, ...]:
    """Return the signals of the chosen families, in the order of ``SIGNALS``; the order of choice does not matter."""
    names = {name for family in settings.families for name in FAMILIES[family]}
    return tuple(s for s in SIGNALS.values() if s.name in names)


def layout(settings: SignalsSettings) -> pa.Schema:
    """Return the columns of the layer: one per signal, null where the text is."""
    return _layout(tuple(s.name for s in selected(settings)))


@cache
def _layout(names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([schema.column(name, SIGNALS[name].type, SIGNALS[name].meaning) for name in names])


def families_with_needs() -> frozenset[str]:
    """Return the families of which a signal needs more than the text."""
    return frozenset(s.family for s in SIGNALS.values() if s.needs)


def columns_needed(settings: SignalsSettings) -> tuple[str, ...]:
    """Return the columns that the chosen signals read beside the text, in the order of their first use."""
    return tuple(dict.fromkeys(name for s in selected(settings) for name in s.columns))


def lists_needed(settings: SignalsSettings) -> tuple[str, ...]:
    """Return the lists that the chosen signals read, in the order of their first use."""
    return tuple(dict.fromkeys(name for s in selected(settings) for name in s.lists))


def measure(
    texts: pa.Array,
    settings: SignalsSettings,
    columns: Mapping[str, pa.Array] = _NOTHING,
    lists: Mapping[str, Any] = _NOTHING,
) -> pa.RecordBatch:
    """Return one column per signal, in the order of ``layout``; a null text has nulls.

    ``columns`` are the documents' other columns, row by row as the texts, and ``lists`` the lists as they were opened.
    A row's values depend on its text and columns alone, so neither the order of the rows nor their batch matters.
    Raises KeyError for what a signal needs and is not given, ValueError for a column of another length.
    """
    batch = TextBatch(
        texts,
        settings.words,
        {name: _aligned(name, _given(name, columns), len(texts)) for name in columns_needed(settings)},
        {name: _given(name, lists) for name in lists_needed(settings)},
    )
    values = [_column(s.function(batch), s.type, batch) for s in selected(settings)]
    return pa.RecordBatch.from_arrays(values, schema=layout(settings))


def _given(name: str, given: Mapping[str, Any]) -> Any:
    if name not in given:
        raise KeyError(f"signals need '{name}' beside the text; given are: {', '.join(given) or 'none'}")
    return given[name]


def _aligned(name: str, column: pa.Array, rows: int) -> pa.Array:
    if len(column) != rows:
        raise ValueError(f"column '{name}' has {len(column)} rows, and there are {rows} texts")
    return column


def _column(values: Any, kind: pa.DataType, batch: TextBatch) -> pa.Array:
    """Return a signal's values as Arrow has them, null where the text is."""
    if isinstance(values, pa.Array):
        return values if batch.valid.all() else pc.if_else(batch.valid, values, pa.scalar(None, kind))
    return pa.array(values, kind, mask=~batch.valid)


def versions(settings: SignalsSettings) -> dict[str, str]:
    """Return what the values depend on apart from the text: the version of each signal, of words and of Unicode."""
    facts = {s.name: str(s.version) for s in selected(settings)}
    return {**facts, **words_versions(settings.words), "unicode": UNICODE_VERSION}
