"""Texts as they are compared with benchmarks: words of letters and digits, in one form.

Of each character, case is folded and what is compatible becomes one (NFKD): `é` in one character is `é` in two, `ﬁ` is
`fi`, `ß` is `ss`, `ａ` is `a`, and a Hangul syllable is its letters. Texts are equal here if their NFKC forms are equal
but for case. A word is a run of letters and digits with the marks behind them; what else stands between words is not
compared. Marks behind a letter are put in canonical order, up to 30 in a row (UAX 15, Stream-Safe Text Format).

Soft hyphens, word joiners, variation selectors, U+034F and U+FEFF, which nobody sees, are left out. Numbers are kept.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.characters import (
    ALPHANUMERIC,
    CODE_POINTS,
    COMBINES_AT,
    SEVERAL,
    UNICODE_VERSION,
    categories,
    character_classes,
    lower_case,
)
from gristmill.columns import TextColumn, text_column
from gristmill.dedup.contamination.words import _kernels
from gristmill.dedup.contamination.words._kernels import LETTER, MARK, Alphabet, Work

INVISIBLE: Final = frozenset([0xAD, 0x34F, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
GROWTH: Final = 12
"""A character of so many bytes has a form of at most so many times as many, a space behind each word included."""

_VERSION: Final = "2"


def versions() -> dict[str, str]:
    """Return the versions of what decides the form."""
    return {"contamination_words": _VERSION, "unicode": UNICODE_VERSION}


def normalised(texts: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the normalised texts, one after another, and where each starts: uint8[bytes], int64[texts + 1].

    Each word is followed by one space. A null text has no words.
    """
    column = text_column(texts)
    out = np.empty(GROWTH * int(column.offsets[-1] - column.offsets[0]) + 1, np.uint8)
    bounds = np.zeros(column.rows + 1, np.int64)
    _kernels.normalise_rows(column, alphabet(), work(column), out, bounds)
    return out[: bounds[-1]].copy(), bounds


def normalised_words(texts: pa.Array | pa.ChunkedArray) -> list[list[str]]:
    """Return the words of each text as they are compared; none for a null text. For looking at, not for speed."""
    text, bounds = normalised(texts)
    rows = np.split(text, bounds[1:-1])
    return [row.tobytes().decode().split() for row in rows][: len(texts)]


def work(column: TextColumn) -> Work:
    """Return room for reading any text of a column. What of it is not used is never touched, and takes no memory."""
    size = GROWTH * int(np.diff(column.offsets).max(initial=0)) + 1
    starts, begins, ends = (np.empty(size // 2 + 1, np.int64) for _ in range(3))
    return Work(np.empty(size, np.uint8), starts, begins, ends, np.empty(size // 2 + 1, np.uint64))


@functools.cache
def alphabet() -> Alphabet:
    """Return the tables that texts are normalised with."""
    classes = character_classes()
    forms, sequences = _forms()
    ascii_lower = np.where(classes[:128] & ALPHANUMERIC, lower_case()[:128], 0).astype(np.uint8)
    for table in (ascii_lower, forms, sequences):
        table.flags.writeable = False
    return Alphabet(ascii_lower, forms, sequences, classes)


def folded(character: str) -> str:
    """Return what stands for a character.

    >>> folded("ﬁ"), folded("É") == "e\u0301"
    ('fi', True)
    """
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())


def _forms() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return what stands for each code point, and the sequences of those for which several do; see `Alphabet`."""
    forms = np.zeros(CODE_POINTS, np.uint32)
    sequences: list[int] = []
    for point in np.flatnonzero(~categories("Cn", "Cs")).tolist():
        entries = [_entry(character) for character in folded(chr(point))]
        if len(entries) == 1:
            forms[point] = entries[0]
        else:
            forms[point] = SEVERAL | len(sequences)
            sequences += [len(entries), *entries]
    return forms, np.array(sequences, np.uint32)


def _entry(character: str) -> int:
    """Return the form of a character that is its own: 0 for one that separates words."""
    if ord(character) in INVISIBLE:
        return LETTER | MARK
    if character.isalnum():
        return LETTER | ord(character)
    if unicodedata.category(character).startswith("M"):
        return MARK | ord(character) | unicodedata.combining(character) << COMBINES_AT
    return 0
