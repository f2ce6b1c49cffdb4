"""Tables over every code point that only edits need: capitals, digits, datatrove's punctuation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import CODE_POINTS, PUNCTUATION, character_classes

Table = npt.NDArray[np.uint8]

UPPER: Final = 1  # str.isupper
DIGIT: Final = 2  # str.isdigit
# Assigned characters that have a case or a value all lie below this; the test of the tables looks at every code point.
_LAST: Final = 0x32400


@functools.cache
def case_and_digits() -> Table:
    """Return the bits ``UPPER`` and ``DIGIT`` of every code point: uint8[0x110000]."""
    return _read_only(_where(str.isupper) * np.uint8(UPPER) | _where(str.isdigit) * np.uint8(DIGIT))


@functools.cache
def decimals() -> Table:
    r"""Return 1 for every code point that a pattern's ``\d`` means: uint8[0x110000]."""
    return _read_only(_where(str.isdecimal))


@functools.cache
def symbols(chosen: str | None) -> Table:
    """Return 1 for a space and for every chosen symbol, by default datatrove's punctuation: uint8[0x110000]."""
    if chosen is None:
        table = (character_classes() & PUNCTUATION != 0).astype(np.uint8)
    else:
        table = np.zeros(CODE_POINTS, np.uint8)
        table[[ord(character) for character in chosen]] = 1
    table[ord(" ")] = 1
    return _read_only(table)


def _where(predicate: Callable[[str], bool]) -> Table:
    table = np.zeros(CODE_POINTS, np.uint8)
    table[:_LAST] = np.fromiter(map(predicate, map(chr, range(_LAST))), np.uint8, _LAST)
    return table


def _read_only(table: Table) -> Table:
    table.flags.writeable = False
    return table
