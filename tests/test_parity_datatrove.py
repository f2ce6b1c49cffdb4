"""datatrove's own filters beside our presets, on the same words: same verdict, same first reason.

Presets are gone through as recipes have them: ``use``, rules, ``evaluate``. Every intended difference is listed in
``gristmill.filters.catalogue.DIFFERENCES``, shown here by name, and counted here on real texts. On those, datatrove's
verdicts are kept in a file (`datatrove_golden.py`), and made again for an eighth of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datatrove_golden as golden
import pyarrow as pa
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters.c4_filters import C4ParagraphFilter
from datatrove.pipeline.formatters import PIIFormatter
from datatrove_filters import FILTERS, REASONS, given_words, in_our_names, raw_verdict, their_reason
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

LOREM, BRACE = (f"c4.{REASONS['c4'][reason]}" for reason in ("lorem_ipsum", "curly_bracket"))


def decided(presets: Sequence[str], rows: list[str], words: str, **changes: Any) -> pa.RecordBatch:
    """Our decisions on texts: keep, reason, reasons."""
    values = measure(pa.array(rows, pa.large_string()), SignalsSettings(families=tuple(presets), words=words))
    return evaluate(rules_of(FilterSettings(use=tuple(presets), **changes)), values, len(rows))


def our_reasons(presets: Sequence[str], rows: list[str], words: str, **changes: Any) -> list[str | None]:
    """The first reason for which each text is dropped, or None."""
    return decided(presets, rows, words, **changes).column("reason").to_pylist()


def joined_otherwise(text: str, words: str) -> bool:
    """Whether different n-grams of the text are equal when joined without spaces (``ngrams_compare_words``)."""
    found = words_of(text, words)
    for n in range(5, 11):
        ngrams = {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}
        if len({"".join(ngram) for ngram in ngrams}) < len(ngrams):
            return True
    return False


Different = tuple[str, list[str], str | None]


def disagreements(preset: str, rows: list[str], words: str, theirs: list[str | None]) -> list[Different]:
    """Each text, our reasons and theirs, where verdict or first reason are not the same."""
    ours = decided([preset], rows, words).to_pylist()
    return [
        (row, mine["reasons"], other)
        for row, mine, other in zip(rows, ours, theirs, strict=True)
        if (mine["keep"], mine["reason"]) != (other is None, other)
    ]


def disagreements_now(preset: str, rows: list[str], words: str) -> list[Different]:
    """The same, datatrove's filter run on our words."""
    with given_words(words):
        return disagreements(preset, rows, words, [their_reason(preset, row) for row in rows])


# --- hostile texts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", list(FILTERS))
def test_every_reason_of_theirs_is_a_rule_of_ours_in_the_same_order(preset):
    ours = [rule.code for rule in PRESETS[preset].rules]
    assert ours == [in_our_names(preset, reason) for reason in REASONS[preset] if reason != "empty"]


COMMON = ("and ", "the ", "word ", "another ", "mean length ", "of ", "that ", "x ", "\n", "12 ", ". ")
LINES = ("A line of text that ends here.", "menu", "A line that is longer than thirty characters", "\n", "\n\n", "。\n")
C4_PIECES = (
    "It is a line.\n",
    "Here {is} one.\n",
    "Lorem ipsum dolor.\n",
    "JavaScript is {on}.",
    "we use cookies.\n",
    "\n",
)


def mixed(*pieces: str, **sizes: int) -> st.SearchStrategy[list[str]]:
    """A few texts, hostile ones and ones put together of pieces; none is empty."""
    text = st.lists(st.sampled_from([*PIECES, *pieces]), **sizes).map("".join)
    return st.lists(st.one_of(text, texts()).filter(bool), min_size=1, max_size=4)


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=75)
@given(rows=mixed(*COMMON, min_size=30, max_size=160))
def test_hostile_texts_meet_the_same_end_as_in_gopher(words, rows):
    rows = [row for row in rows if not joined_otherwise(row, words)]
    for preset in ("gopher_repetition", "gopher_quality"):
        assert disagreements_now(preset, rows, words) == []


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=150)
@given(rows=mixed(*LINES))
def test_hostile_texts_meet_the_same_end_as_in_fineweb(words, rows):
    rows = [row for row in rows if words_of(row, words) or not row.strip()]  # datatrove divides by the words
    assert disagreements_now("fineweb", rows, words) == []


@settings(max_examples=100)
@given(mixed(*C4_PIECES))
def test_hostile_texts_meet_the_same_end_as_in_c4(rows):
    found = disagreements_now("c4", rows, "spacy")
    assert [different for different in found if not is_page_order(*different)] == []


def is_page_order(text: str, ours: list[str], theirs: str | None) -> bool:
    """Whether the page has both lorem ipsum and a brace, and datatrove names what comes first (``page_order``)."""
    return ours[:2] == [LOREM, BRACE] and theirs == BRACE


def other_paragraphs(rows: list[str]) -> list[str]:
    """The texts of which mC4's filter in datatrove and our count of long paragraphs say something else."""
    counts = measure(pa.array(rows, pa.large_string()), SignalsSettings(families=["mc4"])).column(
        "long_paragraph_count"
    )
    verdicts = [C4ParagraphFilter().filter(Document(text=row, id="0")) is True for row in rows]
    return [row for row, keep, count in zip(rows, verdicts, counts.to_pylist(), strict=True) if keep != (count >= 3)]


@settings(max_examples=100)
@given(st.lists(texts(), min_size=1, max_size=4))
def test_hostile_texts_have_as_many_long_paragraphs_as_in_mc4(rows):
    assert other_paragraphs([*rows, *("\n".join([row * 30, "x" * 200, "y" * 199, "z" * 201]) for row in rows)]) == []


