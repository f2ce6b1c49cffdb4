"""datatrove's own two Gopher filters, run on the same words: same verdict, same first reason.

Every intended difference is listed in ``gristmill.filters.catalogue.DIFFERENCES`` and shown here by name.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import gopher_quality_filter, gopher_repetition_filter
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.utils.text import split_into_words
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from reference import words_of
from strategies import PIECES, texts

from gristmill.filters.catalogue import DIFFERENCES
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.presets import PRESETS
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.text import WORDS

# datatrove's names of reasons, in the order of its checks, beside ours.
REASONS = {
    "dup_para_frac": "gopher_repetition.dup_paragraph_ratio.max",
    "dup_para_char_frac": "gopher_repetition.dup_paragraph_char_ratio.max",
    "dup_line_frac": "gopher_repetition.dup_line_ratio.max",
    "dup_line_char_frac": "gopher_repetition.dup_line_char_ratio.max",
    **{f"top_{n}_gram": f"gopher_repetition.top_{n}gram_char_ratio.max" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"gopher_repetition.dup_{n}gram_char_ratio.max" for n in range(5, 11)},
    "gopher_short_doc": "gopher_quality.word_count.min",
    "gopher_long_doc": "gopher_quality.word_count.max",
    "gopher_below_avg_threshold": "gopher_quality.mean_word_length.min",
    "gopher_above_avg_threshold": "gopher_quality.mean_word_length.max",
    "gopher_too_many_hashes": "gopher_quality.hash_word_ratio.max",
    "gopher_too_many_ellipsis": "gopher_quality.ellipsis_word_ratio.max",
    "gopher_too_many_bullets": "gopher_quality.bullet_line_ratio.max",
    "gopher_too_many_end_ellipsis": "gopher_quality.ellipsis_line_ratio.max",
    "gopher_below_alpha_threshold": "gopher_quality.alphabetic_word_ratio.min",
    "gopher_enough_stop_words": "gopher_quality.stop_word_count.min",
}
FILTERS = {"gopher_repetition": GopherRepetitionFilter, "gopher_quality": GopherQualityFilter}


@contextmanager
def our_words(words: str) -> Iterator[None]:
    """Give datatrove's filters our words of whatever text they ask for."""

    @functools.lru_cache(2)
    def split(text: str, language: str = "en") -> list[str]:
        return words_of(text, words)

    with (
        mock.patch.object(gopher_quality_filter, "split_into_words", split),
        mock.patch.object(gopher_repetition_filter, "split_into_words", split),
    ):
        yield


def their_reason(preset: str, text: str, **bounds: Any) -> str | None:
    """The reason for which datatrove drops the text, in our names, or None."""
    verdict = FILTERS[preset](**bounds).filter(Document(text=text, id="0"))
    if verdict is True:
        return None
    return REASONS.get(verdict[1], verdict[1])


def our_reasons(presets: list[str], rows: list[str], words: str, **changes: Any) -> list[str | None]:
    """The first reason for which each text is dropped, or None."""
    values = measure(pa.array(rows, pa.large_string()), SignalsSettings(words=words))
    rules = rules_of(FilterSettings(use=presets, **changes))
    return evaluate(rules, values, len(rows)).column("reason").to_pylist()


def joined_otherwise(text: str, words: str) -> bool:
    """Whether different n-grams of the text are equal when joined without spaces (``ngrams_compare_words``)."""
    found = words_of(text, words)
    for n in range(5, 11):
        ngrams = {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}
        if len({"".join(ngram) for ngram in ngrams}) < len(ngrams):
            return True
    return False


def disagreements(rows: list[str], words: str) -> list[tuple[str, str | None, str | None]]:
    """Each text, our reason and theirs, where they are not the same."""
    found = []
    with our_words(words):
        for preset in FILTERS:
            ours = our_reasons([preset], rows, words)
            theirs = (their_reason(preset, row) for row in rows)
            found += [(row, a, b) for row, a, b in zip(rows, ours, theirs, strict=True) if a != b]
    return found


# --- parity ----------------------------------------------------------------------------------------------------------


def test_every_reason_of_theirs_is_a_rule_of_ours_in_the_same_order():
    ours = [rule.code for name in FILTERS for rule in PRESETS[name].rules]
    assert ours == list(REASONS.values())


