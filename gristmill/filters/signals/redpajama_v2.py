"""RedPajama-V2's quality signals (Weber et al. 2024) that need no model: each names the ``rps_...`` that it is.

They bring their own words, whatever the recipe's ``words`` are. Normalized words: the 32 ASCII punctuation characters
are deleted ("don't" is "dont"), the rest lower-cased and decomposed (NFD: "é" is two characters), and split at white
space. Raw words: runs of letters, digits and ``_``, and runs of other characters that are not white space. Lines end at
line feeds, which belong to them; blank ones count, and what follows the last line feed is no line if it is empty.

There, values are rounded to 8 places, which no verdict on a text of under 20 million words can show; here they are
not, but for the entropy. There, a text without words or lines has null for most ratios; here it has 0.0. A capital
sigma at a word's end becomes an ordinary small one here, and a final one there. Signals of lines are lists of a value
for each line there; here a signal sums them up.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.filters.signals.gopher_quality import symbols
from gristmill.filters.signals.redpajama import _kernels as columns
from gristmill.filters.signals.redpajama import scans
from gristmill.filters.signals.signal import Column, Signal, ratio, signal
from gristmill.text import TextBatch

FAMILY: Final = "redpajama_v2"
SOURCE: Final = "Weber et al. 2024, arXiv:2411.12372; meaning of RedPajama-Data, app/src/core/quality_signals, 855a8e0"
_PLACES: Final = 8


def _raw(batch: TextBatch, column: int) -> Column:
    return np.asarray(batch.scan(scans.raw).counts[:, column])


def _of_raw_words(batch: TextBatch, part: Column) -> Column:
    return ratio(part, _raw(batch, columns.WORDS))


def _of_lines(batch: TextBatch, part: Column) -> Column:
    return ratio(part, _raw(batch, columns.LINES))


@signal(pa.int64(), FAMILY, SOURCE)
def character_count_redpajama_v2(batch: TextBatch) -> Column:
    """Characters (code points) of the text.

    It is ``ccnet_length`` of the text that is measured. An empty text has 0. Not here is ``ccnet_original_length``,
    which tells of the page before cc_net dropped lines that other pages have.
    """
    return batch.characters


@signal(pa.int64(), FAMILY, SOURCE)
def line_count_redpajama_v2(batch: TextBatch) -> Column:
    """Lines of the text, blank ones too.

    It is ``ccnet_nlines`` of the text that is measured: cc_net's texts have no blank lines. An empty text has 0.
    """
    return _raw(batch, columns.LINES)


@signal(pa.float64(), FAMILY, SOURCE)
def curly_bracket_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Occurrences of ``{`` and ``}`` / characters of the text.

    It is ``rps_doc_curly_bracket``. An empty text has 0.0. C4 asks for ``{`` alone.
    """
    return ratio(_raw(batch, columns.BRACKETS), batch.characters)


@signal(pa.float64(), FAMILY, SOURCE)
def all_caps_word_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Raw words that have an upper-case letter and no other cased one (``str.isupper``) / raw words.

    It is ``rps_doc_frac_all_caps_words``. "A" and "X2" are such words. A text without words has 0.0.
    """
    return _of_raw_words(batch, _raw(batch, columns.CAPITALS))


@signal(pa.float64(), FAMILY, SOURCE)
def ellipsis_line_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Lines that end, before white space, in ``...`` or ``…`` / all lines.

    It is ``rps_doc_frac_lines_end_with_ellipsis``. A text without lines has 0.0. Gopher's ``ellipsis_line_ratio`` has
    the lines of ``str.splitlines``.
    """
    return _of_lines(batch, _raw(batch, columns.ELLIPSIS_LINES))