# --- real texts ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(data) -> list[str]:
    """All real texts, however long."""
    rows = list(dict.fromkeys(real_texts(data, longest=None)))
    assert len(rows) >= 5_000
    return rows


@pytest.fixture(scope="module")
def known(real) -> dict[str, list]:
    """datatrove's verdicts on them."""
    return golden.kept_verdicts(real)


@pytest.mark.parametrize(("preset", "words"), golden.CASES)
@pytest.mark.data
def test_real_texts_meet_the_same_end(preset, words, real, known):
    """Untouched datatrove has spaCy's words; on others it is given ours. No intended difference shows on any text."""
    theirs = [in_our_names(preset, reason) for reason in known[golden.column(preset, words)]]
    print(f"{preset} on {words} words: {len(real)} texts, {theirs.count(None)} kept")
    assert disagreements(preset, real, words, theirs) == []
    assert theirs.count(None) >= 500
    assert len(set(theirs)) >= {"gopher_repetition": 8, "gopher_quality": 7}.get(preset, 4)  # texts of many kinds


@pytest.mark.parametrize(("preset", "words"), golden.CASES)
@pytest.mark.data
def test_the_kept_verdicts_are_what_datatrove_says(preset, words, real, known):
    chosen = [row for row, text in enumerate(real) if golden.is_run_again(text)]
    assert len(chosen) >= len(real) / 10
    found = golden.verdicts([real[row] for row in chosen], preset, words)
    assert [reason for reason, _ in found] == [known[golden.column(preset, words)][row] for row in chosen]
    if preset == "c4":
        left = [None if reason else golden.digest(text) for reason, text in found]
        assert left == [known[golden.C4_TEXT][row] for row in chosen]


@pytest.mark.data
def test_the_file_of_verdicts_is_small_and_holds_no_text(real):
    assert golden.FILE.stat().st_size < 300_000
    names = [golden.column(preset, words) for preset, words in golden.CASES]
    schema = golden.schema()
    assert sorted(schema.names) == sorted(["digest", golden.C4_TEXT, *names])


@pytest.mark.data
def test_real_texts_have_as_many_long_paragraphs_as_in_mc4(real):
    assert other_paragraphs(real) == []


# --- the differences, each by its name -------------------------------------------------------------------------------


def empty_text():
    assert their_reason("gopher_repetition", "") == "empty"
    assert our_reasons(["gopher_repetition"], [""], "unicode") == [None]
    assert our_reasons(["gopher_repetition", "gopher_quality"], [""], "unicode") == ["gopher_quality.word_count.min"]
    assert raw_verdict("fineweb", " \n") == ("empty", " \n")
    assert our_reasons(["fineweb"], [" \n"], "unicode") == ["fineweb.terminal_line_ratio.min"]


def division_by_zero():
    off = {"word_count": {"min": None}, "mean_word_length": {"min": None}, "alphabetic_word_ratio": {"min": None}}
    with given_words("unicode"), pytest.warns(RuntimeWarning), pytest.raises(ZeroDivisionError):
        their_reason("gopher_quality", " ", min_doc_words=None, min_avg_word_length=None)
    reasons = our_reasons(["gopher_quality"], [" "], "unicode", gopher_quality=off)
    assert reasons == ["gopher_quality.stop_word_count.min"]


def no_mean():
    text = "... " * 60
    loose = {"min_doc_words": None, "max_symbol_word_ratio": None, "max_ellipsis_lines_ratio": None}
    loose |= {"max_non_alpha_words_ratio": None, "min_stop_words": None}
    with given_words("whitespace"), pytest.warns(RuntimeWarning):
        assert their_reason("gopher_quality", text, **loose) is None
    off = {"word_count": {"min": None}}
    assert our_reasons(["gopher_quality"], [text], "whitespace", gopher_quality=off) == [
        "gopher_quality.mean_word_length.min"
    ]


def ngrams_compare_words():
    text = "abc def ghi jkl mno " + "ab cde fgh ijk lmno " + "x" * 58
    with given_words("whitespace"):
        assert their_reason("gopher_repetition", text) == "gopher_repetition.dup_5gram_char_ratio.max"
    assert our_reasons(["gopher_repetition"], [text], "whitespace") == [None]


def all_reasons():
    (reasons,) = decided(["gopher_quality"], ["# # ..."], "unicode").column("reasons").to_pylist()
    assert len(reasons) > 1
    with given_words("unicode"):
        assert their_reason("gopher_quality", "# # ...") == reasons[0]


def page_order():
    text = "Here is a { brace.\nHere is lorem ipsum too.\n" + "A line of words.\n" * 5
    assert their_reason("c4", text) == BRACE
    assert decided(["c4"], [text], "spacy").column("reasons").to_pylist() == [[LOREM, BRACE]]


def object_identifiers():
    text = "the OID 1.3.6.1.4.1.311, and 8.8.8.8"
    assert PIIFormatter(ip_replacement="IP").format(text) == "the OID IP.4.1.311, and IP"
    (values,) = measure(pa.array([text]), SignalsSettings(families=["pii"])).to_pylist()
    assert values["ip_count"] == 1


def bound_of_zero():
    text = "a heading # of the kind that have been\n" * 20
    with given_words("unicode"):
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
    object_identifiers,
    bound_of_zero,
)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda f: f.__name__)
def test_a_difference_is_as_its_name_says(shown):
    shown()


def test_every_difference_is_shown():
    of_lists = {"case_of_sigma", "unlisted_language", "kept_at_random"}  # in test_parity_needs.py
    assert [f.__name__ for f in SHOWN] == [name for name in DIFFERENCES if name not in of_lists]
