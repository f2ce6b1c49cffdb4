"""datatrove's own filters of lines and pages, run on the same words: same verdict, same first reason."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pyarrow as pa
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import fineweb_quality_filter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from reference import words_of
from strategies import PIECES, texts

from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.text import WORDS

# datatrove's names of reasons and its bounds, in the order of its checks, beside our signals.
FINEWEB = {
    "line_punct_ratio": ("terminal_line_ratio", {"min": 0.12}),
    "short_line_ratio": ("short_line_ratio", {"max": 0.67}),
    "char_dup_ratio": ("dup_nonblank_line_char_ratio", {"max": 0.01}),
    "list_ratio": ("newline_word_ratio", {"max": 0.3}),
}


@contextmanager
def our_words(words: str) -> Iterator[None]:
    """Give datatrove's filter our words of whatever text it asks for."""
    split = functools.lru_cache(2)(lambda text, language="en": words_of(text, words))
    with mock.patch.object(fineweb_quality_filter, "split_into_words", split):
        yield


def their_reason(text: str) -> str | None:
    """The signal for which datatrove drops the text, or None; an empty text has no line that ends in a mark."""
    verdict = FineWebQualityFilter().filter(Document(text=text, id="0"))
    if verdict is True:
        return None
    return "terminal_line_ratio" if verdict[1] == "empty" else FINEWEB[verdict[1]][0]


def our_reasons(rows: list[str], words: str) -> list[str | None]:
    """The first signal for which each text is dropped, or None."""
    values = measure(pa.array(rows, pa.large_string()), SignalsSettings(families=["fineweb"], words=words))
    rules = rules_of(FilterSettings(theirs=dict(FINEWEB.values())))
    reasons = evaluate(rules, values, len(rows)).column("reason").to_pylist()
    return [reason and reason.split(".")[1] for reason in reasons]


def disagreements(rows: list[str], words: str) -> list[tuple[str, str | None, str | None]]:
    """Each text, our reason and theirs, where they are not the same."""
    with our_words(words):
        theirs = [their_reason(row) for row in rows]
    return [(row, a, b) for row, a, b in zip(rows, our_reasons(rows, words), theirs, strict=True) if a != b]


LINES = ("A line of text that ends here.", "menu", "A line that is longer than thirty characters", "\n", "\n\n", "。\n")


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=150)
@given(rows=st.lists(st.one_of(st.lists(st.sampled_from([*PIECES, *LINES])).map("".join), texts()), min_size=1))
def test_hostile_texts_meet_the_same_end_as_in_fineweb(words, rows):
    rows = [row for row in rows if words_of(row, words) or not row.strip()]  # datatrove divides by the words
    assert disagreements(rows, words) == []


@pytest.mark.parametrize("words", list(WORDS))
@pytest.mark.data
def test_real_texts_meet_the_same_end_as_in_fineweb(words, data):
    rows = real_texts(data)
    assert disagreements(rows, words) == []
    reasons = Counter(our_reasons(rows, words))
    assert len(reasons) == 1 + len(FINEWEB), reasons
