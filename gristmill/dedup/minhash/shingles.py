"""Shingles: n words or characters in a row, each as 64 bits.

``words`` are those of gristmill's ``unicode`` segmentation of the lower-cased text, without punctuation.
``characters`` are letters, digits and marks of the lower-cased text, with one space where anything else stands. A text
of fewer than n of them has one shingle, all there is; a text without any has none.

``fineweb`` and ``datatrove`` shingles are datatrove's: n words of the simplified text joined by spaces, hashed with
SHA-1 (its first 8 bytes, little-endian) or with XXH64. A text of fewer than n words has none.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.characters import UNICODE_VERSION, character_classes
from gristmill.columns import text_column
from gristmill.dedup.minhash import _kernels
from gristmill.dedup.minhash.digests import _kernels as digests
from gristmill.dedup.minhash.simplified.words import simplified_words
from gristmill.spacy_words import installed as spacy_words
from gristmill.text import HAS_TEXT, TextBatch, words_versions

Array = npt.NDArray[Any]

SHINGLES: Final = ("words", "characters", "fineweb", "datatrove")
_VERSION: Final = "1"
_PEERS: Final = ("fineweb", "datatrove")


class Shingles(NamedTuple):
    """The shingles of all rows, repeated ones too; those of row *i* are ``counts[i]`` to ``counts[i + 1]``."""

    counts: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]


def versions(kind: str) -> dict[str, str]:
    """Return what shingles of a kind depend on, apart from the text."""
    if kind in _PEERS:
        return {"shingles": _VERSION, "unicode": UNICODE_VERSION, "spacy": spacy_words.version()}
    return {"shingles": _VERSION, "unicode": UNICODE_VERSION, "arrow": pa.__version__, **words_versions("unicode")}


def shingles(texts: pa.Array, kind: str, n: int) -> Shingles:
    """Return the shingles of each text; none for a null text. Raises ValueError for a kind that does not exist."""
    if kind in _PEERS:
        return _of_simplified(texts, kind, n)
    if kind not in SHINGLES:
        raise ValueError(f"there are no shingles of {kind!r}; there are: {', '.join(SHINGLES)}")
    counts, hashes = _words(texts) if kind == "words" else _letters(texts)
    ends = np.empty(len(counts), np.int64)
    found = np.empty(len(hashes), np.uint64)
    _kernels.ngrams(hashes, counts, n, ends, found)
    return Shingles(ends, found[: ends[-1]])


def _words(texts: pa.Array) -> tuple[Array, Array]:
    """Return the counts and hashes of the lower-cased words."""
    words = TextBatch(pc.utf8_lower(texts)).words
    telling = words.flags & HAS_TEXT != 0
    return np.concatenate([[0], np.cumsum(telling)])[words.counts], words.hashes[telling]


def _letters(texts: pa.Array) -> tuple[Array, Array]:
    """Return the counts and hashes of the lower-cased characters."""
    data, offsets = text_column(pc.utf8_lower(texts))
    counts = np.empty(len(offsets), np.int64)
    found = np.empty(int(offsets[-1] - offsets[0]), np.uint64)
    _kernels.letters(data, offsets, character_classes(), counts, found)
    return counts, found[: counts[-1]]


def _of_simplified(texts: pa.Array, kind: str, n: int) -> Shingles:
    data, offsets = text_column(texts)
    data = data[offsets[0] : offsets[-1]]
    text, bounds, counts = simplified_words(data, offsets - offsets[0])
    firsts = np.concatenate([[0], np.cumsum(np.maximum(np.diff(counts) - n + 1, 0))])
    found = np.empty(firsts[-1], np.uint64)
    digest = digests.xxh64_ngrams if kind == "datatrove" else digests.sha1_ngrams
    digest(text, bounds, (counts, firsts), n, found)
    return Shingles(firsts, found)
