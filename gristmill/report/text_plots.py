"""Drawings in characters, for terminals and for Markdown."""

from __future__ import annotations

from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def bar(part: float, whole: float, width: int) -> str:
    """Return a bar as long as a part of a whole, in eighths of a character; what is not nothing is seen.

    >>> bar(1, 2, 4), bar(0, 2, 4), bar(1, 1_000, 4)
    ('██', '', '▏')
    """
    if part <= 0 or whole <= 0:
        return ""
    eighths = max(1, round(8 * width * min(part / whole, 1.0)))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
