"""Paragraphs: the n-grams of words of each line."""

from __future__ import annotations

from typing import Final

import numpy as np

from gristmill.characters import UNICODE_VERSION
from gristmill.dedup.lines import _kernels
from gristmill.dedup.lines.settings import ParagraphsSettings
from gristmill.dedup.lines.units import Compared, Units
from gristmill.text import TextBatch, words_versions

_VERSION: Final = "1"


def versions() -> dict[str, str]:
    """Return the versions of what decides a key; they belong into the stage's hash."""
    return {"paragraphs": _VERSION, "unicode": UNICODE_VERSION} | words_versions("unicode")


def ngrams_of(batch: TextBatch, settings: ParagraphsSettings) -> Compared:
    """Return the n-grams of each line of ``str.splitlines``, whose place is the line's number in its text.

    Words are those of kind ``unicode``, as they are written: punctuation counts, as in BFF, and so does case.
    """
    words, lines = batch.words, batch.lines
    room = len(words.hashes)
    keys, of = np.empty(room, np.uint64), np.empty(room, np.int64)
    n = _kernels.ngrams(batch.line_words, words.hashes, (settings.ngram, settings.fewest_words), keys, of)
    counts = np.searchsorted(of[:n], lines.counts)
    first = np.repeat(lines.counts[:-1], np.diff(counts))
    return Compared(counts, keys[:n], of[:n] - first)


def lines_of(batch: TextBatch) -> Units:
    """Return the lines of each text as units, blank ones too, without keys."""
    counts, starts, ends = batch.lines
    return Units(counts, starts.astype(np.int64), ends.astype(np.int64), np.empty(0, np.uint64))
