"""Gopher's quality signals (Rae et al. 2021), with the meaning that datatrove gives them."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.characters import character_classes
from gristmill.filters.signals import _kernels
from gristmill.filters.signals.signal import Column, ratio, signal
from gristmill.filters.signals.word_lists import listed_words, word_table
from gristmill.text import TextBatch

FAMILY: Final = "gopher_quality"
SOURCE: Final = "Rae et al. 2021, arXiv:2112.11446, A1.1; meaning of datatrove 0.10"
STOP_WORDS: Final = ("the", "be", "to", "of", "and", "that", "have", "with")


class WordTotals(NamedTuple):
    """Per text: all words, words with text, the characters of those, words with a letter (int64 each)."""

    words: Column
    texts: Column
    characters: Column
    letters: Column


def word_totals(batch: TextBatch) -> WordTotals:
    """Return the counts that the word signals share."""
    words = batch.words
    out = np.empty((batch.rows, 3), np.int64)
    _kernels.word_totals(words.counts, words.lengths, words.flags, out)
    return WordTotals(np.diff(words.counts), out[:, 0], out[:, 1], out[:, 2])


def symbols(batch: TextBatch) -> Column:
    """Return int64[rows, 2]: how often ``#`` occurs, and how often an ellipsis."""
    out = np.empty((batch.rows, 2), np.int64)
    _kernels.symbols(batch.data, batch.offsets, out)
    return out


def line_marks(batch: TextBatch) -> Column:
    """Return int64[rows, 2]: lines that start with a bullet, lines that end in an ellipsis."""
    lines = batch.lines
    out = np.empty((batch.rows, 2), np.int64)
    _kernels.line_marks(batch.data, character_classes(), lines.counts, (lines.starts, lines.ends), out)
    return out


def stop_words(batch: TextBatch) -> Column:
    """Return int64[rows, 2]: how many different stop words occur, and how often any does."""
    return listed_words(batch.words, _stop_words())


@signal(pa.int64(), FAMILY, SOURCE)
def word_count(batch: TextBatch) -> Column:
    """Words with at least one character that is not punctuation.

    Punctuation is datatrove's set of 281 characters. An empty text has 0.
    """
    return batch.scan(word_totals).texts


@signal(pa.float64(), FAMILY, SOURCE)
def mean_word_length(batch: TextBatch) -> Column:
    """Characters (code points) of the words that ``word_count`` counts / their number.

    A text without such words has 0.0. Dolma takes the median, and counts all words.
    """
    totals = batch.scan(word_totals)
    return ratio(totals.characters, totals.texts)


@signal(pa.float64(), FAMILY, SOURCE)
def hash_word_ratio(batch: TextBatch) -> Column:
    """Occurrences of ``#`` in the text / all words; can exceed 1.

    A text without words has 0.0. Dolma counts the words that contain a symbol instead.
    """
    return ratio(batch.scan(symbols)[:, 0], batch.scan(word_totals).words)


@signal(pa.float64(), FAMILY, SOURCE)
def ellipsis_word_ratio(batch: TextBatch) -> Column:
    """Occurrences of ``...`` and ``…`` in the text / all words; can exceed 1.

    Occurrences of ``...`` do not overlap: six dots are two. A text without words has 0.0. Dolma counts the words that
    contain a symbol instead.
    """
    return ratio(batch.scan(symbols)[:, 1], batch.scan(word_totals).words)


@signal(pa.float64(), FAMILY, SOURCE)
def bullet_line_ratio(batch: TextBatch) -> Column:
    """Lines whose first character, after white space, is ``•`` or ``-`` / all lines.

    Lines are those of ``str.splitlines``, blank ones too. An empty text has 0.0.
    """
    return ratio(batch.scan(line_marks)[:, 0], np.diff(batch.lines.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def ellipsis_line_ratio(batch: TextBatch) -> Column:
    """Lines that end, before white space, in ``...`` or ``…`` / all lines.

    Lines are those of ``str.splitlines``, blank ones too. An empty text has 0.0.
    """
    return ratio(batch.scan(line_marks)[:, 1], np.diff(batch.lines.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def alphabetic_word_ratio(batch: TextBatch) -> Column:
    """Words with at least one letter (``str.isalpha``) / all words, those of punctuation too.

    A text without words has 0.0.
    """
    totals = batch.scan(word_totals)
    return ratio(totals.letters, totals.words)


@signal(pa.int64(), FAMILY, SOURCE)
def stop_word_count(batch: TextBatch) -> Column:
    """Distinct words among the, be, to, of, and, that, have, with; in lower case only.

    An empty text has 0. DCLM counts every occurrence, so that "the the" is enough there.
    """
    return batch.scan(stop_words)[:, 0]


@cache
def _stop_words() -> npt.NDArray[np.uint64]:
    return word_table(STOP_WORDS)


SIGNALS: Final = (
    word_count,
    mean_word_length,
    hash_word_ratio,
    ellipsis_word_ratio,
    bullet_line_ratio,
    ellipsis_line_ratio,
    alphabetic_word_ratio,
    stop_word_count,
)
