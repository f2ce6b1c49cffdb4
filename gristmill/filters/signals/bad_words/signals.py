"""Occurrences of the words that LDNOOBW lists for the document's language, as C4 and mC4 look for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.characters import character_classes, lower_case
from gristmill.filters.rules.labels import names_of
from gristmill.filters.signals.bad_words import _kernels
from gristmill.filters.signals.signal import Column, signal
from gristmill.filters.signals.tables import slots
from gristmill.filters.signals.word_lists import WordLists, by_language
from gristmill.text import TextBatch

FAMILY: Final = "bad_words"
SOURCE: Final = (
    "Raffel et al. 2020, arXiv:1910.10683, section 2.2, and Xue et al. 2021, arXiv:2010.11934; meaning of "
    "C4BadWordsFilter of datatrove 0.10"
)
_LIST: Final = "bad_words"
_NEEDS: Final = (schema.LANGUAGE, _LIST)
# Languages whose entries are found anywhere, and entries left out there because they are part of too many words.
_WITHOUT_SPACES: Final = {"ja", "th", "zh"}
_ALLOWED: Final = {"sm", "グロ", "女の子", "性"}


class Trie(NamedTuple):
    """Entries by their characters: edges as a hash table, and the number of the entry that ends in each state."""

    keys: npt.NDArray[np.uint64]
    targets: npt.NDArray[np.int32]
    entries: npt.NDArray[np.int32]


def trie_of(words: Sequence[str]) -> Trie:
    """Return the trie of a list's entries, as they are written, without those that are allowed."""
    following: dict[tuple[int, int], int] = {}
    ends = {0: 0}
    for number, word in enumerate(sorted({word for word in words if word} - _ALLOWED), 1):
        state = 0
        for point in map(ord, word):
            state = following.setdefault((state, point), len(following) + 1)
            ends.setdefault(state, 0)
        ends[state] = number
    edges = np.array([(state << 21 | point) + 1 for state, point in following], np.uint64)
    size = slots(len(edges))
    keys, targets = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    _kernels.fill_edges(edges, np.array(list(following.values()), np.int32), keys, targets)
    entries = np.array([ends[state] for state in range(len(ends))], np.int32)
    for array in (keys, targets, entries):
        array.flags.writeable = False
    return Trie(keys, targets, entries)


def found_bad_words(batch: TextBatch) -> tuple[Column, Column, Column]:
    """Return, for each text: whether its language has a list, occurrences of its entries, different entries."""
    lists: WordLists = batch.lists[_LIST]
    has_list = np.zeros(batch.rows, np.bool_)
    found = np.zeros((batch.rows, 2), np.int64)
    tables = character_classes(), lower_case()
    points = np.empty(int(np.diff(batch.offsets).max(initial=0)), np.uint32)
    for label, rows in by_language(batch, lists):
        trie = lists.made(label, trie_of)
        bounded = not _WITHOUT_SPACES & set(names_of(lists.language(label)))
        work = points, np.zeros(int(trie.entries.max()) + 1, np.int64)
        out = np.empty((len(rows), 2), np.int64)
        _kernels.listed_phrases((batch.data, batch.offsets), rows, tables, tuple(trie), bounded, work, out)
        has_list[rows], found[rows] = True, out
    return has_list, found[:, 0], found[:, 1]


@signal(pa.int64(), FAMILY, SOURCE, needs=_NEEDS)
def bad_word_count(batch: TextBatch) -> pa.Array:
    r"""Occurrences of the entries that the list of the document's language has.

    The text is lower-cased character by character, the entries are not: one with capitals is never found, as in C4. An
    entry, which can be of several words, stands between characters that are not ``\w``; in Japanese, Thai and Chinese
    it stands anywhere, and four entries that are part of too many words are left out. Of entries that start at the same
    place the longest counts, and none overlap. An empty text has 0; a document in a language without a list has null,
    so no rule drops it. RedPajama-V2 counts n-grams of normalized words: ``bad_word_count_redpajama_v2``.
    """
    has_list, times, _ = batch.scan(found_bad_words)
    return pa.array(times, mask=~has_list)


@signal(pa.int64(), FAMILY, SOURCE, needs=_NEEDS)
def distinct_bad_word_count(batch: TextBatch) -> pa.Array:
    """Different entries among the occurrences that ``bad_word_count`` counts.

    An empty text has 0; a document in a language without a list has null.
    """
    has_list, _, distinct = batch.scan(found_bad_words)
    return pa.array(distinct, mask=~has_list)


SIGNALS: Final = (bad_word_count, distinct_bad_word_count)
