"""The scans of a text as RedPajama-V2 sees it, each done once per batch.

Its words do not depend on the recipe's ``words``. Normalized words: ASCII punctuation is deleted, the rest lower-cased
and decomposed (NFD), and split at white space. Raw words: runs of letters, digits and ``_``, and runs of other
characters that are not white space.
"""

from __future__ import annotations

import string
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.characters import DROPPED, character_classes, letter_cases, normal_forms
from gristmill.filters.signals.gopher_quality_dolma import sums
from gristmill.filters.signals.gopher_repetition import ngrams_of
from gristmill.filters.signals.redpajama import _kernels
from gristmill.filters.signals.signal import Column
from gristmill.filters.signals.tables import most, table
from gristmill.text import Integers, TextBatch

_JAVASCRIPT: Final = "javascript"


class Normalized(NamedTuple):
    """The normalized words of all rows, and counts of each row.

    Words of row *i* are those from ``counts[i]`` to ``counts[i + 1]``; ``hashes`` and ``lengths`` are as in ``Words``.
    ``lorem_ipsum`` is how often it stands in the normalized text, ``number_shares`` the sum over all lines of the
    numeric characters / characters of the normalized line (float64).
    """

    counts: Integers
    hashes: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.int32]
    lorem_ipsum: Column
    number_shares: Column


def normalized(batch: TextBatch) -> Normalized:
    """Return the words of the normalized text."""
    size = len(batch.data)
    counts = np.empty(batch.rows + 1, np.int64)
    hashes, lengths = np.empty(size, np.uint64), np.empty(size, np.int32)
    marks = np.empty(most(batch.offsets) * 3 // 2 + 1, np.uint32)  # a byte becomes at most 1.5 code points
    out = np.empty(batch.rows, np.int64), np.empty(batch.rows, np.float64)
    total = _kernels.normalized_words(batch.data, batch.offsets, _tables(), marks, counts, (hashes, lengths), out)
    return Normalized(counts, hashes[:total], lengths[:total], *out)


class Totals(NamedTuple):
    """Of each row: normalized words, their characters, the characters of the normalized text (int64 each)."""

    words: Column
    word_characters: Column
    characters: Column


def totals(batch: TextBatch) -> Totals:
    """Return how much normalized text there is; one space stands between two of its words."""
    found = batch.scan(normalized)
    words = np.diff(found.counts)
    characters = sums(found.lengths, found.counts)
    return Totals(words, characters, characters + np.maximum(words - 1, 0))


class Raw(NamedTuple):
    """Of each row: the counts of the kernel ``raw_text``, and the sum over lines of the share of capitals."""

    counts: Column
    capital_shares: Column


def raw(batch: TextBatch) -> Raw:
    """Return what is counted in the text as it is."""
    out, shares = np.empty((batch.rows, _kernels.COLUMNS), np.int64), np.empty(batch.rows, np.float64)
    _kernels.raw_text(batch.data, batch.offsets, character_classes(), letter_cases(), out, shares)
    return Raw(out, shares)


class Tallies(NamedTuple):
    """Of each row: different normalized words (int64), the entropy of their distribution in nats (float64)."""

    distinct: Column
    entropy: Column


def tallies(batch: TextBatch) -> Tallies:
    """Return how the normalized words are distributed."""
    found = batch.scan(normalized)
    out = Tallies(np.empty(batch.rows, np.int64), np.empty(batch.rows, np.float64))
    _kernels.word_tallies(found.counts, found.hashes, table(most(found.counts)), *out)
    return out


def ngrams(batch: TextBatch) -> Column:
    """Return int64[rows, 24] of the n-grams of normalized words, as ``ngram_occurrences`` has it."""
    found = batch.scan(normalized)
    return ngrams_of(found.counts, found.hashes, found.lengths)


def javascripts(batch: TextBatch) -> Column:
    """Return int64[rows]: normalized words that are "javascript"."""
    found = batch.scan(normalized)
    return sums(found.hashes == _hash_of(_JAVASCRIPT), found.counts)


@cache
def _hash_of(word: str) -> np.uint64:
    hashes = normalized(TextBatch(pa.array([word]))).hashes
    return np.uint64(hashes[0])


@cache
def _tables() -> tuple[npt.NDArray[Any], ...]:
    """Return the normal forms with ASCII punctuation dropped, their sequences, and the classes of characters."""
    forms, sequences = normal_forms()
    forms = forms.copy()
    forms[list(map(ord, string.punctuation))] = DROPPED
    forms.flags.writeable = False
    return forms, sequences, character_classes()
