"""What RefinedWeb makes of each line, in the meaning of DCLM's code: the edit cuts by it, the signals count by it."""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.filters.dclm.words import plain_word_counts, words_left
from gristmill.filters.edits import _kernels
from gristmill.filters.edits.characters import case_and_digits
from gristmill.filters.edits.lines import (
    Marks,
    Verdicts,
    first_verdicts,
    mark_ends,
    mark_lines,
    measured_lines,
    new_marks,
    terms_in_lines,
)
from gristmill.filters.edits.phrases import PHRASES, cut_phrases
from gristmill.filters.edits.settings import RefinedWebLinesSettings
from gristmill.filters.edits.terms import Automaton, automaton
from gristmill.text import Integers, TextBatch

# Reasons in the order of the checks; a line goes for the first.
REASONS: Final = ("upper_case", "digits", "counter", "few_words", "phrase")
COUNTED: Final = (
    "likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks", "upvotes", "downvotes", "downloads",
    "views", "followers",
)  # fmt: skip
_COUNTER = re.compile(rf"\W*\d[,.\d]*[kmb]?\s+(?:{'|'.join(COUNTED)})\W*")
_SHORT_LINE = 10

Mask = npt.NDArray[np.bool_]
Terms = npt.NDArray[np.uint32]
Measures = npt.NDArray[np.int32]


class JudgedLines(NamedTuple):
    """The lines of ``batch.single_lines``: where each check hits, what is cut, and the words around that.

    ``hits`` has a mask for each of ``REASONS``. The first four hold whatever the others say; the last are the lines
    that none of those hits and that lose a phrase. ``filled`` are lines with a word, ``written`` those with a
    character. ``verdicts`` are the marks of lines that go whole, else 0; ``marks`` those of all bytes that go.
    ``words`` and ``words_left`` are DCLM's words of each text, before and after (int64).
    """

    hits: tuple[Mask, ...]
    filled: Mask
    written: Mask
    verdicts: Verdicts
    marks: Marks
    words: Integers
    words_left: Integers

    @property
    def cut_words(self) -> Integers:
        """The words that go; 0 for a text that has more words than before."""
        return np.asarray(np.maximum(self.words - self.words_left, 0))


def judged_lines(batch: TextBatch, settings: RefinedWebLinesSettings) -> JudgedLines:
    """Return what becomes of the lines. Lines are split at line feeds; an empty one stays."""
    marks, lines = new_marks(batch), batch.single_lines
    measures = measured_lines(batch, marks, lines)
    terms = terms_in_lines(batch, marks, _terms(), lines)
    filled = measures[:, _kernels.WORDS] > 0
    written = lines.ends > lines.starts
    conditions = [mask & written for mask in _conditions(batch, measures, terms, settings)]
    stays = first_verdicts(conditions) == 0
    asked = stays & filled & (measures[:, _kernels.WORDS] <= _SHORT_LINE) & (terms & _mask(PHRASES) != 0)
    phrased, emptied = cut_phrases(batch, stays & filled, asked & settings.phrases, marks)
    verdicts = first_verdicts([*conditions, emptied])
    gap = (_kernels.PHRASE, _kernels.PHRASE_SPACE)
    _kernels.mark_gaps(batch.data, batch.offsets, character_classes(), gap, marks)
    mark_lines(batch, verdicts, marks, lines)
    mark_ends(batch, marks)
    words = plain_word_counts(batch), words_left(batch, marks, _kernels.PHRASE_SPACE)
    return JudgedLines((*conditions, phrased), filled, written, verdicts, marks, *words)


@functools.cache
def _terms() -> Automaton:
    return automaton((*COUNTED, *PHRASES))


def _mask(terms: tuple[str, ...]) -> np.uint32:
    return np.uint32(sum(1 << (*COUNTED, *PHRASES).index(term) for term in terms))


def _conditions(batch: TextBatch, measures: Measures, terms: Terms, settings: RefinedWebLinesSettings) -> list[Mask]:
    """Return where each reason but the last holds, whatever the others say."""
    lines = batch.single_lines
    kinds = np.empty((len(terms), 3), np.int32)
    _kernels.count_kinds(batch.data, case_and_digits(), (lines.starts, lines.ends), kinds)
    characters, upper, digits = kinds.T
    share = np.divide(upper, characters, out=np.zeros(len(terms), np.float64), where=characters > 0)
    most = 1.0 if settings.most_upper_case is None else settings.most_upper_case
    counters = np.zeros(len(terms), np.bool_)
    if settings.counters:
        for n in np.flatnonzero(terms & _mask(COUNTED)).tolist():
            line = batch.data[lines.starts[n] : lines.ends[n]].tobytes().decode()
            counters[n] = _COUNTER.fullmatch(line.lower()) is not None
    return [
        share > most,
        (digits == characters) & settings.digits,
        counters,
        measures[:, _kernels.WORDS] < settings.fewest_words,
    ]
