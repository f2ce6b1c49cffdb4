"""DeepSeek-Coder's rules of a file of source code (Guo et al. 2024), which are those of StarCoder but for some bounds.

What kind of file it is, the URL's extension tells. The least number of tokens is not in the paper, but in the code for
near-duplicates that such corpora share: it looks at no file of fewer.
"""

from __future__ import annotations

from typing import Final

from gristmill.bounds import Side
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule

_NAME: Final = "deepseek_code"
_EXTENSION: Final = "url_extension"
_XSLT: Final = ("xsl", "xslt")
_HTML: Final = ("htm", "html", "xhtml")
_DATA: Final = ("json", "yaml", "yml")


def _of(extensions: tuple[str, ...], signal: str, side: Side, bound: float) -> Rule:
    return Rule(_NAME, signal, side, bound, where=(_EXTENSION, extensions))


_DEEPSEEK_CODE = Preset(
    _NAME,
    "Guo et al. 2024, arXiv:2401.14196, section 2.1; least tokens from CodeParrot's near-deduplication",
    (
        Rule(_NAME, "mean_line_length", "max", 100),
        Rule(_NAME, "longest_line_length", "max", 1000),
        Rule(_NAME, "letter_ratio", "min", 0.25),
        Rule(_NAME, "xml_declaration_count", "max", 0, unless=(_EXTENSION, _XSLT)),
        _of(_HTML, "visible_character_ratio", "min", 0.2),
        _of(_HTML, "visible_character_count", "min", 100),
        _of(_DATA, "character_count", "min", 50),
        _of(_DATA, "character_count", "max", 5000),
        Rule(_NAME, "whitespace_token_count", "min", 10),
    ),
)

PRESETS: Final = (_DEEPSEEK_CODE,)