@signal(pa.float64(), FAMILY, SOURCE)
def letterless_word_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Raw words without a letter from a to z, in any case / raw words.

    It is ``rps_doc_frac_no_alph_words``. Runs of punctuation are words, and so are those of other scripts, which have
    no such letter: Gopher's ``alphabetic_word_ratio`` takes the letters of all. A text without words has 0.0.
    """
    words = _raw(batch, columns.WORDS)
    return ratio(words - _raw(batch, columns.LETTERED), words)


@signal(pa.float64(), FAMILY, SOURCE)
def lorem_ipsum_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Occurrences of ``lorem ipsum`` in the normalized text / characters of the normalized text.

    It is ``rps_doc_lorem_ipsum``, which also finds forms with a dotless i or a long s once it has found one. Normalized
    words are joined by one space, so that "Lorem, ipsum!" is one. A text without words has 0.0.
    """
    return ratio(batch.scan(scans.normalized).lorem_ipsum, batch.scan(scans.totals).characters)


@signal(pa.float64(), FAMILY, SOURCE)
def mean_word_length_redpajama_v2(batch: TextBatch) -> Column:
    """Characters of the normalized words / their number.

    It is ``rps_doc_mean_word_length``. An accent is a character of its own. A text without words has 0.0.
    """
    totals = batch.scan(scans.totals)
    return ratio(totals.word_characters, totals.words)


@signal(pa.float64(), FAMILY, SOURCE)
def symbol_word_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Occurrences of ``#``, ``...`` and ``…`` / raw words; can exceed 1.

    It is ``rps_doc_symbol_to_word_ratio``. Occurrences of ``...`` do not overlap. Raw words include runs of
    punctuation, so that the ratio is lower than Gopher's, which has two: ``hash_word_ratio`` and
    ``ellipsis_word_ratio``. A text without words has 0.0.
    """
    return _of_raw_words(batch, batch.scan(symbols).sum(axis=1))


@signal(pa.float64(), FAMILY, SOURCE)
def unique_word_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Different normalized words / normalized words.

    It is ``rps_doc_frac_unique_words``. A text without words has 0.0.
    """
    return ratio(batch.scan(scans.tallies).distinct, batch.scan(scans.totals).words)


@signal(pa.float64(), FAMILY, SOURCE)
def unigram_entropy_redpajama_v2(batch: TextBatch) -> Column:
    """Entropy of the distribution of normalized words, in nats, rounded to 8 places.

    It is ``rps_doc_unigram_entropy``: the sum of -p ln p over different words, p their share of all words. The rounding
    makes it the same on every machine, since logarithms differ in their last bits. A text without words has 0.0.
    """
    return np.asarray(np.round(batch.scan(scans.tallies).entropy, _PLACES) + 0.0)  # -0.0 + 0.0 is 0.0


@signal(pa.int64(), FAMILY, SOURCE)
def word_count_redpajama_v2(batch: TextBatch) -> Column:
    """Words of the normalized text.

    It is ``rps_doc_word_count``. What is all ASCII punctuation is no word; an em dash alone is one. An empty
    text has 0.
    """
    return batch.scan(scans.totals).words


@signal(pa.int64(), FAMILY, SOURCE)
def sentence_count_redpajama_v2(batch: TextBatch) -> Column:
    r"""Sentences: matches of ``\b[^.!?]+[.!?]*``.

    It is ``rps_doc_num_sentences``: the runs of characters other than ``. ! ?`` that have a letter, digit or ``_``.
    "3.14" has two, and line feeds end none. An empty text has 0. C4's ``sentence_count`` goes by lines.
    """
    return _raw(batch, columns.SENTENCES)


