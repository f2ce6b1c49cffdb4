"""What becomes of each character when a text is simplified: a table that the kernel indexes."""

from __future__ import annotations

import string
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import (
    CODE_POINTS,
    COMBINES,
    POINT,
    SEVERAL,
    SPACE,
    categories,
    character_classes,
    code_points,
    lower_case,
    normal_forms,
)
from gristmill.dedup.minhash.simplified import _kernels as kinds

Array = npt.NDArray[Any]

# datatrove 0.10, utils/text.py, PUNCTUATION: 129 characters, as hexadecimal ranges
PUNCTUATION: Final = """0-8 b-1f 21-2f 3a-40 5b-60 7b-9f ab b4 bb 2013-2014 2019 201c-201e 2026 2236 2501 25ba
3001-3002 3008-300d 3010-3011 ff01 ff05 ff08-ff09 ff0c ff0e ff11 ff1a-ff1b ff1f ff5e"""
# what joins the two parts of a number: . , U+060C U+066B U+2396-U+2398
SEPARATORS: Final = "2c 2e 60c 66b 2396-2398"
_SIGMA: Final = 0x3A3
_SMALL_SIGMA: Final = 0x3C3
_DOTTED_I: Final = 0x130
_ASSIGNED: Final = 0x32400  # no letter lies beyond


@cache
def entries() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Return the entry of every code point, uint32[0x110000], and sequences: a count, then code points.

    An entry holds a kind, a code point or the place of a sequence, and bits; ``_kernels`` names them.
    """
    forms, given = normal_forms()
    marks = categories("Mn")
    points = forms & np.uint32(POINT)
    table = points.copy()
    _set(table, forms & np.uint32(COMBINES) != 0, kinds.COMBINES)
    _set(table, marks[np.minimum(points, CODE_POINTS - 1)], kinds.DROPPED)
    sequences: list[int] = []
    for point in np.flatnonzero(forms & np.uint32(SEVERAL)).tolist():
        place = int(points[point])
        table[point] = _entry(given[place + 1 : place + 1 + int(given[place])], marks, sequences)
    punctuation = code_points(PUNCTUATION)[lower_case()]
    _set(table, punctuation | (character_classes() & SPACE != 0), kinds.SPACE)
    _set(table, categories("Nd"), kinds.DIGIT)
    table[_SIGMA] = kinds.SIGMA << kinds.KIND_AT
    table[code_points(SEPARATORS)] |= np.uint32(kinds.SEPARATOR)
    cased, ignorable = _beside_a_sigma()
    table[:_ASSIGNED][cased] |= np.uint32(kinds.CASED)
    table[:_ASSIGNED][ignorable] |= np.uint32(kinds.IGNORABLE)
    table.flags.writeable = False
    return table, np.array([*sequences, 0], np.int32)


@cache
def letters() -> npt.NDArray[np.uint8]:
    """Return the lower case of each byte that is a letter, else 0: uint8[256]."""
    table = np.zeros(256, np.uint8)
    for letter in string.ascii_letters:
        table[ord(letter)] = ord(letter.lower())
    return table


def _set(table: Array, where: Array, kind: int) -> None:
    """Give characters a kind."""
    table[where] = table[where] & np.uint32(POINT) | np.uint32(kind << kinds.KIND_AT)


def _entry(forms: Array, marks: Array, sequences: list[int]) -> int:
    """Return the entry of a character of several; the sequence is added if more than one stays."""
    kept = [form for form in forms.tolist() if not marks[form & POINT]]
    if any(form & COMBINES for form in kept):
        return kinds.ODD << kinds.KIND_AT
    if len(kept) == 1:
        return int(kept[0]) & POINT
    sequences += [len(kept), *(form & POINT for form in kept)]
    return kinds.SEVERAL << kinds.KIND_AT | len(sequences) - len(kept) - 1


def _beside_a_sigma() -> tuple[Array, Array]:
    """Return which characters have case, and which are looked past, when it is decided whether a sigma is final.

    ``str.lower`` tells: a sigma after a letter is not final before what has case.
    """
    followed = np.zeros((_ASSIGNED, 2, 5), np.uint32)
    followed[:, :, 0], followed[:, :, 1] = ord("a"), _SIGMA
    followed[:, :, 2] = np.arange(_ASSIGNED)[:, None]
    followed[:, 1, 3] = ord("a")
    followed[_DOTTED_I, :, 2] = ord("i")  # its lower case is two characters
    lower = followed.tobytes().decode("utf-32-le", "surrogatepass").lower().encode("utf-32-le", "surrogatepass")
    inside = np.frombuffer(lower, np.uint32).reshape(followed.shape)[:, :, 1] == _SMALL_SIGMA
    return inside[:, 0], inside[:, 1] & ~inside[:, 0]
