"""C4's rules of a page (Raffel et al. 2020)."""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule

_C4 = Preset(
    "c4",
    "Raffel et al. 2020, arXiv:1910.10683, section 2.2, the page's rules as C4QualityFilter of datatrove 0.10 has them",
    (
        Rule("c4", "c4_lorem_ipsum_line_count", "max", 0),
        Rule("c4", "c4_curly_brace_line_count", "max", 0),
        Rule("c4", "c4_sentence_count", "min", 5),
    ),
    aliases=("c4@datatrove",),
)

_BAD_WORDS = Preset(
    "c4_bad_words",
    "Raffel et al. 2020, arXiv:1910.10683, section 2.2, as C4BadWordsFilter of datatrove 0.10 has it, which keeps none",
    (Rule("c4_bad_words", "bad_word_count", "max", 0),),
)


_PAPER = Preset(
    "c4@paper",
    "Raffel et al. 2020, arXiv:1910.10683, section 2.2, the page's rules of its reference code (tensorflow_datasets, "
    "c4_utils.py), for the text that the edit c4_lines leaves in the meaning paper",
    (
        Rule("c4@paper", "lorem_ipsum_count", "max", 0),
        Rule("c4@paper", "curly_brace_count", "max", 0),
        Rule("c4@paper", "sentence_count", "min", 3),
    ),
)

PRESETS: Final = (_C4, _BAD_WORDS, _PAPER)
