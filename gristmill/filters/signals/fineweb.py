"""FineWeb's own signals (Penedo et al. 2024), with the meaning of datatrove's FineWebQualityFilter."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.filters.signals.lines.scans import nonblank_lines
from gristmill.filters.signals.signal import Column, ratio, signal
from gristmill.text import TextBatch

FAMILY: Final = "fineweb"
SOURCE: Final = "Penedo et al. 2024, arXiv:2406.17557, section 3.6; meaning of datatrove 0.10"


@signal(pa.float64(), FAMILY, SOURCE)
def terminal_line_ratio(batch: TextBatch) -> Column:
    """Lines that end in a terminal mark / lines, of those that are not blank.

    Lines are split at line feeds; white space at their ends stays, so that a line which ends in a space or a carriage
    return ends in no mark. Marks are datatrove's set of 159 that end a sentence in some script; quotation marks are
    not among them. A blank text has 0.0. C4 has other marks.
    """
    found = batch.scan(nonblank_lines)
    return ratio(found[:, 1], found[:, 0])


@signal(pa.float64(), FAMILY, SOURCE)
def short_line_ratio(batch: TextBatch) -> Column:
    """Lines of at most 30 characters / lines, of those that are not blank.

    Lines are split at line feeds. A blank text has 0.0.
    """
    found = batch.scan(nonblank_lines)
    return ratio(found[:, 2], found[:, 0])


@signal(pa.float64(), FAMILY, SOURCE)
def dup_nonblank_line_char_ratio(batch: TextBatch) -> Column:
    """Characters in lines that are equal to an earlier line / characters of the text that are not line feeds.

    Blank lines do not count as repeated, but their characters are in the denominator. A text of line feeds has 0.0.
    ``dup_line_char_ratio`` is Gopher's: there blank lines can repeat, and line feeds are characters.
    """
    return ratio(batch.scan(nonblank_lines)[:, 3], batch.characters - batch.line_feeds)


@signal(pa.float64(), FAMILY, SOURCE)
def newline_word_ratio(batch: TextBatch) -> Column:
    """Line feeds / all words; can exceed 1.

    A text without words has 0.0.
    """
    return ratio(batch.line_feeds, np.diff(batch.words.counts))


SIGNALS: Final = (terminal_line_ratio, short_line_ratio, dup_nonblank_line_char_ratio, newline_word_ratio)
