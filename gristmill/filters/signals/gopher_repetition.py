"""Gopher's repetition signals (Rae et al. 2021, table A1), with the meaning that datatrove gives them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.filters.signals import _kernels
from gristmill.filters.signals.signal import Column, Signal, ratio, signal
from gristmill.filters.signals.tables import most, slots, table
from gristmill.text import Integers, Spans, TextBatch

FAMILY: Final = "gopher_repetition"
SOURCE: Final = "Rae et al. 2021, arXiv:2112.11446, table A1; meaning of datatrove 0.10"
SIZES: Final = range(2, 11)


def repeated_lines(batch: TextBatch) -> Column:
    """Return int64[rows, 4]: lines that occurred before in the text, their characters; then the same of all copies."""
    return repeated(batch, batch.feed_lines)


def repeated_paragraphs(batch: TextBatch) -> Column:
    """Return int64[rows, 4] of paragraphs, as ``repeated_lines`` has it."""
    return repeated(batch, batch.feed_paragraphs)


def repeated(batch: TextBatch, spans: Spans) -> Column:
    """Return int64[rows, 4]: spans that occurred before, their characters; spans with a copy, their characters."""
    out = np.empty((batch.rows, 4), np.int64)
    _kernels.repeated_spans(batch.data, spans.counts, (spans.starts, spans.ends), table(most(spans.counts)), out)
    return out


def ngram_characters(batch: TextBatch) -> Column:
    """Return int64[rows, 9]: characters of the top 2- to 4-gram, then those of repeated 5- to 10-grams."""
    words = batch.words
    longest = most(words.counts)
    out = np.empty((batch.rows, len(SIZES)), np.int64)
    _kernels.ngram_characters(words.counts, (words.hashes, words.lengths), _scratch(longest), table(longest), out)
    return out


def ngram_occurrences(batch: TextBatch) -> Column:
    """Return int64[rows, 24]: count and characters of the top 2- to 4-gram, then three for each of 5 to 10.

    The three: characters of all n-grams, of all occurrences of repeated ones, of the words that lie in one of these.
    """
    words = batch.words
    return ngrams_of(words.counts, words.hashes, words.lengths)


def ngrams_of(counts: Integers, hashes: npt.NDArray[np.uint64], lengths: npt.NDArray[np.int32]) -> Column:
    """Return what ``ngram_occurrences`` does, of any words."""
    longest = most(counts)
    out = np.empty((len(counts) - 1, 24), np.int64)
    scratch = (*_scratch(longest), np.empty(longest + 1, np.int64))
    _kernels.ngram_occurrences(counts, (hashes, lengths), scratch, table(longest), out)
    return out


def _scratch(words: int) -> tuple[Column, Column, Column, Column]:
    """Return room for the n-grams of a text of so many words: counts by hash, places, hashes, slots."""
    return (
        np.empty(slots(2 * words), np.uint8),
        np.empty(words, np.int32),
        np.empty(words, np.uint64),
        np.empty(words, np.int32),
    )


@signal(pa.float64(), FAMILY, SOURCE)
def dup_line_ratio(batch: TextBatch) -> Column:
    r"""Lines that are equal to an earlier line of the text / all lines.

    Lines are the pieces of ``re.split(r"\n+", text)``: a leading or trailing line feed makes an empty one. Only the
    further copies count; Dolma and DCLM count the first too. An empty text has 0.0.
    """
    return ratio(batch.scan(repeated_lines)[:, 0], np.diff(batch.feed_lines.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def dup_line_char_ratio(batch: TextBatch) -> Column:
    """Characters in lines that are equal to an earlier line of the text / characters of the text.

    Lines as in ``dup_line_ratio``. An empty text has 0.0.
    """
    return ratio(batch.scan(repeated_lines)[:, 1], batch.characters)


@signal(pa.float64(), FAMILY, SOURCE)
def dup_paragraph_ratio(batch: TextBatch) -> Column:
    r"""Paragraphs that are equal to an earlier paragraph of the text / all paragraphs.

    Paragraphs are the pieces of ``re.split(r"\n{2,}", text.strip())``. Only the further copies count; Dolma and DCLM
    count the first too. An empty text has 0.0.
    """
    return ratio(batch.scan(repeated_paragraphs)[:, 0], np.diff(batch.feed_paragraphs.counts))


@signal(pa.float64(), FAMILY, SOURCE)
def dup_paragraph_char_ratio(batch: TextBatch) -> Column:
    """Characters in paragraphs that are equal to an earlier paragraph of the text / characters of the text.

    Paragraphs as in ``dup_paragraph_ratio``. An empty text has 0.0.
    """
    return ratio(batch.scan(repeated_paragraphs)[:, 1], batch.characters)


def _top_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(batch.scan(ngram_characters)[:, size - SIZES.start], batch.characters)

    measure.__name__ = f"top_{size}gram_char_ratio"
    measure.__doc__ = f"""Length of the most frequent {size}-gram × its count / characters of the text; can exceed 1.

    The length is that of its {size} words joined by spaces; the first seen wins among equals. It counts even if it
    occurs once: DCLM and RedPajama-V2 have 0 then. A text of under {size} words has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


def _dup_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(batch.scan(ngram_characters)[:, size - SIZES.start], batch.characters)

    measure.__name__ = f"dup_{size}gram_char_ratio"
    measure.__doc__ = f"""Characters of the words in repeated {size}-grams / characters of the text.

    From the left: {size} words that were met before add their characters and are jumped over; else one word
    is. White space between words is not counted. n-grams are equal if their words are; datatrove compares
    the words joined without spaces. A text of under {size} words has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


SIGNALS: Final = (
    dup_paragraph_ratio,
    dup_paragraph_char_ratio,
    dup_line_ratio,
    dup_line_char_ratio,
    *(_top_ngram(n) if n < 5 else _dup_ngram(n) for n in SIZES),
)
