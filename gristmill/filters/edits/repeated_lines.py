"""Headers and footers: lines that a page repeats. No published system's rule; a whole page is looked at, no site."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.filters.edits import _kernels
from gristmill.filters.edits.edit import CUT_LINE_COUNT, CUT_WORD_RATIO, EDIT_COUNT, OWN, Edit, Made, not_emptied
from gristmill.filters.edits.lines import (
    first_verdicts,
    line_cuts,
    lines_per_row,
    mark_ends,
    mark_lines,
    measured_lines,
    new_marks,
)
from gristmill.filters.edits.settings import RepeatedLinesSettings
from gristmill.text import TextBatch

NAME: Final = "repeated_lines"

Mask = npt.NDArray[np.bool_]


def make(batch: TextBatch, settings: RepeatedLinesSettings) -> Made:
    """Cut lines that stand in the page several times: all of them, or those at its ends.

    Lines are those of ``str.splitlines``, compared without the white space at their ends, by 64-bit hashes. Blank
    lines are no copies of each other; they go where they stand between lines that go.
    """
    marks = new_marks(batch)
    measures = measured_lines(batch, marks)
    blank = measures[:, _kernels.WORDS] == 0
    repeated, first = _repeated(batch, measures, settings.copies)
    repeated &= ~blank
    chosen = repeated
    if settings.where == "ends":
        chosen = np.zeros(len(blank), np.bool_)
        _kernels.end_runs(batch.lines.counts, blank, repeated, chosen)
    if settings.copies_kept == "first":
        chosen = chosen & ~first & ~blank
    verdicts = first_verdicts([chosen])
    mark_lines(batch, verdicts, marks)
    mark_ends(batch, marks)
    found = {"cut_line_count": lines_per_row(batch, chosen & ~blank)}
    return Made(batch, line_cuts(batch, marks, NAME, ("repeated",)), found)


def _repeated(batch: TextBatch, measures: npt.NDArray[np.int32], copies: int) -> tuple[Mask, Mask]:
    """Return which lines have at least so many copies in their text, and which are the first of their kind there."""
    keys = np.empty(len(measures), np.uint64)
    begins, stops = (np.ascontiguousarray(measures[:, c]) for c in (_kernels.BEGIN, _kernels.STOP))
    _kernels.hash_lines(batch.data, begins, stops, keys)
    rows = np.repeat(np.arange(batch.rows), np.diff(batch.lines.counts))
    order = np.lexsort((keys, rows))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (keys[order][1:] != keys[order][:-1]) | (rows[order][1:] != rows[order][:-1])
    group = np.cumsum(begins) - 1
    repeated, first = np.zeros(len(order), np.bool_), np.zeros(len(order), np.bool_)
    repeated[order] = np.bincount(group)[group] >= copies
    first[order] = begins
    return repeated, first


EDIT: Final = Edit(
    name=NAME,
    source=OWN,
    version=1,
    make=make,
    facts=(EDIT_COUNT, CUT_LINE_COUNT, CUT_WORD_RATIO),
    rules=lambda settings: (not_emptied(NAME),),
)
