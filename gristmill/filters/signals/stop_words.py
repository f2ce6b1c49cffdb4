"""Stop words of the document's own language, as FineWeb-2 counts them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.filters.signals.signal import Column, ratio, signal
from gristmill.filters.signals.word_lists import WordLists, by_language, listed_words, word_table
from gristmill.text import TextBatch

FAMILY: Final = "stop_words"
SOURCE: Final = "Penedo et al. 2025, arXiv:2506.20920, with GopherQualityFilter of datatrove 0.10"
_LIST: Final = "stop_words"
_NEEDS: Final = (schema.LANGUAGE, _LIST)


def found_stop_words(batch: TextBatch) -> tuple[Column, Column, Column]:
    """Return, for each text: whether its language has a list, how many different stop words occur, how often any."""
    lists: WordLists = batch.lists[_LIST]
    has_list = np.zeros(batch.rows, np.bool_)
    found = np.zeros((batch.rows, 2), np.int64)
    for label, rows in by_language(batch, lists):
        has_list[rows] = True
        found[rows] = listed_words(batch.words, lists.made(label, word_table), rows)
    return has_list, found[:, 0], found[:, 1]


@signal(pa.int64(), FAMILY, SOURCE, needs=_NEEDS)
def language_stop_word_count(batch: TextBatch) -> pa.Array:
    """Distinct words among the stop words of the document's language; in the case of the list.

    A stop word that is no word of the text's segmentation, such as one of two words, is never found. An empty text has
    0; a document in a language without a list has null, so no rule drops it.
    """
    has_list, distinct, _ = batch.scan(found_stop_words)
    return pa.array(distinct, mask=~has_list)


@signal(pa.float64(), FAMILY, SOURCE, needs=_NEEDS)
def stop_word_ratio(batch: TextBatch) -> pa.Array:
    """Words that are stop words of the document's language, in the case of the list / all words.

    A text without words has 0.0; a document in a language without a list has null, so no rule drops it. RedPajama-V2
    has raw words of its own: ``stop_word_ratio_redpajama_v2``.
    """
    has_list, _, times = batch.scan(found_stop_words)
    return pa.array(ratio(times, np.diff(batch.words.counts)), mask=~has_list)


SIGNALS: Final = (language_stop_word_count, stop_word_ratio)
