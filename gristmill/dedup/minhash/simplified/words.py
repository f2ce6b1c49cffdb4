"""Words as FineWeb's MinHash sees them: a text simplified, then split by spaCy's blank English pipeline.

Simplified is lower-cased, numbers made "0", punctuation made white space, marks taken off (NFD without Mn). What then
stands between white space is shown to spaCy by itself, since no rule of spaCy's looks past white space.

Follows datatrove 0.10, ``simplify_text`` and ``SpaCyTokenizer``, byte for byte but in two cases: a piece of over 1,000
characters is shown to spaCy in parts of 1,000, and a text with "is_alpha" in it is as any other.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import code_points
from gristmill.dedup.minhash.simplified import _kernels
from gristmill.dedup.minhash.simplified.characters import PUNCTUATION, entries, letters
from gristmill.spacy_words.tokenizer import rules

Array = npt.NDArray[Any]

_NUMBERS: Final = re.compile(r"\d+(?:[.,،٫⎖⎗⎘]\d+)?")
_MARGIN: Final = 64  # bytes that may be read past the last word


def simplified(text: str) -> list[str]:
    """Return what stands between white space in a simplified text.

    >>> simplified("It's 3,50 in Café")
    ['it', 's', '0', 'in', 'cafe']
    """
    text = _NUMBERS.sub("0", text.lower()).translate(_spaces())
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return bare.split()


@cache
def _spaces() -> dict[int, str]:
    """Return a translation of punctuation into spaces."""
    return dict.fromkeys(np.flatnonzero(code_points(PUNCTUATION)).tolist(), " ")


def simplified_words(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Return the words of all rows, a space after each, where each starts, and the counts of each row.

    Of the places there is one more than there are words. Text is valid UTF-8. Where marks are to be put in another
    order, which the kernel does not do, the row is simplified by ``simplified``.
    """
    odd, done = np.zeros(len(offsets) - 1, np.bool_), np.zeros(len(offsets) - 1, np.bool_)
    found = _found(data, offsets, (done, odd))
    if not odd.any():
        return found
    rows = [data[a:b].tobytes() for a, b in pairwise(offsets.tolist())]
    for row in np.flatnonzero(odd).tolist():
        rows[row] = " ".join(simplified(rows[row].decode())).encode()
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return _found(np.frombuffer(b"".join(rows), np.uint8), ends, (odd, done))


def _found(data: Array, offsets: Array, rows: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    counts = np.empty(len(offsets), np.int64)
    text = np.empty(4 * len(data) + _MARGIN, np.uint8)  # Hangul becomes three times as long; a space after each word
    bounds = np.empty(len(data) + 1, np.int64)
    points = np.empty(int(np.diff(offsets).max(initial=1)), np.int32)
    tables = (*entries(), letters()), tuple(rules())
    total = _kernels.simplified_words((data, offsets), tables, rows, (points, _kernels.work()), (counts, text, bounds))
    return text, bounds[: total + 1], counts
