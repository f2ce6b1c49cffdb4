"""RedPajama-V2's quality signals (Weber et al. 2024) that need lists of words: each names the ``rps_...`` that it is.

Words are as in the family ``redpajama_v2``, whatever the recipe's are. ``rps_doc_ut1_blacklist`` is a number for the
categories of a page's domain; ``ut1_categories`` has their names.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.characters import character_classes
from gristmill.filters.signals import _kernels as word_kernels
from gristmill.filters.signals.redpajama import _kernels, scans
from gristmill.filters.signals.redpajama_v2 import SOURCE
from gristmill.filters.signals.signal import ratio, signal
from gristmill.filters.signals.word_lists import WordLists, by_language, hash_table, word_table
from gristmill.text import Integers, TextBatch

FAMILY: Final = "redpajama_v2_lists"
_STOP_WORDS: Final = "stop_words"
_BAD_WORDS: Final = "bad_words"
_NO_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


class Phrases(NamedTuple):
    """Entries of one or more words: the numbers of words that any has, and a hash table of them as n-grams."""

    sizes: Integers
    table: npt.NDArray[np.uint64]


def phrases_of(entries: Sequence[str]) -> Phrases:
    """Return the entries that normalized words joined by spaces can equal; others are never found."""
    able = sorted({entry for entry in entries if entry and _normalized(entry) == entry})
    words = scans.normalized(TextBatch(pa.array(able, pa.large_string())))
    bounds = zip(words.counts[:-1], words.counts[1:], strict=True)
    grams = [_kernels.ngram_hash(words.hashes[start:stop]) for start, stop in bounds]
    return Phrases(np.unique(np.diff(words.counts)), hash_table(np.unique(np.array(grams, np.uint64))))


@signal(pa.int64(), FAMILY, SOURCE, needs=(schema.LANGUAGE, _BAD_WORDS))
def bad_word_count_redpajama_v2(batch: TextBatch) -> pa.Array:
    """Occurrences of the list's entries among the n-grams of normalized words.

    It is ``rps_doc_ldnoobw_words``. Every n-gram counts, those inside another too. Entries are not normalized: one with
    capitals, an accent in one character or punctuation is never found, as there. An empty text has 0; a document in a
    language without a list has null, so no rule drops it; there it has 0. ``bad_word_count`` is C4's.
    """
    lists: WordLists = batch.lists[_BAD_WORDS]
    words = batch.scan(scans.normalized)
    found, has_list = np.zeros(batch.rows, np.int64), np.zeros(batch.rows, np.bool_)
    for label, rows in by_language(batch, lists):
        phrases = lists.made(label, phrases_of)
        out = np.empty(len(rows), np.int64)
        _kernels.listed_ngrams(words.counts, rows, words.hashes, phrases.sizes, phrases.table, out)
        found[rows], has_list[rows] = out, True
    return pa.array(found, mask=~has_list)


@signal(pa.float64(), FAMILY, SOURCE, needs=(schema.LANGUAGE, _STOP_WORDS))
def stop_word_ratio_redpajama_v2(batch: TextBatch) -> pa.Array:
    """Raw words that are stop words of the document's language, in the case of the list / raw words.

    It is ``rps_doc_stop_word_fraction``, with the list that the recipe names. A text without words has 0.0; a document
    in a language without a list has null, so no rule drops it. ``stop_word_ratio`` has the recipe's words.
    """
    lists: WordLists = batch.lists[_STOP_WORDS]
    counts, hashes = np.empty(batch.rows + 1, np.int64), np.empty(len(batch.data), np.uint64)
    total = _kernels.raw_words(batch.data, batch.offsets, character_classes(), counts, hashes)
    found, has_list = np.zeros(batch.rows, np.int64), np.zeros(batch.rows, np.bool_)
    for label, rows in by_language(batch, lists):
        table = lists.made(label, word_table)
        out = np.empty((len(rows), 2), np.int64)
        word_kernels.listed_words(counts, rows, hashes[:total], table, np.zeros(len(table), np.int64), out)
        found[rows], has_list[rows] = out[:, 1], True
    return pa.array(ratio(found, np.diff(counts)), mask=~has_list)


def _normalized(entry: str) -> str:
    lower = "".join(map(str.lower, entry.translate(_NO_PUNCTUATION)))
    return " ".join(unicodedata.normalize("NFD", lower).split())


SIGNALS: Final = (bad_word_count_redpajama_v2, stop_word_ratio_redpajama_v2)
