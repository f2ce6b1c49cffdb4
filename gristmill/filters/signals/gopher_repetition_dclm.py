"""Gopher's repetition signals (Rae et al. 2021, table A1), with the meaning that DCLM gives them.

DCLM's n-grams are of uniseg's words (UAX 29) that begin with a letter or digit. Here they are of the recipe's words
that do: ``words: unicode`` is nearest, and differs where its tailorings do.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.filters.dclm.lines import lines, paragraphs
from gristmill.filters.dclm.words import covered_ngrams, spoken_words
from gristmill.filters.signals.gopher_quality_dolma import sums
from gristmill.filters.signals.gopher_repetition import SIZES, repeated
from gristmill.filters.signals.signal import Column, Signal, ratio, signal
from gristmill.text import Spans, TextBatch

FAMILY: Final = "gopher_repetition_dclm"
SOURCE: Final = "Li et al. 2024, arXiv:2406.11794, section 4.2; meaning of DCLM's code, content_filters.py"


def repeated_lines_dclm(batch: TextBatch) -> Column:
    """Return int64[rows, 4] of DCLM's lines, as ``gopher_repetition.repeated`` has it."""
    return repeated(batch, batch.scan(lines))


def repeated_paragraphs_dclm(batch: TextBatch) -> Column:
    """Return int64[rows, 4] of DCLM's paragraphs, as ``gopher_repetition.repeated`` has it."""
    return repeated(batch, batch.scan(paragraphs))


def _characters(batch: TextBatch, spans: Spans) -> Column:
    """Return int64[rows]: the characters of the spans of each row."""
    before = np.concatenate([[0], np.cumsum(batch.data & 0xC0 != 0x80)])
    return sums(before[spans.ends] - before[spans.starts], spans.counts)


def line_characters_dclm(batch: TextBatch) -> Column:
    """Return int64[rows]: the characters of DCLM's lines."""
    return _characters(batch, batch.scan(lines))


def paragraph_characters_dclm(batch: TextBatch) -> Column:
    """Return int64[rows]: the characters of DCLM's paragraphs."""
    return _characters(batch, batch.scan(paragraphs))


def spoken_characters(batch: TextBatch) -> Column:
    """Return int64[rows]: the characters of the words that begin with a letter or digit."""
    words = batch.scan(spoken_words)
    return sums(words.lengths, words.counts)


@signal(pa.float64(), FAMILY, SOURCE)
def dup_line_ratio_dclm(batch: TextBatch) -> Column:
    """Lines that occur more than once, all their copies / lines that are not blank.

    Lines are split at line feeds, and compared without the white space at their ends. A blank text has 0.0. datatrove
    counts further copies only.
    """
    return ratio(batch.scan(repeated_lines_dclm)[:, 2], np.diff(batch.scan(lines).counts))


@signal(pa.float64(), FAMILY, SOURCE)
def dup_paragraph_ratio_dclm(batch: TextBatch) -> Column:
    """Paragraphs that occur more than once, all their copies / paragraphs that are not blank.

    Paragraphs are split at two line feeds, and compared without the white space at their ends. A blank text has 0.0.
    """
    return ratio(batch.scan(repeated_paragraphs_dclm)[:, 2], np.diff(batch.scan(paragraphs).counts))


@signal(pa.float64(), FAMILY, SOURCE)
def dup_line_char_ratio_dclm(batch: TextBatch) -> Column:
    """Characters in lines that occur more than once, all their copies / characters of all lines.

    Lines as in ``dup_line_ratio_dclm``, without the white space at their ends. A blank text has 0.0.
    """
    return ratio(batch.scan(repeated_lines_dclm)[:, 3], batch.scan(line_characters_dclm))


@signal(pa.float64(), FAMILY, SOURCE)
def dup_paragraph_char_ratio_dclm(batch: TextBatch) -> Column:
    """Characters in paragraphs that occur more than once, all their copies / characters of all paragraphs.

    Paragraphs as in ``dup_paragraph_ratio_dclm``, without the white space at their ends. A blank text has 0.0.
    """
    return ratio(batch.scan(repeated_paragraphs_dclm)[:, 3], batch.scan(paragraph_characters_dclm))


def _top_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(batch.scan(covered_ngrams)[:, size - SIZES.start], batch.scan(spoken_characters))

    measure.__name__ = f"top_{size}gram_char_ratio_dclm"
    measure.__doc__ = f"""Characters of the most frequent {size}-gram's words × its count / characters of all words.

    Words are those that begin with a letter or digit. The longest wins among equals; its occurrences may overlap, so
    that the ratio can exceed 1. It is 0.0 if no {size}-gram occurs twice.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


def _dup_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(batch.scan(covered_ngrams)[:, size - SIZES.start], batch.scan(spoken_characters))

    measure.__name__ = f"dup_{size}gram_char_ratio_dclm"
    measure.__doc__ = f"""Characters of the words in {size}-grams that occur more than once / characters of all words.

    Words are those that begin with a letter or digit; one that lies in several such n-grams counts once. A text of
    under {size} words has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


SIGNALS: Final = (
    dup_line_ratio_dclm,
    dup_paragraph_ratio_dclm,
    dup_line_char_ratio_dclm,
    dup_paragraph_char_ratio_dclm,
    *(_top_ngram(size) if size < 5 else _dup_ngram(size) for size in SIZES),
)
