"""The kinds of words, and the finding of them in a batch of texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill import _kernels
from gristmill.characters import character_classes, word_breaks
from gristmill.spacy_words import installed

Integers = npt.NDArray[np.int64]

HAS_ALPHA: Final = _kernels.HAS_ALPHA
HAS_TEXT: Final = _kernels.HAS_TEXT
ENDS: Final = _kernels.ENDS
CLOSES: Final = _kernels.CLOSES
GAP: Final = _kernels.GAP
HAS_SYMBOL: Final = _kernels.HAS_SYMBOL
ALNUM_FIRST: Final = _kernels.ALNUM_FIRST
SPACED: Final = _kernels.SPACED


class Words(NamedTuple):
    """The words of all rows, in order; those of row *i* are ``counts[i]`` to ``counts[i + 1]``.

    ``hashes`` are 64 well-mixed bits of the word's characters: equal words have equal hashes, and two of a million
    different words share one by chance with a probability of 3e-8. A page made to collide can only spoil its own
    signals. ``lengths`` are in characters (code points). ``flags`` hold ``HAS_ALPHA`` (a letter is in it),
    ``HAS_TEXT`` (a character that is not punctuation is in it), ``HAS_SYMBOL`` (``#`` or ``…`` is in it),
    ``ALNUM_FIRST`` (its first character is a letter, digit or other number), ``ENDS`` (a sentence ends with it),
    ``CLOSES`` (it is punctuation, and belongs to the sentence before it) and, of spaCy words only, ``SPACED`` (white
    space goes before it, or it is its text's first) and ``GAP`` (that is not one space).
    """

    counts: Integers
    hashes: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.int32]
    flags: npt.NDArray[np.uint8]


def _by_kernel(kernel: Any, data: npt.NDArray[np.uint8], offsets: Integers) -> Words:
    """Return the words that a kernel finds."""
    counts = np.empty(len(offsets), np.int64)
    found = (np.empty(len(data), np.uint64), np.empty(len(data), np.int32), np.empty(len(data), np.uint8))
    total = kernel(data, offsets, (character_classes(), word_breaks()), counts, found)
    hashes, lengths, flags = found
    return Words(counts, hashes[:total], lengths[:total], flags[:total])


def _by_spacy(data: npt.NDArray[np.uint8], offsets: Integers) -> Words:
    """Return spaCy's words."""
    from gristmill.spacy_words.tokenizer import find_words  # its kernels are many, and seldom asked for

    return Words(*find_words(data, offsets))


# The kinds of words, and what finds them. Version: raise it when any text can give other words than before.
WORDS: Final[Mapping[str, Callable[[npt.NDArray[np.uint8], Integers], Words]]] = MappingProxyType(
    {
        "unicode": partial(_by_kernel, _kernels.unicode_words),
        "whitespace": partial(_by_kernel, _kernels.whitespace_words),
        "spacy": _by_spacy,
    }
)
SEGMENTATION_VERSION: Final = 2
_SPACY_VERSION: Final = 3


def words_versions(kind: str) -> dict[str, str]:
    """Return what the words of a kind depend on, apart from the text and Unicode."""
    if kind == "spacy":
        return {"segmentation": f"spacy.{_SPACY_VERSION}", "spacy": installed.version()}
    return {"segmentation": f"{kind}.{SEGMENTATION_VERSION}"}
