"""FineWeb-2's bounds of one language, read from the file that it publishes for it.

Source: Penedo et al. 2025, arXiv:2506.20920, and `fineweb-2-pipeline.py` of github.com/huggingface/fineweb-2, which
hands each file's values to three filters of datatrove. Not in the files, and the same for every language: 0.1 for
repeated lines by characters, two stop words, and datatrove's defaults of GopherQualityFilter. Switched off there, so
not here: repeated paragraphs, repeated lines by characters as Gopher has them, short lines, and all of C4.

The stop words themselves are a list of the family `stop_words`. Not here: URLs, duplicates and personal data, which are
other stages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gristmill.errors import CorruptError
from gristmill.filters.rules.presets import FINEWEB2, PRESETS, source_of
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import LANGUAGE, Condition, Rule

_LANGUAGE_SCORE: Final = "language_score"
_LINE_CHARACTERS: Final = 0.1
_STOP_WORD_COUNT: Final = 2
_SYMBOLS: Final = ("hash_word_ratio", "ellipsis_word_ratio", "bullet_line_ratio", "ellipsis_line_ratio")
_STOP_WORDS = re.compile(r"^stopwords:.*(?:\n(?:[-\s].*)?)*", re.MULTILINE)
_TOO_DEEP: Final = "FineWeb-2's file of '{}' cannot be read: it is nested too deep"
_NUMBERS: Final = (
    "language_score", "dup_line_frac", "line_punct_thr", "new_line_ratio", "min_avg_word_length",
    "max_avg_word_length", "max_non_alpha_words_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class LanguageConfig:
    """One language's file: numbers by its names, bounds of n-grams by n, and its stop words in the order written."""

    language: str
    numbers: Mapping[str, float]
    top_ngrams: Mapping[int, float]
    dup_ngrams: Mapping[int, float]
    stop_words: tuple[str, ...]


def read_config(language: str, data: bytes) -> LanguageConfig:
    """Return what a language's file says. Raises CorruptError for a file that is not such a one."""
    try:
        value: dict[str, Any] = _parser().load(BytesIO(data))
        return LanguageConfig(
            language=language,
            numbers={name: _number(value[name]) for name in _NUMBERS},
            top_ngrams={int(n): _number(bound) for n, bound in value["top_n_grams"]},
            dup_ngrams={int(n): _number(bound) for n, bound in value["dup_n_grams"]},
            stop_words=tuple(str(word) for word in value["stopwords"]),
        )
    except RecursionError as error:
        raise CorruptError(_TOO_DEEP.format(language)) from error
    except (YAMLError, KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise CorruptError(f"FineWeb-2's file of '{language}' cannot be read: {error}") from error


def read_stop_words(language: str, data: bytes) -> tuple[str, ...]:
    """Return the stop words of a language's file; the rest of it is not read. Raises CorruptError."""
    text = data.decode("utf-8", "replace")
    found = _STOP_WORDS.search(text)
    try:
        words = _parser().load(BytesIO(found[0].encode()))["stopwords"] if found else None
    except RecursionError as error:
        raise CorruptError(_TOO_DEEP.format(language)) from error
    except YAMLError as error:
        raise CorruptError(f"FineWeb-2's file of '{language}' cannot be read: {error}") from error
    if not isinstance(words, list):
        raise CorruptError(f"FineWeb-2's file of '{language}' names no stop words")
    return tuple(str(word) for word in words)


def preset_of(config: LanguageConfig, labels: tuple[str, ...]) -> Preset:
    """Return a language's preset, in the order of FineWeb-2's checks; ``labels`` are what the language is called here.

    Documents of other languages are not judged. A least ratio of -1, which its files have for "none", is left out.
    """
    name, where = f"{FINEWEB2}/{config.language}", (LANGUAGE, labels)
    rules = (rule for rule in _rules(name, config, where) if not (rule.side == "min" and rule.bound == -1))
    return Preset(name, source_of(name) or name, tuple(rules))


def _rules(name: str, config: LanguageConfig, where: Condition) -> list[Rule]:
    at = config.numbers

    def least(signal: str, bound: float) -> Rule:
        return Rule(name, signal, "min", bound, where)

    def most(signal: str, bound: float) -> Rule:
        return Rule(name, signal, "max", bound, where)

    def as_published(*signals: str) -> list[Rule]:
        gopher = PRESETS["gopher_quality"].rules
        return [replace(rule, preset=name, where=where) for rule in gopher if rule.signal in signals]

    return [
        least(_LANGUAGE_SCORE, at["language_score"]),
        most("dup_line_ratio", at["dup_line_frac"]),
        *(most(f"top_{n}gram_char_ratio", bound) for n, bound in config.top_ngrams.items()),
        *(most(f"dup_{n}gram_char_ratio", bound) for n, bound in config.dup_ngrams.items()),
        least("terminal_line_ratio", at["line_punct_thr"]),
        most("dup_nonblank_line_char_ratio", _LINE_CHARACTERS),
        most("newline_word_ratio", at["new_line_ratio"]),
        *as_published("word_count"),
        least("mean_word_length", at["min_avg_word_length"]),
        most("mean_word_length", at["max_avg_word_length"]),
        *as_published(*_SYMBOLS),
        least("alphabetic_word_ratio", at["max_non_alpha_words_ratio"]),
        least("language_stop_word_count", _STOP_WORD_COUNT),
    ]


def _parser() -> YAML:
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 1)  # the version that the files were written in
    return parser


def _number(value: Any) -> float:
    """Return a number. Raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return value
