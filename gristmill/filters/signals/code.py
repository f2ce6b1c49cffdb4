"""Facts of source code: lines, letters, an XML header, and what HTML would show."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.filters.signals.characters import _kernels
from gristmill.filters.signals.characters.scans import characters, line_lengths, visible_characters
from gristmill.filters.signals.scripts import character_count, digit_ratio, letter_ratio
from gristmill.filters.signals.signal import Column, ratio, signal
from gristmill.text import TextBatch

FAMILY: Final = "code"
SOURCE: Final = "Guo et al. 2024, arXiv:2401.14196, section 2.1; meaning of BigCode's preprocessing for StarCoder"

_ALPHANUMERIC: Final = (_kernels.LETTER, _kernels.DIGIT, _kernels.NUMBER)
_HEAD: Final = 100


@signal(pa.int64(), FAMILY, SOURCE)
def line_count(batch: TextBatch) -> Column:
    """Lines.

    Those of ``str.splitlines``. An empty text has 0.
    """
    return np.diff(batch.lines.counts)


@signal(pa.float64(), FAMILY, SOURCE)
def mean_line_length(batch: TextBatch) -> Column:
    """Characters of the lines, without their breaks / lines.

    Lines are those of ``str.splitlines``; blank ones count. An empty text has 0.0.
    """
    return ratio(batch.scan(line_lengths)[:, 0], np.diff(batch.lines.counts))


@signal(pa.int64(), FAMILY, SOURCE)
def longest_line_length(batch: TextBatch) -> Column:
    """Characters of the longest line.

    Lines are those of ``str.splitlines``. An empty text has 0.
    """
    return batch.scan(line_lengths)[:, 1]


@signal(pa.float64(), FAMILY, SOURCE)
def alphanumeric_ratio(batch: TextBatch) -> Column:
    """Letters, digits and other numbers / characters.

    Those of ``str.isalnum``. An empty text has 0.0.
    """
    return ratio(batch.scan(characters).kinds[:, _ALPHANUMERIC].sum(axis=1), batch.characters)


@signal(pa.int64(), FAMILY, SOURCE)
def whitespace_token_count(batch: TextBatch) -> Column:
    """Tokens between white space.

    Those of ``str.split``, whatever the words are. An empty text has 0.
    """
    return batch.scan(characters).runs


@signal(pa.int64(), FAMILY, SOURCE)
def xml_declaration_count(batch: TextBatch) -> Column:
    """Occurrences of ``<?xml version=`` in the first 100 characters.

    An occurrence lies in them whole. An empty text has 0.
    """
    head = pc.utf8_slice_codeunits(batch.texts, 0, _HEAD)
    return np.asarray(pc.count_substring(head, "<?xml version=").fill_null(0), dtype=np.int64)


@signal(pa.int64(), FAMILY, SOURCE)
def visible_character_count(batch: TextBatch) -> Column:
    """Characters that a reader would see if the text were HTML.

    Those outside of tags, comments, declarations, processing instructions, and ``script`` and ``style`` elements. White
    space that stands alone between two of these is one character, and so is a reference (``&amp;``). What is not closed
    reaches to the end of the text. BigCode's code asks BeautifulSoup, which reads broken markup in other ways. An empty
    text has 0.
    """
    return batch.scan(visible_characters)


@signal(pa.float64(), FAMILY, SOURCE)
def visible_character_ratio(batch: TextBatch) -> Column:
    """Characters that a reader would see if the text were HTML / characters.

    As in ``visible_character_count``. An empty text has 0.0.
    """
    return ratio(batch.scan(visible_characters), batch.characters)


SIGNALS: Final = (
    line_count,
    mean_line_length,
    longest_line_length,
    letter_ratio,
    alphanumeric_ratio,
    digit_ratio,
    character_count,
    whitespace_token_count,
    xml_declaration_count,
    visible_character_count,
    visible_character_ratio,
)
