"""Words: what a tokenizer's pattern splits text into before anything else.

A page has few distinct words, so each is looked up in a table of those seen before, by which encoding finds their
tokens. The loops are compiled; what counts as a letter, mark, number or space is asked of `tokenizers`' own regular
expressions, so that the split is exactly theirs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, pre_tokenizers

from gristmill.tokenize import _kernels as kernels
from gristmill.tokenize._kernels import FOUND, GPT2, GPT4, KNOWN, LETTER, NEWLINE, NUMBER, SPACE, WordTable

# Like GPT-4's (cl100k_base): a contraction's end; letters with one character before them; up to three digits; symbols
# with a space before them and line breaks behind; white space up to its last line break; white space up to the last
# character before a word; the rest. But marks belong to words, without which Indic scripts fall to pieces, and
# contractions are ASCII.
GPT4_PATTERN: Final = (
    r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])"
    r"|[^\r\n\p{L}\p{M}\p{N}]?[\p{L}\p{M}]+"
    r"|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)
# GPT-2's own (Radford et al. 2019), which `tokenizers` has built in.
GPT2_PATTERN: Final = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
PATTERNS: Final = {GPT2: GPT2_PATTERN, GPT4: GPT4_PATTERN}

_LETTERS: Final = {GPT2: r"\p{L}+", GPT4: r"[\p{L}\p{M}]+"}
# Every letter, mark, number and space of Unicode 17 lies in these planes; the others are empty or private.
_PLANES: Final = (range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xE1000))
_SLICE_BYTES: Final = 1 << 20
_FIRST_WORDS: Final = 1 << 13
# A space between two letters or digits (of ASCII, or U+00C0 to U+07FF, U+0800 to U+0FFF, U+4000 to U+DFFF, in UTF-8):
# a word ends before it, whatever stands around them.
_BETWEEN_WORDS: Final = re.compile(
    rb"(?:[A-Za-z0-9]|[\xc3-\xdf][\x80-\xbf]|[\xe0\xe4-\xed][\x80-\xbf]{2}) (?=[A-Za-z0-9\xc3-\xcb\xce-\xe0\xe4-\xed])"
)

Array = npt.NDArray[Any]


class Words(NamedTuple):
    """Distinct words: word *w* is ``data[starts[w]:starts[w + 1]]``."""

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]


class WordFinder:
    """Splits text by a pattern, and numbers the distinct words in the order in which they are first seen."""

    def __init__(self, pattern: int) -> None:
        """``pattern``: GPT2 or GPT4."""
        self._rules = character_classes(pattern), pattern
        self._table = _word_table(_FIRST_WORDS)
        self._at = np.zeros(4, np.int64)

    @property
    def known(self) -> int:
        """Number of distinct words seen so far."""
        return int(self._at[KNOWN])

    def find(self, data: Array, offsets: Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the number of each word of each row, and where each row's words begin (rows + 1).

        Takes 4 bytes of memory for each byte of text: see `text_slices`.
        """
        found = np.empty(int(offsets[-1] - offsets[0]), np.int32)
        bounds = np.zeros(len(offsets), np.int64)
        self._at[:] = 0, offsets[0], 0, self.known
        while not kernels.find_words((data, offsets), self._rules, self._table, (found, bounds), self._at):
            self._table = _enlarged(self._table, self.known)
        return found[: self._at[FOUND]], bounds

    def words(self, first: int = 0) -> Words:
        """Return the distinct words from number ``first`` on."""
        starts = self._table.starts[first : self.known + 1]
        data = self._table.arena[starts[0] : starts[-1]]
        return Words(data, starts - starts[0])


def text_slices(data: Array, offsets: Array, divisible: bool) -> Iterator[tuple[int, Array]]:
    """Yield the number of a row and offsets from there on, of rows that hold about a million bytes at most.

    A longer row comes alone. If it is ``divisible`` it comes in pieces of about a million bytes, cut before a space
    between two words where there is one: the same number several times.
    """
    start = 0
    while start < len(offsets) - 1:
        whole = int(np.searchsorted(offsets, offsets[start] + _SLICE_BYTES, side="right")) - 1
        stop = max(whole, start + 1)
        if whole < stop and divisible:
            for piece in pairwise(_cuts(data, int(offsets[start]), int(offsets[stop]))):
                yield start, np.array(piece, np.int64)
        else:
            yield start, offsets[start : stop + 1]
        start = stop


@functools.cache
def character_classes(pattern: int) -> npt.NDArray[np.uint8]:
    """Return the class of each code point in a pattern, as `tokenizers`' regular expressions see it; read-only."""
    classes = np.zeros(0x110000, np.uint8)
    for plane in _PLANES:
        characters = "".join(map(chr, plane))
        for kind, expression in ((LETTER, _LETTERS[pattern]), (NUMBER, r"\p{N}+"), (SPACE, r"\s+")):
            split = pre_tokenizers.Split(Regex(expression), "removed", invert=True)
            for _, (start, stop) in split.pre_tokenize_str(characters):
                classes[plane.start + start : plane.start + stop] = kind
    if pattern == GPT4:
        classes[[0x0A, 0x0D]] = NEWLINE
    classes.flags.writeable = False
    return classes


def grown(array: Array, size: int) -> Array:
    """Return a longer copy of an array, zero behind its items."""
    longer = np.zeros(size, array.dtype)
    longer[: len(array)] = array
    return longer


def _cuts(data: Array, start: int, stop: int) -> Iterator[int]:
    yield start
    while stop - start > _SLICE_BYTES and (found := _BETWEEN_WORDS.search(data.data, start + _SLICE_BYTES, stop)):
        start = found.end() - 1
        yield start
    yield stop


def _word_table(words: int) -> WordTable:
    return WordTable(
        np.full(2 * words, -1, np.int32), np.empty(words, np.uint64), np.zeros(words + 1, np.int64),
        np.empty(8 * words, np.uint8),
    )  # fmt: skip


def _enlarged(table: WordTable, known: int) -> WordTable:
    """Return the table with room for twice as many words, or for bytes, whichever it lacks."""
    if known < len(table.hashes):
        return table._replace(arena=grown(table.arena, 2 * len(table.arena)))
    words = 2 * len(table.hashes)
    slots = np.full(2 * words, -1, np.int32)
    kernels.place_words(table.hashes, slots)
    return table._replace(
        slots=slots,
        hashes=grown(table.hashes, words),
        starts=grown(table.starts, words + 1),
    )
