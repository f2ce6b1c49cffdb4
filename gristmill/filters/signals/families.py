"""All signals, by family, and the measuring of them.

A family is a module that ends with its ``FAMILY`` and its ``SIGNALS``; to add one, name the module here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from gristmill import schema
from gristmill.characters import UNICODE_VERSION
from gristmill.filters.signals import (
    c4,
    fineweb,
    gopher_quality,
    gopher_quality_dolma,
    gopher_repetition,
    gopher_repetition_dolma,
    mc4,
)
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.filters.signals.signal import Signal
from gristmill.text import TextBatch, words_versions

_MODULES = (gopher_repetition, gopher_quality, fineweb, c4, mc4, gopher_repetition_dolma, gopher_quality_dolma)

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {module.FAMILY: tuple(s.name for s in module.SIGNALS) for module in _MODULES}
)
SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType({s.name: s for module in _MODULES for s in module.SIGNALS})


def selected(settings: SignalsSettings) -> tuple[Signal, ...]:
    """Return the signals of the chosen families, in the order of ``SIGNALS``; the order of choice does not matter."""
    names = {name for family in settings.families for name in FAMILIES[family]}
    return tuple(s for s in SIGNALS.values() if s.name in names)


@cache
def layout(settings: SignalsSettings) -> pa.Schema:
    """Return the columns of the layer: one per signal, null where the text is."""
    return pa.schema([schema.column(s.name, s.type, s.meaning) for s in selected(settings)])


def measure(texts: pa.Array, settings: SignalsSettings) -> pa.RecordBatch:
    """Return one column per signal, in the order of ``layout``; a null text has nulls.

    A row's values depend on its text alone, so neither the order of the rows nor their batch matters.
    """
    batch = TextBatch(texts, settings.words)
    missing = ~batch.valid
    columns = [pa.array(s.function(batch), s.type, mask=missing) for s in selected(settings)]
    return pa.RecordBatch.from_arrays(columns, schema=layout(settings))


def versions(settings: SignalsSettings) -> dict[str, str]:
    """Return what the values depend on apart from the text: the version of each signal, of words and of Unicode."""
    facts = {s.name: str(s.version) for s in selected(settings)}
    return {**facts, **words_versions(settings.words), "unicode": UNICODE_VERSION}
