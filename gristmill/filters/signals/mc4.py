"""mC4's signal of paragraphs (Xue et al. 2021)."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from gristmill.filters.signals.lines.scans import nonblank_lines
from gristmill.filters.signals.signal import Column, signal
from gristmill.text import TextBatch

FAMILY: Final = "mc4"
SOURCE: Final = "Xue et al. 2021, arXiv:2010.11934, section 3.1; C4ParagraphFilter of datatrove 0.10"


@signal(pa.int64(), FAMILY, SOURCE)
def long_paragraph_count(batch: TextBatch) -> Column:
    """Lines of at least 200 characters.

    Lines are split at line feeds, and blank ones can be long. A text passes mC4 if it has three: the third-longest line
    then has 200 characters. An empty text has 0.
    """
    return batch.scan(nonblank_lines)[:, 4]


SIGNALS: Final = (long_paragraph_count,)
