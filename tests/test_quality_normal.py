"""The line that a classifier reads: as Python has it, and nothing in it that means something to fastText."""

from __future__ import annotations

import pyarrow as pa
import pytest
import reference_quality
from hypothesis import given, settings
from strategies import text_columns

from gristmill.classifiers.quality.normal import FORMS, training_lines
from gristmill.errors import UsageError

RESERVED = ["</s>", "a </s> b", "</s>x", "__label__positive", "x __label__negative\ty", "\0__label__\x0b</s>", "a</s>"]


def plain(text):
    return "</s>" not in (text or "") and "__label__" not in (text or "").lower()


@pytest.mark.parametrize("form", list(FORMS))
@settings(max_examples=40)
@given(given_rows=text_columns())
def test_lines_are_those_of_the_twin(form, given_rows):
    rows, column = given_rows
    found = training_lines(column, form)
    assert found.type == pa.large_string()
    for text, line in zip(rows, found.to_pylist(), strict=True):
        assert "\n" not in line
        if plain(text):
            assert reference_quality.words(line) == reference_quality.words(reference_quality.line(text, form))


@pytest.mark.parametrize("form", list(FORMS))
def test_no_word_ends_the_reading_or_is_a_label(form):
    for line in training_lines(pa.array([*RESERVED, None, "", " \n\u3000"]), form).to_pylist():
        for word in reference_quality.words(line):
            assert word != "</s>"
            assert not word.startswith("__label__")


def test_what_is_no_word_of_its_own_stays():
    rows = pa.chunked_array([["see x</s>", "a__label__b"], [None]])
    assert training_lines(rows).to_pylist() == ["see x</s>", "a__label__b", ""]
    assert training_lines(pa.array(["a\nb"])).to_pylist() == ["a b"]


def test_an_unknown_form_is_an_error_that_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'lowercase'"):
        training_lines(pa.array(["x"]), "lowercaes")
    with pytest.raises(UsageError, match="there are: lines, lowercase, words"):
        training_lines(pa.array(["x"]), "zzz")
