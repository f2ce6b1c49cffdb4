"""DCLM's three kinds of words.

Its filters split at white space (``str.split``). Where they count words, they do so with fastText's tokenizer and leave
out those that do not begin with a letter or digit. n-grams are of uniseg's words, again without those; here they are of
whatever words a batch has.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.filters.dclm import _kernels
from gristmill.filters.signals.signal import Column
from gristmill.filters.signals.tables import most, slots, table
from gristmill.text import ALNUM_FIRST, TextBatch, Words
from gristmill.words import WORDS

_NO_SPACE = 0  # no mark stands for a space


def split_words(batch: TextBatch) -> Words:
    """Return the words of ``str.split``, whatever words the batch has."""
    return batch.words if batch.kind == "whitespace" else WORDS["whitespace"](batch.data, batch.offsets)


def plain_word_counts(batch: TextBatch) -> Column:
    """Return int64[rows]: the words between white space of ASCII and NULs that begin with a letter or digit."""
    return words_left(batch, np.zeros(len(batch.data), np.uint8), _NO_SPACE)


def words_left(batch: TextBatch, marks: npt.NDArray[np.uint8], space: int) -> Column:
    """Return int64[rows]: the plain words without the bytes that are marked; the mark ``space`` leaves a space."""
    out = np.empty(batch.rows, np.int64)
    _kernels.plain_word_counts(batch.data, batch.offsets, character_classes(), (marks, space), out)
    return out


def spoken_words(batch: TextBatch) -> Words:
    """Return the batch's words that begin with a letter, digit or other number."""
    words = batch.words
    kept = words.flags & ALNUM_FIRST != 0
    counts = np.concatenate([[0], np.cumsum(kept)])[words.counts]
    return Words(counts, words.hashes[kept], words.lengths[kept], words.flags[kept])


def covered_ngrams(batch: TextBatch) -> Column:
    """Return int64[rows, 9]: characters of the top 2- to 4-gram, then of the words in repeated 5- to 10-grams."""
    words = batch.scan(spoken_words)
    longest = most(words.counts)
    out = np.empty((batch.rows, 9), np.int64)
    scratch = (
        np.empty(slots(2 * longest), np.uint8),
        np.empty(longest, np.int32),
        np.empty(longest, np.uint64),
        np.empty(longest, np.int32),
        np.empty(longest + 1, np.int64),
    )
    _kernels.covered_ngrams(words.counts, (words.hashes, words.lengths), scratch, table(longest), out)
    return out
