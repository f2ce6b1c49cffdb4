"""Which characters a text is made of, and in which scripts it is written."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from gristmill.filters.signals.characters import _kernels
from gristmill.filters.signals.characters.scans import characters
from gristmill.filters.signals.characters.tables import COMMON, KANA, scripts
from gristmill.filters.signals.signal import Column, Signal, ratio, signal
from gristmill.text import TextBatch

FAMILY: Final = "scripts"
SOURCE: Final = "The Unicode Standard, section 4.5; UAX 24, the property Script of Unicode 18.0"

# Scripts whose share of the letters is a signal of its own, by ISO 15924's codes.
SHARES: Final = {
    "Latn": ("latin", "Latin letters"),
    "Cyrl": ("cyrillic", "Cyrillic letters"),
    "Grek": ("greek", "Greek letters"),
    "Arab": ("arabic", "Arabic letters"),
    "Hebr": ("hebrew", "Hebrew letters"),
    "Deva": ("devanagari", "Devanagari letters"),
    "Thai": ("thai", "Thai letters"),
    "Hani": ("han", "Ideographs"),
    KANA: ("kana", "Hiragana and katakana"),
    "Hang": ("hangul", "Hangul letters"),
}


@signal(pa.int64(), FAMILY, SOURCE)
def character_count(batch: TextBatch) -> Column:
    """Characters.

    Code points. An empty text has 0.
    """
    return batch.characters


def _share(batch: TextBatch, kind: int) -> Column:
    return ratio(batch.scan(characters).kinds[:, kind], batch.characters)


@signal(pa.float64(), FAMILY, SOURCE)
def letter_ratio(batch: TextBatch) -> Column:
    """Letters / characters.

    Letters are those of ``str.isalpha``, in any script. Vowel signs and accents that stand alone are marks, so texts in
    scripts that use them have less. An empty text has 0.0.
    """
    return _share(batch, _kernels.LETTER)


@signal(pa.float64(), FAMILY, SOURCE)
def digit_ratio(batch: TextBatch) -> Column:
    """Decimal digits / characters.

    The digits of any script (``str.isdecimal``); not fractions, superscripts or Roman numerals. An empty text has 0.0.
    """
    return _share(batch, _kernels.DIGIT)


@signal(pa.float64(), FAMILY, SOURCE)
def punctuation_ratio(batch: TextBatch) -> Column:
    """Punctuation / characters.

    Unicode's general category P: ``$``, ``+`` and ``=`` are symbols. datatrove's set of punctuation is another. An
    empty text has 0.0.
    """
    return _share(batch, _kernels.PUNCTUATION)


@signal(pa.float64(), FAMILY, SOURCE)
def symbol_ratio(batch: TextBatch) -> Column:
    """Symbols / characters.

    Unicode's general category S: currency, mathematics, emoji, ``|``, ``~``. An empty text has 0.0.
    """
    return _share(batch, _kernels.SYMBOL)


@signal(pa.float64(), FAMILY, SOURCE)
def white_space_ratio(batch: TextBatch) -> Column:
    """White space / characters.

    That of ``str.isspace``, with line breaks. An empty text has 0.0.
    """
    return _share(batch, _kernels.SPACE)


def _letters(batch: TextBatch) -> Column:
    return batch.scan(characters).kinds[:, _kernels.LETTER]


def _script_share(code: str, name: str, what: str) -> Signal:
    def measure(batch: TextBatch) -> Column:
        return ratio(batch.scan(characters).letters[:, scripts().number(code)], _letters(batch))

    measure.__name__ = f"{name}_letter_ratio"
    measure.__doc__ = f"""{what} / letters.

    Letters are those of ``str.isalpha``; their script is Unicode's. A text without letters has 0.0.
    """
    return signal(pa.float64(), FAMILY, SOURCE)(measure)


@signal(pa.float64(), FAMILY, SOURCE)
def other_letter_ratio(batch: TextBatch) -> Column:
    """Letters of none of the scripts that have a signal of their own / letters.

    Letters that belong to no single script, such as mathematical ones, are among them. A text without letters has 0.0.
    """
    counts = batch.scan(characters).letters
    named = counts[:, [scripts().number(code) for code in SHARES]].sum(axis=1)
    return ratio(_letters(batch) - named, _letters(batch))


def _by_script(batch: TextBatch) -> Column:
    """Return the letters of each script; those that belong to none have no column of their own, but one of zeros."""
    counts: Column = batch.scan(characters).letters.copy()
    counts[:, scripts().number(COMMON)] = 0
    return counts


@signal(pa.int64(), FAMILY, SOURCE)
def script_count(batch: TextBatch) -> Column:
    """Scripts that the text has a letter of.

    Hiragana and katakana are one. Letters that belong to no single script, such as mathematical ones, do not count. A
    text without letters has 0.
    """
    return np.asarray(np.count_nonzero(batch.scan(_by_script), axis=1), np.int64)


@signal(pa.string(), FAMILY, SOURCE)
def main_script(batch: TextBatch) -> Column:
    """Code of the script that most letters are of, such as ``Latn``.

    ISO 15924's codes; ``Hrkt`` for hiragana and katakana together. The first in the alphabet wins among equals. A text
    without letters of any script has ``Zyyy``.
    """
    return np.asarray(np.array(scripts().codes)[batch.scan(_by_script).argmax(axis=1)])


@signal(pa.float64(), FAMILY, SOURCE)
def main_script_ratio(batch: TextBatch) -> Column:
    """Letters of the main script / letters.

    A text without letters has 0.0.
    """
    return ratio(batch.scan(_by_script).max(axis=1), _letters(batch))


SIGNALS: Final = (
    character_count,
    letter_ratio,
    digit_ratio,
    punctuation_ratio,
    symbol_ratio,
    white_space_ratio,
    *(_script_share(code, *names) for code, names in SHARES.items()),
    other_letter_ratio,
    script_count,
    main_script,
    main_script_ratio,
)
