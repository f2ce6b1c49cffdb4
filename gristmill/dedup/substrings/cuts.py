"""From spans of words that go to the bytes that are cut, so that no two words that stay are joined."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.dedup.substrings import _kernels
from gristmill.dedup.substrings.anchors import Words
from gristmill.dedup.substrings.snippets import run_starts
from gristmill.text import Integers


class ByteCuts(NamedTuple):
    """Spans of a batch's ``data`` that go, in order, without overlap.

    ``words``: how many are in each; ``spaced``: whether a space takes its place.
    """

    rows: Integers
    words: Integers
    starts: Integers
    ends: Integers
    spaced: npt.NDArray[np.bool_]


def byte_cuts(words: Words, rows: Integers, starts: Integers, ends: Integers) -> ByteCuts:
    """Return the cuts of spans of words: each of a row, from one of its words to before another; they may overlap.

    Of the white space on both sides of a cut, the side with more line feeds stays, or else the left one; where there
    is none, a space is put. At the beginning and the end of a text none stays.
    """
    order = np.lexsort((ends, starts, rows))
    rows = rows[order]
    firsts, stops = words.counts[rows] + starts[order], words.counts[rows] + ends[order]
    stops = np.maximum.accumulate(stops)  # over all rows: words of a later row come after those of an earlier one
    new = run_starts(rows, firsts, stops)
    begin = np.flatnonzero(new)
    last = np.append(begin[1:], len(rows)) - 1 if len(rows) else begin
    rows, firsts, stops = rows[begin], firsts[begin], stops[last]
    cuts = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
    bounds = (words.starts, words.ends, words.offsets, words.counts)
    _kernels.cut_spans(words.data, bounds, (rows, firsts, stops), character_classes(), cuts)
    return ByteCuts(rows, stops - firsts, *cuts)
