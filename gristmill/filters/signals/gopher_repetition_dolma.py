"""Gopher's repetition signals (Rae et al. 2021, table A1), with the meaning that Dolma gives them.

Dolma's words are those of ``words: whitespace``. It has no signals of paragraphs.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.filters.signals.gopher_quality_dolma import sums
from gristmill.filters.signals.gopher_repetition import ngram_occurrences, repeated
from gristmill.filters.signals.signal import Column, Signal, ratio, signal
from gristmill.text import TextBatch

FAMILY: Final = "gopher_repetition_dolma"
SOURCE: Final = "Soldaini et al. 2024, arXiv:2402.00159, section 3.1; meaning of Dolma 1.0, tagger gopher_v1"


def repeated_single_lines(batch: TextBatch) -> Column:
    """Return int64[rows, 4] of the lines of ``text.split``, as ``gopher_repetition.repeated`` has it."""
    return repeated(batch, batch.single_lines)


def word_characters(batch: TextBatch) -> Column:
    """Return int64[rows]: the characters of all words."""
    return sums(batch.words.lengths, batch.words.counts)


@signal(pa.float64(), FAMILY, SOURCE)
def dup_line_ratio_dolma(batch: TextBatch) -> Column:
    """Lines that occur more than once, all their copies / all lines.

    Lines are split at line feeds, and blank ones count. An empty text has 0.0. datatrove counts further copies only.
    """
    return ratio(batch.scan(repeated_single_lines)[:, 2], np.diff(batch.single_lines.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def dup_line_char_ratio_dolma(batch: TextBatch) -> Column:
    """Characters in lines that occur more than once, all their copies / characters of all words; can exceed 1.

    Lines as in ``dup_line_ratio_dolma``. A text without words has 0.0, where Dolma divides by 1.
    """
    return ratio(batch.scan(repeated_single_lines)[:, 3], batch.scan(word_characters))


def _top_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        found = batch.scan(ngram_occurrences)
        return ratio(found[:, 2 * size - 4] * found[:, 2 * size - 3], batch.scan(word_characters))

    measure.__name__ = f"top_{size}gram_char_ratio_dolma"
    measure.__doc__ = f"""Characters of the most frequent {size}-gram's words × its count / characters of all words.

    Can exceed 1, since its occurrences may overlap. The first seen wins among equals, and counts even if it occurs
    once. A text of under {size} words has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


def _dup_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        found = batch.scan(ngram_occurrences)
        return ratio(found[:, 3 * size - 8], found[:, 3 * size - 9])

    measure.__name__ = f"dup_{size}gram_char_ratio_dolma"
    measure.__doc__ = f"""Characters of {size}-grams that occur more than once / characters of all {size}-grams.

    Each occurrence counts whole, though they overlap. A text of under {size} words has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


SIGNALS: Final = (
    dup_line_ratio_dolma,
    dup_line_char_ratio_dolma,
    *(_top_ngram(size) for size in range(2, 5)),
    *(_dup_ngram(size) for size in range(5, 11)),
)
