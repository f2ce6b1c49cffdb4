"""The slow twins of all families of signals, together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reference_dclm
import reference_dolma
import reference_facts
import reference_redpajama
from reference import quality, repetition, words_of
from reference_lines import c4, fineweb, mc4

Twin = Callable[[str, str], dict[str, Any]]


def of_words(twin: Callable[[str, list[str]], dict[str, float]]) -> Twin:
    """Give a twin the words of a text instead of their kind."""
    return lambda text, kind: twin(text, words_of(text, kind))


FAMILIES: dict[str, Twin] = {
    "gopher_repetition": of_words(repetition),
    "gopher_quality": of_words(quality),
    "fineweb": of_words(fineweb),
    "c4": c4,
    "mc4": of_words(mc4),
    "gopher_repetition_dolma": of_words(reference_dolma.repetition),
    "gopher_quality_dolma": of_words(reference_dolma.quality),
    "pii": of_words(reference_facts.pii),
    "scripts": of_words(reference_facts.scripts),
    "code": of_words(reference_facts.code),
    "gopher_repetition_dclm": reference_dclm.repetition,
    "gopher_quality_dclm": reference_dclm.quality,
    "refinedweb": reference_dclm.refinedweb,
    "redpajama_v2": lambda text, _: reference_redpajama.redpajama_v2(text),
}


def signals(text: str, words: str = "unicode") -> dict[str, float]:
    """Every signal of a text, in the families' order."""
    return {name: value for family in FAMILIES.values() for name, value in family(text, words).items()}
