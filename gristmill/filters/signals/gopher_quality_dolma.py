"""Gopher's quality signals (Rae et al. 2021), with the meaning that Dolma gives them.

Dolma's words are those of ``words: whitespace``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.filters.signals import _kernels
from gristmill.filters.signals.gopher_quality import stop_words, word_totals
from gristmill.filters.signals.signal import Column, ratio, signal
from gristmill.text import HAS_SYMBOL, Integers, TextBatch

FAMILY: Final = "gopher_quality_dolma"
SOURCE: Final = "Soldaini et al. 2024, arXiv:2402.00159, section 3.1; meaning of Dolma 1.0, tagger gopher_v1"

_ELLIPSIS: Final = np.frombuffer("…".encode(), np.uint8)


def sums(values: npt.NDArray[np.generic], counts: Integers) -> Column:
    """Return the sum of the values of each row: those from ``counts[i]`` to ``counts[i + 1]``."""
    totals = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    return np.asarray(totals[counts[1:]] - totals[counts[:-1]])


@signal(pa.int64(), FAMILY, SOURCE)
def word_count_dolma(batch: TextBatch) -> Column:
    """All words, those of punctuation too.

    An empty text has 0. ``word_count`` leaves out words of punctuation.
    """
    return np.diff(batch.words.counts)


@signal(pa.float64(), FAMILY, SOURCE)
def median_word_length_dolma(batch: TextBatch) -> Column:
    """Median of the characters (code points) of all words.

    The mean of the middle two of an even number. A text without words has 0.0. Others take the mean.
    """
    words = batch.words
    out = np.empty(batch.rows, np.int64)
    tally = np.zeros(int(words.lengths.max(initial=0)) + 1, np.int64)
    _kernels.median_lengths(words.counts, words.lengths, tally, out)
    return out / 2


@signal(pa.float64(), FAMILY, SOURCE)
def symbol_word_ratio_dolma(batch: TextBatch) -> Column:
    """Words that contain ``#`` or ``…`` / all words.

    A text without words has 0.0. datatrove and RedPajama-V2 count the symbols themselves, and ``...`` too.
    """
    words = batch.words
    return ratio(sums(words.flags & HAS_SYMBOL != 0, words.counts), np.diff(words.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def alphabetic_word_ratio_dolma(batch: TextBatch) -> Column:
    """Words with at least one letter (``str.isalpha``) / all words.

    A text without words has 0.0. The same as ``alphabetic_word_ratio``.
    """
    totals = batch.scan(word_totals)
    return ratio(totals.letters, totals.words)


@signal(pa.int64(), FAMILY, SOURCE)
def stop_word_count_dolma(batch: TextBatch) -> Column:
    """Occurrences of the, be, to, of, and, that, have, with; in lower case only.

    An empty text has 0. datatrove counts distinct words: "the the" is one there, two here.
    """
    return batch.scan(stop_words)[:, 1]


@signal(pa.float64(), FAMILY, SOURCE)
def bullet_line_ratio_dolma(batch: TextBatch) -> Column:
    """Lines whose first character is ``*`` or ``-`` / all lines.

    Lines are split at line feeds, blank ones too; white space before a bullet hides it. An empty text has 0.0.
    """
    lines = batch.single_lines
    filled = lines.ends > lines.starts
    first = batch.data[lines.starts[filled]]
    bullets = np.zeros(len(filled), np.bool_)
    bullets[filled] = (first == ord("*")) | (first == ord("-"))
    return ratio(sums(bullets, lines.counts), np.diff(lines.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def ellipsis_line_ratio_dolma(batch: TextBatch) -> Column:
    """Lines that end in ``…`` / all lines.

    Lines are split at line feeds, blank ones too; three full stops are no ellipsis. An empty text has 0.0.
    """
    lines = batch.single_lines
    ends = lines.ends - lines.starts >= len(_ELLIPSIS)
    for place, byte in enumerate(_ELLIPSIS):
        ends[ends] = batch.data[lines.ends[ends] - len(_ELLIPSIS) + place] == byte
    return ratio(sums(ends, lines.counts), np.diff(lines.counts))


SIGNALS: Final = (
    word_count_dolma,
    median_word_length_dolma,
    symbol_word_ratio_dolma,
    alphabetic_word_ratio_dolma,
    stop_word_count_dolma,
    bullet_line_ratio_dolma,
    ellipsis_line_ratio_dolma,
)
