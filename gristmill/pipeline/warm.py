"""Compiling the kernels once, before any worker needs them.

Cold workers would each compile the same kernels, for ten seconds and more. Compiled once, they are loaded from disk:
by the fork server for all its workers, by a Slurm task for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import product

import numpy as np
import pyarrow as pa

from gristmill import jit, schema
from gristmill.columns import text_column
from gristmill.dedup.benchmarks import ITEMS
from gristmill.dedup.contamination import index_items
from gristmill.filters.edits import catalogue as edits
from gristmill.filters.edits.settings import EDIT_SETTINGS, EditSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.plan import Step
from gristmill.tokenize.lookup import WordLookup
from gristmill.tokenize.words import PATTERNS

_KINDS = ("edit", "signals", "contamination", "tokenize")
_TEXT = "One line of text [1], to compile for.\n\nSign-in, and 2 likes, a@example.com, 8.8.8.8.\n***\n***\u2028"


def is_warm(steps: Sequence[Step]) -> bool:
    """Return whether the kernels that these steps need were compiled on this machine before."""
    return not any(step.kind in _KINDS or "screen" in step.settings for step in steps) or jit.is_compiled()


def warm_up() -> None:
    """Compile every kernel, or load what was compiled before."""
    texts = pa.array([_TEXT], pa.large_string())
    for words in ("unicode", "whitespace"):
        measure(texts, SignalsSettings(words=words))
    for name in EDIT_SETTINGS:
        edits.annotate(texts, EditSettings.model_validate({name: {}}))
    items = pa.Table.from_pylist([{schema.BENCHMARK: "x", schema.BENCHMARK_ITEM: "x", schema.TEXT: [_TEXT]}], ITEMS)
    index_items(items, 5).scan(texts)
    for pattern, kind in product(PATTERNS, (np.uint16, np.uint32)):
        WordLookup(pattern, lambda words: [[0] for _ in words], np.dtype(kind)).tokens(*text_column(texts))
    with suppress(OSError):  # a cache that cannot be written to costs time, not correctness
        jit.mark_compiled()
