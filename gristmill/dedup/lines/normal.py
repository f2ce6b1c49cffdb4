"""The forms in which lines and sentences are compared: for each, what stands for every code point."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import CODE_POINTS, categories, code_points, lower_case
from gristmill.dedup.normal import normal_characters

LEFT_OUT: Final = CODE_POINTS
"""What stands for a character that a form has not."""

Characters = npt.NDArray[np.uint32]

# cc_net, text_normalizer.py: the keys of UNICODE_PUNCT, and its non-printing characters. ASCII punctuation stays.
_CCNET_LEFT_OUT: Final = """0-1f 7f-9f ab b4 bb 2013-2014 2019 201c-201e 2026 2236 2501 25ba
3001-3002 3008-300d 3010-3011 ff01 ff05 ff08-ff09 ff0c ff0e ff11 ff1a-ff1b ff1f ff5e"""


@functools.cache
def ccnet_characters() -> Characters:
    """Return CCNet's form (Wenzek et al. 2020, 2.1; cc_net's ``normalize_for_dedup``): uint32[0x110000].

    Lower case; decimal digits of any script are 0; then its list of punctuation and the controls are left out. Case
    differs from ``str.lower`` where a character's depends on its neighbours or becomes two.
    """
    table = lower_case().copy()
    digits = categories("Nd")
    table[code_points(_CCNET_LEFT_OUT) & ~digits] = LEFT_OUT
    table[digits] = ord("0")
    table.flags.writeable = False
    return table


@functools.cache
def letters_and_numbers() -> Characters:
    """Return the form of `gristmill.dedup.normal`: uint32[0x110000]."""
    table = normal_characters().copy()
    table[table == 0] = LEFT_OUT
    table.flags.writeable = False
    return table


FORMS: Final[Mapping[str, Callable[[], Characters]]] = MappingProxyType(
    {
        "lower_case": lower_case,
        "ccnet": ccnet_characters,
        "normalized_text": letters_and_numbers,
    }
)
