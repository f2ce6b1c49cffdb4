"""What spaCy's rules know of a character: bits above those of ``gristmill.characters.character_classes()``."""

from __future__ import annotations

from typing import Final

MARK_ENDS: Final = 1 << 8  # spaCy's sentencizer ends a sentence at it
MARK_CLOSES: Final = 1 << 9  # of a category of punctuation
PREFIX: Final = 1 << 10
SUFFIX: Final = 1 << 11
ICON: Final = 1 << 12  # a symbol that splits what it stands in
LETTER: Final = 1 << 13
LOWER: Final = 1 << 14  # letters without case are both
UPPER: Final = 1 << 15
QUOTE: Final = 1 << 16
BEFORE_DOT: Final = 1 << 17  # a full stop after it is a suffix
HOST: Final = 1 << 18  # may be in the name of a host
DECIMAL: Final = 1 << 19
WORD: Final = 1 << 20  # \w of re
SYMBOL: Final = 1 << 21  # "#" or U+2026
INERT: Final = 1 << 22  # no rule but those of special cases names it
ENDS_UNIT: Final = 1 << 23  # a unit or currency ends with it
STARTS_PREFIX: Final = 1 << 24  # a prefix of several characters starts with it
