"""datatrove's own filters beside our presets of the same meaning, and the names of their reasons."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from datatrove.data import Document
from datatrove.pipeline.filters import fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from reference import words_of

FILTERS = {
    "gopher_repetition": GopherRepetitionFilter,
    "gopher_quality": GopherQualityFilter,
    "fineweb": FineWebQualityFilter,
    "c4": C4QualityFilter,
}

# For each preset, datatrove's reasons in the order of its checks, beside our rules.
REASONS = {
    "gopher_repetition": {
        "dup_para_frac": "dup_paragraph_ratio.max",
        "dup_para_char_frac": "dup_paragraph_char_ratio.max",
        "dup_line_frac": "dup_line_ratio.max",
        "dup_line_char_frac": "dup_line_char_ratio.max",
        "top_2_gram": "top_2gram_char_ratio.max",
        "top_3_gram": "top_3gram_char_ratio.max",
        "top_4_gram": "top_4gram_char_ratio.max",
        "duplicated_5_n_grams": "dup_5gram_char_ratio.max",
        "duplicated_6_n_grams": "dup_6gram_char_ratio.max",
        "duplicated_7_n_grams": "dup_7gram_char_ratio.max",
        "duplicated_8_n_grams": "dup_8gram_char_ratio.max",
        "duplicated_9_n_grams": "dup_9gram_char_ratio.max",
        "duplicated_10_n_grams": "dup_10gram_char_ratio.max",
    },
    "gopher_quality": {
        "gopher_short_doc": "word_count.min",
        "gopher_long_doc": "word_count.max",
        "gopher_below_avg_threshold": "mean_word_length.min",
        "gopher_above_avg_threshold": "mean_word_length.max",
        "gopher_too_many_hashes": "hash_word_ratio.max",
        "gopher_too_many_ellipsis": "ellipsis_word_ratio.max",
        "gopher_too_many_bullets": "bullet_line_ratio.max",
        "gopher_too_many_end_ellipsis": "ellipsis_line_ratio.max",
        "gopher_below_alpha_threshold": "alphabetic_word_ratio.min",
        "gopher_enough_stop_words": "stop_word_count.min",
    },
    "fineweb": {
        "empty": "terminal_line_ratio.min",  # no line that is not blank, so none that ends in a mark
        "line_punct_ratio": "terminal_line_ratio.min",
        "short_line_ratio": "short_line_ratio.max",
        "char_dup_ratio": "dup_nonblank_line_char_ratio.max",
        "list_ratio": "newline_word_ratio.max",
    },
    "c4": {
        "lorem_ipsum": "c4_lorem_ipsum_line_count.max",
        "curly_bracket": "c4_curly_brace_line_count.max",
        "too_few_sentences": "c4_sentence_count.min",
    },
}


@functools.cache
def _filter(preset: str) -> object:
    return FILTERS[preset]()


def raw_verdict(preset: str, text: str, **bounds: float | None) -> tuple[str | None, str]:
    """The reason for which datatrove's filter drops a text, in its own name, or None; and the text that it leaves."""
    document = Document(text=text, id="0")
    verdict = (FILTERS[preset](**bounds) if bounds else _filter(preset)).filter(document)
    return (None if verdict is True else verdict[1]), document.text


def in_our_names(preset: str, reason: str | None) -> str | None:
    """The reason code of a reason of datatrove's; the reason itself where no rule of ours corresponds."""
    ours = REASONS[preset].get(reason)
    return reason if ours is None else f"{preset}.{ours}"


def their_reason(preset: str, text: str, **bounds: float | None) -> str | None:
    """The reason for which datatrove drops a text, in our names, or None."""
    return in_our_names(preset, raw_verdict(preset, text, **bounds)[0])


@contextmanager
def given_words(words: str) -> Iterator[None]:
    """Give datatrove's filters our words of whatever text they ask for."""
    split = functools.lru_cache(2)(lambda text, language="en": words_of(text, words))
    with (
        mock.patch.object(gopher_quality_filter, "split_into_words", split),
        mock.patch.object(gopher_repetition_filter, "split_into_words", split),
        mock.patch.object(fineweb_quality_filter, "split_into_words", split),
    ):
        yield
