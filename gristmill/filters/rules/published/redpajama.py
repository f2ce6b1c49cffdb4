"""The example filter of RedPajama-V2's dataset card (Weber et al. 2024)."""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule

_REDPAJAMA = Preset(
    "redpajama_v2",
    "Weber et al. 2024, arXiv:2411.12372, the Gopher rules that RedPajama-V2's dataset card gives as its example",
    (
        Rule("redpajama_v2", "word_count_redpajama_v2", "min", 50),
        Rule("redpajama_v2", "word_count_redpajama_v2", "max", 100_000),
        Rule("redpajama_v2", "mean_word_length_redpajama_v2", "min", 3),
        Rule("redpajama_v2", "mean_word_length_redpajama_v2", "max", 10),
        Rule("redpajama_v2", "symbol_word_ratio_redpajama_v2", "max", 0.1),
        Rule("redpajama_v2", "bullet_line_ratio_redpajama_v2", "max", 0.9),
        Rule("redpajama_v2", "top_2gram_char_ratio_redpajama_v2", "max", 0.2),
    ),
)

PRESETS: Final = (_REDPAJAMA,)
