"""The scans of lines, each done once for all families that read it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
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


class CleanedLines(NamedTuple):
    """The lines of ``str.splitlines`` as C4 cleans them, in datatrove's meaning.

    ``counts`` are the five of the kernel (int64[rows, 5]), ``kept`` says which lines stay (bool[lines]), ``sentences``
    how many sentences each line has once its citations are cut (int64[lines]).
    """

    counts: Column
    kept: npt.NDArray[np.bool_]
    sentences: Column


def cleaned_lines(batch: TextBatch) -> CleanedLines:
    """Return the lines of a batch as C4 cleans them."""
    lines = batch.lines
    starts, ends = np.empty(len(lines.starts), np.int64), np.empty(len(lines.starts), np.int64)
    tables = character_classes(), word_breaks(), lower_case(), _letters(_CITATIONS)
    segmentation.stripped_spans(batch.data, (lines.starts, lines.ends), tables[0], starts, ends)
    offsets, text = np.empty(len(starts) + 1, np.int64), np.empty(len(batch.data), np.uint8)
    changed, kept = np.empty(len(starts), np.bool_), np.empty(len(starts), np.bool_)
    out = np.empty((batch.rows, 5), np.int64)
    cleaned = text, offsets, changed, kept
    changes = _kernels.c4_lines(batch.data, tables, (lines.counts, starts, ends), _phrases(), cleaned, out)
    sentences = batch.scan(whole_line_sentences)
    if changes:
        shorter = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(text))
        words = TextBatch(shorter, batch.kind).words
        sentences = np.where(changed, _sentences(words.counts, words.flags), sentences)
    return CleanedLines(out, kept, sentences)


def whole_line_sentences(batch: TextBatch) -> Column:
    """Return the sentences of each line of ``str.splitlines``, with its citations: int64[lines]."""
    return _sentences(batch.line_words, batch.words.flags)


def _sentences(counts: Column, flags: Column) -> Column:
    """Return the sentences of each run of words: int64[len(counts) - 1]."""
    found = np.empty(len(counts) - 1, np.int64)
    _kernels.sentences(counts, flags, found)
    return found


def c4_lines(batch: TextBatch) -> C4Lines:
    """Return what C4's cleaning, as datatrove has it, finds in the lines of each text."""
    found = batch.scan(cleaned_lines)
    counts = batch.lines.counts
    sentences = row_sums(found.sentences * found.kept, counts), row_sums(found.sentences, counts)
    kept, lorem, braces, javascript, policies = found.counts.T
    return C4Lines(kept, lorem, braces, javascript, policies, *sentences)


def phrase_counts(batch: TextBatch, phrase: str) -> Column:
    """Return how often a phrase of lower-case ASCII is in each text, in any case of ASCII's letters.

    Occurrences do not overlap.
    """
    letters = np.frombuffer(phrase.encode(), np.uint8)
    steps = np.full(256, len(letters), np.uint8)
    for place, letter in enumerate(phrase[:-1]):
        steps[[ord(letter), ord(letter.upper())]] = len(letters) - 1 - place
    out = np.empty(batch.rows, np.int64)
    _kernels.count_phrase(batch.data, batch.offsets, letters, steps, out)
    return out


def row_sums(values: Column, counts: Column) -> Column:
    """Return the sum of the values of each row; those of row *i* are from ``counts[i]`` to ``counts[i + 1]``."""
    totals = np.concatenate([[0], np.cumsum(values)])
    return np.asarray(totals[counts[1:]] - totals[counts[:-1]])


def _letters(phrases: Iterable[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the letters of all phrases, and where each phrase starts in them."""
    listed = [phrase.encode() for phrase in phrases]
    return np.frombuffer(b"".join(listed), np.uint8), np.concatenate([[0], np.cumsum([len(text) for text in listed])])


@cache
def _phrases() -> tuple[npt.NDArray[Any], ...]:
    """Return C4's phrases as the kernel reads them."""
    letters, firsts = _letters(_PHRASES)
    shortest = min(map(len, _PHRASES))
    assert shortest == 10  # what the kernel goes by
    steps = np.full(1 << 10, shortest - 1, np.uint8)
    for phrase in _PHRASES:
        codes = np.frombuffer(phrase.encode(), np.uint8).astype(np.int64) & 31
        pairs = codes[:-1] << 5 | codes[1:]
        for place in range(shortest - 1):
            steps[pairs[place]] = min(steps[pairs[place]], shortest - 2 - place)
    begins = np.zeros(256, np.bool_)
    begins[[ord(case) for phrase in _PHRASES for case in (phrase[0], phrase[0].upper())]] = True
    return letters, firsts, np.array(list(_PHRASES.values()), np.int64), steps, begins
