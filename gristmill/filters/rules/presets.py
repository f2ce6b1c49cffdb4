"""Published sets of rules, each named after the system whose meaning and bounds it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gristmill.filters.rules.rule import Rule

FINEWEB2: Final = "fineweb2"
_FINEWEB2 = re.compile(rf"{FINEWEB2}/([a-z]{{3}}_[A-Z][a-z]{{3}})")


@dataclass(frozen=True)
class Preset:
    """A published set of rules, in the order in which its system checks them."""

    name: str
    source: str
    rules: tuple[Rule, ...]


def _most(name: str, bounds: Mapping[str, float]) -> tuple[Rule, ...]:
    return tuple(Rule(name, signal, "max", bound) for signal, bound in bounds.items())


_REPETITION = Preset(
    "gopher_repetition",
    "Rae et al. 2021, arXiv:2112.11446, table A1, as GopherRepetitionFilter of datatrove 0.10 has it",
    _most(
        "gopher_repetition",
        {
            "dup_paragraph_ratio": 0.30,
            "dup_paragraph_char_ratio": 0.20,
            "dup_line_ratio": 0.30,
            "dup_line_char_ratio": 0.20,
            "top_2gram_char_ratio": 0.20,
            "top_3gram_char_ratio": 0.18,
            "top_4gram_char_ratio": 0.16,
            "dup_5gram_char_ratio": 0.15,
            "dup_6gram_char_ratio": 0.14,
            "dup_7gram_char_ratio": 0.13,
            "dup_8gram_char_ratio": 0.12,
            "dup_9gram_char_ratio": 0.11,
            "dup_10gram_char_ratio": 0.10,
        },
    ),
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
)

_FINEWEB = Preset(
    "fineweb",
    "Penedo et al. 2024, arXiv:2406.17557, section 3.6, as FineWebQualityFilter of datatrove 0.10 has it",
    (
        Rule("fineweb", "terminal_line_ratio", "min", 0.12),
        Rule("fineweb", "short_line_ratio", "max", 0.67),
        Rule("fineweb", "dup_nonblank_line_char_ratio", "max", 0.01),
        Rule("fineweb", "newline_word_ratio", "max", 0.3),
    ),
)

_C4 = Preset(
    "c4",
    "Raffel et al. 2020, arXiv:1910.10683, section 2.2, the page's rules as C4QualityFilter of datatrove 0.10 has them",
    (
        Rule("c4", "c4_lorem_ipsum_line_count", "max", 0),
        Rule("c4", "c4_curly_brace_line_count", "max", 0),
        Rule("c4", "c4_sentence_count", "min", 5),
    ),
)

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {preset.name: preset for preset in (_REPETITION, _QUALITY, _FINEWEB, _C4)}
)


def is_fineweb2(name: str) -> bool:
    """Return whether a preset is one of FineWeb-2's, whose bounds are read from its published files.

    >>> is_fineweb2("fineweb2/fra_Latn"), is_fineweb2("fineweb2")
    (True, False)
    """
    return _FINEWEB2.fullmatch(name) is not None


def source_of(name: str) -> str | None:
    """Return where a preset comes from; None for a rule set that is none."""
    if is_fineweb2(name):
        return f"Penedo et al. 2025, arXiv:2506.20920, the bounds in its file configs/{name.partition('/')[2]}.yml"
    return PRESETS[name].source if name in PRESETS else None
