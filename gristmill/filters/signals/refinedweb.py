"""RefinedWeb's facts of lines (Penedo et al. 2023), with the meanings of DCLM's code.

They tell of the lines that the edit ``refinedweb_lines`` cuts, and of nothing else: the edit's own judgement is read.
Lines are split at line feeds.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from gristmill.filters.edits.lines import lines_per_row
from gristmill.filters.edits.refinedweb import REASONS, JudgedLines, judged_lines
from gristmill.filters.edits.settings import RefinedWebLinesSettings
from gristmill.filters.signals.signal import Column, Signal, ratio, signal
from gristmill.text import TextBatch

FAMILY: Final = "refinedweb"
SOURCE: Final = "Penedo et al. 2023, arXiv:2306.01116, G.2; meaning of DCLM's code, modifiers.py"

_SETTINGS: Final = RefinedWebLinesSettings.model_validate({})
# What each check looks for: the name that its signals have, and the lines that it hits.
_CHECKS: Final = {
    "upper_case": ("upper_case_line", "Lines of which more than half of the characters are upper case"),
    "digits": ("digit_line", "Lines of digits alone (``str.isdigit``)"),
    "counter": ("counter_line", "Lines that count something, such as ``3 likes`` or ``1.2K followers``"),
    "few_words": ("short_line", "Lines of fewer than two words of ``str.split``"),
    "phrase": ("phrase_line", "Lines of at most ten words with ``items in cart``, ``Read more...`` or ``Sign-in``"),
}
_ALONE: Final = "A line counts whatever else it is."
_LEFT: Final = "Lines that the other checks hit are left out; ``Read more`` stands before the last three characters."


def judged(batch: TextBatch) -> JudgedLines:
    """Return the lines, judged as the edit does with its published bounds."""
    return judged_lines(batch, _SETTINGS)


def written_lines(batch: TextBatch) -> Column:
    """Return int64[rows]: lines that are not empty."""
    return lines_per_row(batch, batch.scan(judged).written, batch.single_lines)


def _hits(batch: TextBatch, reason: str) -> Column:
    return lines_per_row(batch, batch.scan(judged).hits[REASONS.index(reason)], batch.single_lines)


def _count(reason: str) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return _hits(batch, reason)

    name, meaning = _CHECKS[reason]
    measure.__name__ = f"{name}_count_refinedweb"
    measure.__doc__ = f"""{meaning}.

    {_LEFT if reason == "phrase" else _ALONE} An empty text has 0.
    """
    return signal(pa.int64(), FAMILY, SOURCE)(measure)


def _ratio(reason: str) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(_hits(batch, reason), batch.scan(written_lines))

    name, meaning = _CHECKS[reason]
    measure.__name__ = f"{name}_ratio_refinedweb"
    measure.__doc__ = f"""{meaning} / lines that are not empty.

    {_LEFT if reason == "phrase" else _ALONE} An empty text has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


@signal(pa.float64(), FAMILY, SOURCE)
def cut_line_ratio_refinedweb(batch: TextBatch) -> Column:
    """Lines that RefinedWeb leaves out whole / lines that are not empty.

    An empty text has 0.0.
    """
    gone = lines_per_row(batch, batch.scan(judged).verdicts > 0, batch.single_lines)
    return ratio(gone, batch.scan(written_lines))


@signal(pa.float64(), FAMILY, SOURCE)
def cut_word_ratio_refinedweb(batch: TextBatch) -> Column:
    """Words in the lines and phrases that RefinedWeb leaves out / words.

    Words are those of ``word_count_dclm``. A text without words has 0.0. RefinedWeb drops a page above 0.05.
    """
    found = batch.scan(judged)
    return ratio(found.cut_words, found.words)


SIGNALS: Final = (
    *(_count(reason) for reason in REASONS),
    *(_ratio(reason) for reason in REASONS),
    cut_line_ratio_refinedweb,
    cut_word_ratio_refinedweb,
)
