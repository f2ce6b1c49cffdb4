"""Gopher's quality signals (Rae et al. 2021), with the meaning that DCLM gives them.

DCLM splits at white space here, so these do too, whatever words the recipe asks for.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.filters.dclm.lines import lines
from gristmill.filters.dclm.words import plain_word_counts, split_words
from gristmill.filters.signals.gopher_quality import STOP_WORDS, symbols
from gristmill.filters.signals.gopher_quality_dolma import sums
from gristmill.filters.signals.signal import Column, ratio, signal
from gristmill.filters.signals.word_lists import listed_words, word_table
from gristmill.text import HAS_ALPHA, TextBatch

FAMILY: Final = "gopher_quality_dclm"
SOURCE: Final = "Li et al. 2024, arXiv:2406.11794, section 4.2; meaning of DCLM's code, content_filters.py"

_BULLETS: Final = ("●", "•", "*", "-")
_ELLIPSES: Final = ("...", ". . .", "…")


def split_word_counts(batch: TextBatch) -> Column:
    """Return int64[rows]: the words of ``str.split``."""
    return np.diff(batch.scan(split_words).counts)


@signal(pa.int64(), FAMILY, SOURCE)
def word_count_dclm(batch: TextBatch) -> Column:
    """Words that begin with a letter, digit or other number (``str.isalnum``).

    Words stand between NULs and white space of ASCII, as fastText's tokenizer has it: ``"so"`` in quotation marks does
    not count. An empty text has 0.
    """
    return batch.scan(plain_word_counts)


@signal(pa.float64(), FAMILY, SOURCE)
def mean_word_length_dclm(batch: TextBatch) -> Column:
    """Characters (code points) of the words of ``str.split`` / their number.

    The punctuation at words counts. A text without words has 0.0.
    """
    words = batch.scan(split_words)
    return ratio(sums(words.lengths, words.counts), batch.scan(split_word_counts))


@signal(pa.float64(), FAMILY, SOURCE)
def symbol_word_ratio_dclm(batch: TextBatch) -> Column:
    """Occurrences of ``#``, ``...``, ``. . .`` and ``…`` in the text / words of ``str.split``; can exceed 1.

    Occurrences of one symbol do not overlap. A text without words has 0.0. datatrove bounds ``#`` and ellipses apart.
    """
    spaced = np.asarray(pc.count_substring(batch.texts, ". . .").fill_null(0), np.int64)
    return ratio(batch.scan(symbols).sum(axis=1) + spaced, batch.scan(split_word_counts))


@signal(pa.float64(), FAMILY, SOURCE)
def bullet_line_ratio_dclm(batch: TextBatch) -> Column:
    """Lines whose first character, after white space, is ``●``, ``•``, ``*`` or ``-`` / lines that are not blank.

    Lines are split at line feeds. A blank text has 0.0.
    """
    return _share_of_lines(batch, _BULLETS, at_end=False)


@signal(pa.float64(), FAMILY, SOURCE)
def ellipsis_line_ratio_dclm(batch: TextBatch) -> Column:
    """Lines that end, before white space, in ``...``, ``. . .`` or ``…`` / lines that are not blank.

    Lines are split at line feeds. A blank text has 0.0.
    """
    return _share_of_lines(batch, _ELLIPSES, at_end=True)


@signal(pa.float64(), FAMILY, SOURCE)
def alphabetic_word_ratio_dclm(batch: TextBatch) -> Column:
    """Words with at least one letter (``str.isalpha``) / words, of those of ``str.split``.

    A text without words has 0.0.
    """
    words = batch.scan(split_words)
    return ratio(sums(words.flags & HAS_ALPHA, words.counts), batch.scan(split_word_counts))


@signal(pa.int64(), FAMILY, SOURCE)
def stop_word_count_dclm(batch: TextBatch) -> Column:
    """Occurrences of the, be, to, of, and, that, have, with among the words of ``str.split``, in any case.

    An empty text has 0. datatrove counts distinct words, in lower case only: "The the" is one there, two here.
    """
    return listed_words(batch.scan(split_words), _stop_words())[:, 1]


def _share_of_lines(batch: TextBatch, marks: tuple[str, ...], *, at_end: bool) -> Column:
    """Return the share of the lines that start with one of the marks, or end in one."""
    found = batch.scan(lines)
    has = np.zeros(len(found.starts), np.bool_)
    for mark in map(str.encode, marks):
        same = found.ends - found.starts >= len(mark)
        for place, byte in enumerate(mark):
            at = found.ends[same] - len(mark) if at_end else found.starts[same]
            same[same] = batch.data[at + place] == byte
        has |= same
    return ratio(sums(has, found.counts), np.diff(found.counts))


@cache
def _stop_words() -> npt.NDArray[np.uint64]:
    """Return a hash table of the stop words in every mixture of cases, as `listed_words` reads it."""
    return word_table(
        ["".join(cases) for word in STOP_WORDS for cases in product(*zip(word, word.upper(), strict=True))]
    )


SIGNALS: Final = (
    word_count_dclm,
    mean_word_length_dclm,
    symbol_word_ratio_dclm,
    bullet_line_ratio_dclm,
    ellipsis_line_ratio_dclm,
    alphabetic_word_ratio_dclm,
    stop_word_count_dclm,
)
