"""Dolma's rules (Soldaini et al. 2024): Gopher's, with its own meanings and the bounds of its web mix.

Of repetition, Dolma bounds the characters in repeated lines at 0.30, where the paper's table and others have 0.20, and
it bounds no paragraphs.
"""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published.gopher import NGRAM_BOUNDS
from gristmill.filters.rules.published.preset import Preset, most
from gristmill.filters.rules.rule import Rule

_CODE: Final = "tagger gopher_v1 and configs/dolma-v1_5/mixing/cc-head.yaml of github.com/allenai/dolma"


def _quality(name: str) -> tuple[Rule, ...]:
    return (
        Rule(name, "word_count_dolma", "min", 50),
        Rule(name, "word_count_dolma", "max", 100_000),
        Rule(name, "median_word_length_dolma", "min", 3),
        Rule(name, "median_word_length_dolma", "max", 10),
        Rule(name, "symbol_word_ratio_dolma", "max", 0.1),
        Rule(name, "alphabetic_word_ratio_dolma", "min", 0.8),
        Rule(name, "stop_word_count_dolma", "min", 2),
        Rule(name, "bullet_line_ratio_dolma", "max", 0.9),
        Rule(name, "ellipsis_line_ratio_dolma", "max", 0.3),
    )


def _repetition(name: str) -> tuple[Rule, ...]:
    bounds = {
        "dup_line_ratio": 0.30,
        "dup_line_char_ratio": 0.30,
        **NGRAM_BOUNDS,
    }
    return most(name, {f"{signal}_dolma": bound for signal, bound in bounds.items()})


PRESETS: Final = (
    Preset(
        "gopher_repetition@dolma",
        f"Rae et al. 2021, arXiv:2112.11446, table A1, as {_CODE} have it",
        _repetition("gopher_repetition@dolma"),
    ),
    Preset(
        "gopher_quality@dolma",
        f"Rae et al. 2021, arXiv:2112.11446, A1.1, as {_CODE} have it",
        _quality("gopher_quality@dolma"),
    ),
    Preset(
        "dolma",
        f"Soldaini et al. 2024, arXiv:2402.00159, section 3.1, {_CODE}",
        (*_quality("dolma"), *_repetition("dolma")),
    ),
)
