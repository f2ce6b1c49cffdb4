"""Snippets in one suffix array."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.substrings import _kernels
from gristmill.dedup.substrings.anchors import Hashes, gram_size
from gristmill.text import Integers


class Snippets(NamedTuple):
    """Snippets, those of each key in the order in which their documents survive.

    ``data``: their words, each with a separator after it; ``offsets``: where each starts; ``keys``; ``starts``: the
    first word's place in its document; ``anchors``: the anchor's place in the snippet; ``of``: what row each is of.
    """

    data: npt.NDArray[np.uint8]
    offsets: Integers
    keys: Hashes
    starts: Integers
    anchors: Integers
    of: Integers

    @staticmethod
    def of_rows(rows: pa.Table, texts: pa.LargeBinaryArray) -> Snippets:
        """Return the snippets of rows of `SNIPPETS`, whose words are given apart."""
        starts = np.asarray(rows.column(schema.START))
        _, offsets, data = texts.buffers()
        offsets = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        return Snippets(
            _read_only(np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]),
            offsets - offsets[0],
            np.asarray(rows.column(schema.KEY)),
            starts,
            np.asarray(rows.column(schema.POSITION)) - starts,
            np.arange(len(texts)),
        )

    def parts(self, n: int, count: int) -> Iterator[Snippets]:
        """Yield them in so many parts, by where the anchor stands in a window; equal windows are in one part.

        A part repeats the words that its windows share with those of another: it has n - 1 of these for each snippet.
        """
        if count == 1:
            yield self
            return
        bounds = np.unique(np.linspace(0, n - gram_size(n) + 1, count + 1).astype(np.int64))
        for low, high in pairwise(bounds.tolist()):
            yield self._part(n, low, high)

    def _part(self, n: int, low: int, high: int) -> Snippets:
        """Return what lies in the windows whose anchor is ``low`` to ``high`` - 1 words after their start."""
        counts, stops = word_ends(self.data, self.offsets)
        first = np.maximum(self.anchors - high + 1, 0)
        stop = np.minimum(self.anchors - low + 1, np.diff(counts) - n + 1)
        some = np.flatnonzero(first < stop)
        first, stop, bases = first[some], stop[some] + n - 1, counts[:-1][some]
        begins, finishes = np.append(0, stops)[bases + first], stops[bases + stop - 1]
        offsets = np.append(0, np.cumsum(finishes - begins))
        out = np.empty(offsets[-1], np.uint8)
        _kernels.copy_spans(self.data, (begins, finishes), out)
        starts, anchors = self.starts[some] + first, self.anchors[some] - first
        return Snippets(_read_only(out), offsets, self.keys[some], starts, anchors, self.of[some])


def word_ends(data: npt.NDArray[np.uint8], offsets: Integers) -> tuple[Integers, Integers]:
    """Return the counts of the words of each snippet, and the byte after each word's separator."""
    ends = np.flatnonzero(data == _kernels.SEPARATOR) + 1
    return np.searchsorted(ends, offsets, side="right"), ends


def compared_spans(snippets: Snippets, n: int) -> tuple[Integers, Integers, Integers]:
    """Return what snippet, first word and word after the last, of the words in windows that stand before.

    Before: in a snippet before, of those with the same key. Spans do not overlap, nor touch within a snippet.
    """
    counts, ends = word_ends(snippets.data, snippets.offsets)
    windows = np.maximum(np.diff(counts) - n + 1, 0)
    of = np.repeat(np.arange(len(windows)), windows)
    firsts = np.append(0, np.cumsum(windows))
    word = np.arange(firsts[-1]) - firsts[of] + counts[of]
    repeated = _repeated(snippets, (np.append(0, ends)[word], ends[word + n - 1]), snippets.keys[of])
    chosen = np.flatnonzero(repeated)
    return _joined(of[chosen], (word - counts[of])[chosen], n, snippets)


def _joined(of: Integers, places: Integers, n: int, snippets: Snippets) -> tuple[Integers, Integers, Integers]:
    """Return windows that follow each other as one span of words of their document."""
    new = np.append(True, (of[1:] != of[:-1]) | (places[1:] > places[:-1] + n)) if len(of) else np.zeros(0, np.bool_)
    starts = np.flatnonzero(new)
    last = places[np.append(starts[1:], len(of)) - 1] if len(of) else places
    of = of[starts]
    return snippets.of[of], places[starts] + snippets.starts[of], last + n + snippets.starts[of]


def _repeated(snippets: Snippets, windows: tuple[Integers, Integers], keys: Hashes) -> npt.NDArray[np.bool_]:
    """Return whether each window, given its first byte and the byte after it, stands before with the same key."""
    starts, stops = windows
    at = np.full(len(snippets.data), -1, np.int32)
    at[starts] = np.arange(len(starts))
    order, run = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    _kernels.equal_windows(snippets.data, _suffix_array(snippets.data), (at, stops), order, run)
    by_key = np.lexsort((order, keys[order], run))
    order, run, keys = order[by_key], run[by_key], keys[order[by_key]]
    first = np.append(True, (run[1:] != run[:-1]) | (keys[1:] != keys[:-1]))[: len(run)]
    repeated = np.zeros(len(starts), np.bool_)
    repeated[order[~first]] = True
    return repeated


def _suffix_array(data: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Return where the suffixes of the bytes start, in their order.

    By one thread: shards and partitions are the parallelism, and OpenMP's other threads are not there in a process that
    was forked from one that had them, which then waits for them for ever.
    """
    from pydivsufsort import divsufsort  # loads C libraries: only where it is asked for
    from pydivsufsort.dll import libdivsufsort

    libdivsufsort.omp_set_num_threads(1)
    return divsufsort(data.copy()) if len(data) else np.empty(0, np.int32)  # it refuses what is read-only


def _read_only(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a view, so that kernels are compiled for one type."""
    data = data.view()
    data.flags.writeable = False
    return data
