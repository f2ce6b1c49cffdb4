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
from datatrove.pipeline.filters.c4_filters import C4ParagraphFilter, C4QualityFilter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from reference import cut_chunks, words_of
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


# --- C4 and mC4: sentences are spaCy's there, so the words are -------------------------------------------------------

C4 = {
    "lorem_ipsum": ("c4_lorem_ipsum_line_count", {"max": 0}),
    "curly_bracket": ("c4_curly_brace_line_count", {"max": 0}),
    "too_few_sentences": ("c4_sentence_count", {"min": 5}),
}


def c4_disagreements(rows: list[str]) -> list[tuple[str, str | None, str | None]]:
    """Each text, our first reason and datatrove's, where they are not the same.

    Where a page has both lorem ipsum and a brace, datatrove names what comes first in the page: ``page_order``.
    """
    values = measure(pa.array(rows, pa.large_string()), SignalsSettings(families=["c4", "mc4"], words="spacy"))
    rules = rules_of(FilterSettings(theirs=dict(C4.values())))
    reasons = evaluate(rules, values, len(rows)).column("reasons").to_pylist()
    found = []
    for row, ours in zip(rows, reasons, strict=True):
        verdict = C4QualityFilter().filter(Document(text=row, id="0"))
        theirs = None if verdict is True else f"theirs.{C4[verdict[1]][0]}"
        names = {reason.rpartition(".")[0] for reason in ours[: 2 if "lorem" in str(ours) else 1]}
        if theirs not in (names or {None}):
            found.append((row, str(ours), theirs))
    paragraphs = values.column("long_paragraph_count").to_pylist()
    for row, count in zip(rows, paragraphs, strict=True):
        if (C4ParagraphFilter().filter(Document(text=row, id="0")) is True) != (count >= 3):
            found.append((row, f"{count} paragraphs", None))
    return found


C4_PIECES = (
    "It is a line.\n",
    "Here {is} one.\n",
    "Lorem ipsum dolor.\n",
    "JavaScript is {on}.",
    "we use cookies.\n",
    "\n",
)


@settings(max_examples=100)
@given(st.lists(st.one_of(st.lists(st.sampled_from([*PIECES, *C4_PIECES])).map("".join), texts()), min_size=1))
def test_hostile_texts_meet_the_same_end_as_in_c4(rows):
    assert c4_disagreements([cut_chunks(row) for row in rows]) == []


@pytest.mark.data
def test_real_texts_meet_the_same_end_as_in_c4(data):
    rows = [row for row in real_texts(data) if cut_chunks(row) == row]
    assert len(rows) >= 5_000
    assert c4_disagreements(rows) == []
