"""Slow, obvious twins of what is found about the languages of lines."""

from __future__ import annotations


def mixed_ratios(text, language, identify, least_letters, least_score):
    """Share of other languages in the judged lines, and of those lines in the text; ``identify`` a line on its own."""
    judged = others = 0
    for line in text.split("\n"):
        if sum(c.isalpha() for c in line) < least_letters:
            continue
        label, score = identify(line)
        if label is None or score < least_score:
            continue
        judged += len(line.encode())
        if label != language:
            others += len(line.encode())
    return others / judged if judged else 0.0, judged / len(text.encode()) if text else 0.0
