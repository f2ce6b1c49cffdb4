"""spaCy's English words, as ``spacy.blank("en")`` finds them, from compiled loops over its rules."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gristmill.spacy_words import _kernels
from gristmill.spacy_words.rules import Rules, read_rules

Array = npt.NDArray[Any]


@cache
def rules() -> Rules:
    """Return the rules of the installed spaCy."""
    return read_rules()


def find_words(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> tuple[Array, ...]:
    """Return the counts, hashes, lengths and flags of the words of each row, as ``gristmill.words.Words`` has them.

    Text is valid UTF-8.
    """
    counts = np.empty(len(offsets), np.int64)
    longest = int(np.diff(offsets).max(initial=0))
    words = np.empty(len(data), np.uint64), np.empty(len(data), np.int32), np.empty(len(data), np.uint8)
    room = np.empty(longest, np.int32), np.empty(longest, np.int32)
    total = _kernels.spacy_words(data, offsets, tuple(rules()), counts, (words, *room))
    return counts, *(array[:total] for array in words)
