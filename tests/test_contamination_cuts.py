"""What is cut around contaminated spans."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
import reference_contamination as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import texts as hostile_texts

from gristmill import schema
from gristmill.dedup.contamination.cuts import pages
from gristmill.filters.edits.spans import apply_edits, misfits

hostile = settings(deadline=None, max_examples=200)


def cut(text, *found):
    """What is left of a text around found pieces of it, and how often it is cut."""
    spans = sorted(
        (len(text[: m.start()].encode()), len(text[: m.end()].encode()))
        for f in found
        for m in re.finditer(re.escape(f), text)
    )
    arrays = np.zeros(len(spans), np.int64), *np.array(spans, np.int64).reshape(-1, 2).T.copy()
    layer = pages.cut_pages(pa.array([text], pa.large_string()), arrays)
    assert not misfits(pa.array([len(text.encode())]), layer["edits"], layer["text_bytes"]).any()
    (left,) = apply_edits(pa.array([text], pa.large_string()), layer["edits"]).to_pylist()
    assert layer[schema.CONTAMINATION_CUT_COUNT].to_pylist() == [len(layer["edits"][0])]
    if found:
        assert layer[schema.CHARACTERS_LEFT].to_pylist() == [len(left)]
    return left, len(layer["edits"][0])


FAR = "This is a sentence of forty letters okay. " * 6


def test_a_cut_goes_to_the_sentences_around_it():
    text = f"{FAR}Before it. THE ITEM stands here. After it. {FAR}"
    left, count = cut(text, "THE ITEM")
    assert count == 1
    assert "ITEM" not in left
    assert re.fullmatch(r"(This is a sentence of forty letters okay\. )+", left)
    assert 150 < len(text) - len(left) < 450


def test_without_sentences_it_goes_to_words_and_without_words_to_no_letter():
    words = "word " * 80
    assert cut(f"{words}ITEM {words}".strip(), "ITEM")[0] == ("word " * 80).strip()
    assert cut("x" * 300 + "-ITEM-" + "y" * 300, "ITEM")[0] == "x" * 300 + "- -" + "y" * 300


def test_a_line_break_ends_a_sentence():
    text = "a title without end\n" * 20 + "ITEM\n" + "b title without end\n" * 20
    left, _ = cut(text, "ITEM")
    assert set(left.split("\n")) == {"a title without end", "b title without end", ""}


def test_short_texts_are_cut_whole_and_near_cuts_are_one():
    assert cut("One. ITEM. Two.", "ITEM") == ("", 1)
    assert cut(f"{FAR}ITEM. {FAR[:100]} THING. {FAR}", "ITEM", "THING")[1] == 1
    assert cut(f"{FAR * 3}ITEM. {FAR * 3} THING. {FAR * 3}", "ITEM", "THING")[1] == 2


def test_no_text_and_no_spans_are_no_cuts():
    none = np.zeros(0, np.int64)
    layer = pages.cut_pages(pa.array([None, "", "text"]), (none, none, none))
    assert layer.to_pylist() == [
        {"edits": None, "text_bytes": None, "contamination_cut_count": None, "characters_left": None},
        {"edits": [], "text_bytes": 0, "contamination_cut_count": 0, "characters_left": None},
        {"edits": [], "text_bytes": 4, "contamination_cut_count": 0, "characters_left": None},
    ]


@hostile
@given(st.lists(hostile_texts(), min_size=1, max_size=3), st.data(), st.sampled_from([0, 3, 200]))
def test_cuts_are_those_of_the_twin(texts, data, margin):
    spans, expected = [], []
    for row, text in enumerate(texts):
        places = st.integers(0, len(text))
        drawn = data.draw(st.lists(st.tuples(places, places).map(sorted), max_size=3)) if text else []
        drawn = sorted((start, end) for start, end in drawn if start < end)
        expected.append(reference.cut(text, drawn, margin))
        spans += [(row, len(text[:start].encode()), len(text[:end].encode())) for start, end in drawn]
    before, pages.MARGIN = pages.MARGIN, margin
    try:
        column = pa.array(texts, pa.large_string())
        layer = pages.cut_pages(column, tuple(np.array(spans, np.int64).reshape(-1, 3).T.copy()))
    finally:
        pages.MARGIN = before
    assert apply_edits(column, layer["edits"]).to_pylist() == [left for left, _ in expected]
    assert layer[schema.CONTAMINATION_CUT_COUNT].to_pylist() == [count for _, count in expected]


@hostile
@given(
    st.lists(st.sampled_from(["one", "two", "été", "，", ". ", " ", "\n", "?", '." ']), min_size=1, max_size=60),
    st.data(),
)
def test_no_two_words_are_joined(pieces, data):
    text = "".join(pieces)
    words = [(m.start(), m.end()) for m in re.finditer(r"\w+", text)]
    if words:
        first = data.draw(st.sampled_from(words))
        left = cut(text, text[slice(*first)])[0]
        assert set(re.findall(r"\w+", left)) <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize(
    "text", ["x" * 5_000_000 + " ITEM " + "y" * 5_000_000, " " * 5_000_000 + "ITEM" + "\n" * 5_000_000]
)
def test_giant_words_and_giant_gaps(text):
    assert "ITEM" not in cut(text, "ITEM")[0]
