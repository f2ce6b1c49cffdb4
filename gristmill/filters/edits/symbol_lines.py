"""Lines of symbols alone, cut as datatrove's SymbolLinesFormatter cuts them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.filters.edits import _kernels
from gristmill.filters.edits.characters import symbols
from gristmill.filters.edits.edit import CUT_LINE_COUNT, CUT_WORD_RATIO, EDIT_COUNT, Edit, Made, not_emptied
from gristmill.filters.edits.lines import (
    Verdicts,
    kinds_of,
    lines_per_row,
    mark_breaks,
    mark_lines,
    measured_lines,
    new_marks,
)
from gristmill.filters.edits.settings import SymbolLinesSettings
from gristmill.filters.edits.spans import Kind, cuts_of_marks
from gristmill.text import TextBatch

NAME: Final = "symbol_lines"
_CUT, _REPLACED = _kernels.OWN, _kernels.OWN + 1


def make(batch: TextBatch, settings: SymbolLinesSettings) -> Made:
    """Cut lines that are not blank and hold only symbols and spaces; the replacement stands for each run of them.

    Lines are those of ``str.splitlines``, and are joined by line feeds. Blank lines stay.
    """
    marks = new_marks(batch)
    lines = batch.lines
    inside = np.empty(len(lines.starts), np.bool_)
    _kernels.all_of(batch.data, symbols(settings.symbols), (lines.starts, lines.ends), inside)
    chosen = inside & (measured_lines(batch, marks)[:, _kernels.WORDS] > 0)
    verdicts = _verdicts(batch, chosen, settings)
    mark_lines(batch, verdicts, marks)
    mark_breaks(batch, verdicts, marks)
    table = (*kinds_of(NAME, ("symbols",)), Kind(f"{NAME}.symbols", settings.replacement))
    return Made(batch, cuts_of_marks(batch, marks, table), {"cut_line_count": lines_per_row(batch, chosen)})


def _verdicts(batch: TextBatch, chosen: npt.NDArray[np.bool_], settings: SymbolLinesSettings) -> Verdicts:
    """Return the marks of lines: with a replacement, the first of a run keeps its line break."""
    verdicts = np.where(chosen, np.int16(_CUT), np.int16(0)).astype(np.int16)
    if settings.replacement:
        first = chosen.copy()
        first[1:] &= ~chosen[:-1]
        begins = batch.lines.counts[:-1]
        begins = begins[begins < len(chosen)]
        first[begins] = chosen[begins]
        verdicts[first] = -_REPLACED
    return verdicts


EDIT: Final = Edit(
    name=NAME,
    source="SymbolLinesFormatter of datatrove 0.10",
    version=1,
    make=make,
    facts=(EDIT_COUNT, CUT_LINE_COUNT, CUT_WORD_RATIO),
    rules=lambda settings: (not_emptied(NAME),),
)
