"""Gopher's rules (Rae et al. 2021), with datatrove's meanings."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from gristmill.filters.rules.published.preset import Preset, most
from gristmill.filters.rules.rule import Rule

NGRAM_BOUNDS: Final = MappingProxyType(
    {
        "top_2gram_char_ratio": 0.20,
        "top_3gram_char_ratio": 0.18,
        "top_4gram_char_ratio": 0.16,
        "dup_5gram_char_ratio": 0.15,
        "dup_6gram_char_ratio": 0.14,
        "dup_7gram_char_ratio": 0.13,
        "dup_8gram_char_ratio": 0.12,
        "dup_9gram_char_ratio": 0.11,
        "dup_10gram_char_ratio": 0.10,
    }
)
"""Table A1 of Rae et al. 2021: the most that is kept, by signal, whatever a system means by it."""

_REPETITION = Preset(
    "gopher_repetition",
    "Rae et al. 2021, arXiv:2112.11446, table A1, as GopherRepetitionFilter of datatrove 0.10 has it",
    most(
        "gopher_repetition",
        {
            "dup_paragraph_ratio": 0.30,
            "dup_paragraph_char_ratio": 0.20,
            "dup_line_ratio": 0.30,
            "dup_line_char_ratio": 0.20,
            **NGRAM_BOUNDS,
        },
    ),
    aliases=("gopher_repetition@datatrove",),
)

_QUALITY = Preset(
    "gopher_quality",
    "Rae et al. 2021, arXiv:2112.11446, A1.1, as GopherQualityFilter of datatrove 0.10 has it",
    (
        Rule("gopher_quality", "word_count", "min", 50),
        Rule("gopher_quality", "word_count", "max", 100_000),
        Rule("gopher_quality", "mean_word_length", "min", 3),
        Rule("gopher_quality", "mean_word_length", "max", 10),
        Rule("gopher_quality", "hash_word_ratio", "max", 0.1),
        Rule("gopher_quality", "ellipsis_word_ratio", "max", 0.1),
        Rule("gopher_quality", "bullet_line_ratio", "max", 0.9),
        Rule("gopher_quality", "ellipsis_line_ratio", "max", 0.3),
        Rule("gopher_quality", "alphabetic_word_ratio", "min", 0.8),
        Rule("gopher_quality", "stop_word_count", "min", 2),
    ),
    aliases=("gopher_quality@datatrove",),
)

PRESETS: Final = (_REPETITION, _QUALITY)
