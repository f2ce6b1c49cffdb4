"""MassiveText's rules (Rae et al. 2021), on the signals whose meaning is nearest to the paper's text.

Quality is datatrove's, which bounds ``#`` and ellipses apart and counts distinct stop words. Repetition is DCLM's,
which counts no character twice where repeated n-grams overlap, and takes shares of the words' characters.
"""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published import dclm
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule

_MASSIVETEXT = Preset(
    "massivetext",
    "Rae et al. 2021, arXiv:2112.11446, A1.1 and table A1, on the signals that are nearest to its text",
    (
        Rule("massivetext", "word_count", "min", 50),
        Rule("massivetext", "word_count", "max", 100_000),
        Rule("massivetext", "mean_word_length", "min", 3),
        Rule("massivetext", "mean_word_length", "max", 10),
        Rule("massivetext", "hash_word_ratio", "max", 0.1),
        Rule("massivetext", "ellipsis_word_ratio", "max", 0.1),
        Rule("massivetext", "bullet_line_ratio", "max", 0.9),
        Rule("massivetext", "ellipsis_line_ratio", "max", 0.3),
        Rule("massivetext", "alphabetic_word_ratio", "min", 0.8),
        Rule("massivetext", "stop_word_count", "min", 2),
        *dclm.repetition("massivetext"),
    ),
)

PRESETS: Final = (_MASSIVETEXT,)
