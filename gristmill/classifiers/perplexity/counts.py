"""N-grams and their counts, in suffix order: sorted by the last word, then the one before it, and so on.

The n-grams that end in the same words are together, so a part of the last words is a part of all that is to be counted
of them: memory is bounded by a part. An n-gram is the child of the (n-1)-gram that it ends in, its *suffix*, and
extends the one that it begins with, its *context*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gristmill.classifiers.perplexity import _kernels
from gristmill.classifiers.perplexity.columns import CHUNK, Array, Scratch
from gristmill.classifiers.perplexity.corpus import BEGIN_ID, Corpus

PART: Final = CHUNK
"""Tokens whose n-grams are counted at once, unless one word stands there more often."""


@dataclass(frozen=True)
class Order:
    """All n-grams of n words, in suffix order.

    ``suffix`` and ``context`` are positions among the (n-1)-grams, 0 for words: there is one n-gram of no words;
    ``first`` is where it stands first: the position of its last token. ``raw`` is how often it stands there. ``count``
    is the adjusted count: how many different words stand before it; for the longest n-grams, and those that begin a
    sentence, how often they are there (Kneser and Ney 1995; Chen and Goodman 1998, 4.1.6).
    """

    n: int
    suffix: Array
    context: Array
    first: Array
    raw: Array
    count: Array

    def __len__(self) -> int:
        return len(self.raw)


def count_ngrams(corpus: Corpus, order: int, scratch: Scratch) -> list[Order]:
    """Return the n-grams of a corpus, of one word, of two, up to ``order``."""
    counter = _Counter(corpus, order, scratch)
    for low, high in _parts(np.bincount(corpus.tokens, minlength=len(corpus.words))):
        counter.add(low, high)
    return counter.orders()


def _parts(frequencies: Array) -> Iterator[tuple[int, int]]:
    """Yield ranges of words that together stand at most `PART` times, or are one word."""
    ends = np.cumsum(frequencies)
    low = 0
    while low < len(ends):
        before = ends[low - 1] if low else 0
        high = max(int(np.searchsorted(ends, before + PART, side="right")), low + 1)
        yield low, high
        low = high


class _Counter:
    """The n-grams counted so far, in columns on disk."""

    def __init__(self, corpus: Corpus, order: int, scratch: Scratch) -> None:
        self.corpus = corpus
        self.order = order
        self.columns = [
            {name: scratch.column(f"{name}-{n}", np.uint32) for name in ("suffix", "raw", "children")}
            | {"first": scratch.column(f"first-{n}", np.int64), "starts": scratch.column(f"starts-{n}", np.bool_)}
            for n in range(1, order + 1)
        ]
        self.ending = [scratch.column(f"ending-{n}", np.uint32).fill(len(corpus.tokens)) for n in range(2, order)]
        self.contexts = [scratch.column(f"context-{n}", np.uint32) for n in range(1, order + 1)]
        self.counts = [scratch.column(f"count-{n}", np.int64) for n in range(1, order + 1)]

    def add(self, low: int, high: int) -> None:
        """Count the n-grams whose last word is in a range."""
        tokens, words = self.corpus.tokens, len(self.corpus.words)
        at = positions_of(tokens, low, high)
        depth = np.empty(len(at), np.int8)
        _kernels.depths(tokens, at, BEGIN_ID, self.order, depth)
        node = (tokens[at] - np.uint32(low)).astype(np.int64)
        self._write(1, np.zeros(high - low), at, node, high - low)
        for n in range(2, self.order + 1):
            chosen = depth >= n
            at, depth = at[chosen], depth[chosen]
            key = node[chosen] * words + tokens[at - n + 1]
            suffixes, node, size = _ranked(key, words)
            base = len(self.columns[n - 2]["raw"]) - self._last
            self.columns[n - 2]["children"].append(np.bincount(suffixes, minlength=self._last))
            if n < self.order:
                self.ending[n - 2][at] = node + len(self.columns[n - 1]["raw"])
            self._write(n, suffixes + base, at, node, size)
        self.columns[-1]["children"].append(np.zeros(self._last, np.uint32))

    def _write(self, n: int, suffix: Array, at: Array, node: Array, size: int) -> None:
        """Append the n-grams of a part: ``node`` is which of ``size`` ends at each of the positions."""
        first = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(first, node, at)
        columns = self.columns[n - 1]
        columns["suffix"].append(suffix)
        columns["raw"].append(np.bincount(node, minlength=size))
        columns["first"].append(first)
        begins = np.minimum(first, len(self.corpus.tokens) - 1) - (n - 1)
        columns["starts"].append(self.corpus.tokens[begins] == BEGIN_ID)
        self._last = size

    def orders(self) -> list[Order]:
        """Return what was counted."""
        return [self._order(n) for n in range(1, self.order + 1)]

    def _order(self, n: int) -> Order:
        columns = {name: column.values() for name, column in self.columns[n - 1].items()}
        ending = self.corpus.tokens if n == 2 else self.ending[n - 3] if n > 2 else None
        context, count = self.contexts[n - 1], self.counts[n - 1]
        for start in range(0, len(columns["raw"]), CHUNK):
            part = slice(start, start + CHUNK)
            raw = columns["raw"][part]
            context.append(np.zeros(len(raw)) if ending is None else ending[columns["first"][part] - 1])
            whole = n == self.order
            count.append(raw if whole else np.where(columns["starts"][part], raw, columns["children"][part]))
        return Order(n, columns["suffix"], context.values(), columns["first"], columns["raw"], count.values())


def positions_of(tokens: Array, low: int, high: int) -> Array:
    """Return where the tokens of a range stand."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(tokens), CHUNK):
        part = tokens[start : start + CHUNK]
        found.append(np.flatnonzero((part >= low) & (part < high)) + start)
    return np.concatenate(found)


def _ranked(keys: Array, words: int) -> tuple[Array, Array, int]:
    """Return the suffix of each different key, which of them each key is, and how many there are."""
    order = np.argsort(keys)
    sorted_keys = keys[order]
    new = np.ones(len(keys), np.bool_)
    new[1:] = sorted_keys[1:] != sorted_keys[:-1]
    node = np.empty(len(keys), np.int64)
    node[order] = np.cumsum(new) - 1
    return sorted_keys[new] // words, node, int(np.count_nonzero(new))