@signal(pa.float64(), FAMILY, SOURCE)
def terminal_line_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Lines that end, before white space, in ``. ! ? ”`` / all lines.

    It is the mean of ``rps_lines_ending_with_terminal_punctution_mark``. A straight quotation mark is none, and blank
    lines count; FineWeb's ``terminal_line_ratio`` differs in both. A text without lines has 0.0.
    """
    return _of_lines(batch, _raw(batch, columns.TERMINAL_LINES))


@signal(pa.int64(), FAMILY, SOURCE)
def javascript_word_count_redpajama_v2(batch: TextBatch) -> Column:
    """Occurrences of ``javascript`` among the normalized words.

    It is the sum of ``rps_lines_javascript_counts``. An empty text has 0. C4's ``javascript_line_count`` counts lines,
    and finds the word in others.
    """
    return batch.scan(scans.javascripts)


@signal(pa.float64(), FAMILY, SOURCE)
def words_per_line_redpajama_v2(batch: TextBatch) -> Column:
    """Words of the normalized text / all lines.

    It is the mean of ``rps_lines_num_words``. Blank lines count. A text without lines has 0.0.
    """
    return _of_lines(batch, batch.scan(scans.totals).words)


@signal(pa.float64(), FAMILY, SOURCE)
def line_numeric_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Mean over all lines of the line's numeric characters (``str.isnumeric``) / the characters of the normalized line.

    It is the mean of ``rps_lines_numerical_chars_fraction``. A short line weighs as much as a long one; a line without
    words has 0. A text without lines has 0.0.
    """
    return _of_lines(batch, batch.scan(scans.normalized).number_shares)


@signal(pa.float64(), FAMILY, SOURCE)
def bullet_line_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Lines whose first character, after white space, is one of ``– • ‣ ■ □ ▪ ▫ ▶ ◀ ◦`` / all lines.

    It is the mean of ``rps_lines_start_with_bulletpoint``. An en dash is a bullet, a hyphen is none; Gopher's
    ``bullet_line_ratio`` has it the other way. A text without lines has 0.0.
    """
    return _of_lines(batch, _raw(batch, columns.BULLET_LINES))


@signal(pa.float64(), FAMILY, SOURCE)
def line_uppercase_ratio_redpajama_v2(batch: TextBatch) -> Column:
    """Mean over all lines of the line's upper-case letters (``str.isupper``) / the line's characters.

    It is the mean of ``rps_lines_uppercase_letter_fraction``. The line feed is one of the characters. A short line
    weighs as much as a long one. A text without lines has 0.0.
    """
    return _of_lines(batch, batch.scan(scans.raw).capital_shares)


def _top_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        found = batch.scan(scans.ngrams)
        times, length = found[:, 2 * size - 4], found[:, 2 * size - 3]
        return ratio(times * length * (times > 1), batch.scan(scans.totals).word_characters)

    measure.__name__ = f"top_{size}gram_char_ratio_redpajama_v2"
    measure.__doc__ = f"""Characters of the most frequent {size}-gram's words × its count / characters of all words.

    It is ``rps_doc_frac_chars_top_{size}gram``, of normalized words. Can exceed 1, since its occurrences may overlap.
    The first seen wins among equals. If none occurs twice, it is 0.0: datatrove and Dolma count it all the same.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


def _dup_ngram(size: int) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(batch.scan(scans.ngrams)[:, 3 * size - 7], batch.scan(scans.totals).word_characters)

    measure.__name__ = f"dup_{size}gram_char_ratio_redpajama_v2"
    measure.__doc__ = f"""Characters of the words in {size}-grams that occur more than once / characters of all words.

    It is ``rps_doc_frac_chars_dupe_{size}grams``, of normalized words. All copies count, the first too, and a word
    counts once, however many of them it is in. A text of under {size} words has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


SIGNALS: Final = (
    character_count_redpajama_v2,
    line_count_redpajama_v2,
    curly_bracket_ratio_redpajama_v2,
    all_caps_word_ratio_redpajama_v2,
    ellipsis_line_ratio_redpajama_v2,
    letterless_word_ratio_redpajama_v2,
    lorem_ipsum_ratio_redpajama_v2,
    mean_word_length_redpajama_v2,
    symbol_word_ratio_redpajama_v2,
    unique_word_ratio_redpajama_v2,
    unigram_entropy_redpajama_v2,
    word_count_redpajama_v2,
    sentence_count_redpajama_v2,
    terminal_line_ratio_redpajama_v2,
    javascript_word_count_redpajama_v2,
    words_per_line_redpajama_v2,
    line_numeric_ratio_redpajama_v2,
    bullet_line_ratio_redpajama_v2,
    line_uppercase_ratio_redpajama_v2,
    *(_top_ngram(size) for size in range(2, 5)),
    *(_dup_ngram(size) for size in range(5, 11)),
)
