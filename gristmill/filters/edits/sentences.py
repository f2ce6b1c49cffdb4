"""Counting sentences by nupunkt, a Punkt tokenizer (Kiss and Strunk 2006) with an English model of its own.

C4's reference code has NLTK's Punkt. datatrove has spaCy's rule-based sentencizer, which is counted elsewhere, from
words.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pyarrow as pa

from gristmill.text import Integers


def sentence_counts(texts: pa.Array) -> Integers:
    """Return the sentences of each text, counted line by line; a line that is not blank has at least one."""
    import nupunkt  # 30 ms, and only one edit needs it

    counts = np.zeros(len(texts), np.int64)
    for row, text in enumerate(texts.to_pylist()):
        if text:
            counts[row] = sum(len(nupunkt.sent_spans(line)) for line in text.split("\n") if line.strip())
    return counts


def sentence_version() -> str:
    """Return the version of what counts."""
    return f"nupunkt {version('nupunkt')}"
