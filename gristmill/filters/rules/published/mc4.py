"""mC4's rule of a page (Xue et al. 2021)."""

from __future__ import annotations

from typing import Final

from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule

_MC4 = Preset(
    "mc4",
    "Xue et al. 2021, arXiv:2010.11934, section 3.1, as C4ParagraphFilter of datatrove 0.10 has it",
    (Rule("mc4", "long_paragraph_count", "min", 3),),
)

PRESETS: Final = (_MC4,)
