"""Slow, obvious twins of the signals that look at lines: FineWeb's."""

from __future__ import annotations

from datatrove.utils.text import TERMINAL_PUNCTUATION
from reference import further_copies, ratio


def fineweb(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "terminal_line_ratio": ratio(sum(line.endswith(tuple(TERMINAL_PUNCTUATION)) for line in lines), len(lines)),
        "short_line_ratio": ratio(sum(len(line) <= 30 for line in lines), len(lines)),
        "dup_nonblank_line_char_ratio": ratio(sum(map(len, further_copies(lines))), len(text.replace("\n", ""))),
        "newline_word_ratio": ratio(text.count("\n"), len(words)),
    }
