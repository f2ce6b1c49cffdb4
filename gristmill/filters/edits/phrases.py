"""The phrases that RefinedWeb cuts out of short lines, as DCLM's patterns find them, one after the other.

Two of DCLM's patterns look at an end of the line, and it strips the whole text before each: so an end of the first or
last line that is left has no white space. Only lines that have one of the phrases come here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.filters.edits import _kernels
from gristmill.filters.edits.lines import Marks
from gristmill.text import TextBatch

PHRASES: Final = ("items in cart", "read more", "sign-in")

Mask = npt.NDArray[np.bool_]


def _any_case(phrase: str) -> str:
    """Return a pattern of a phrase of ASCII, in any case.

    >>> _any_case("a-b")
    '[aA]-[bB]'
    """
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in phrase)


_IN_CART, _READ_MORE, _SIGN_IN = (_any_case(phrase) for phrase in PHRASES)
_ANYWHERE = re.compile(rf"\s?{_IN_CART}")
_AT_END = re.compile(rf"\s?{_READ_MORE}.{{3}}\Z", re.DOTALL)  # DCLM's three dots are of a pattern: any characters
_AT_START = re.compile(rf"\A{_SIGN_IN}\s?")


class _Line:
    """A line from which phrases are cut: the characters that are left, and where each lies in the data."""

    def __init__(self, data: npt.NDArray[np.uint8], start: int, end: int) -> None:
        self.text = data[start:end].tobytes().decode()
        self._places = (np.flatnonzero(data[start:end] & 0xC0 != 0x80) + start).tolist()

    def cut(self, pattern: re.Pattern[str], text: str, marks: Marks) -> bool:
        """Mark what a pattern finds in the text, an end of which may have been stripped; say whether it found any."""
        shift = self.text.index(text)
        spans = [range(shift + match.start(), shift + match.end()) for match in pattern.finditer(text)]
        gone = {k for span in spans for k in span}
        for k in gone:
            marks[self._places[k] : self._places[k] + len(self.text[k].encode())] = _kernels.PHRASE
        if gone:
            kept = [k for k in range(len(self.text)) if k not in gone]
            self.text, self._places = "".join(self.text[k] for k in kept), [self._places[k] for k in kept]
        return bool(gone)


def cut_phrases(batch: TextBatch, stays: Mask, asked: Mask, marks: Marks) -> tuple[Mask, Mask]:
    """Mark the phrases in the lines asked for; return which lines lose some, and which are left without a word.

    Lines are those of ``batch.single_lines``; ``stays`` are those with a word that no other check takes.
    """
    cut, emptied = np.zeros(len(asked), np.bool_), np.zeros(len(asked), np.bool_)
    counts = batch.single_lines.counts
    places = np.flatnonzero(asked)
    for row in np.unique(np.searchsorted(counts, places, side="right") - 1).tolist():
        low, high = counts[row], counts[row + 1]
        for n, is_cut, is_empty in _row(batch, np.flatnonzero(stays[low:high]) + low, asked, marks):
            cut[n], emptied[n] = is_cut, is_empty
    return cut, emptied


def _row(batch: TextBatch, stays: npt.NDArray[np.int64], asked: Mask, marks: Marks) -> Iterator[tuple[int, bool, bool]]:
    """Yield each line of a row that was asked for, whether it lost a phrase, and whether no word is left."""
    lines = batch.single_lines
    own = {n: _Line(batch.data, lines.starts[n], lines.ends[n]) for n in stays[asked[stays]].tolist()}
    cut = dict.fromkeys(own, False)
    for n, line in own.items():
        cut[n] = line.cut(_ANYWHERE, line.text, marks)
    last = _nearest(stays[::-1], own)
    for n, line in own.items():
        cut[n] |= line.cut(_AT_END, line.text.rstrip() if n == last else line.text, marks)
    first = _nearest(stays, own)
    for n, line in own.items():
        cut[n] |= line.cut(_AT_START, line.text.lstrip() if n == first else line.text, marks)
    for n, line in own.items():
        yield n, cut[n], not line.text.strip()


def _nearest(stays: npt.NDArray[np.int64], own: dict[int, _Line]) -> int:
    """Return the first of the lines that still has a word, or -1."""
    return next((n for n in stays.tolist() if n not in own or own[n].text.strip()), -1)
