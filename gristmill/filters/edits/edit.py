"""What an edit is: spans of a batch of texts, and facts about what it did that rules may bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel

from gristmill.filters.edits.spans import Cuts, apply_edits, edit_column
from gristmill.filters.rules.rule import Rule
from gristmill.text import HAS_TEXT, Integers, TextBatch

Column = npt.NDArray[Any]

OWN: Final = "gristmill"
"""The source of an edit that nobody else published."""


@dataclass(frozen=True)
class Made:
    """An edit made on a batch: the batch, the spans, and what was counted on the way (int64 by row, by name)."""

    batch: TextBatch
    cuts: Cuts
    counted: Mapping[str, Integers] = field(default_factory=dict)

    @cached_property
    def edits(self) -> pa.ListArray:
        """The spans as a column."""
        return edit_column(self.batch, self.cuts)

    @cached_property
    def texts(self) -> pa.Array:
        """The edited texts."""
        return apply_edits(self.batch.texts, self.edits)


@dataclass(frozen=True)
class Fact:
    """A number that an edit tells of each text: its name, type, meaning, and the function that gives it."""

    name: str
    type: pa.DataType
    meaning: str
    function: Callable[[Made], Column]


@dataclass(frozen=True)
class Edit:
    """An edit: its name, source, version, how it is made with its settings, its facts, and the rules it comes with.

    ``version`` goes up when any text can be edited otherwise than before. ``uses`` gives the versions of libraries.
    ``published`` tells what the source has for a setting, given the settings, where that is not the default. An edit
    whose source is gristmill has no published settings.
    """

    name: str
    source: str
    version: int
    make: Callable[[TextBatch, Any], Made]
    facts: tuple[Fact, ...]
    rules: Callable[[Any], tuple[Rule, ...]]
    uses: Callable[[], Mapping[str, str]] = dict
    published: Callable[[Any], Mapping[str, Any]] = lambda settings: {}

    @property
    def is_published(self) -> bool:
        """Whether others published it."""
        return self.source != OWN

    def published_settings(self, settings: BaseModel) -> dict[str, Any]:
        """Return what the source has for each setting that it has anything for; nothing for an edit of gristmill's."""
        if not self.is_published:
            return {}
        defaults = {name: of.get_default(call_default_factory=True) for name, of in type(settings).model_fields.items()}
        return defaults | dict(self.published(settings))

    def published_rules(self, settings: BaseModel) -> tuple[Rule, ...]:
        """Return the rules of a page that the source has: all it comes with but the one against emptied pages."""
        return tuple(rule for rule in self.rules(settings) if rule != not_emptied(self.name))


def counted(name: str, meaning: str) -> Fact:
    """Return the fact that is what an edit counted under a name."""
    return Fact(name, pa.int64(), meaning, lambda made: made.counted[name])


def edit_counts(made: Made) -> Column:
    """Return the spans of each text."""
    return np.diff(made.cuts.counts)


def cut_word_ratios(made: Made) -> Column:
    """Return the share of each text's words that the edit took away; words are Unicode's that are not punctuation.

    A text without words has 0.0, and so has one that has more words than before.
    """
    ratios = np.zeros(made.batch.rows, np.float64)
    edited = np.flatnonzero(np.diff(made.cuts.counts))
    if len(edited):
        before, after = (_word_counts(texts.take(pa.array(edited))) for texts in (made.batch.texts, made.texts))
        ratios[edited] = np.maximum(before - after, 0) / np.maximum(before, 1)
    return ratios


def _word_counts(texts: pa.Array) -> Integers:
    words = TextBatch(texts).words
    ends = np.concatenate([[0], np.cumsum(words.flags & HAS_TEXT != 0)])
    return np.asarray(np.diff(ends[words.counts]), np.int64)


EDIT_COUNT = Fact("edit_count", pa.int64(), "spans that the edit cut or replaced", edit_counts)
CUT_LINE_COUNT = counted("cut_line_count", "lines cut whole that are not blank")
CUT_WORD_RATIO = Fact(
    "cut_word_ratio", pa.float64(), "words that the edit took away / words before it", cut_word_ratios
)


def not_emptied(name: str) -> Rule:
    """Return the rule that drops a page of which an edit leaves nothing."""
    return Rule(f"edit.{name}", "text_bytes", "min", 1)