COMMON = ("and ", "the ", "word ", "another ", "mean length ", "of ", "that ", "x ", "\n", "12 ", ". ")
NATURAL = st.lists(st.sampled_from([*PIECES, *COMMON]), min_size=30, max_size=160).map("".join)


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=150)
@given(rows=st.lists(st.one_of(NATURAL, texts().filter(bool)), min_size=1, max_size=4))
def test_hostile_texts_meet_the_same_end(words, rows):
    rows = [row for row in rows if not joined_otherwise(row, words)]
    assert disagreements(rows, words) == []


@pytest.mark.parametrize("words", list(WORDS))
@pytest.mark.data
def test_real_texts_meet_the_same_end(words, data):
    rows = real_texts(data)
    assert len(rows) >= 5_000
    assert disagreements(rows, words) == []
    reasons = Counter(reason for preset in FILTERS for reason in our_reasons([preset], rows, words))
    assert len(reasons) >= 14, reasons  # texts of many kinds: most reasons occur among them
    assert reasons[None] >= 500


# --- the differences, each by its name -------------------------------------------------------------------------------


def empty_text():
    assert their_reason("gopher_repetition", "") == "empty"
    assert our_reasons(["gopher_repetition"], [""], "unicode") == [None]
    assert our_reasons(["gopher_repetition", "gopher_quality"], [""], "unicode") == ["gopher_quality.word_count.min"]


def division_by_zero():
    off = {"word_count": {"min": None}, "mean_word_length": {"min": None}, "alphabetic_word_ratio": {"min": None}}
    with our_words("unicode"), pytest.warns(RuntimeWarning), pytest.raises(ZeroDivisionError):
        their_reason("gopher_quality", " ", min_doc_words=None, min_avg_word_length=None)
    reasons = our_reasons(["gopher_quality"], [" "], "unicode", gopher_quality=off)
    assert reasons == ["gopher_quality.stop_word_count.min"]


def no_mean():
    text = "... " * 60
    loose = {"min_doc_words": None, "max_symbol_word_ratio": None, "max_ellipsis_lines_ratio": None}
    loose |= {"max_non_alpha_words_ratio": None, "min_stop_words": None}
    with our_words("whitespace"), pytest.warns(RuntimeWarning):
        assert their_reason("gopher_quality", text, **loose) is None
    off = {"word_count": {"min": None}}
    assert our_reasons(["gopher_quality"], [text], "whitespace", gopher_quality=off) == [
        "gopher_quality.mean_word_length.min"
    ]


def ngrams_compare_words():
    text = "abc def ghi jkl mno " + "ab cde fgh ijk lmno " + "x" * 58
    with our_words("whitespace"):
        assert their_reason("gopher_repetition", text) == "gopher_repetition.dup_5gram_char_ratio.max"
    assert our_reasons(["gopher_repetition"], [text], "whitespace") == [None]


def all_reasons():
    values = measure(pa.array(["# # ..."]), SignalsSettings())
    rules = rules_of(FilterSettings(use=["gopher_quality"]))
    (reasons,) = evaluate(rules, values, 1).column("reasons").to_pylist()
    assert len(reasons) > 1
    with our_words("unicode"):
        assert their_reason("gopher_quality", "# # ...") == reasons[0]


def page_order():
    text = "Here is a { brace.\nHere is lorem ipsum too.\n" + "A line of words.\n" * 5
    assert C4QualityFilter().filter(Document(text=text, id="0")) == (False, "curly_bracket")
    (values,) = measure(pa.array([text]), SignalsSettings(families=["c4"], words="spacy")).to_pylist()
    assert values["c4_lorem_ipsum_line_count"] == values["c4_curly_brace_line_count"] == 1


def long_chunks():
    text = "a" * 1001
    assert len(split_into_words(text)) == 1
    (values,) = measure(pa.array([text]), SignalsSettings(words="spacy")).to_pylist()
    assert values["word_count"] == 2


def bound_of_zero():
    text = "a heading # of the kind that have been\n" * 20
    with our_words("unicode"):
        assert their_reason("gopher_quality", text, max_symbol_word_ratio=0) is None
    zero = {"hash_word_ratio": {"max": 0}}
    assert our_reasons(["gopher_quality"], [text], "unicode", gopher_quality=zero) == [
        "gopher_quality.hash_word_ratio.max"
    ]


SHOWN = (
    empty_text,
    division_by_zero,
    no_mean,
    ngrams_compare_words,
    all_reasons,
    page_order,
    long_chunks,
    bound_of_zero,
)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda f: f.__name__)
def test_a_difference_is_as_its_name_says(shown):
    shown()


def test_every_difference_is_shown():
    assert [f.__name__ for f in SHOWN] == list(DIFFERENCES)
