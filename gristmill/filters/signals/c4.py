"""C4's facts of a page (Raffel et al. 2020), with the meanings of its own code and of datatrove.

C4 cleans a page line by line, then judges what is left. Signals named ``c4_`` are what datatrove's C4QualityFilter sees
on its way through a text that was not cleaned yet; the others are facts of whatever text they are given.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.filters.signals.lines.scans import c4_lines, phrase_counts
from gristmill.filters.signals.signal import Column, signal
from gristmill.text import TextBatch

FAMILY: Final = "c4"
SOURCE: Final = "Raffel et al. 2020, arXiv:1910.10683, section 2.2; meaning of datatrove 0.10"


@signal(pa.int64(), FAMILY, SOURCE)
def lorem_ipsum_count(batch: TextBatch) -> Column:
    """Occurrences of ``lorem ipsum``, in any case.

    An empty text has 0. C4's own code drops a page that has one anywhere.
    """
    return phrase_counts(batch, "lorem ipsum")


@signal(pa.int64(), FAMILY, SOURCE)
def curly_brace_count(batch: TextBatch) -> Column:
    """Occurrences of ``{``.

    An empty text has 0. C4's own code drops a page that has one anywhere.
    """
    return np.diff(np.searchsorted(np.flatnonzero(batch.data == 0x7B), batch.offsets))


@signal(pa.int64(), FAMILY, SOURCE)
def javascript_line_count(batch: TextBatch) -> Column:
    """Lines that name javascript, in any case.

    Lines are those of ``str.splitlines``. An empty text has 0. C4 drops these lines.
    """
    return batch.scan(c4_lines).javascript


@signal(pa.int64(), FAMILY, SOURCE)
def policy_line_count(batch: TextBatch) -> Column:
    """Lines with a phrase of policies, in any case.

    The phrases: terms of use, privacy policy, cookie policy, uses cookies, use of cookies, use cookies. Lines are those
    of ``str.splitlines``. An empty text has 0. C4 drops these lines.
    """
    return batch.scan(c4_lines).policies


@signal(pa.int64(), FAMILY, SOURCE)
def sentence_count(batch: TextBatch) -> Column:
    """Sentences of all lines, each line on its own.

    A sentence ends at a word that is a terminal mark, with the punctuation after it; a run of full stops ends none.
    With ``words: spacy`` it is that of spaCy's sentencizer. Citations such as ``[12]`` are cut before. An empty text
    has 0. C4's own code has NLTK's Punkt instead, RedPajama-V2 a regular expression.
    """
    return batch.scan(c4_lines).sentences


@signal(pa.int64(), FAMILY, SOURCE)
def c4_line_count(batch: TextBatch) -> Column:
    """Lines that C4 keeps.

    Lines are those of ``str.splitlines`` without white space at their ends. One is kept if, ``[12]``, ``[]``,
    ``[edit]`` and ``[citation needed]`` cut, it ends in ``. ? ! " '`` but not in ``...``, has at least three words and
    none of over 1,000 characters, and names neither javascript nor a policy. An empty text has 0. C4's own code asks
    for five words, and takes no apostrophe.
    """
    return batch.scan(c4_lines).kept


@signal(pa.int64(), FAMILY, SOURCE)
def c4_lorem_ipsum_line_count(batch: TextBatch) -> Column:
    """Lines with ``lorem ipsum`` for which datatrove drops the page.

    They have at least three words, none too long, and end as in ``c4_line_count``. An empty text has 0.
    """
    return batch.scan(c4_lines).lorem


@signal(pa.int64(), FAMILY, SOURCE)
def c4_curly_brace_line_count(batch: TextBatch) -> Column:
    """Lines with ``{`` for which datatrove drops the page.

    They have at least three words, none too long, end as in ``c4_line_count``, and do not name javascript. An empty
    text has 0.
    """
    return batch.scan(c4_lines).braces


@signal(pa.int64(), FAMILY, SOURCE)
def c4_sentence_count(batch: TextBatch) -> Column:
    """Sentences of the lines that C4 keeps.

    Lines as in ``c4_line_count``, sentences as in ``sentence_count``. An empty text has 0.
    """
    return batch.scan(c4_lines).kept_sentences


SIGNALS: Final = (
    lorem_ipsum_count,
    curly_brace_count,
    javascript_line_count,
    policy_line_count,
    sentence_count,
    c4_line_count,
    c4_lorem_ipsum_line_count,
    c4_curly_brace_line_count,
    c4_sentence_count,
)
