"""Anchors: the one gram of each window by which equal windows meet.

A *window* is n words in a row. Its *anchor* is the gram of `gram_size(n)` words in it whose hash is the least, the last
of equal ones (winnowing: Schleimer, Wilkerson, Aiken 2003, section 4). It depends on the window alone, so equal windows
have equal anchors at the same place, wherever they stand. Windows one after another mostly share an anchor: of 50 words
each, one window in 18 has another than the one before it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.characters import UNICODE_VERSION, word_breaks
from gristmill.dedup.substrings import _kernels
from gristmill.text import Integers, TextBatch, words_versions

Hashes = npt.NDArray[np.uint64]

_VERSION: Final = "1"


def versions() -> dict[str, str]:
    """Return what decides which windows are equal; it belongs into the stage's hash."""
    return {"substrings": _VERSION, "unicode": UNICODE_VERSION, **words_versions("unicode")}


def gram_size(n: int) -> int:
    """Return the words of a gram, of windows of n words: a third of them.

    Longer grams have more anchors, and so more text that travels; shorter ones are repeated where no window is. On real
    web texts and windows of 50 words, 10 to 20 words make the least of both.

    >>> gram_size(50), gram_size(5)
    (16, 1)
    """
    return n // 3


class Words(NamedTuple):
    """The words of a batch's texts: those of row *i* are ``counts[i]`` to ``counts[i + 1]``.

    ``starts`` and ``ends`` are byte positions in ``data``, the rows of which start at ``offsets``.
    """

    data: npt.NDArray[np.uint8]
    offsets: Integers
    counts: Integers
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    hashes: Hashes


class Anchors(NamedTuple):
    """Anchors by the order of their places; positions are those of `Words`, over all rows.

    ``keys``: the grams' hashes, mixed, since least hashes are no even spread; ``rows``; ``positions``: the grams' first
    words; ``firsts`` and ``stops``: the words of all windows that have the anchor, from the first's first on, to the
    one after the last's last.
    """

    keys: Hashes
    rows: Integers
    positions: Integers
    firsts: Integers
    stops: Integers

    def take(self, places: npt.NDArray[Any]) -> Anchors:
        """Return those at some places, or of a mask."""
        return Anchors(
            self.keys[places], self.rows[places], self.positions[places], self.firsts[places], self.stops[places]
        )


def find_words(texts: pa.Array) -> Words:
    """Return the words of texts; a null text has none. Raises what `TextBatch` raises."""
    batch = TextBatch(texts)
    found = batch.words
    spans = np.empty(len(found.lengths), np.int32), np.empty(len(found.lengths), np.int32)
    _kernels.word_spans(batch.data, (batch.offsets, found.counts), word_breaks(), found.lengths, spans)
    return Words(batch.data, batch.offsets, found.counts, *spans, found.hashes)


def find_anchors(words: Words, n: int, scopes: Hashes | None = None) -> Anchors:
    """Return the anchors of all windows of n words. A row of fewer words has none.

    ``scopes`` has a number for each row: keys of rows of unlike scopes differ.
    """
    size = len(words.hashes)
    found: tuple[Any, ...] = (np.empty(size, np.uint64), *(np.empty(size, np.int64) for _ in range(4)))
    grams = np.empty(size, np.uint64)
    total = _kernels.anchors(words.hashes, words.counts, (n, gram_size(n)), grams, found)
    keys, rows, *places = (array[:total] for array in found)
    if scopes is not None:
        keys = keys ^ scopes[rows]
    return Anchors(_mixed(keys), rows, *places)


def _mixed(keys: Hashes) -> Hashes:
    """Return 64 bits for each number, one to one, evenly spread whatever the numbers are."""
    keys = keys ^ np.uint64(0xA0761D6478BD642F)
    for _ in range(2):
        keys = (keys ^ (keys >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return keys ^ (keys >> np.uint64(32))
