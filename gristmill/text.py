"""A batch of texts, segmented: each kind of words, lines and paragraphs is found once, when it is first asked for.

Signals read these arrays; they never split text themselves. What else a signal may read of the documents, and published
lists, stand beside the texts. Texts are valid UTF-8 (checked once: a kernel that read a
cut character would run past its row's end). Null texts look empty here; ``TextBatch.valid`` tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import _kernels
from gristmill.characters import character_classes
from gristmill.columns import text_column
from gristmill.words import (
    ALNUM_FIRST,
    CLOSES,
    ENDS,
    GAP,
    HAS_ALPHA,
    HAS_SYMBOL,
    HAS_TEXT,
    SEGMENTATION_VERSION,
    SPACED,
    WORDS,
    Integers,
    Words,
    words_versions,
)

__all__ = [
    "ALNUM_FIRST",
    "CLOSES",
    "ENDS",
    "GAP",
    "HAS_ALPHA",
    "HAS_SYMBOL",
    "HAS_TEXT",
    "SEGMENTATION_VERSION",
    "SPACED",
    "WORDS",
    "Integers",
    "Spans",
    "TextBatch",
    "Words",
    "words_versions",
]

Result = TypeVar("Result")

_LONGEST: Final = 2**31 - 2
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Spans(NamedTuple):
    """Pieces of text, in order; those of row *i* are ``counts[i]`` to ``counts[i + 1]``.

    ``starts`` and ``ends`` are byte positions in the batch's ``data``.
    """

    counts: Integers
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]


class TextBatch:
    """Texts and what was found in them; ``words`` is one of ``WORDS``.

    ``unicode`` words follow UAX 29, with tailorings: white space separates and is no word; ideographs, kana and the
    letters of South East Asian scripts are words of their own; a run of symbols is one word ("..." or "</"); a colon
    or a slash joins digits ("12:30"). ``whitespace`` words are those of ``str.split``; ``spacy`` words those of
    spaCy's blank English pipeline. ``columns`` are other columns of the same documents, by name, and ``lists`` the
    published lists that are at hand, by their key in a recipe.

    Raises ValueError for unknown words and for more than 2 GiB of text, ``pyarrow.ArrowInvalid`` for text that is not
    UTF-8, and TypeError for a column that is not text.
    """

    def __init__(
        self,
        texts: pa.Array,
        words: str = "unicode",
        columns: Mapping[str, pa.Array] = _NOTHING,
        lists: Mapping[str, Any] = _NOTHING,
    ) -> None:
        if words not in WORDS:
            raise ValueError(f"unknown words {words!r}; expected one of {', '.join(WORDS)}")
        texts.validate(full=True)
        column = text_column(texts)
        first, last = int(column.offsets[0]), int(column.offsets[-1])
        if last - first > _LONGEST:
            raise ValueError(f"{last - first} bytes of text in one batch of {len(texts)} rows; at most {_LONGEST}")
        self.texts = texts
        self.kind = words
        self.columns = columns
        self.lists = lists
        self.data = column.data[first:last]
        self.offsets = _read_only(column.offsets - first)
        self._scans: dict[Callable[[TextBatch], Any], Any] = {}

    @property
    def rows(self) -> int:
        """Number of texts."""
        return len(self.offsets) - 1

    def scan(self, function: Callable[[TextBatch], Result]) -> Result:
        """Return ``function(self)``, computed once per batch: signals that read the same scan share it."""
        if function not in self._scans:
            self._scans[function] = function(self)
        result: Result = self._scans[function]
        return result

    def with_bounds(self, positions: Integers) -> tuple[Integers, Integers, Integers]:
        """Return positions in ``data``, and where the row of each starts and ends."""
        rows = np.searchsorted(self.offsets, positions, side="right")
        return positions, self.offsets[rows - 1], self.offsets[np.minimum(rows, self.rows)]

    @cached_property
    def valid(self) -> npt.NDArray[np.bool_]:
        """True for each text that is not null."""
        return np.asarray(pc.is_valid(self.texts))

    @cached_property
    def characters(self) -> Integers:
        """Code points of each text; 0 for a null."""
        return np.asarray(pc.utf8_length(self.texts).fill_null(0), dtype=np.int64)

    @cached_property
    def line_feeds(self) -> Integers:
        """Line feeds in each text."""
        return np.diff(np.searchsorted(self._line_feeds, self.offsets))

    @cached_property
    def words(self) -> Words:
        """The words of each text."""
        return self._found_words[0]

    @cached_property
    def line_words(self) -> Integers:
        """Where the words of each line start in ``words``, then their number: int64[lines + 1]."""
        return self._found_words[1]

    @cached_property
    def _found_words(self) -> tuple[Words, Integers]:
        """The words, found line by line: no kind of words goes past a line break, which is white space to all."""
        lines = self.lines
        found = WORDS[self.kind](self.data, _read_only(np.append(lines.starts, len(self.data)).astype(np.int64)))
        if self.kind == "spacy":
            follows = np.ones(len(lines.starts), np.bool_)
            follows[lines.counts[:-1][np.diff(lines.counts) > 0]] = False
            found.flags[found.counts[:-1][follows & (np.diff(found.counts) > 0)]] |= GAP
        return found._replace(counts=found.counts[lines.counts]), found.counts

    @cached_property
    def lines(self) -> Spans:
        """The lines of ``str.splitlines``, without their breaks; an empty text has none."""
        return self._spans(lambda counts, spans: _kernels.lines(self.data, self.offsets, counts, spans))

    @cached_property
    def single_lines(self) -> Spans:
        r"""The pieces of ``text.split("\n")``, empty ones too; an empty text has one."""
        counts = np.concatenate([[0], np.cumsum(self.line_feeds + 1)])
        starts, ends = np.empty(counts[-1], np.int32), np.empty(counts[-1], np.int32)
        first, last = np.zeros(counts[-1], np.bool_), np.zeros(counts[-1], np.bool_)
        first[counts[:-1]] = last[counts[1:] - 1] = True
        starts[first], starts[~first] = self.offsets[:-1], self._line_feeds + 1
        ends[last], ends[~last] = self.offsets[1:], self._line_feeds
        return Spans(counts, starts, ends)

    @cached_property
    def feed_lines(self) -> Spans:
        r"""The pieces of ``re.split(r"\n+", text)``; an empty text has one, which is empty."""
        return self._split(self.offsets[:-1], self.offsets[1:], 1)

    @cached_property
    def feed_paragraphs(self) -> Spans:
        r"""The pieces of ``re.split(r"\n{2,}", text.strip())``; a blank text has one, which is empty."""
        begins, stops = np.empty(self.rows, np.int64), np.empty(self.rows, np.int64)
        _kernels.stripped_spans(self.data, (self.offsets[:-1], self.offsets[1:]), character_classes(), begins, stops)
        return self._split(_read_only(begins), _read_only(stops), 2)

    def _split(self, begins: Integers, stops: Integers, least: int) -> Spans:
        def fill(counts: Integers, spans: Any) -> int:
            return _kernels.split_at_line_feeds(self._line_feeds, (begins, stops), least, counts, spans)

        return self._spans(fill)

    @cached_property
    def _line_feeds(self) -> Integers:
        return _read_only(np.flatnonzero(self.data == 0x0A))

    def _spans(self, fill: Callable[[Integers, Any], int]) -> Spans:
        size = len(self.data) + self.rows
        counts = np.empty(self.rows + 1, np.int64)
        starts, ends = np.empty(size, np.int32), np.empty(size, np.int32)
        total = fill(counts, (starts, ends))
        return Spans(counts, starts[:total], ends[:total])


def _read_only(array: Integers) -> Integers:
    array.flags.writeable = False
    return array
