"""Tables of what is looked for: the words of items, their n-grams, and the first words of short texts."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.dedup.contamination._kernels import Known
from gristmill.dedup.contamination.ngrams import _kernels
from gristmill.dedup.contamination.ngrams._kernels import Items, Slots
from gristmill.dedup.contamination.normal import alphabet
from gristmill.dedup.contamination.words._kernels import SPACE
from gristmill.text import Integers

SLOTS_PER_NGRAM: Final = 2
FILTER_BITS_PER_NGRAM: Final = 16


class Sizes(NamedTuple):
    """How many words an n-gram has, and a short text at least."""

    ngram: int
    short: int


class Tables(NamedTuple):
    """What is looked for, how many unlike n-grams that are, and which items can be found (bool[items])."""

    known: Known
    ngram_count: int
    findable: npt.NDArray[np.bool_]

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return sum(array.nbytes for part in self.known[:3] for array in part) + self.known.common.nbytes


def tables(text: npt.NDArray[np.uint8], bounds: Integers, item: Integers, sizes: Sizes) -> Tables:
    """Return the tables of normalised texts, one after another.

    ``bounds``: int64[texts + 1], where each starts. ``item``: int64[texts], the item that each is of. A text of an item
    that has no n-gram is looked for whole, if it has enough words, fewer than an n-gram, three of them telling.
    """
    items = _items(text, bounds)
    lengths = np.diff(items.bounds)
    telling = np.zeros(len(items.owners), np.uint64)
    _kernels.telling_words(items, alphabet(), telling)
    firsts = np.full(len(items.owners), -1, np.int32)
    eligible = np.zeros(len(lengths), np.int64)
    grams = _empty(sizes.ngram, int(np.maximum(lengths - sizes.ngram + 1, 0).sum()))
    count = _kernels.fill(grams, items, telling, (lengths, eligible), firsts)
    findable = np.bincount(item, eligible) > 0
    short = (lengths >= sizes.short) & (lengths < sizes.ngram) & ~findable[item]
    short &= _distinct(telling, items, short) >= 3
    shorts = _empty(sizes.short, int(short.sum()))
    _kernels.fill_starts(shorts, items, short, firsts)
    findable[item[short]] = True
    _kernels.chain(firsts, np.empty_like(firsts), items.later)
    for array in (*items, *grams, *shorts):
        array.flags.writeable = False
    return Tables(Known(grams, shorts, items, np.zeros(len(firsts), np.bool_)), count, findable)


def _items(text: npt.NDArray[np.uint8], bounds: Integers) -> Items:
    """Return the words of texts, which nothing is known of yet."""
    spaces = np.flatnonzero(text == SPACE)
    starts = np.concatenate([[0], spaces + 1])
    firsts = np.searchsorted(spaces, bounds)
    owners = np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(firsts))
    return Items(text, starts, owners, firsts, np.full(len(owners), -1, np.int32))


def _distinct(telling: npt.NDArray[np.uint64], items: Items, of: npt.NDArray[np.bool_]) -> Integers:
    """Return how many distinct telling words each text has; 0 for those that are not asked for."""
    words = np.flatnonzero(of[items.owners] & (telling > 0))
    pairs = np.unique(np.stack([items.owners[words].astype(np.uint64), telling[words]]), axis=1)
    return np.bincount(pairs[0].astype(np.int64), minlength=len(of))


def _empty(ngram: int, ngrams: int) -> Slots:
    slots = SLOTS_PER_NGRAM * ngrams + 1
    bits = max(64, 1 << (FILTER_BITS_PER_NGRAM * ngrams).bit_length())
    words = np.full(slots, -1, np.int32)
    return Slots(np.array([ngram]), np.zeros(slots, np.uint64), words, np.zeros(bits // 64, np.uint64))
