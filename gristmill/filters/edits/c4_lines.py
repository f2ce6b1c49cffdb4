"""The lines that C4 leaves out, in two meanings: that of its reference code, and that of datatrove."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.filters.edits import _kernels
from gristmill.filters.edits.edit import (
    CUT_LINE_COUNT,
    CUT_WORD_RATIO,
    EDIT_COUNT,
    Edit,
    Made,
    counted,
    not_emptied,
)
from gristmill.filters.edits.lines import (
    Verdicts,
    first_verdicts,
    line_cuts,
    lines_per_row,
    mark_breaks,
    mark_citations,
    mark_ends,
    mark_lines,
    measured_lines,
    new_marks,
    terms_in_lines,
)
from gristmill.filters.edits.sentences import sentence_counts, sentence_version
from gristmill.filters.edits.settings import C4LinesSettings
from gristmill.filters.edits.terms import Automaton, automaton
from gristmill.filters.rules.rule import Rule
from gristmill.filters.signals.lines.scans import cleaned_lines, row_sums, whole_line_sentences
from gristmill.text import TextBatch

NAME: Final = "c4_lines"
# Reasons in the order of the checks; a line goes for the first.
REASONS: Final = ("long_word", "terminal_punctuation", "few_words", "javascript", "policy")
POLICY: Final = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
)  # fmt: skip
FEWEST_WORDS: Final = {"datatrove": 3, "paper": 5}
FEWEST_SENTENCES: Final = {"datatrove": 5, "paper": 3}
_END_MARKS: Final = {"datatrove": b".?!\"'", "paper": b'.?!"'}
_LOREM, _JAVASCRIPT, _CURLY, _POLICY_FROM = range(4)
_NO_LIMIT = 2**31 - 1

Mask = npt.NDArray[np.bool_]


def make(batch: TextBatch, settings: C4LinesSettings) -> Made:
    """Cut lines for their words, their end and their terms, then the white space around those that stay.

    Lines are those of ``str.splitlines`` without the white space at their ends. What stays is joined by line feeds.
    """
    marks = new_marks(batch)
    if settings.citations:
        mark_citations(batch, marks)
    measures = measured_lines(batch, marks)
    terms = terms_in_lines(batch, marks, _terms())
    verdicts = first_verdicts(_conditions(measures, terms, settings))
    pages = _page_terms(verdicts, terms)
    lines = batch.lines
    _kernels.mark_margins((lines.starts, lines.ends), measures, marks)
    mark_lines(batch, verdicts, marks)
    mark_breaks(batch, verdicts, marks)
    mark_ends(batch, marks)
    found = {
        "cut_line_count": lines_per_row(batch, (verdicts > 0) & (measures[:, _kernels.WORDS] > 0)),
        "lorem_ipsum_line_count": lines_per_row(batch, pages[0]),
        "curly_bracket_line_count": lines_per_row(batch, pages[1]),
    }
    return _with_sentences(Made(batch, line_cuts(batch, marks, NAME, REASONS), found), verdicts, settings)


def _with_sentences(made: Made, verdicts: Verdicts, settings: C4LinesSettings) -> Made:
    """Return what was made with the sentences of the lines that stay, counted line by line.

    In datatrove's meaning they are counted as the signal ``c4_sentence_count`` counts them, on Unicode's words.
    """
    if settings.meaning == "datatrove":
        batch = made.batch
        sentences = batch.scan(cleaned_lines).sentences if settings.citations else batch.scan(whole_line_sentences)
        kept = np.asarray(row_sums(sentences * (verdicts == 0), batch.lines.counts), np.int64)
    else:
        kept = sentence_counts(made.texts)
    return replace(made, counted={**made.counted, "kept_sentence_count": kept})


@functools.cache
def _terms() -> Automaton:
    return automaton(("lorem ipsum", "javascript", "{", *POLICY))


def _has(terms: npt.NDArray[np.uint32], term: int) -> Mask:
    found: Mask = terms >> np.uint32(term) & np.uint32(1) != 0
    return found


def _conditions(
    measures: npt.NDArray[np.int32], terms: npt.NDArray[np.uint32], settings: C4LinesSettings
) -> list[Mask]:
    """Return where each reason holds, whatever the others say."""
    fewest = FEWEST_WORDS[settings.meaning] if settings.fewest_words is None else settings.fewest_words
    words = measures[:, _kernels.WORDS if settings.meaning == "datatrove" else _kernels.WORDS_LEFT]
    dotted = (measures[:, _kernels.DOTS] == 3) & (not settings.ellipses)
    ends = np.isin(measures[:, _kernels.LAST], list(_END_MARKS[settings.meaning])) & ~dotted
    return [
        measures[:, _kernels.LONGEST] > (settings.longest_word or _NO_LIMIT),
        ~ends & settings.terminal_punctuation,
        words < fewest,
        _has(terms, _JAVASCRIPT) & settings.javascript,
        (terms >> np.uint32(_POLICY_FROM) != 0) & settings.policy,
    ]


def _page_terms(verdicts: npt.NDArray[np.int16], terms: npt.NDArray[np.uint32]) -> tuple[Mask, Mask]:
    """Return which lines have ``lorem ipsum``, and which ``{``, of those that reach that check.

    The first is looked for before javascript, the second after it, both before policy.
    """
    javascript, policy = (_kernels.OWN + REASONS.index(reason) for reason in ("javascript", "policy"))
    reaches = (verdicts == 0) | (verdicts == policy)
    return _has(terms, _LOREM) & (reaches | (verdicts == javascript)), _has(terms, _CURLY) & reaches


def rules(settings: C4LinesSettings) -> tuple[Rule, ...]:
    """Return the rules on the page that C4 has."""
    return (
        Rule(f"edit.{NAME}", "lorem_ipsum_line_count", "max", 0),
        Rule(f"edit.{NAME}", "curly_bracket_line_count", "max", 0),
        Rule(f"edit.{NAME}", "kept_sentence_count", "min", FEWEST_SENTENCES[settings.meaning]),
        not_emptied(NAME),
    )


EDIT: Final = Edit(
    name=NAME,
    source="Raffel et al. 2020, arXiv:1910.10683, and its reference code; C4QualityFilter of datatrove 0.10",
    version=2,
    make=make,
    facts=(
        EDIT_COUNT,
        CUT_LINE_COUNT,
        CUT_WORD_RATIO,
        counted("kept_sentence_count", "sentences of the lines that stay"),
        counted("lorem_ipsum_line_count", "lines with the words lorem ipsum that no earlier check cuts"),
        counted("curly_bracket_line_count", "lines with a { that no earlier check cuts"),
    ),
    rules=rules,
    uses=lambda: {"sentences": sentence_version()},
    published=lambda own: {"meaning": own.meaning, "fewest_words": FEWEST_WORDS[own.meaning]},
)
