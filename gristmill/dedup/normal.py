"""Texts in one form for deduplication, after CCNet: what differs in case, accents, numbers or layout alone is equal.

Of each character, in this order:

    accents      taken off: what decomposes (NFD) into a character and accents becomes the character; accents that stand
                 alone go. Accents are the diacritical marks of Unicode's five blocks of that name; the vowel signs of
                 Indic scripts, Thai or Hebrew stay
    case         lower, one character for one
    digits       decimal ones of any script become ``0``
    left out     punctuation, symbols, white space, controls, and what is not assigned

So a text is its letters and numbers. CCNet (Wenzek et al. 2020, 2.1; cc_net's ``normalize_for_dedup``) does this to
paragraphs, and keeps accents, white space and the symbols that are not in its list of punctuation; its ``normalize``,
made before perplexity, takes accents off, and vowel signs with them. Nothing else is unified: ``ﬁ`` is not ``fi``,
half-width is not full-width, and a Hangul syllable is not its letters.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.characters import CODE_POINTS, UNICODE_VERSION, lower_case
from gristmill.columns import text_column
from gristmill.dedup._kernels import normal_texts as _fill

ACCENTS: Final = ((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
"""Blocks of combining diacritical marks, first and last code point."""

_VERSION: Final = "1"


def versions() -> dict[str, str]:
    """Return the versions of what decides the form; they belong into the stage's hash."""
    return {"normal": _VERSION, "unicode": UNICODE_VERSION}


def normal_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return each text in its form: large_string, null for a null text; a text without letters and numbers is empty."""
    data, offsets = text_column(texts)
    size = int(offsets[-1] - offsets[0])
    out = np.empty(size + size // 2 + 4, np.uint8)
    bounds = np.empty(len(offsets), np.int64)
    _fill(data, offsets, normal_characters(), out, bounds)
    valid = pa.array(np.asarray(texts.is_valid()), pa.bool_()).buffers()[1]
    buffers = [valid, pa.py_buffer(bounds), pa.py_buffer(out[: bounds[-1]])]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


@functools.cache
def normal_characters() -> npt.NDArray[np.uint32]:
    """Return what stands for every code point in the form: uint32[0x110000], 0 where it is left out."""
    lower = lower_case()
    table = np.zeros(CODE_POINTS, np.uint32)
    for point in range(CODE_POINTS):
        if _stays(unicodedata.category(chr(point))) and not is_accent(point):
            plain = _without_accents(int(lower[_without_accents(point)]))
            table[point] = 0x30 if unicodedata.category(chr(plain)) == "Nd" else plain
    table.flags.writeable = False
    return table


def is_accent(point: int) -> bool:
    """Return whether a code point is a combining diacritical mark."""
    return any(first <= point <= last for first, last in ACCENTS)


def _stays(category: str) -> bool:
    return category[0] in "LNM"


def _without_accents(point: int) -> int:
    if point < 0x80:
        return point
    first, *others = map(ord, unicodedata.normalize("NFD", chr(point)))
    return first if all(map(is_accent, others)) else point
