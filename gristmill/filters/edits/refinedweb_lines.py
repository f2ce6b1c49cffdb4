"""The lines that RefinedWeb leaves out, in the meaning of DCLM's code, which published it."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from gristmill.filters.edits.edit import CUT_LINE_COUNT, EDIT_COUNT, Column, Edit, Fact, Made, not_emptied
from gristmill.filters.edits.lines import line_cuts, lines_per_row
from gristmill.filters.edits.refinedweb import REASONS, judged_lines
from gristmill.filters.edits.settings import RefinedWebLinesSettings
from gristmill.filters.rules.rule import Rule
from gristmill.filters.signals.signal import ratio
from gristmill.text import TextBatch

NAME: Final = "refinedweb_lines"
MOST_CUT: Final = 0.05


def make(batch: TextBatch, settings: RefinedWebLinesSettings) -> Made:
    """Cut lines for their capitals, digits and words, then phrases out of short lines.

    Lines are split at line feeds. An empty line stays; the white space at the ends of the text does not.
    """
    judged = judged_lines(batch, settings)
    found = {
        "cut_line_count": lines_per_row(batch, (judged.verdicts > 0) & judged.filled, batch.single_lines),
        "words": judged.words,
        "cut_words": judged.cut_words,
    }
    return Made(batch, line_cuts(batch, judged.marks, NAME, REASONS), found)


def cut_word_ratios(made: Made) -> Column:
    """Return the share of each text's words, as DCLM counts them, that the edit took away; 0.0 without words."""
    return ratio(made.counted["cut_words"], made.counted["words"])


def rules(settings: RefinedWebLinesSettings) -> tuple[Rule, ...]:
    """Return RefinedWeb's rule: a page that lost more than 5% of its words goes."""
    return (Rule(f"edit.{NAME}", "cut_word_ratio", "max", MOST_CUT), not_emptied(NAME))


EDIT: Final = Edit(
    name=NAME,
    source="Penedo et al. 2023, arXiv:2306.01116, G.2; Li et al. 2024, arXiv:2406.11794, and its code",
    version=2,
    make=make,
    facts=(
        EDIT_COUNT,
        CUT_LINE_COUNT,
        Fact(
            "cut_word_ratio",
            pa.float64(),
            "words that the edit took away / words before it, of those that DCLM counts",
            cut_word_ratios,
        ),
    ),
    rules=rules,
)
