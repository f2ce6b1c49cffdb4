"""The lines that RefinedWeb leaves out, in the meaning of DCLM's code, which published it."""

from __future__ import annotations

import functools
import re
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.filters.edits import _kernels
from gristmill.filters.edits.characters import case_and_digits
from gristmill.filters.edits.edit import CUT_LINE_COUNT, CUT_WORD_RATIO, EDIT_COUNT, Edit, Made, not_emptied
from gristmill.filters.edits.lines import (
    Marks,
    first_verdicts,
    line_cuts,
    lines_per_row,
    mark_ends,
    mark_lines,
    measured_lines,
    new_marks,
    terms_in_lines,
)
from gristmill.filters.edits.settings import RefinedWebLinesSettings
from gristmill.filters.edits.terms import Automaton, automaton
from gristmill.filters.rules.rule import Rule
from gristmill.text import TextBatch

NAME: Final = "refinedweb_lines"
# Reasons in the order of the checks; a line goes for the first.
REASONS: Final = ("upper_case", "digits", "counter", "few_words", "phrase")
COUNTED: Final = (
    "likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks", "upvotes", "downvotes", "downloads",
    "views", "followers",
)  # fmt: skip
PHRASES: Final = ("items in cart", "read more...", "sign-in")
MOST_CUT: Final = 0.05
_COUNTER = re.compile(rf"\W*\d[,.\d]*[kmb]?\s+(?:{'|'.join(COUNTED)})\W*")
_PHRASE = re.compile(rb"\s?items in cart|(?<!\s)\s*read more\.\.\.$|^sign-in\s?", re.IGNORECASE)
_SHORT_LINE = 10

Mask = npt.NDArray[np.bool_]
Terms = npt.NDArray[np.uint32]
Measures = npt.NDArray[np.int32]


def make(batch: TextBatch, settings: RefinedWebLinesSettings) -> Made:
    """Cut lines for their capitals, digits and words, then phrases out of short lines.

    Lines are those of ``str.splitlines``. An empty line stays; the white space at the ends of the text does not.
    """
    marks = new_marks(batch)
    measures = measured_lines(batch, marks)
    terms = terms_in_lines(batch, marks, _terms())
    emptied = np.zeros(len(terms), np.bool_)
    conditions = [*_conditions(batch, measures, terms, settings), emptied]
    verdicts = first_verdicts(conditions)
    if settings.phrases:
        short = (verdicts == 0) & (measures[:, _kernels.WORDS] <= _SHORT_LINE) & (terms & _mask(PHRASES) != 0)
        _cut_phrases(batch, measures, np.flatnonzero(short), marks, emptied)
        verdicts = first_verdicts(conditions)
        gap = (_kernels.PHRASE, _kernels.PHRASE_SPACE)
        _kernels.mark_gaps(batch.data, batch.offsets, character_classes(), gap, marks)
    mark_lines(batch, verdicts, marks)
    mark_ends(batch, marks)
    found = {"cut_line_count": lines_per_row(batch, (verdicts > 0) & (measures[:, _kernels.WORDS] > 0))}
    return Made(batch, line_cuts(batch, marks, NAME, REASONS), found)


@functools.cache
def _terms() -> Automaton:
    return automaton((*COUNTED, *PHRASES))


def _mask(terms: tuple[str, ...]) -> np.uint32:
    return np.uint32(sum(1 << (*COUNTED, *PHRASES).index(term) for term in terms))


def _conditions(batch: TextBatch, measures: Measures, terms: Terms, settings: RefinedWebLinesSettings) -> list[Mask]:
    """Return where each reason but the last holds, whatever the others say."""
    lines = batch.lines
    kinds = np.empty((len(terms), 3), np.int32)
    _kernels.count_kinds(batch.data, case_and_digits(), (lines.starts, lines.ends), kinds)
    characters, upper, digits = kinds.T
    some = characters > 0
    share = np.divide(upper, characters, out=np.zeros(len(terms), np.float64), where=some)
    most = 1.0 if settings.most_upper_case is None else settings.most_upper_case
    counters = np.zeros(len(terms), np.bool_)
    if settings.counters:
        for n in np.flatnonzero(terms & _mask(COUNTED)).tolist():
            counters[n] = _COUNTER.fullmatch(_line(batch, n).decode().lower()) is not None
    return [
        share > most,
        some & (digits == characters) & settings.digits,
        counters,
        some & (measures[:, _kernels.WORDS] < settings.fewest_words),
    ]


def _line(batch: TextBatch, n: int) -> bytes:
    return batch.data[batch.lines.starts[n] : batch.lines.ends[n]].tobytes()


def _cut_phrases(batch: TextBatch, measures: Measures, lines: npt.NDArray[np.int64], marks: Marks, out: Mask) -> None:
    """Mark the phrases in some lines; say of which lines nothing but white space is left."""
    for n in lines.tolist():
        begin, stop = (int(measures[n, column]) for column in (_kernels.BEGIN, _kernels.STOP))
        text = batch.data[begin:stop].tobytes()
        for match in _PHRASE.finditer(text):
            marks[begin + match.start() : begin + match.end()] = _kernels.PHRASE
        left = batch.data[begin:stop][marks[begin:stop] == 0].tobytes()
        out[n] = len(left) < len(text) and not left.decode().strip()


def rules(settings: RefinedWebLinesSettings) -> tuple[Rule, ...]:
    """Return RefinedWeb's rule: a page that lost more than 5% of its words goes."""
    return (Rule(f"edit.{NAME}", "cut_word_ratio", "max", MOST_CUT), not_emptied(NAME))


EDIT: Final = Edit(
    name=NAME,
    source="Penedo et al. 2023, arXiv:2306.01116, G.2; Li et al. 2024, arXiv:2406.11794, and its code",
    version=1,
    make=make,
    facts=(EDIT_COUNT, CUT_LINE_COUNT, CUT_WORD_RATIO),
    rules=rules,
)
