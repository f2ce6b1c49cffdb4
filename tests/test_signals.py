"""Signals: each agrees with its slow twin, whatever batch its text comes in."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pyarrow as pa
import pytest
import reference_signals as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import text_columns, text_lists, texts

from gristmill.filters import catalogue
from gristmill.filters.signals.families import FAMILIES, SIGNALS, families_with_needs, layout, measure, versions
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.text import WORDS

OF_TEXT = [family for family in FAMILIES if family not in families_with_needs()]  # the others: test_needs.py
ALL = SignalsSettings(families=OF_TEXT)
DOCS = Path(__file__).resolve().parents[1] / "docs"


def measured(rows: list[str | None], words: str = "unicode") -> list[dict[str, float | None]]:
    found = measure(pa.array(rows, pa.large_string()), SignalsSettings(families=OF_TEXT, words=words))
    return found.to_pylist()


# --- twins -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=200)
@given(column=text_columns())
def test_signals_agree_with_their_twins(words, column):
    rows, array = column
    found = measure(array, SignalsSettings(families=OF_TEXT, words=words)).to_pylist()
    expected = [reference.signals(row, words) if row is not None else dict.fromkeys(layout(ALL).names) for row in rows]
    assert found == expected


@settings(max_examples=150)
@given(st.lists(st.text(alphabet="ab \n.", max_size=150), min_size=1, max_size=4))
def test_signals_of_text_that_repeats_itself_agree_with_their_twins(rows):
    assert measured(rows) == [reference.signals(row) for row in rows]


def test_a_long_repetitive_text_agrees_with_its_twin():
    """Tables that grow, and 10-grams that repeat across and inside each other."""
    text = "\n\n".join(" ".join(f"w{(i * i + j) % 7}" for i in range(60)) for j in range(40))
    assert measured([text]) == [reference.signals(text)]


@pytest.mark.parametrize(
    ("signal", "text", "expected"),
    [
        ("word_count", "one two, — three!", 3),
        ("word_count", "... !!! ???", 0),
        ("mean_word_length", "aa bbbb ...", 3.0),
        ("mean_word_length", "ééé", 3.0),
        ("hash_word_ratio", "# # a b", 0.5),
        ("hash_word_ratio", "## a", 1.0),
        ("ellipsis_word_ratio", "...... a b c", 0.5),
        ("ellipsis_word_ratio", "a … b … c", 0.4),
        ("bullet_line_ratio", "- a\r\n  • b\nc\n\n", 0.5),
        ("ellipsis_line_ratio", "a...\nb…  \nc..\nd", 0.5),
        ("ellipsis_line_ratio", ". . .\n..\n.", 0.0),
        ("alphabetic_word_ratio", "a 1 2 ,", 0.25),
        ("stop_word_count", "the the The and of", 3),
        ("dup_line_ratio", "a\na\n\na\nb", 0.5),
        ("dup_line_char_ratio", "ab\nab", 0.4),
        ("dup_paragraph_ratio", " \na\n\na\n\n\nb\n", 1 / 3),
        ("dup_paragraph_char_ratio", "ab\n\nab\n", 2 / 7),
        ("top_2gram_char_ratio", "a b a b", 6 / 7),
        ("top_2gram_char_ratio", "a b c", 3 / 5),
        ("top_3gram_char_ratio", "a b", 0.0),
        ("dup_5gram_char_ratio", "a b c d e a b c d e", 5 / 19),
        ("dup_5gram_char_ratio", "a b c d e", 0.0),
        ("terminal_line_ratio", "one.\n\n \ntwo。\nthree. \n“four.”", 0.5),
        ("short_line_ratio", f"{'é' * 30}\n{'a' * 31}\n\n", 0.5),
        ("dup_nonblank_line_char_ratio", "ab\n \nab\n \n", 1 / 3),
        ("sentence_count", "One. Two?! 'Three'...\nFour [1]", 4),
        ("c4_line_count", "It is kept [3].\nToo short.\nIt has no mark\nIt goes on...\nPlease enable JavaScript.", 1),
        ("c4_sentence_count", "It is kept. It is.\nThis is not\n", 2),
        ("c4_lorem_ipsum_line_count", "Lorem ipsum dolor.\nLorem ipsum dolor", 1),
        ("lorem_ipsum_count", "Lorem ipsum LOREM IPSUM", 2),
        ("c4_curly_brace_line_count", "Here is {.\nWhere is {\nA javascript is {.", 1),
        ("policy_line_count", "We use cookies\nPrivacy Policy, terms of use", 2),
        ("long_paragraph_count", f"{'é' * 200}\n{'a' * 199}\n", 1),
        ("median_word_length_dolma", "a bb cccc ddddd", 3.0),
        ("symbol_word_ratio_dolma", "## a… b c", 0.4),
        ("stop_word_count_dolma", "the the The", 2),
        ("bullet_line_ratio_dolma", "* a\n- b\n - c\n", 0.5),
        ("ellipsis_line_ratio_dolma", "a…\nb...\n…\n", 0.5),
        ("dup_line_ratio_dolma", "a\na\n\n\nb", 0.8),
        ("dup_5gram_char_ratio_dolma", "a b c d e a b c d e", 1 / 3),
        ("newline_word_ratio", "a\n\nb\n\n", 2.0),
        ("word_count_dclm", 'one "two" three\u00a0four\0five 6 -7', 4),
        ("mean_word_length_dclm", "a, bbb", 2.5),
        ("symbol_word_ratio_dclm", "#a ... . . . b…", 4 / 6),
        ("bullet_line_ratio_dclm", "● a\n\n  * b\n+ c\nd", 0.5),
        ("ellipsis_line_ratio_dclm", "a. . .\n\nb...  \nc..\nd", 0.5),
        ("stop_word_count_dclm", "The the WITH, oF", 3),
        ("dup_line_ratio_dclm", "a\n a \n\n\nb", 2 / 3),
        ("dup_paragraph_ratio_dclm", "a\n\na\n\n\nb", 2 / 3),
        ("top_2gram_char_ratio_dclm", "a b a b, cc dd cc dd", 8 / 12),
        ("top_2gram_char_ratio_dclm", "a b c", 0.0),
        ("dup_5gram_char_ratio_dclm", "a b c d e a b c d e x", 10 / 11),
    ],
)
def test_signals_are_as_documented(signal, text, expected):
    assert measured([text])[0][signal] == expected


@pytest.mark.parametrize("text", ["", " ", "\n", "\n\n\n", "\u200b", "\ufeff"])
def test_a_text_without_words_has_zeros(text):
    values = measured([text])[0]
    split = FAMILIES["gopher_quality_dclm"]  # words of str.split: a zero width space is one
    others = {*split, *FAMILIES["scripts"], *FAMILIES["code"], *FAMILIES["redpajama_v2"]}
    of_words = {k: v for k, v in values.items() if not re.search("line|paragraph", k) and k not in others}
    assert set(of_words.values()) == {0}
    if not text.strip():
        redpajama = {name: values[name] for name in FAMILIES["redpajama_v2"] if not re.search("line|character_c", name)}
        assert set(redpajama.values()) == {0}


def test_an_empty_text_has_zeros_and_a_null_has_nulls():
    empty, null = measured(["", None])
    assert {name: value for name, value in empty.items() if value != 0} == {"main_script": "Zyyy"}
    assert set(null.values()) == {None}


# --- laws ------------------------------------------------------------------------------------------------------------


@given(text_lists(), st.data())
def test_annotation_ignores_batching(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    column = pa.array(rows, pa.large_string())
    parts = [measure(column.slice(a, b - a), ALL) for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    assert (
        pa.Table.from_batches(parts).combine_chunks().to_batches()[0:1]
        == (pa.Table.from_batches([measure(column, ALL)]).combine_chunks().to_batches()[0:1])
    )


@given(text_lists().flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))))
def test_annotation_commutes_with_any_permutation_of_the_rows(case):
    rows, order = case
    column, places = pa.array(rows, pa.large_string()), pa.array(order, pa.int64())
    assert measure(column.take(places), ALL) == measure(column, ALL).take(places)


@given(texts())
def test_ratios_are_finite_and_not_negative_and_those_with_a_bound_are_at_most_one(text):
    unbounded = {"hash_word_ratio", "ellipsis_word_ratio", "newline_word_ratio", "dup_line_char_ratio_dolma"}
    unbounded |= {"symbol_word_ratio_dclm", "symbol_word_ratio_redpajama_v2"}
    systems = "", "_dolma", "_dclm", "_redpajama_v2"
    unbounded |= {f"top_{n}gram_char_ratio{system}" for n in (2, 3, 4) for system in systems}
    for name, value in measured([text])[0].items():
        if isinstance(value, str):
            continue
        assert math.isfinite(value)
        assert value >= 0
        if "_ratio" in name and name not in unbounded:
            assert value <= 1


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_signal_says_what_it_is():
    for name, signal in SIGNALS.items():
        assert signal.name == name
        assert signal.meaning.endswith(".")
        assert signal.source
        assert signal.version >= 1
        assert name in FAMILIES[signal.family]
        number = pa.int64() if re.search("^longest_|_count(_[a-z]+(_v2)?)?$", name) else pa.float64()
        assert signal.type in (number, pa.string())


def test_families_are_what_the_settings_offer():
    assert set(SignalsSettings.model_fields["families"].default) <= set(FAMILIES)
    assert list(reference.FAMILIES) == OF_TEXT
    assert SignalsSettings.model_json_schema()["properties"]["families"]["items"]["enum"] == list(FAMILIES)


def test_columns_are_those_of_the_chosen_families_in_a_fixed_order():
    one = SignalsSettings(families=["gopher_quality"])
    both = SignalsSettings(families=["gopher_quality", "gopher_repetition"])
    assert layout(one).names == list(FAMILIES["gopher_quality"])
    assert layout(both) == layout(SignalsSettings()) == measure(pa.array(["a"]), both).schema
    assert layout(ALL).names == [name for name, s in SIGNALS.items() if s.family in OF_TEXT]


def test_versions_name_all_that_values_depend_on():
    found = versions(SignalsSettings(families=["gopher_quality"], words="whitespace"))
    assert set(found) == {*FAMILIES["gopher_quality"], "segmentation", "unicode"}
    assert found["segmentation"].startswith("whitespace")
    assert found != versions(SignalsSettings(families=["gopher_quality"]))


@pytest.mark.parametrize("wrong", [{"families": ["gopher"]}, {"families": []}, {"words": "spacey"}, {"family": []}])
def test_settings_refuse_what_there_is_not(wrong):
    with pytest.raises(ValidationError):
        SignalsSettings.model_validate(wrong)


@pytest.mark.parametrize("page", list(catalogue.PAGES))
def test_the_reference_pages_are_current(page):
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == catalogue.PAGES[page](), "run: python -m gristmill.filters.catalogue docs"
