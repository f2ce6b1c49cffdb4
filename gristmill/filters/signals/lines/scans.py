"""The scans of lines, each done once for all families that read it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import _kernels as segmentation
from gristmill.characters import character_classes, lower_case, word_breaks
from gristmill.filters.signals.lines import _kernels
from gristmill.filters.signals.signal import Column
from gristmill.filters.signals.tables import most, table
from gristmill.text import TextBatch

_CITATIONS: Final = ("[edit]", "[citation needed]")  # and digits in brackets, or nothing
_PHRASES: Final = {
    "lorem ipsum": _kernels.LOREM,
    "javascript": _kernels.JAVASCRIPT,
    "terms of use": _kernels.POLICY,
    "privacy policy": _kernels.POLICY,
    "cookie policy": _kernels.POLICY,
    "uses cookies": _kernels.POLICY,
    "use of cookies": _kernels.POLICY,
    "use cookies": _kernels.POLICY,
}


def nonblank_lines(batch: TextBatch) -> Column:
    """Return int64[rows, 5]: four counts of lines that are not blank, and one of all lines.

    The number of those lines, those that end in a terminal mark, the short ones, the characters of those that occurred
    before; then the lines of at least 200 characters.
    """
    lines = batch.feed_lines
    out = np.empty((batch.rows, 5), np.int64)
    spans = lines.starts, lines.ends
    _kernels.nonblank_lines(batch.data, character_classes(), lines.counts, spans, table(most(lines.counts)), out)
    return out


class C4Lines(NamedTuple):
    """What C4 makes of the lines of each text (int64 each, one a row).

    Lines that it keeps, lines with lorem ipsum and with a brace among those that it looks at, lines with javascript,
    lines with a policy; sentences of the kept lines, and of all.
    """

    kept: Column
    lorem: Column
    braces: Column
    javascript: Column
    policies: Column
    kept_sentences: Column
    sentences: Column


def c4_lines(batch: TextBatch) -> C4Lines:
    """Return what C4's cleaning, as datatrove has it, finds in the lines of ``str.splitlines``."""
    lines = batch.lines
    starts, ends = np.empty(len(lines.starts), np.int64), np.empty(len(lines.starts), np.int64)
    tables = character_classes(), word_breaks(), lower_case(), _letters(_CITATIONS)
    segmentation.stripped_spans(batch.data, (lines.starts, lines.ends), tables[0], starts, ends)
    offsets, kept = np.empty(len(starts) + 1, np.int64), np.empty(len(starts), np.bool_)
    text = np.empty(len(batch.data), np.uint8)
    out = np.empty((batch.rows, 5), np.int64)
    _kernels.c4_lines(batch.data, tables, (lines.counts, starts, ends), _phrases(), (text, offsets, kept), out)
    cleaned = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(text))
    words = TextBatch(cleaned, batch.kind).words
    sentences = np.empty(len(starts), np.int64)
    _kernels.sentences(words.counts, words.flags, sentences)
    kept_sentences, all_sentences = _sums(sentences * kept, lines.counts), _sums(sentences, lines.counts)
    return C4Lines(out[:, 0], out[:, 1], out[:, 2], out[:, 3], out[:, 4], kept_sentences, all_sentences)


def _sums(values: Column, counts: Column) -> Column:
    """Return the sum of the values of each row."""
    totals = np.concatenate([[0], np.cumsum(values)])
    return np.asarray(totals[counts[1:]] - totals[counts[:-1]])


def _letters(phrases: Iterable[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the letters of all phrases, and where each phrase starts in them."""
    listed = [phrase.encode() for phrase in phrases]
    return np.frombuffer(b"".join(listed), np.uint8), np.concatenate([[0], np.cumsum([len(text) for text in listed])])


def _phrases() -> tuple[npt.NDArray[Any], ...]:
    """Return C4's phrases as the kernel reads them."""
    beginnings = np.zeros((256, 256), np.bool_)
    for phrase in _PHRASES:
        for cases in product(*((letter, letter.upper()) for letter in phrase[:2])):
            beginnings[tuple(map(ord, cases))] = True
    return *_letters(_PHRASES), np.array(list(_PHRASES.values()), np.int64), beginnings
