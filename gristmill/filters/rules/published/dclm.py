"""RefinedWeb's rules (Penedo et al. 2023) as DCLM's code has them, and Gopher's as it has those (Li et al. 2024)."""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published.gopher import NGRAM_BOUNDS
from gristmill.filters.rules.published.preset import Preset, most
from gristmill.filters.rules.rule import Rule

_CODE: Final = "content_filters.py and dclm_baseline_refinedweb.yaml of github.com/mlfoundations/dclm"


def repetition(name: str) -> tuple[Rule, ...]:
    """Return DCLM's rules against repetition, in the order of its checks, as those of a preset."""
    bounds = {
        "dup_line_ratio": 0.30,
        "dup_paragraph_ratio": 0.30,
        "dup_line_char_ratio": 0.20,
        "dup_paragraph_char_ratio": 0.20,
        **NGRAM_BOUNDS,
    }
    return most(name, {f"{signal}_dclm": bound for signal, bound in bounds.items()})


def _quality(name: str) -> tuple[Rule, ...]:
    return (
        Rule(name, "word_count_dclm", "min", 50),
        Rule(name, "word_count_dclm", "max", 100_000),
        Rule(name, "mean_word_length_dclm", "min", 3),
        Rule(name, "mean_word_length_dclm", "max", 10),
        Rule(name, "symbol_word_ratio_dclm", "max", 0.1),
        Rule(name, "bullet_line_ratio_dclm", "max", 0.9),
        Rule(name, "ellipsis_line_ratio_dclm", "max", 0.3),
        Rule(name, "alphabetic_word_ratio_dclm", "min", 0.8),
        Rule(name, "stop_word_count_dclm", "min", 2),
    )


def _page(name: str) -> tuple[Rule, ...]:
    """Return the rules of a page, in the order of DCLM's pipeline."""
    return (*_quality(name), *repetition(name), Rule(name, "cut_word_ratio_refinedweb", "max", 0.05))


PRESETS: Final = (
    Preset(
        "gopher_repetition@dclm",
        f"Rae et al. 2021, arXiv:2112.11446, table A1, as {_CODE} have it",
        repetition("gopher_repetition@dclm"),
    ),
    Preset(
        "gopher_quality@dclm",
        f"Rae et al. 2021, arXiv:2112.11446, A1.1, as {_CODE} have it",
        _quality("gopher_quality@dclm"),
    ),
    Preset(
        "refinedweb",
        f"Penedo et al. 2023, arXiv:2306.01116, section 3 and G.2, as {_CODE} have it",
        _page("refinedweb"),
    ),
    Preset("dclm", f"Li et al. 2024, arXiv:2406.11794, section 4, {_CODE}", _page("dclm")),
)
