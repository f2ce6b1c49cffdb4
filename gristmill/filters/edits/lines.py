"""What edits of lines share: citations, what is measured on a line, and marks for the lines that go."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.filters.edits import _kernels
from gristmill.filters.edits.characters import decimals
from gristmill.filters.edits.spans import Cuts, Kind, cuts_of_marks
from gristmill.filters.edits.terms import Automaton
from gristmill.text import Integers, Spans, TextBatch

Marks = npt.NDArray[np.uint8]
Verdicts = npt.NDArray[np.int16]

CITED: Final = ("edit]", "citation needed]")


def new_marks(batch: TextBatch) -> Marks:
    """Return a mark for each byte of the batch, all 0: everything stays."""
    return np.zeros(len(batch.data), np.uint8)


def mark_citations(batch: TextBatch, marks: Marks) -> None:
    r"""Mark what ``\[\d*]|\[edit]|\[citation needed]`` matches; between two words, a space is to take its place."""
    opens = np.flatnonzero(batch.data == ord("["))
    if len(opens):
        at, _, stops = batch.with_bounds(opens)
        _kernels.mark_citations(batch.data, (at, stops), decimals(), _cited(), marks)
        gap = (_kernels.CITATION, _kernels.CITATION_SPACE)
        _kernels.mark_gaps(batch.data, batch.offsets, character_classes(), gap, marks)


@functools.cache
def _cited() -> tuple[Marks, ...]:
    return tuple(np.frombuffer(word.encode(), np.uint8) for word in CITED)


def measured_lines(batch: TextBatch, marks: Marks, lines: Spans | None = None) -> npt.NDArray[np.int32]:
    """Return a row for each line, by default of ``str.splitlines``, with the columns of ``_kernels.measure_lines``."""
    lines = lines or batch.lines
    out = np.empty((len(lines.starts), 7), np.int32)
    _kernels.measure_lines(batch.data, character_classes(), (lines.starts, lines.ends), marks, out)
    return out


def terms_in_lines(
    batch: TextBatch, marks: Marks, automaton: Automaton, lines: Spans | None = None
) -> npt.NDArray[np.uint32]:
    """Return, for each line, by default of ``str.splitlines``, a bit for each term that stands in it."""
    lines = lines or batch.lines
    out = np.empty(len(lines.starts), np.uint32)
    _kernels.find_terms(batch.data, (lines.starts, lines.ends), marks, automaton, out)
    return out


def first_verdicts(conditions: list[npt.NDArray[np.bool_]]) -> Verdicts:
    """Return, for each line, the mark of the first condition that holds: the first is ``OWN``; 0 if none does."""
    marks = [np.int16(_kernels.OWN + position) for position in range(len(conditions))]
    return np.select(conditions, marks, np.int16(0)).astype(np.int16)


def mark_lines(batch: TextBatch, verdicts: Verdicts, marks: Marks, lines: Spans | None = None) -> None:
    """Mark lines by their verdicts: above 0 with their line break, below 0 without."""
    _kernels.mark_lines(batch.data, batch.offsets, lines or batch.lines, verdicts, marks)


def mark_breaks(batch: TextBatch, verdicts: Verdicts, marks: Marks) -> None:
    """Mark line breaks so that the lines that stay are joined by line feeds, and none is left at the end."""
    _kernels.mark_breaks(batch.data, batch.offsets, batch.lines, verdicts, marks)


def mark_ends(batch: TextBatch, marks: Marks) -> None:
    """Mark the white space that the edited texts would start or end with."""
    _kernels.mark_ends(batch.data, batch.offsets, character_classes(), marks)


def line_cuts(batch: TextBatch, marks: Marks, edit: str, reasons: tuple[str, ...]) -> Cuts:
    """Return the cuts of a batch's marks; those from ``OWN`` on have the reasons given, in their order."""
    return cuts_of_marks(batch, marks, kinds_of(edit, reasons))


def kinds_of(edit: str, reasons: tuple[str, ...], replacement: str = "") -> tuple[Kind, ...]:
    """Return the kinds that marks stand for: the common ones, then an edit's own."""
    common = {
        _kernels.CITATION: Kind(f"{edit}.citation"),
        _kernels.CITATION_SPACE: Kind(f"{edit}.citation", " "),
        _kernels.WHITE: Kind(f"{edit}.white_space"),
        _kernels.FEED: Kind(f"{edit}.white_space", "\n"),
        _kernels.FEED_TOO: Kind(f"{edit}.white_space", "\n"),
        _kernels.PHRASE: Kind(f"{edit}.phrase"),
        _kernels.PHRASE_SPACE: Kind(f"{edit}.phrase", " "),
    }
    own = (Kind(f"{edit}.{reason}", replacement) for reason in reasons)
    return (Kind(""), *common.values(), *own)


def lines_per_row(batch: TextBatch, chosen: npt.NDArray[np.bool_], lines: Spans | None = None) -> Integers:
    """Return how many of each row's lines are chosen."""
    ends = np.concatenate([[0], np.cumsum(chosen)])
    return np.asarray(np.diff(ends[(lines or batch.lines).counts]), np.int64)
