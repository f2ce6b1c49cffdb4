"""Two tables over every code point: what kind of character it is, and which script it belongs to.

Kinds follow the running Python's Unicode database, as ``gristmill.characters`` does. Scripts are Unicode's property of
that name, which Python does not have: they come with the package, in a file that names its Unicode version.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.characters import ALPHA, ALPHANUMERIC, CODE_POINTS, SPACE, categories, character_classes, code_points
from gristmill.filters.signals.characters import _kernels

Table = npt.NDArray[np.uint8]

SCRIPTS_FILE: Final = Path(__file__).with_name("scripts.txt")
COMMON: Final = "Zyyy"  # no script of its own: digits, punctuation, and letters that several scripts share
KANA: Final = "Hrkt"  # hiragana and katakana
_KANA_PARTS: Final = ("Hira", "Kana")
# Letters that Unicode gives to no script but, in Script_Extensions, to hiragana and katakana alone: iteration and
# prolonged sound marks, halfwidth voiced sound marks.
_KANA_TOO: Final = "3031-3035 30fc ff70 ff9e-ff9f"
_NO_SCRIPT: Final = (COMMON, "Zinh")  # Zinh: marks, which take the script of what they stand on


class Scripts(NamedTuple):
    """Which script each code point has, as a position in ``codes``: ISO 15924's, sorted but that ``Zyyy`` is first."""

    codes: tuple[str, ...]
    table: Table

    def number(self, code: str) -> int:
        """Return the position of a script."""
        return self.codes.index(code)


@functools.cache
def kinds() -> Table:
    """Return the kind of every code point (``LETTER``, ``DIGIT``, ...), each one of them: uint8[0x110000]."""
    classes = character_classes()
    table = np.full(CODE_POINTS, _kernels.OTHER, np.uint8)
    table[categories("P")] = _kernels.PUNCTUATION
    table[categories("S")] = _kernels.SYMBOL
    table[classes & ALPHANUMERIC != 0] = _kernels.NUMBER
    table[categories("Nd")] = _kernels.DIGIT
    table[classes & ALPHA != 0] = _kernels.LETTER
    table[classes & SPACE != 0] = _kernels.SPACE
    return _read_only(table)


@functools.cache
def scripts() -> Scripts:
    """Return the scripts. Hiragana and katakana are one, ``Hrkt``; what has no script is ``Zyyy``."""
    given = dict(line.split(" ", 1) for line in SCRIPTS_FILE.read_text("utf-8").splitlines() if line[0] != "#")
    kana = " ".join([*(given.pop(part) for part in _KANA_PARTS), _KANA_TOO])
    own = {code: ranges for code, ranges in given.items() if code not in _NO_SCRIPT} | {KANA: kana}
    codes = (COMMON, *sorted(own))
    table = np.zeros(CODE_POINTS, np.uint8)
    for number, code in enumerate(codes[1:], 1):
        table[code_points(own[code])] = number
    return Scripts(codes, _read_only(table))


def _read_only(table: Table) -> Table:
    table.flags.writeable = False
    return table
