"""The slow twins of all families of signals, together."""

from __future__ import annotations

from reference import quality, repetition, words_of
from reference_lines import fineweb

FAMILIES = {"gopher_repetition": repetition, "gopher_quality": quality, "fineweb": fineweb}


def signals(text: str, words: str = "unicode") -> dict[str, float]:
    """Every signal of a text, in the families' order."""
    found = words_of(text, words)
    return {name: value for family in FAMILIES.values() for name, value in family(text, found).items()}
