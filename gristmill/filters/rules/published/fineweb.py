"""FineWeb's rules (Penedo et al. 2024)."""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule

_FINEWEB = Preset(
    "fineweb",
    "Penedo et al. 2024, arXiv:2406.17557, section 3.6, as FineWebQualityFilter of datatrove 0.10 has it",
    (
        Rule("fineweb", "terminal_line_ratio", "min", 0.12),
        Rule("fineweb", "short_line_ratio", "max", 0.67),
        Rule("fineweb", "dup_nonblank_line_char_ratio", "max", 0.01),
        Rule("fineweb", "newline_word_ratio", "max", 0.3),
    ),
    aliases=("fineweb@datatrove",),
)

PRESETS: Final = (_FINEWEB,)
