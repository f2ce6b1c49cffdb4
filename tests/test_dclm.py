"""DCLM's meanings: signals and edit tell of the same lines, on real texts too; its presets, and their names."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
import reference_dclm
import reference_edits
from hypothesis import given, settings
from pydantic import ValidationError
from real_texts import fewer_texts, real_texts
from test_edits import HOSTILE

from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.rules.evaluate import rules_of
from gristmill.filters.rules.presets import ALIASES, PRESETS
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import FAMILIES, measure
from gristmill.filters.signals.settings import SignalsSettings

OURS = ("gopher_repetition_dclm", "gopher_quality_dclm", "refinedweb")
EDIT = EditSettings(refinedweb_lines={})
TWINS = (reference_dclm.repetition, reference_dclm.quality, reference_dclm.refinedweb)


def column(rows):
    return pa.array(rows, pa.large_string())


def edited(*rows):
    return catalogue.make(column(rows), EDIT).texts.to_pylist()


def measured(rows, words="unicode"):
    return measure(column(rows), SignalsSettings(families=OURS, words=words)).to_pylist()


def ratios(rows):
    return catalogue.annotate(column(rows), EDIT).column("cut_word_ratio").to_pylist()


# --- one judgement of lines ------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(text=HOSTILE)
def test_the_signal_is_what_the_edit_takes_away(text):
    assert [row["cut_word_ratio_refinedweb"] for row in measured([text])] == ratios([text])


def test_each_kind_of_line_is_counted():
    text = "ALL OF IT IN CAPITALS\n2024\n\n1.2K likes\nword\n3 items in cart now\na line of some words"
    (row,) = measured([text])
    counts = {name: value for name, value in row.items() if name.endswith("count_refinedweb")}
    assert counts == {
        "upper_case_line_count_refinedweb": 1,
        "digit_line_count_refinedweb": 1,
        "counter_line_count_refinedweb": 1,
        "short_line_count_refinedweb": 2,  # the digits are a single word
        "phrase_line_count_refinedweb": 1,
    }
    assert row["cut_line_ratio_refinedweb"] == 4 / 6
    assert row["cut_word_ratio_refinedweb"] == (5 + 1 + 2 + 1 + 3) / 19


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a line of words\nand read more>>>", "a line of words\nand"),  # three characters, whatever they are
        ("it goes on, read more...  \nlast line", "it goes on, read more...  \nlast line"),  # not the end of its line
        ("last line\nit goes on, read more...  ", "last line\nit goes on,"),  # the text is stripped
        ("first line\n sign-in to go on", "first line\n sign-in to go on"),
        (" sign-in to go on\nlast line", "to go on\nlast line"),
        ("items in cart\n sign-in to go on", "to go on"),  # the first line that is left
        ("one two\r\n\r\nthree four", "one two\r\nthree four"),  # a line is what line feeds end: "\r" has no word
        ("some words here\u2028ONE TWO", "some words here\u2028ONE TWO"),
    ],
)
def test_lines_are_cut_as_dclm_cuts_them(text, left):
    assert edited(text) == [left] == [reference_edits.refinedweb_lines(text)]


# --- where DCLM differs by design; docs/edits.md says what its code does ---------------------------------------------


def phrase_between_words():
    assert edited("with 3 items in cartoons") == ["with 3 oons"]


def page_without_words():
    assert measured(['"so" (it) "goes"'])[0]["cut_word_ratio_refinedweb"] == 0.0
    assert measured(['"so" (it) "goes"'])[0]["word_count_dclm"] == 0


def letters_alike():
    assert edited("now ſign-in here\nıtems ın cart here") == ["now ſign-in here\nıtems ın cart here"]


def million_digits():
    text = "words here\n" + "1" * 2_000_000 + " x\nwords there"
    assert edited(text) == [text]


SHOWN = (phrase_between_words, page_without_words, letters_alike, million_digits)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda f: f.__name__)
def test_a_difference_is_as_its_name_says(shown):
    shown()


# --- real texts ------------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_real_texts_agree_with_the_twins(data):
    rows = fewer_texts(real_texts(data))
    assert edited(*rows) == [reference_edits.refinedweb_lines(row) for row in rows]
    assert [row["cut_word_ratio_refinedweb"] for row in measured(rows)] == ratios(rows)
    some = rows[::12]
    for words in ("unicode", "whitespace"):
        expected = [{name: value for twin in TWINS for name, value in twin(row, words).items()} for row in some]
        assert measured(some, words) == expected


# --- presets ---------------------------------------------------------------------------------------------------------


def test_a_preset_can_be_called_by_its_system():
    assert set(ALIASES.values()) <= set(PRESETS)
    named = FilterSettings.model_validate(
        {"use": ["gopher_quality@datatrove"], "gopher_quality@datatrove": {"word_count": {"min": 7}}}
    )
    plain = FilterSettings.model_validate({"use": ["gopher_quality"], "gopher_quality": {"word_count": {"min": 7}}})
    assert rules_of(named) == rules_of(plain)
    assert rules_of(named)[0].code == "gopher_quality.word_count.min"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"use": ["c4", "c4@datatrove"]}, "named twice"),
        ({"use": ["c4"], "c4": {"c4_sentence_count": {"min": 1}}, "c4@datatrove": {}}, "are one preset"),
        ({"use": ["gopher_quality@dolman"]}, "did you mean 'gopher_quality@dolma'"),
        ({"use": ["gopher_quality@dclm"], "gopher_quality": {"word_count": {"min": 1}}}, "'use' does not name"),
    ],
)
def test_names_of_presets_that_cannot_be_meant(settings, message):
    with pytest.raises(ValidationError, match=message):
        FilterSettings.model_validate(settings)


def test_systems_keep_their_reasons_apart():
    names = [name for name in PRESETS if re.search("gopher|dclm|dolma|refinedweb|massivetext", name)]
    codes = [rule.code for rule in rules_of(FilterSettings(use=names))]
    assert len(set(codes)) == len(codes)
    assert "gopher_quality@dclm.word_count_dclm.min" in codes


@pytest.mark.parametrize(
    ("preset", "families"),
    [
        ("refinedweb", OURS),
        ("dclm", OURS),
        ("massivetext", ("gopher_quality", "gopher_repetition_dclm")),
        ("dolma", ("gopher_quality_dolma", "gopher_repetition_dolma")),
    ],
)
def test_a_preset_bounds_what_its_recipe_measures(preset, families):
    known = {name for family in families for name in FAMILIES[family]}
    assert {rule.signal for rule in PRESETS[preset].rules} <= known


def test_bounds_are_the_published_ones():
    gopher = {rule.label: rule.bound for rule in PRESETS["gopher_repetition"].rules}
    for name, differing in (("dclm", {}), ("dolma", {"dup_line_char_ratio.max": 0.3})):
        found = {r.label.replace(f"_{name}", ""): r.bound for r in PRESETS[f"gopher_repetition@{name}"].rules}
        assert found == {label: (gopher | differing)[label] for label in found}
    assert [r.bound for r in PRESETS["refinedweb"].rules] == [r.bound for r in PRESETS["dclm"].rules]
    assert PRESETS["refinedweb"].rules[-1].bound == 0.05
